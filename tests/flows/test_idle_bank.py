"""A bank nobody uses: it looks all day long and writes nothing but what expires."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import RUPIAH, count_of, newest_change, pay, scan
from tangguh.app import Bank
from tangguh.audit.head import HeadFile
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refused, Unanswered
from tangguh.guard.closure import SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.ledger import store
from tangguh.payments.gates.change import Close
from tangguh.recovery.book import StartClimb
from tangguh.work.cycles import CycleSettings
from tangguh.work.guardian import GuardSettings
from unit.guard.test_closure import closure

HOUR, STEP = 3600, 10
"""Every loop goes round in each step of so many seconds, some a hundred times as fast at work."""
SIGNS_MAX = HOUR // 60
"""Of everything that only says that the bank lives: one a minute."""
STANDING = {
    "payment_events": 66,  # an inquiry a minute is a promise that came due; three sooner; an advance
    "climb_events": 40,  # a rung, and readings that are lost and found again in so quick an hour
    "gate_events": 3,  # two closures made, one that lapsed
    "incident_events": 24,  # two stories: opened, joined, and the word that was promised
    "case_events": 2,
    "redress_events": 1,
}
"""What an hour may write, by the table it writes to, while something is open of each kind."""


async def pass_time(clock: HandClock, seconds: int) -> None:
    """So much later, with time for every loop to go round."""
    for _ in range(seconds // STEP):
        await asyncio.sleep(0.008)
        clock.advance(STEP)
    await asyncio.sleep(0.05)


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tmp_path / "book-head.json"


@pytest.fixture
async def idle(dsn: str, clock: HandClock, paper: PaperRail, head: Path) -> AsyncIterator[Bank]:
    """A bank with every loop it has, two minutes after its start."""
    # The test's clock is not PostgreSQL's.
    guard = GuardSettings(clock_offset_seconds_max=1e9, head_path=str(head))
    bank = await Bank.open(
        msgspec.structs.replace(QUICK, guard=guard, cycles=CycleSettings(source=str(head.parent))),
        dsn,
        rails=paper_rails(paper),
        clock=clock,
        ids=Ids(clock, random.Random(1)),
    )
    await bank.fill_demo(seed=1)
    async with bank:
        await pass_time(clock, 120)  # what a start has to say is said
        yield bank


async def test_an_idle_bank_writes_nothing_in_an_hour(
    idle: Bank, dsn: str, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No link, no row of any table; outside the database a sign of life a minute at most."""
    kept, real = [], HeadFile._replace

    def replace(file: HeadFile, content: bytes) -> None:
        kept.append(content)
        real(file, content)

    monkeypatch.setattr(HeadFile, "_replace", replace)
    before, looks, rechecks = await newest_change(dsn), idle.pulse.rounds, idle.pulse.whole_rounds
    await pass_time(clock, HOUR)
    assert idle.pulse.rounds > looks
    assert idle.pulse.whole_rounds > rechecks
    assert await newest_change(dsn) == before
    assert len(kept) <= SIGNS_MAX


async def test_what_stands_open_is_written_when_it_moves(
    idle: Bank, clock: HandClock, paper: PaperRail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment nobody answers, its case, two closures, a climb, their incidents: an hour of it."""
    links: Counter[str] = Counter()
    real = store.commit

    async def commit(connection: Any, batch: store.Sealed) -> None:
        links.update(plan.table for plan, rows in batch.appended if rows)
        await real(connection, batch)

    monkeypatch.setattr(store, "commit", commit)
    paper.will("send", Unanswered("silent"))
    paying = await pay(idle, await scan(idle, 25_000 * RUPIAH))
    assert paying.is_open
    now = clock.now()
    for signal_class, rail in ((SignalClass.INTEGRITY, "bifast"), (SignalClass.HEALTH, "qris")):
        made = closure(
            id=idle.ids.next(),
            scope=Scope(rail=rail),
            signal_class=signal_class,
            state=State.CONTAINED,
            made_at=now,
            expires_at=now + timedelta(minutes=10),
        )
        closed = await idle.desk.decide(Close(closure=made))
        assert not isinstance(closed, Refused)
        if signal_class is SignalClass.INTEGRITY:
            await idle.desk.decide(StartClimb(closure_id=made.id, by=("staff:1",)))
    before = await count_of(idle, "batches")
    links.clear()
    await pass_time(clock, HOUR)
    told = {table: count for table, count in links.items() if table != "row_seals"}
    assert all(count <= STANDING.get(table, 1) for table, count in told.items()), told
    assert told["payment_events"] > 10, "nothing was open"
    assert await count_of(idle, "batches") - before <= sum(STANDING.values())
