"""A new device: a code to the address the bank knew, word to the owner, and large sums that wait."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import msgspec
import pytest

from serving import Answered, Phone, credentials
from stories import count_of
from tangguh.access.devices import DeviceSettings
from tangguh.access.rate import Backoff, Rate
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import Origin, PaymentOrder
from tangguh.customers import merchants
from tangguh.rails.qris.codec import encode
from tangguh.rails.qris.message import Tip, TipKind
from tangguh.rails.qris.shop import static_code
from tangguh.web.api.services import as_shop
from tangguh.web.cooling import Cooling

BUDI = 2
NOBODY = "6281199999999"


@pytest.fixture
def asking(bank: Bank) -> Bank:
    """The bank as it is set for production: a new device needs a code."""
    bank.door.devices.settings = DeviceSettings(new_device="code")
    bank.door.logins = Rate(bank.clock, burst=10_000, per_minute=10_000)
    bank.door.guesses = Backoff(bank.clock, free=10_000, first=1.0, most=1.0, memory=1.0)
    return bank


async def log_in(by: Any, **changes: str) -> Answered:
    """A try to log in; a code goes with the attempt it was last asked for."""
    attempt = {"attempt": by.attempt} if "code" in changes and by.attempt else {}
    said = await by.ask("POST", "/v1/sessions", credentials(BUDI) | attempt | changes)
    by.attempt = said.body.get("attempt") or by.attempt
    return said


async def told(bank: Bank, template: str) -> list[str]:
    """What was written to people, oldest first."""
    await bank.door.settle()
    rows = await bank.pool.fetch(
        "SELECT notices::text AS row FROM notices WHERE template = $1 ORDER BY notice_id", template
    )
    return [row["row"] for row in rows]


async def code_of(bank: Bank) -> str:
    [*_, newest] = await told(bank, "login_code")
    found = re.search(r"Kode masuk Anda (\d{6})", newest)
    assert found is not None, newest
    return found[1]


async def test_a_right_pin_on_a_new_device_is_not_enough(make_phone: Any, asking: Bank) -> None:
    """The code that went to the owner opens it, once; from then on the device is known."""
    phone = await make_phone(None)
    first = await log_in(phone)
    assert (first.status, first.code) == (401, "code_needed")
    assert await count_of(asking, "sessions") == 0
    code = await code_of(asking)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (await log_in(phone, code=wrong)).code == "code_wrong"
    opened = await log_in(phone, code=code)
    assert opened.status == 201
    assert (await log_in(phone, code=code)).code == "code_wrong", "it is right once"
    assert (await log_in(phone, device=opened.body["device"])).status == 201
    assert len(await told(asking, "login_device")) == 1, "the owner is told of the new device"
    kept = await asking.pool.fetch("SELECT login_attempts::text AS row FROM login_attempts")
    assert not any(code in row["row"] for row in kept)


async def test_a_code_ends_by_itself_and_after_five_tries(
    make_phone: Any, asking: Bank, clock: HandClock
) -> None:
    """Nobody tries a million of them."""
    phone = await make_phone(None)
    await log_in(phone)
    code = await code_of(asking)
    for number in range(5):
        wrong = f"{(int(code) + number + 1) % 1_000_000:06d}"
        assert (await log_in(phone, code=wrong)).code == "code_wrong"
    assert (await log_in(phone, code=code)).code == "code_wrong"
    await log_in(phone)
    fresh = await code_of(asking)
    clock.advance(301)
    assert (await log_in(phone, code=fresh)).code == "code_wrong"


async def test_codes_are_sent_three_times_an_hour(
    make_phone: Any, asking: Bank, clock: HandClock
) -> None:
    """A stranger with the PIN cannot fill the owner's phone with messages."""
    phone = await make_phone(None)
    for _ in range(10):
        assert (await log_in(phone)).code == "code_needed"
        clock.advance(1)
    assert len(await told(asking, "login_code")) == 3
    clock.advance(3601)
    await log_in(phone)
    assert len(await told(asking, "login_code")) == 4


async def test_whoever_has_the_phone_gets_in_while_strangers_guess(
    make_phone: Any, asking: Bank
) -> None:
    """Guesses make the PIN unjudged without a code; with the code its owner is in."""
    phone = await make_phone(None)
    answers = [(await log_in(phone, pin="000111")).code for _ in range(20)]
    assert answers[:6] == ["pin_wrong"] * 6
    assert set(answers[6:]) == {"code_needed"}
    assert (await log_in(phone)).code == "code_needed"
    assert (await log_in(phone, code=await code_of(asking))).status == 201


async def test_known_and_unknown_numbers_get_the_same_answers(
    make_phone: Any, asking: Bank
) -> None:
    """From the first guess to the twentieth, with and without a code."""
    phone = await make_phone(None)

    async def heard(**changes: str) -> list[Any]:
        found = [await log_in(phone, pin="000111", **changes) for _ in range(20)]
        found += [await log_in(phone, pin="000111", code="000000", **changes) for _ in range(3)]
        return [(one.status, one.body | {"attempt": bool(one.body["attempt"])}) for one in found]

    assert await heard() == await heard(phone=NOBODY)


