"""Paying through the API: signed, once, visible to whom it concerns and to nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from paper import PaperRail
from serving import Phone
from stories import count_of, proved, put_state
from tangguh.access.rate import Rate
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Declined, Refusal, Unanswered
from tangguh.customers import merchants
from tangguh.ledger.account import AccountState
from tangguh.rails.qris.shop import static_text
from tangguh.web.api.services import as_shop
from unit.rails.qris.payloads import VALID

NOBODY = "19999999999"
V5 = VALID["V5"].payload


@pytest.fixture
async def friend(make_phone: Any) -> Phone:
    """The phone of customer 2."""
    found: Phone = await make_phone(2)
    return found


async def test_a_transfer_and_its_trace(phone: Phone, friend: Phone, bank: Bank) -> None:
    """201 with where it is found; then balance, history and list tell the same story."""
    before = (await phone.ask("GET", "/v1/accounts")).body["accounts"][0]
    paid = await phone.pay(phone.transfer(friend.account, "12500.50", note="makan siang"))
    assert (paid.status, paid.body["state"], paid.body["repeated"]) == (201, "posted", False)
    found = await phone.ask("GET", paid.headers["Location"])
    assert found.body["to"]["account"] == friend.account
    assert found.body["to"]["name"]
    assert [event["what"] for event in found.body["timeline"]] == ["posted"]
    after = (await phone.ask("GET", "/v1/accounts")).body["accounts"][0]
    assert float(before["available"]) - float(after["available"]) == 12500.50
    entries = (await phone.ask("GET", f"/v1/accounts/{phone.account}/entries")).body["entries"]
    assert (entries[0]["amount"], entries[0]["balance"]) == ("-12500.50", after["posted"])
    listed = (await phone.ask("GET", "/v1/payments")).body["payments"]
    assert [one["id"] for one in listed] == [paid.body["id"]]
    await proved(bank)


async def test_a_qris_payment(phone: Phone, paper: PaperRail) -> None:
    """The code is read first, then paid; the merchant's name is on the payment."""
    reading = await phone.ask("POST", "/v1/qris/readings", {"qr": V5})
    assert reading.body["valid"] is True
    order = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "15000.00"}
    paid = await phone.pay(order)
    assert (paid.status, paid.body["state"]) == (201, "posted")
    assert paid.body["to"]["name"] == reading.body["merchant_name"]
    assert paid.body["network_reference"]


async def test_the_same_request_again(phone: Phone, friend: Phone, bank: Bank) -> None:
    """200, the same payment, marked as repeated; with another body it is refused by field."""
    order = phone.transfer(friend.account)
    first = await phone.pay(order)
    again = await phone.pay(order)
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body | {"repeated": True}
    other = await phone.pay(order | {"amount": "1000.01"})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert (other.body["field"], other.body["retry"]) == ("amount", "never")
    assert await count_of(bank, "payments") == 1


async def test_fifty_clicks(phone: Phone, friend: Phone, bank: Bank) -> None:
    """Fifty equal requests at once are one payment."""
    order = phone.transfer(friend.account)
    answers = await asyncio.gather(*(phone.pay(order) for _ in range(50)))
    assert {answer.body["id"] for answer in answers} == {answers[0].body["id"]}
    assert sorted({answer.status for answer in answers}) == [200, 201]
    assert await count_of(bank, "payments") == 1
    await proved(bank)


async def test_a_slow_rail(
    phone: Phone, bank: Bank, paper: PaperRail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 while the network thinks, with the money held; then the payment shows its end."""
    quick = msgspec.structs.replace(bank.door.settings, answer_seconds=0.05)
    monkeypatch.setattr(bank.door, "settings", quick)
    paper.gate = asyncio.Event()
    order = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "15000.00"}
    waiting = await phone.pay(order)
    assert (waiting.status, waiting.body["state"]) == (202, "held")
    assert waiting.body["repeated"] is False
    assert waiting.body["next_word_at"]
    assert (await phone.pay(order)).body["repeated"] is True
    paper.gate.set()
    await bank.door.close()
    found = await phone.ask("GET", waiting.headers["Location"])
    assert (found.body["state"], found.body["next_word_at"]) == ("posted", None)
    assert [kind for kind, _ in paper.asked] == ["send"]
    await proved(bank)


async def test_what_nobody_knows_yet_says_so(phone: Phone, paper: PaperRail) -> None:
    """An unanswered payment is 202, never a failure and never a success."""
    paper.will("send", Unanswered("timeout"))
    order = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "15000.00"}
    answer = await phone.pay(order)
    assert (answer.status, answer.body["state"]) == (202, "unanswered")
    assert answer.body["concluded_at"] is None


async def test_a_declined_payment_says_why(phone: Phone, paper: PaperRail) -> None:
    """It is a payment that was voided, with the network's reason in our words."""
    paper.will("send", Declined(Refusal.MERCHANT_BLOCKED, "4035001"))
    order = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "15000.00"}
    answer = await phone.pay(order)
    assert answer.body["state"] == "voided"
    assert answer.body["refusal"]["code"] == "merchant_blocked"


