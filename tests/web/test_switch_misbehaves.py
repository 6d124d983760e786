"""A switch with a good key that says wrong things: nobody's money moves by it, and no neighbour's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette

from serving import Phone, phones, served
from stories import ANA, BUDI, RUPIAH, balance, count_of, now_is, proved, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import ToBank
from tangguh.core.service import TRANSFER_BIFAST
from tangguh.payments import store as payments
from tangguh.payments.decide import Accept
from tangguh.payments.payment import Decided, State
from tangguh.rails import signature
from tangguh.rails.qris import acquirer as reader
from tangguh.rails.qris import cpm
from tangguh.rails.qris.notice import NOTIFY
from tangguh.rails.snap_agreed import Agreed
from tangguh.web.partners import acquirer, notices

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PARTNER, CHANNEL = "SWITCH01", "95221"
AGREED = Agreed(PARTNER, CHANNEL)


class Switch:
    """Signs whatever it is told to send, with the key the bank knows."""

    def __init__(self, http: aiohttp.ClientSession, url: str, clock: HandClock) -> None:
        self._http, self._url, self._clock, self._sent = http, url, clock, 0

    async def post(
        self, path: str, body: dict[str, Any] | bytes, **headers: str | None
    ) -> tuple[int, dict[str, Any]]:
        """The answer: status and fields."""
        self._sent += 1
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = signature.timestamp_of(self._clock.now())
        text = signature.text_of_call("POST", path, None, content, stamp)
        sent: dict[str, str | None] = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": stamp,
            "X-SIGNATURE": signature.sign_asymmetric(KEY, text),
            "X-PARTNER-ID": PARTNER,
            "X-EXTERNAL-ID": str(self._sent),
            "CHANNEL-ID": CHANNEL,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        real = {name: value for name, value in sent.items() if value is not None}
        async with self._http.post(self._url + path, data=content, headers=real) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def switch(bank: Bank, clock: HandClock) -> AsyncIterator[Switch]:
    """The switch before the bank's two doors for it."""
    routes = [
        *acquirer.routes(bank.door, KEY.public_key(), AGREED),
        *notices.routes(bank.door, KEY.public_key(), AGREED),
    ]
    async with served(Starlette(routes=routes)) as url, aiohttp.ClientSession() as http:
        yield Switch(http, url, clock)


async def shop(bank: Bank) -> dict[str, Any]:
    """A payment to a shop of ours, as the switch tells it."""
    row = await bank.pool.fetchrow("SELECT pan, merchant_id FROM merchants ORDER BY pan LIMIT 1")
    assert row is not None
    return {
        "partnerReferenceNo": "REF-1",
        "merchantId": row["merchant_id"],
        "amount": {"value": "25000.00", "currency": "IDR"},
        "additionalInfo": {"merchantPan": row["pan"], "issuerNns": "93600014", "rrn": "1"},
    }


@pytest.fixture
async def make_phone(bank: Bank, clock: HandClock) -> AsyncIterator[Any]:
    async with phones(bank, clock) as make:
        yield make


async def token_of(phone: Phone) -> str:
    """A code the customer shows; its token."""
    asked = {"kind": "qris", "from_account": phone.account, "amount": "1000.00"}
    shown = (await phone.order("/v1/codes", asked)).body["code"]
    return cpm.decode(shown).seen.token


def charge(reference: str, token: str) -> dict[str, Any]:
    return {
        "partnerReferenceNo": reference,
        "amount": {"value": "1000.00", "currency": "IDR"},
        "merchantId": "M1",
        "additionalInfo": {"token": token, "merchantPan": "9360091400000000001"},
    }


