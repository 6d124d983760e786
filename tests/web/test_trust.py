"""What a client says decides nothing: seals it makes, tokens of another kind, codes without a yes."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest

from serving import Phone
from stories import ANA, BUDI, account_of, balance, proved, put_state
from tangguh.access.session import Kind
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.customers.demo import purse_of
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.payments import store as payments
from tangguh.rails.qris import cpm
from tangguh.web.partners.acquirer import AcquirerCounter

SHOP = "TGH000000002"


def forged(phone: Phone, customer_id: int, payee: dict[str, Any], service: str) -> str:
    """An inquiry the bank never made, sealed with everything this device holds."""
    body = json.dumps(
        {
            "customer_id": customer_id,
            "service": service,
            "payee": payee,
            "name": "x",
            "amount_minor": None,
            "expires_at": "2099-01-01T00:00:00Z",
        }
    ).encode()
    mac = hmac.digest(phone.signing_key, b"tangguh inquiry\n" + body, "sha256")
    return ".".join(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in (body, mac))


def to_merchant(account_id: int, mdr_minor: int) -> dict[str, Any]:
    """A payee that pays a "merchant" whose account and discount the sender chose."""
    return {
        "type": "merchant",
        "account_id": account_id,
        "merchant_id": SHOP,
        "nmid": "ID1026000000002",
        "merchant_name": "X",
        "merchant_city": "X",
        "mdr_minor": mdr_minor,
    }


async def pay_forged(phone: Phone, customer_id: int, payee: dict[str, Any], **more: str) -> int:
    """The status of a payment of a forged inquiry."""
    service = more.get("service", "mobile.qris.onus")
    body = {
        "kind": "inquired",
        "from_account": phone.account,
        "inquiry": forged(phone, customer_id, payee, service),
        "amount": "1.00",
    }
    return (await phone.pay(body, key=more.get("key", "forged"))).status


async def test_nobody_prints_money_with_a_seal_of_their_own(phone: Phone, bank: Bank) -> None:
    """A "merchant" with a negative discount: the payer's other account would grow from nothing."""
    theirs = await account_of(bank, BUDI)
    before = (await balance(bank, theirs)).posted_minor
    assert await pay_forged(phone, ANA, to_merchant(theirs, -100_000_000_000)) == 422
    assert (await balance(bank, theirs)).posted_minor == before
    assert (await balance(bank, chart.MERCHANT_FEES)).posted_minor == 0
    await proved(bank)


async def test_nobody_empties_anothers_account_with_a_seal_of_their_own(
    phone: Phone, bank: Bank
) -> None:
    """A discount larger than the amount: the "merchant" would be debited, whoever it is."""
    theirs = await account_of(bank, BUDI)
    before = (await balance(bank, theirs)).posted_minor
    assert await pay_forged(phone, ANA, to_merchant(theirs, before + 100)) == 422
    assert (await balance(bank, theirs)).posted_minor == before
    await proved(bank)


@pytest.mark.parametrize("account_id", [chart.EQUITY, chart.FEES, chart.RESERVE, chart.NOSTRO])
async def test_no_account_of_the_banks_own_is_paid_by_a_forged_order(
    phone: Phone, bank: Bank, account_id: int
) -> None:
    """Nothing internal is credited, whatever the sender sealed."""
    before = (await balance(bank, account_id)).posted_minor
    assert await pay_forged(phone, ANA, to_merchant(account_id, 0)) == 422
    vault = {"type": "cash", "terminal": "ATM00001", "acquirer": "999", "vault": account_id}
    assert await pay_forged(phone, ANA, vault, key="v", service="atm.cash.onus") == 422
    assert (await balance(bank, account_id)).posted_minor == before
    await proved(bank)


async def test_a_code_for_cash_needs_the_devices_signature(phone: Phone) -> None:
    """Whoever has only the token cannot make a machine pay later."""
    asked = {"kind": "cash", "from_account": phone.account, "amount": "1000000.00"}
    said = await phone.ask("POST", "/v1/codes", asked)
    assert (said.status, said.code) == (422, "header_invalid")
    assert (await phone.order("/v1/codes", asked)).status == 201


async def test_a_browsers_token_is_no_token_of_the_api(make_phone: Any, bank: Bank) -> None:
    """A cookie's value in the header opens nothing: each kind of session has its own way in."""
    nobody: Phone = await make_phone(None)
    opened = await bank.sessions.open(ANA, Kind.BROWSER)
    nobody.token = opened.token
    said = await nobody.ask("GET", "/v1/accounts")
    assert (said.status, said.code) == (401, "session_ended")


@pytest.mark.parametrize("amount", ["12345.67", "70000.00", "49999.99", "0.00"])
async def test_a_code_for_cash_is_for_what_a_machine_can_pay(phone: Phone, amount: str) -> None:
    """Notes are of Rp 50,000: nothing else can be dispensed, so no code is made for it."""
    asked = {"kind": "cash", "from_account": phone.account, "amount": amount}
    said = await phone.order("/v1/codes", asked)
    assert (said.status, said.code, said.body["field"]) == (422, "order_invalid", "amount")


