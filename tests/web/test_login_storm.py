"""After a recovery everybody logs in at once: who is turned away loses nothing by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from serving import Answered, Phone, credentials, served
from tangguh.access.devices import DeviceSettings
from tangguh.access.pin import PinHasher, PinSettings
from tangguh.access.rate import Rate
from tangguh.access.session import Kind
from tangguh.access.turns import Purpose
from tangguh.app import Bank
from tangguh.core.asker import HAS_GONE
from tangguh.core.clock import HandClock
from tangguh.core.errors import Overloaded
from tangguh.listeners.entry import Entry
from web.test_new_device import code_of

BUDI = 2
SMALL = PinSettings(memory_kib=64, passes=1, threads=1, waiting_max=7)


@pytest.fixture
def many(bank: Bank) -> Bank:
    """A bank that lets one address log in as often as it likes."""
    bank.door.devices.settings = DeviceSettings(new_device="tell")
    bank.door.logins = Rate(bank.clock, burst=10_000, per_minute=10_000)
    return bank


class Held:
    """PINs are judged only when ``go`` is set; ``begun`` are those whose judging has begun."""

    def __init__(self, pins: PinHasher) -> None:
        self.go = threading.Event()
        self.begun = 0
        judge = pins._judge

        def wait(argon2id: str, pin: str) -> bool:
            self.begun += 1
            self.go.wait(20)
            return judge(argon2id, pin)

        pins._judge = wait  # type: ignore[method-assign]


@pytest.fixture
def held(bank: Bank) -> Iterator[Held]:
    holding = Held(bank.pins)
    yield holding
    holding.go.set()


async def log_in(by: Phone, **changes: str) -> Answered:
    return await by.ask("POST", "/v1/sessions", credentials(BUDI) | changes)


async def judge(pins: PinHasher, purpose: Purpose) -> bool:
    async with pins.turn(purpose):
        return await pins.is_right(None, "000000")


async def fill(bank: Bank, purpose: Purpose) -> list[asyncio.Task[bool]]:
    """Take every place that this purpose may take."""
    waiting = []
    while True:
        try:
            bank.pins.turns.must_have_room(purpose)
        except Overloaded:
            return waiting
        waiting.append(asyncio.create_task(judge(bank.pins, purpose)))
        await asyncio.sleep(0)


async def empty(held: Held, waiting: list[asyncio.Task[bool]]) -> None:
    held.go.set()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_turned_away_is_not_a_wrong_pin_on_a_known_device(
    make_phone: Any, many: Bank, held: Held
) -> None:
    """Five tries are a device's: ten times "too much to do" takes none of them."""
    held.go.set()
    phone = await make_phone(None)
    device = (await log_in(phone)).body["device"]
    held.go.clear()
    waiting = await fill(many, Purpose.CONSENT)
    answers = [await log_in(phone, device=device) for _ in range(10)]
    assert {(one.status, one.code) for one in answers} == {(503, "overloaded")}
    await empty(held, waiting)
    opened = await log_in(phone, device=device)
    assert (opened.status, opened.body["device"]) == (201, device), "still the same known device"


async def test_turned_away_is_not_a_strangers_wrong_guess(
    make_phone: Any, many: Bank, held: Held
) -> None:
    """Neither the number nor the address has to wait for guesses that nobody judged."""
    phone = await make_phone(None)
    waiting = await fill(many, Purpose.CONSENT)
    answers = [await log_in(phone) for _ in range(15)]
    assert {one.code for one in answers} == {"overloaded"}
    await empty(held, waiting)
    assert (await log_in(phone)).status == 201


async def test_turned_away_is_not_a_wrong_pin_of_a_session(many: Bank, held: Held) -> None:
    """The PIN under a payment: no lock by load."""
    opened = await many.sessions.open(BUDI, Kind.BROWSER)
    waiting = await fill(many, Purpose.CONSENT)
    for _ in range(10):
        with pytest.raises(Overloaded):
            await many.sessions.check_again(opened.session, credentials(BUDI)["pin"])
    await empty(held, waiting)
    assert await many.sessions.check_again(opened.session, credentials(BUDI)["pin"]) is None


async def test_a_code_is_not_used_up_by_waiting(make_phone: Any, many: Bank, held: Held) -> None:
    """It is right once, and three are sent an hour: being turned away takes none."""
    held.go.set()
    many.door.devices.settings = DeviceSettings(new_device="code")
    phone = await make_phone(None)
    asked = await log_in(phone)
    assert asked.code == "code_needed"
    mine = {"code": await code_of(many), "attempt": asked.body["attempt"]}
    held.go.clear()
    waiting = await fill(many, Purpose.CONSENT)
    assert (await log_in(phone, **mine)).code == "overloaded"
    await empty(held, waiting)
    assert (await log_in(phone, **mine)).status == 201


