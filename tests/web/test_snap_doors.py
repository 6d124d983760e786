"""The switch's doors keep SNAP's rules: one name one request, nothing unsigned, words that say why."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette

from serving import phones, served
from stories import RUPIAH, balance, count_of, pay, proved, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import CreditOrder
from tangguh.core.service import IN_QRIS
from tangguh.customers import merchants
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.rails import signature
from tangguh.rails.qris import acquirer as reader
from tangguh.rails.qris.notice import NOTIFY
from tangguh.rails.snap_agreed import Agreed
from tangguh.settlement.contradicted.listing import list_contradictions
from tangguh.settlement.cycle import BackOffice
from tangguh.web.partners import acquirer, notices

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PARTNER = "SWITCH01"
AGREED = Agreed(PARTNER)
AMOUNT = {"value": "25000.00", "currency": "IDR"}


class Switch:
    """A switch of the test's own: it signs whatever it is told to send."""

    def __init__(self, http: aiohttp.ClientSession, url: str, clock: HandClock) -> None:
        self._http, self._url, self._clock = http, url, clock
        self.pan = self.merchant_id = ""

    def body(self, reference: str = "REF-1", **changes: Any) -> dict[str, Any]:
        """SNAP 50 for a shop of ours; a change to None leaves the field out."""
        whole = {
            "partnerReferenceNo": reference,
            "merchantId": self.merchant_id,
            "amount": AMOUNT,
            "additionalInfo": {"merchantPan": self.pan, "issuerNns": "93600014", "rrn": "1"},
        } | changes
        return {name: value for name, value in whole.items() if value is not None}

    async def post(
        self,
        body: dict[str, Any] | bytes,
        *,
        path: str = reader.PAY_MERCHANT.path,
        query: str = "",
        external_id: str = "1001",
        **headers: str | None,
    ) -> tuple[int, dict[str, Any]]:
        """The answer: status and fields."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = signature.timestamp_of(self._clock.now())
        text = signature.text_of_call("POST", path, None, content, stamp)
        sent: dict[str, str | None] = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": stamp,
            "X-SIGNATURE": signature.sign_asymmetric(KEY, text),
            "X-PARTNER-ID": PARTNER,
            "X-EXTERNAL-ID": external_id,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        real = {name: value for name, value in sent.items() if value is not None}
        async with self._http.post(self._url + path + query, data=content, headers=real) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def switch(bank: Bank, clock: HandClock) -> AsyncIterator[Switch]:
    """The two doors of the bank, and a switch before them."""
    routes = [
        *acquirer.routes(bank.door, KEY.public_key(), AGREED),
        *notices.routes(bank.door, KEY.public_key(), AGREED),
    ]
    async with served(Starlette(routes=routes)) as url, aiohttp.ClientSession() as http:
        made = Switch(http, url, clock)
        row = await bank.pool.fetchrow(
            "SELECT pan, merchant_id FROM merchants ORDER BY pan LIMIT 1"
        )
        assert row is not None
        made.pan, made.merchant_id = row["pan"], row["merchant_id"]
        yield made


async def paid(bank: Bank) -> int:
    return await count_of(bank, "payments")


async def test_one_name_is_one_request(bank: Bank, switch: Switch) -> None:
    """The same again is the same answer; another body under the name is a conflict, untouched."""
    first = await switch.post(switch.body())
    assert first[0] == 200, first
    assert await switch.post(switch.body()) == first
    status, said = await switch.post(switch.body("REF-2"))
    assert (status, said["responseCode"]) == (409, "4095000")
    assert "Conflict" in said["responseMessage"]
    assert await paid(bank) == 1
    await proved(bank)


async def test_a_name_is_free_again_the_next_day(
    bank: Bank, switch: Switch, clock: HandClock
) -> None:
    assert (await switch.post(switch.body()))[0] == 200
    clock.advance(24 * 3600)
    assert (await switch.post(switch.body("REF-2")))[0] == 200
    assert await count_of(bank, "partner_requests") == 2
    clock.advance(2 * 24 * 3600)
    assert (await switch.post(switch.body("REF-3")))[0] == 200


@pytest.mark.parametrize(
    ("named", "code"), [(None, "4005002"), ("", "4005002"), ("BANK-LAIN", "4015000")]
)
async def test_who_calls_is_named_and_is_the_switch(
    bank: Bank, switch: Switch, named: str | None, code: str
) -> None:
    _, said = await switch.post(switch.body(), X_PARTNER_ID=named)
    assert said["responseCode"] == code
    assert "X-PARTNER-ID" in said["responseMessage"]
    assert await paid(bank) == 0


@pytest.mark.parametrize("path", [reader.PAY_MERCHANT.path, reader.PAY_BY_CODE.path, NOTIFY.path])
async def test_a_query_nobody_signed_is_refused(bank: Bank, switch: Switch, path: str) -> None:
    status, said = await switch.post(switch.body(), path=path, query="?amount=1")
    assert status == 400
    assert said["responseCode"].endswith("01")
    assert "query" in said["responseMessage"]
    assert await paid(bank) == 0


async def test_a_member_named_twice_is_refused(bank: Bank, switch: Switch) -> None:
    raw = json.dumps(switch.body()).encode()
    twice = raw[:-1] + b',"amount":{"value":"99000.00","currency":"IDR"}}'
    _, said = await switch.post(twice)
    assert said["responseCode"] == "4005001"
    assert said["responseMessage"] == "Invalid Field Format amount: is given twice"
    inner = raw.replace(b'"currency": "IDR"', b'"currency": "IDR", "currency": "USD"')
    _, said = await switch.post(inner)
    assert said["responseMessage"] == "Invalid Field Format currency: is given twice"
    assert await paid(bank) == 0


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"partnerReferenceNo": None}, "4005002", "Invalid Mandatory Field partnerReferenceNo"),
        ({"partnerReferenceNo": ""}, "4005002", "Invalid Mandatory Field partnerReferenceNo"),
        ({"partnerReferenceNo": 7}, "4005001", "Invalid Field Format partnerReferenceNo"),
        ({"partnerReferenceNo": "x" * 65}, "4005001", "Invalid Field Format partnerReferenceNo"),
        ({"amount": None}, "4005002", "Invalid Mandatory Field amount"),
        ({"amount": "25000.00"}, "4005001", "Invalid Field Format amount"),
        ({"amount": {"value": "25000.00"}}, "4005001", "Invalid Field Format amount"),
        (
            {"amount": {"value": "25000.00", "currency": "USD"}},
            "4005001",
            "Invalid Field Format amount",
        ),
        ({"merchantId": None}, "4005002", "Invalid Mandatory Field merchantId"),
        ({"additionalInfo": None}, "4005002", "Invalid Mandatory Field additionalInfo.merchantPan"),
        ({"additionalInfo": 5}, "4005001", "Invalid Field Format additionalInfo"),
        ({"partnerReferenceNo": "a\x00b"}, "4005001", "Invalid Field Format partnerReferenceNo"),
        ({"merchantId": "a\u202eb"}, "4005001", "Invalid Field Format merchantId"),
    ],
)
async def test_a_field_is_missing_or_malformed(
    bank: Bank, switch: Switch, changes: dict[str, Any], code: str, message: str
) -> None:
    """Missing is 02, malformed is 01, and the message names the field."""
    _, said = await switch.post(switch.body(**changes))
    assert said["responseCode"] == code, said
    assert said["responseMessage"].startswith(message), said
    assert await paid(bank) == 0


async def test_a_nul_in_a_bill_number_is_not_stored(bank: Bank, switch: Switch) -> None:
    more = {"merchantPan": switch.pan, "billNo": "INV\x001"}
    _, said = await switch.post(switch.body(additionalInfo=more))
    assert said["responseCode"] == "4005001"
    assert "additionalInfo.billNo" in said["responseMessage"]
    assert await paid(bank) == 0


async def test_a_row_stored_before_does_not_take_its_shop_with_it(
    bank: Bank, clock: HandClock
) -> None:
    """A NUL in one order of the day: the shop's page still answers, with every payment in it."""
    row = await bank.pool.fetchrow("SELECT pan, customer_id FROM merchants ORDER BY pan LIMIT 1")
    assert row is not None
    shop = await merchants.by_pan(bank.pool, bank.book_id, row["pan"])
    assert shop is not None
    for number, bill in enumerate(("INV-1", "INV\x002")):
        order = CreditOrder(
            rail="qris",
            idempotency_key=f"qris:{number}",
            service=IN_QRIS,
            creditor=shop.credit_id,
            amount_minor=1_000 * RUPIAH,
            merchant_id=shop.merchant_id,
            note=bill,
        )
        await bank.desk.decide(ReceiveCredit(order, bank.desk.rules, at_once=True))
    async with phones(bank, clock) as make:
        owner = await make(row["customer_id"])
        answer = await owner.ask("GET", "/v1/shops")
        assert answer.status == 200, answer.raw
        mine = next(one for one in answer.body["shops"] if one["merchant_id"] == shop.merchant_id)
    assert (mine["payments_today"], mine["discount_today"]) == (2, "0.00")