@pytest.mark.parametrize(("charged", "state"), [("50000.00", None), ("1000.00", "posted")])
async def test_a_code_that_is_shown_pays_its_own_sum_and_no_other(
    phone: Phone, bank: Bank, charged: str, state: str | None
) -> None:
    """The customer made the code for Rp 1,000; the shop's cashier typed something else."""
    asked = {"kind": "qris", "from_account": phone.account, "amount": "1000.00"}
    shown = (await phone.order("/v1/codes", asked)).body["code"]
    code = cpm.decode(shown).seen
    counter = AcquirerCounter(bank.door)
    fields = {
        "partnerReferenceNo": "CPM-1",
        "amount": {"value": charged, "currency": "IDR"},
        "merchantId": "M1",
        "additionalInfo": {"token": code.token, "merchantPan": "9360091400000000001"},
    }
    status, body = await counter.pay_by_code(fields)
    paid = await payments.of_customer(bank.pool, bank.book_id, ANA)
    assert [one.state for one in paid] == ([state] if state else [])
    expected = (200, "2006000") if state else (404, "4046013")
    assert (status, json.loads(body)["responseCode"]) == expected
    await proved(bank)


async def test_a_code_asked_for_twice_is_one_code(phone: Phone) -> None:
    """The request's key makes it: the same digits again, and another order under it refused."""
    asked = {"kind": "cash", "from_account": phone.account, "amount": "100000.00"}
    first = await phone.order("/v1/codes", asked)
    again = await phone.order("/v1/codes", asked)
    assert first.body == again.body
    other = await phone.order("/v1/codes", asked | {"amount": "150000.00"})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    fresh = await phone.order("/v1/codes", asked, key="key-2")
    assert fresh.body["code"] != first.body["code"]


@pytest.mark.parametrize("which", ["waiting", "purse"])
async def test_a_transfer_credits_accounts_of_people_only(
    phone: Phone, bank: Bank, which: str
) -> None:
    """What waits for a shop's cut-off, and e-money, are credited by their own services alone."""
    shops = await bank.pool.fetch("SELECT waiting_id FROM merchants WHERE waiting_id <> 0")
    to = shops[0]["waiting_id"] if which == "waiting" else purse_of("server", 1, 1).account_id
    before = (await balance(bank, to)).posted_minor
    said = await phone.pay(phone.transfer(str(to)))
    assert (said.status, said.body["refusal"]["code"]) == (201, "payee_not_found")
    assert (await balance(bank, to)).posted_minor == before


async def test_a_shown_code_asked_about_after_its_time_answers_as_before(
    phone: Phone, bank: Bank, clock: HandClock
) -> None:
    """The answer was lost and the switch asks again three minutes later: it was paid, still."""
    asked = {"kind": "qris", "from_account": phone.account, "amount": "1000.00"}
    paying, late = [
        cpm.decode((await phone.order("/v1/codes", asked, key=key)).body["code"]).seen
        for key in ("code-1", "code-2")
    ]
    counter = AcquirerCounter(bank.door)
    fields = {
        "partnerReferenceNo": "CPM-1",
        "amount": {"value": "1000.00", "currency": "IDR"},
        "merchantId": "M1",
        "additionalInfo": {"token": paying.token, "merchantPan": "9360091400000000001"},
    }
    first = await counter.pay_by_code(fields)
    clock.advance(180)
    assert await counter.pay_by_code(fields) == first
    unused = fields | {
        "partnerReferenceNo": "CPM-2",
        "additionalInfo": {"token": late.token, "merchantPan": "9360091400000000001"},
    }
    assert (await counter.pay_by_code(unused))[0] == 403
    paid = await payments.of_customer(bank.pool, bank.book_id, ANA)
    assert [one.state for one in paid] == ["posted"]


@pytest.mark.parametrize(
    ("kind", "amount"), [("cash", "2550000.00"), ("cash", "900000000.00"), ("qris", "2000000.01")]
)
async def test_no_code_is_made_for_more_than_it_may_pay(
    phone: Phone, kind: str, amount: str
) -> None:
    """Known now, so said now, and not at the machine or the till."""
    asked = {"kind": kind, "from_account": phone.account, "amount": amount}
    said = await phone.order("/v1/codes", asked)
    assert (said.status, said.code) == (422, "limit_per_transaction")


@pytest.mark.parametrize("kind", ["cash", "qris"])
@pytest.mark.parametrize("state", [AccountState.FROZEN, AccountState.CLOSED])
async def test_no_code_is_made_for_an_account_that_pays_nothing(
    phone: Phone, bank: Bank, kind: str, state: AccountState
) -> None:
    await put_state(bank, int(phone.account), state)
    asked = {"kind": kind, "from_account": phone.account, "amount": "100000.00"}
    said = await phone.order("/v1/codes", asked)
    assert (said.status, said.code) == (403, "account_closed")