async def test_a_refund_by_the_payee(phone: Phone, friend: Phone, bank: Bank) -> None:
    """The payee gives part of it back; the payer sees it on the payment."""
    paid = await phone.pay(phone.transfer(friend.account, "1000.00"))
    path = f"/v1/payments/{paid.body['id']}/refunds"
    assert (await phone.order(path, {"amount": "1.00"}, key="r0")).code == "payment_not_found"
    too_much = await friend.order(path, {"amount": "1000.01"}, key="r1")
    assert (too_much.status, too_much.code) == (422, "refund_exceeds_payment")
    given = await friend.order(path, {"amount": "400.00"}, key="r1")
    assert (given.status, given.body["kind"]) == (201, "refund")
    assert (await phone.ask("GET", f"/v1/payments/{paid.body['id']}")).body["refunded"] == "400.00"
    await proved(bank)


async def test_anothers_things_look_like_none(phone: Phone, friend: Phone, make_phone: Any) -> None:
    """Accounts and payments of others, and those of nobody, get the same answer."""
    stranger = await make_phone(3)
    paid = await phone.pay(phone.transfer(friend.account))
    for path in ("entries", "balance?at=2026-03-20T05:00:00Z"):
        theirs = await stranger.ask("GET", f"/v1/accounts/{phone.account}/{path}")
        nobodys = await stranger.ask("GET", f"/v1/accounts/{NOBODY}/{path}")
        assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
        assert theirs.code == "account_not_found"
    seen = await stranger.ask("GET", f"/v1/payments/{paid.body['id']}")
    none = await stranger.ask("GET", f"/v1/payments/{'0' * 8}-0000-7000-8000-{'0' * 12}")
    assert (seen.status, seen.body) == (none.status, none.body)
    assert (await friend.ask("GET", f"/v1/payments/{paid.body['id']}")).status == 200


async def test_paying_from_anothers_account(phone: Phone, friend: Phone, bank: Bank) -> None:
    """A signed order for somebody else's money is refused as if there were no such account."""
    before = await count_of(bank, "entries")
    stolen = phone.transfer(phone.account) | {"from_account": friend.account}
    nothing = phone.transfer(phone.account) | {"from_account": NOBODY}
    first, second = await phone.pay(stolen, key="a"), await phone.pay(nothing, key="b")
    assert first.body["refusal"] == second.body["refusal"]
    assert first.body["refusal"]["code"] == "account_not_found"
    assert await count_of(bank, "entries") == before


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"X-Signature": ""}, 401, "signature_missing"),
        ({"X-Timestamp": ""}, 401, "signature_missing"),
        ({"X-Signature": "bm90IGl0"}, 401, "signature_wrong"),
        ({"X-Signature": "\xff\xfe"}, 401, "signature_wrong"),
        ({"X-Timestamp": "yesterday"}, 422, "header_invalid"),
        ({"X-Timestamp": "1" * 13}, 422, "header_invalid"),
        ({"Idempotency-Key": ""}, 422, "header_invalid"),
        ({"Idempotency-Key": "k" * 65}, 422, "header_invalid"),
        ({"Idempotency-Key": "k\xe9y"}, 422, "header_invalid"),
        ({"Idempotency-Key": "ride:1:1"}, 422, "header_invalid"),
        ({"Idempotency-Key": "ride:1:1"}, 422, "header_invalid"),
        ({"Idempotency-Key": "another"}, 401, "signature_wrong"),
        ({"Authorization": ""}, 401, "not_logged_in"),
        ({"Authorization": "Basic YTpi"}, 401, "not_logged_in"),
        ({"Authorization": "Bearer "}, 401, "not_logged_in"),
        ({"Authorization": "Bearer made-up"}, 401, "session_ended"),
    ],
)
async def test_not_signed_as_it_must_be(
    phone: Phone, friend: Phone, bank: Bank, headers: dict[str, str], status: int, code: str
) -> None:
    """A stolen token alone, a changed header or a missing one pays nobody."""
    answer = await phone.pay(phone.transfer(friend.account), headers=headers)
    assert (answer.status, answer.code) == (status, code)
    assert answer.body["money"] == "not_moved"
    assert await count_of(bank, "payments") == 0


