"""What an outsider tries at the card doors: guessing at once, old frames, a book that is away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from machines import FEE, Machines, machines_of
from stories import RUPIAH, count_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message

CASH = 100_000 * RUPIAH


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


def pass_time(machines: Machines, passed: timedelta) -> None:
    clock = machines.bank.clock
    assert isinstance(clock, HandClock)
    clock.advance(passed.total_seconds())


async def test_many_pins_at_once_are_three_tries(machines: Machines) -> None:
    """Forty guesses in flight together, the right one among them, at both doors: three count."""
    guesses = [machines.ask("31", 0, hsm.ZPK, f"{number:06d}") for number in range(20)]
    guesses += [machines.ask("31", 0, hsm.TPK, f"{number:06d}") for number in range(20, 40)]
    guesses.insert(25, machines.ask("31", 0, hsm.ZPK))
    said = await asyncio.gather(
        *[
            machines.elsewhere(one) if one.get(32) == "998" else machines.at_ours(one)
            for one in guesses
        ]
    )
    assert sorted(said) == ["55", "55"] + ["75"] * 39


async def test_right_pins_at_once_are_all_right(machines: Machines) -> None:
    asked = [machines.ask("31", 0, hsm.ZPK) for _ in range(10)]
    assert set(await asyncio.gather(*map(machines.elsewhere, asked))) == {"00"}


@pytest.mark.parametrize("key", [hsm.ZPK, hsm.TPK], ids=["elsewhere", "ours"])
@pytest.mark.parametrize("passed", [timedelta(days=2), timedelta(days=363)])
async def test_an_old_frame_is_played_again(
    machines: Machines, key: str, passed: timedelta
) -> None:
    """DE7 has no year: a frame recorded a year ago would be a new request today."""
    ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
    before = await machines.ana_has()
    request = machines.ask("01", CASH, key)
    assert await ask(request) == "00"
    pass_time(machines, passed)
    assert await ask(request) == "12"
    fee = FEE if key == hsm.ZPK else 0
    assert await machines.ana_has() == before - CASH - fee
    assert await ask(machines.undo(request)) in {"00", "25"}, "what is undone may be old"


@pytest.mark.parametrize("at", ["0319045959", "0321050001", "0000000000", "0230010101"])
async def test_a_request_of_another_day(machines: Machines, at: str) -> None:
    assert await machines.elsewhere(machines.ask("01", CASH, hsm.ZPK, de7=at)) == "12"
    assert await count_of(machines.bank, "payments") == 0


@pytest.mark.parametrize("at", ["0319050001", "0321045959"])
async def test_a_clock_that_is_off_by_less_than_a_day(machines: Machines, at: str) -> None:
    assert await machines.elsewhere(machines.ask("01", CASH, hsm.ZPK, de7=at)) == "00"


async def test_an_advice_may_be_old(machines: Machines) -> None:
    """It was stored and is told when the link is back."""
    before = await machines.ana_has()
    request = machines.ask("01", CASH, hsm.ZPK)
    pass_time(machines, timedelta(days=5))
    assert await machines.elsewhere(Message("0220", {**request.fields, 39: "00"})) == "00"
    assert await machines.ana_has() == before - CASH - FEE


@pytest.mark.parametrize(("mti", "code"), [("0200", "96"), ("0201", "96"), ("0220", ""),
                                           ("0221", ""), ("0420", "")])  # fmt: skip
async def test_the_book_is_away(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, mti: str, code: str
) -> None:
    """A request is told; what has happened already is not answered, so that it comes again."""

    async def away(_command: object) -> None:
        raise StoreUnavailable("the book is away")

    monkeypatch.setattr(machines.bank.desk, "decide", away)
    request = machines.ask("01", CASH, hsm.ZPK)
    if mti == "0420":
        request = machines.undo(request)
    answer = await machines.switch.handle(Message(mti, {**request.fields, 39: "00"}))
    assert (answer.get(39) if answer is not None else "") == code