async def test_a_refusal_says_why(bank: Bank, switch: Switch) -> None:
    _, said = await switch.post(switch.body(merchantId="NOBODY"))
    assert (said["responseCode"], said["responseMessage"]) == ("4045008", "Invalid Merchant")
    _, said = await switch.post({}, path=reader.QUERY_MERCHANT.path, external_id="2")
    assert said["responseCode"] == "4005102"
    assert said["responseMessage"].startswith("Invalid Mandatory Field originalPartnerReferenceNo")


async def test_a_notice_of_another_sum_is_refused_and_has_an_owner(
    bank: Bank, switch: Switch, clock: HandClock
) -> None:
    payment = await pay(bank, await scan(bank, 25_000 * RUPIAH))
    before = await balance(bank, payment.debtor)
    body = {
        "originalReferenceNo": "N1",
        "originalPartnerReferenceNo": payment.id.hex,
        "latestTransactionStatus": "00",
        "amount": {"value": "26000.00", "currency": "IDR"},
    }
    _, said = await switch.post(body, path=NOTIFY.path)
    assert said["responseCode"] == "4045213"
    assert (await balance(bank, payment.debtor)).posted_minor == before.posted_minor
    office = BackOffice(bank.desk, bank.pool, bank.book_id, clock)
    (opened,) = await list_contradictions(office)
    assert (opened.owner, opened.difference_minor) == ("qris desk", 1_000 * RUPIAH)
