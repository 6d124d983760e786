"""A bank nobody uses: it looks all day long and writes nothing into the chain."""

from __future__ import annotations

import asyncio
import random

import msgspec

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import count_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.work.guardian import GuardSettings


async def minutes(clock: HandClock, steps: int) -> None:
    """So many steps of five seconds, with time for every loop to go round."""
    for _ in range(steps):
        await asyncio.sleep(0.01)
        clock.advance(5)
    await asyncio.sleep(0.05)


async def test_an_idle_bank_adds_no_link(dsn: str, clock: HandClock, paper: PaperRail) -> None:
    """Every loop of the bank goes round for ten minutes; what they read is not written down."""
    guard = GuardSettings(clock_offset_seconds_max=1e9)  # the test's clock is not PostgreSQL's
    bank = await Bank.open(
        msgspec.structs.replace(QUICK, guard=guard),
        dsn,
        rails=paper_rails(paper),
        clock=clock,
        ids=Ids(clock, random.Random(1)),
    )
    async with bank:
        await minutes(clock, 24)  # what a start has to say is said
        before, looks = await count_of(bank, "batches"), bank.pulse.rounds
        await minutes(clock, 120)
        assert bank.pulse.rounds > looks
        assert await count_of(bank, "batches") == before
    await bank.close()