async def test_guesses_that_wait_are_judged_by_what_was_guessed_meanwhile(
    make_phone: Any, many: Bank, held: Held
) -> None:
    """Thirty at once are thirty: five are free, whether they were sent one by one or together."""
    phone = await make_phone(None)
    waiting = [asyncio.create_task(judge(many.pins, Purpose.CONSENT)) for _ in range(2)]
    await asyncio.sleep(0)
    guesses = [asyncio.create_task(log_in(phone, pin="000111")) for _ in range(30)]
    held.go.set()
    codes = [(await one).code for one in guesses]
    await empty(held, waiting)
    assert codes.count("pin_wrong") <= 6
    assert set(codes) <= {"pin_wrong", "rate_limited", "overloaded"}


async def test_those_who_log_in_leave_room_for_those_who_pay(many: Bank, held: Held) -> None:
    """Strangers find it full first, then known devices, last the PIN under a payment."""
    waiting = await fill(many, Purpose.STRANGER)
    room = many.pins.turns
    room.must_have_room(Purpose.KNOWN)
    waiting += await fill(many, Purpose.KNOWN)
    room.must_have_room(Purpose.CONSENT)
    await empty(held, waiting)


async def test_whoever_pays_goes_first(clock: HandClock) -> None:
    """Behind a hundred who log in nobody waits with a payment in hand."""
    pins = PinHasher(SMALL, clock)
    held = Held(pins)
    order: list[Purpose] = []

    async def one(purpose: Purpose) -> None:
        async with pins.turn(purpose):
            order.append(purpose)
            await pins.is_right(None, "000000")

    came = [Purpose.STRANGER, Purpose.STRANGER, Purpose.KNOWN, Purpose.KNOWN, Purpose.CONSENT]
    tasks = []
    for purpose in came:
        tasks.append(asyncio.create_task(one(purpose)))
        await asyncio.sleep(0)
    held.go.set()
    await asyncio.gather(*tasks)
    assert order == [Purpose.STRANGER, *sorted(came[1:])]
    pins.close()


async def test_they_are_told_to_come_back_one_after_another(
    make_phone: Any, many: Bank, held: Held, clock: HandClock
) -> None:
    """Not all in the same second, and no later than they can be served."""
    phone = await make_phone(None)
    waiting = await fill(many, Purpose.CONSENT)
    told = [int((await log_in(phone)).headers["Retry-After"]) for _ in range(300)]
    assert min(told) == 1
    assert told == sorted(told), "who came first comes back first"
    most = max(told.count(second) for second in set(told))
    assert most <= 60, "what two threads judge in a second"
    assert len(set(told)) > 4
    clock.advance(120)
    assert (await log_in(phone)).headers["Retry-After"] == "1", "the crowd has been"
    await empty(held, waiting)


async def test_a_pin_nobody_waits_for_is_not_judged(clock: HandClock) -> None:
    """They closed the app, or heard nothing for so long that they ask anew, or were cut off."""
    pins = PinHasher(SMALL, clock)
    held = Held(pins)
    gone = False

    async def of_somebody_who_goes() -> bool:
        HAS_GONE.set(lambda: gone)
        return await judge(pins, Purpose.KNOWN)

    first = asyncio.create_task(judge(pins, Purpose.KNOWN))
    second = asyncio.create_task(of_somebody_who_goes())
    third = asyncio.create_task(judge(pins, Purpose.STRANGER))
    await asyncio.sleep(0)
    third.cancel()
    gone = True
    held.go.set()
    assert await first is False
    with pytest.raises(Overloaded):
        await second
    held.go.clear()
    first = asyncio.create_task(judge(pins, Purpose.KNOWN))
    second = asyncio.create_task(judge(pins, Purpose.KNOWN))
    await asyncio.sleep(0)
    clock.advance(SMALL.waiting_seconds_max + 1)
    held.go.set()
    await first
    with pytest.raises(Overloaded):
        await second
    assert (held.begun, pins.turns.busy, pins.turns.waiting) == (2, 0, 0)
    assert pins.turns.passed_over == 2
    pins.close()


async def test_a_turn_given_to_somebody_cut_off_at_that_moment_is_handed_on(
    clock: HandClock,
) -> None:
    """Else the hasher would have one thread less for ever."""
    pins = PinHasher(SMALL, clock)
    turns = pins.turns
    async with turns.take(Purpose.KNOWN):
        second = asyncio.create_task(judge(pins, Purpose.KNOWN))
        third = asyncio.create_task(judge(pins, Purpose.KNOWN))
        await asyncio.sleep(0)
    second.cancel()
    assert await third is False
    assert (turns.busy, turns.waiting) == (0, 0)
    pins.close()


async def test_the_listener_tells_whether_the_caller_has_gone() -> None:
    """What waits for a turn asks this; a caller who stays has not gone."""
    seen: list[bool] = []
    arrived, cut = asyncio.Event(), asyncio.Event()

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        has_gone = HAS_GONE.get()
        seen.append(has_gone())
        arrived.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        seen.append(has_gone())
        cut.set()

    async with served(Entry(app)) as url, asyncio.timeout(10):
        host, _, port = url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await arrived.wait()
        writer.close()
        await cut.wait()
    assert seen == [False, True]
