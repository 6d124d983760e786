"""Every long-running task of a bank, ended by a fault nobody expected, works again by itself."""

from __future__ import annotations

import asyncio
import random

import aiohttp
import pytest

from conftest import NOON, QUICK
from paper import PaperRail, paper_rails
from serving import served
from tangguh.app import Bank
from tangguh.core import supervision
from tangguh.core.clock import HandClock
from tangguh.core.errors import InvariantBroken
from tangguh.core.ids import Ids
from tangguh.core.supervision import Supervisor, TaskState
from tangguh.ledger.command import Reverse
from tangguh.work.signals.clocks import ClockWatch
from tangguh.work.signals.reopening import Reopening

ROUNDS_MAX = 400
WAITS_TO_BE_CALLED = {"reopening"}
"""It has no rounds, so no sleep that could fail."""


class FaultyClock(HandClock):
    """Fails the next sleep of each task named in ``fails``."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.fails: set[str] = set()

    async def sleep(self, seconds: float) -> None:
        here = supervision._HERE.get()
        if here is not None and here[0].name in self.fails:
            self.fails.discard(here[0].name)
            raise ZeroDivisionError
        await super().sleep(seconds)


async def test_every_loop_of_the_bank_comes_back(dsn: str, paper: PaperRail) -> None:
    """Each is ended once; each runs again, and has been counted."""
    clock = FaultyClock()
    bank = await Bank.open(
        QUICK, dsn, rails=paper_rails(paper), clock=clock, ids=Ids(clock, random.Random(1))
    )
    async with bank:
        names = {one.name for one in bank.supervisor.state()}
        assert {"resolver", "redress", "guardian", "pulse", "climber", "incidents"} <= names
        names -= WAITS_TO_BE_CALLED
        clock.fails = set(names)
        for _ in range(ROUNDS_MAX):
            await asyncio.sleep(0.005)
            clock.advance(5)
            if all(one.restarts for one in bank.supervisor.state() if one.name in names):
                clock.advance(5)
                await asyncio.sleep(0.05)
                break
        after = {
            one.name: (one.restarts, one.state)
            for one in bank.supervisor.state()
            if one.name in names
        }
        assert after == dict.fromkeys(names, (1, TaskState.RUNNING))


async def test_a_writer_whose_loop_has_ended_says_so_at_once(bank: Bank) -> None:
    """Nobody hangs, health is red and names it, and the process is told to end."""
    assert bank.writer._task is not None
    bank.writer._task.cancel()
    async with asyncio.timeout(2):
        while bank.writer.fate is None:
            await asyncio.sleep(0)
        with pytest.raises(InvariantBroken):
            await bank.writer.decide(Reverse(bank.ids.next(), bank.ids.next()))
    assert not bank.writer.is_open
    async with served(bank.web()) as address, aiohttp.ClientSession() as http:
        async with http.get(f"{address}/health") as answer:
            said = await answer.json()
    assert answer.status == 503
    assert said["tasks"][0]["state"] == "stopped"


async def test_a_loop_that_works_is_never_shown_as_silent(bank: Bank, clock: HandClock) -> None:
    """Those that look all day, and one that waits for a network that has nothing to say."""
    supervisor = Supervisor(clock)
    supervisor.start("clocks", ClockWatch(clock, lambda *_: None).run)
    supervisor.start("reopening", Reopening(bank.desk).run)
    for _ in range(80):
        await asyncio.sleep(0)
        clock.advance(5)
        await asyncio.sleep(0)
    states = {one.name: one.state for one in supervisor.state()}
    await supervisor.stop()
    assert states == dict.fromkeys(states, TaskState.RUNNING)