async def test_the_signature_covers_the_body_and_the_path(
    phone: Phone, friend: Phone, bank: Bank
) -> None:
    """What was signed cannot be sent with another amount, nor to another place."""
    order = msgspec.json.encode(phone.transfer(friend.account, "1.00"))
    stamp = str(int(bank.clock.now().timestamp()))
    from tangguh.access.session import signature

    headers = {
        "Idempotency-Key": "k",
        "X-Timestamp": stamp,
        "X-Signature": signature(phone.signing_key, "POST", "/v1/payments", order, stamp, "k"),
    }
    changed = order.replace(b"1.00", b"9.00")
    answer = await phone.ask("POST", "/v1/payments", raw=changed, headers=headers)
    assert answer.code == "signature_wrong"
    path = "/v1/payments/00000000-0000-7000-8000-000000000000/refunds"
    body = b'{"amount":"1.00"}'
    answer = await phone.ask("POST", path, raw=body, headers=headers)
    assert answer.code == "signature_wrong"
    assert (await phone.ask("POST", "/v1/payments", raw=order, headers=headers)).status == 201


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_device_whose_clock_is_wrong(
    phone: Phone, friend: Phone, clock: HandClock, seconds: int
) -> None:
    """Five minutes off either way are too much; just under is not."""
    at = clock.now().timestamp() + seconds
    answer = await phone.pay(phone.transfer(friend.account), at=at)
    assert (answer.status, answer.code) == (401, "signature_expired")
    near = at - 1 if seconds > 0 else at + 1
    assert (await phone.pay(phone.transfer(friend.account), at=near)).status == 201


async def test_an_expired_session(phone: Phone, clock: HandClock) -> None:
    """After its time a session is over by itself, also one that was just looked up."""
    assert (await phone.ask("GET", "/v1/me")).status == 200
    clock.advance(30 * 24 * 3600)
    answer = await phone.ask("GET", "/v1/me")
    assert (answer.status, answer.code) == (401, "session_ended")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_too_many_requests(phone: Phone, bank: Bank, clock: HandClock) -> None:
    """429 with the seconds to wait; after them it goes on; others are not slowed down."""
    bank.door.requests = Rate(clock, burst=3, per_minute=30)
    answers = [await phone.ask("GET", "/v1/me") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    wait = int(answers[3].headers["Retry-After"])
    assert answers[3].body["retry_after_seconds"] == wait
    clock.advance(wait)
    assert (await phone.ask("GET", "/v1/me")).status == 200


async def test_above_the_queues_bound_payments_are_turned_away(
    phone: Phone, friend: Phone, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 at once with Retry-After, while reads go through."""
    full = msgspec.structs.replace(bank.door.settings, queued_commands_max=-1)
    monkeypatch.setattr(bank.door, "settings", full)
    answer = await phone.pay(phone.transfer(friend.account))
    assert (answer.status, answer.code, answer.body["money"]) == (503, "overloaded", "not_moved")
    assert answer.headers["Retry-After"] == "1"
    assert (await phone.ask("GET", "/v1/accounts")).status == 200


async def test_refused_payments_are_kept_with_their_reason(
    phone: Phone, friend: Phone, bank: Bank
) -> None:
    """A refused payment is in the customer's list like any other."""
    await put_state(bank, int(friend.account), AccountState.CLOSED)
    answer = await phone.pay(phone.transfer(friend.account))
    assert answer.body["state"] == "refused"
    listed = (await phone.ask("GET", "/v1/payments")).body["payments"]
    assert listed[0]["refusal"]["code"] == "payee_account_closed"


@pytest.mark.parametrize(
    "told", [{"name": "DOMPET BENCANA"}, {"city": "BANDUNG"}, {"nmid": "ID1026999999999"}]
)
async def test_a_code_with_another_name_than_its_merchant_pays_nobody(
    bank: Bank, phone: Phone, told: dict[str, str]
) -> None:
    """A sticker with a charity's name and a shop's number: the payer reads one, the other gets it.

    A code of ours says who it is of; where that is not so, nothing is paid.
    """
    shop = await merchants.by_pan(bank.pool, bank.book_id, "936009990000000002")
    assert shop is not None
    body = {"kind": "qris", "from_account": phone.account, "amount": "1000.00"}
    forged = static_text(msgspec.structs.replace(as_shop(shop), **told))
    refused = await phone.pay(body | {"qr": forged}, key="forged")
    assert (refused.body["state"], refused.body["refusal"]["code"]) == (
        "refused",
        "payee_not_found",
    )
    paid = await phone.pay(body | {"qr": static_text(as_shop(shop))}, key="true")
    assert paid.body["state"] == "posted"