async def code_with_tip(bank: Bank) -> str:
    """The code of a shop of ours that asks its payer for a tip."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, "936009990000000002")
    assert shop is not None
    asks = msgspec.structs.replace(static_code(as_shop(shop)), tip=Tip(TipKind.PROMPT))
    return encode(asks)


async def test_large_sums_wait_on_a_new_device(
    make_phone: Any, asking: Bank, clock: HandClock
) -> None:
    """Above five million the first day; the same order a day later is paid."""
    settings = DeviceSettings(new_device="tell", cooling_minor=100_000)
    asking.door.devices.settings = settings
    phone = await make_phone(BUDI)
    proved = await log_in(phone)
    phone.token = proved.body["token"]
    phone.signing_key = base64.b64decode(proved.body["signing_key"])
    large = phone.transfer("10100000011", "1500.00")
    refused = await phone.pay(large, key="large")
    assert (refused.status, refused.code) == (422, "limit_per_transaction")
    small = await phone.pay(phone.transfer("10100000011", "900.00"), key="small")
    assert small.status == 201, small.raw
    tipped = await code_with_tip(asking)
    with_tip = {"kind": "qris", "from_account": large["from_account"], "qr": tipped}
    split = await phone.pay(with_tip | {"amount": "1.00", "tip": "1499.00"}, key="split")
    assert (split.status, split.code) == (422, "limit_per_transaction"), "a tip is a part of it"
    clock.advance(24 * 3600 + 1)
    later = await phone.pay(large, key="later")
    assert later.status == 201, later.raw


async def thief(make_phone: Any, bank: Bank, **settings: int) -> Phone:
    """A phone that got in at three in the night with Budi's PIN: a device known since just now."""
    bank.door.devices.settings = DeviceSettings(new_device="tell", **settings)
    phone: Phone = await make_phone(BUDI)
    proved = await log_in(phone)
    phone.token = proved.body["token"]
    phone.signing_key = base64.b64decode(proved.body["signing_key"])
    return phone


async def test_a_taken_account_is_not_emptied_in_pieces(
    make_phone: Any, asking: Bank, clock: HandClock
) -> None:
    """At 03.00, a new device, a new payee: the largest sum allowed, again and again."""
    clock.advance(15 * 3600)
    phone = await thief(make_phone, asking, cooling_minor=100_000)
    pieces = [
        await phone.pay(phone.transfer("10100000011", "300.00"), key=f"piece-{number}")
        for number in range(5)
    ]
    assert [one.status for one in pieces] == [201, 201, 201, 422, 422]
    assert pieces[4].code == "limit_per_transaction"
    again = await phone.pay(phone.transfer("10100000011", "300.00"), key="piece-0")
    assert (again.status, again.body["id"]) == (200, pieces[0].body["id"]), "it was paid"
    assert (await phone.pay(phone.transfer("10100000011", "100.00"), key="rest")).status == 201
    assert len(await told(asking, "login_device")) == 1, "its owner has been told"
    clock.advance(24 * 3600 + 1)
    assert (await phone.pay(phone.transfer("10100000011", "900.00"), key="later")).status == 201


async def test_pieces_sent_at_once_count_together(make_phone: Any, asking: Bank) -> None:
    """None of twenty is the first; and a bank started anew remembers what was taken."""
    phone = await thief(make_phone, asking, cooling_minor=100_000)
    body = phone.transfer("10100000011", "300.00")
    pieces = await asyncio.gather(*(phone.pay(body, key=f"at-once-{n}") for n in range(20)))
    assert sorted(one.status for one in pieces) == [201] * 3 + [422] * 17
    another = await thief(make_phone, asking, cooling_minor=100_000)
    assert (await another.pay(body, key="one more device")).status == 422
    asking.door.cooling = Cooling(asking.pool, asking.book_id, asking.clock, asking.door.devices)
    assert (await another.pay(body, key="after a restart")).status == 422


async def test_codes_for_cash_count_with_what_was_paid(make_phone: Any, asking: Bank) -> None:
    """A code pays later and elsewhere: it is a piece too."""
    phone = await thief(make_phone, asking, cooling_minor=12_000_000)
    code = {"kind": "cash", "from_account": phone.account, "amount": "50000.00"}
    answers = [await phone.order("/v1/codes", code, key=f"code-{number}") for number in range(3)]
    assert [one.status for one in answers] == [201, 201, 422], answers[0].raw
    body = phone.transfer("10100000011", "30000.00")
    assert (await phone.pay(body, key="on top")).status == 422
    again = await phone.order("/v1/codes", code, key="code-0")
    assert (again.status, again.body["code"]) == (201, answers[0].body["code"]), (
        "an answer was lost"
    )


async def test_the_same_order_again_while_it_waits_is_not_told_no(
    make_phone: Any, asking: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own place is what fills the day: whether it will be paid nobody knows yet."""
    phone = await thief(make_phone, asking, cooling_minor=100_000)
    door, may_go = asking.door, asyncio.Event()
    pay = door._pay

    async def slowly(order: PaymentOrder, origin: Origin) -> Any:
        await may_go.wait()
        return await pay(order, origin)

    monkeypatch.setattr(door, "_pay", slowly)
    body = phone.transfer("10100000011", "600.00")
    first = asyncio.create_task(phone.pay(body, key="slow"))
    async with asyncio.timeout(10):
        while not any(spent.reserved for spent in door.cooling._spent.values()):
            await asyncio.sleep(0)
    again = await phone.pay(body, key="slow")
    assert (again.status, again.code) == (503, "ambiguous"), again.raw
    other = await phone.pay(body, key="another")
    assert other.code == "limit_per_transaction", "an order that nobody else asks for is told no"
    may_go.set()
    assert (await first).status == 201


async def test_what_was_refused_takes_nothing_of_a_new_devices_day(
    make_phone: Any, asking: Bank
) -> None:
    """A wrong account number, a lack of money: the sum can be paid still."""
    phone = await thief(make_phone, asking, cooling_minor=100_000)
    for number in range(3):
        refused = await phone.pay(phone.transfer("10199999999", "900.00"), key=f"r-{number}")
        assert refused.body.get("state", "refused") == "refused"
    assert (await phone.pay(phone.transfer("10100000011", "900.00"), key="good")).status == 201