async def test_one_reference_for_two_codes_does_not_stop_the_neighbours(
    bank: Bank, switch: Switch, make_phone: Any
) -> None:
    """The second is refused as inconsistent; what others order in the same instant is done."""
    first, second = [await token_of(await make_phone(one)) for one in (ANA, BUDI)]
    path = reader.PAY_BY_CODE.path
    assert (await switch.post(path, charge("REF-1", first)))[0] == 200
    order = await transfer(bank, 1_000 * RUPIAH, by=BUDI, to=ANA)
    (_, said), neighbour = await asyncio.gather(
        switch.post(path, charge("REF-1", second)), bank.desk.decide(Accept(order, bank.desk.rules))
    )
    assert said["responseCode"] == "4046018", said
    assert isinstance(neighbour, Decided)
    assert [one.kind for one in await payments.of_customer(bank.pool, bank.book_id, BUDI)] == [
        "payment"
    ]
    assert (await switch.post(path, charge("REF-2", second)))[0] == 200
    await proved(bank)


async def bifast_on_its_way(bank: Bank) -> Any:
    """Ana's transfer to another bank, held and not yet answered."""
    order = msgspec.structs.replace(
        await transfer(bank, 50_000 * RUPIAH),
        service=TRANSFER_BIFAST,
        payee=ToBank(bank="998", account="9980000001", name="SARI"),
    )
    decided = await bank.desk.decide(Accept(order, bank.desk.rules))
    assert isinstance(decided, Decided), decided
    assert decided.payment.state is State.HELD, decided.payment
    return decided.payment


@pytest.mark.parametrize("status", ["00", "06"])
async def test_the_switch_cannot_end_a_payment_of_another_network(
    bank: Bank, switch: Switch, status: str
) -> None:
    """Its word that a BI-FAST transfer failed would give the money back while the hub pays."""
    payment = await bifast_on_its_way(bank)
    held = (await balance(bank, payment.debtor)).held_minor
    body = {
        "originalReferenceNo": "N1",
        "originalPartnerReferenceNo": payment.id.hex,
        "latestTransactionStatus": status,
    }
    _, said = await switch.post(NOTIFY.path, body)
    assert said["responseCode"] == "4045201", said
    assert (await now_is(bank, payment)).state is State.HELD
    assert (await balance(bank, payment.debtor)).held_minor == held > 0


@pytest.mark.parametrize("path", [reader.PAY_MERCHANT.path, NOTIFY.path])
@pytest.mark.parametrize(
    ("channel", "case"), [(None, "40002"), ("", "40002"), ("00000", "40100"), ("9" * 500, "40100")]
)
async def test_a_call_by_another_channel_is_refused(
    bank: Bank, switch: Switch, path: str, channel: str | None, case: str
) -> None:
    """CHANNEL-ID is mandatory in SNAP, and the one that was agreed upon."""
    _, said = await switch.post(path, await shop(bank), CHANNEL_ID=channel)
    code = said["responseCode"]
    assert code[:3] + code[5:] == case, said
    assert "CHANNEL-ID" in said["responseMessage"]
    assert await count_of(bank, "payments") == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("partnerReferenceNo", "in:REF-1"),  # how the book calls what came in
        ("partnerReferenceNo", "REF|1"),  # parts of a line in the settlement file
        ("partnerReferenceNo", "REF\u00e91"),  # nothing a settlement file can name
        ("partnerReferenceNo", "   "),
        ("partnerReferenceNo", "REF-1\n"),
        ("merchantPan", "not-a-pan"),
        ("merchantPan", "\u0661" * 16),
        ("issuerNns", '=cmd|"/c calc"'),
        ("rrn", "=1+1"),
    ],
)
async def test_a_number_of_another_form_is_refused(
    bank: Bank, switch: Switch, field: str, value: str
) -> None:
    """What names a payment, a bank or a shop is letters and digits: files and lists hold it."""
    body = await shop(bank)
    place = body if field in body else body["additionalInfo"]
    place[field] = value
    _, said = await switch.post(reader.PAY_MERCHANT.path, body)
    assert said["responseCode"] == "4005001", said
    assert field in said["responseMessage"]
    assert await count_of(bank, "payments") == 0


async def test_a_body_in_another_encoding_is_no_body(bank: Bank, switch: Switch) -> None:
    """Blanks are left out of what is signed byte by byte: in UTF-16 they are halves of letters."""
    body = json.dumps(await shop(bank)).encode("utf-16")
    _, said = await switch.post(reader.PAY_MERCHANT.path, body)
    assert said["responseCode"] == "4005000", said
    assert await count_of(bank, "payments") == 0
