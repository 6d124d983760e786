"""database-dead: PostgreSQL is killed, and frozen, in turn, under load; it comes back by itself.

Nobody helps: the household that ``tangguh up`` runs restarts it, the bank finds it again. Asked:
what customers were told is in the book, once, and how long until the next payment is acknowledged.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Final

from tangguh.cli.drills.crowd import Crowd
from tangguh.cli.drills.kill_nine import OVERRIDES, QRIS_OVERRIDES, codes, compared
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.household import Household, temporary
from tangguh.config import load
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import StoreUnavailable

_PEOPLE: Final = 8
_BETWEEN_SECONDS: Final = (1.0, 3.0)
_BACK_SECONDS_MAX: Final = 90.0


async def run(seed: int, strikes: int) -> Report:
    """Rehearse it in a temporary directory."""
    clock = SystemClock()
    notes = Notes(clock)
    with tempfile.TemporaryDirectory(prefix="tangguh-drill-") as directory:
        overrides = {**OVERRIDES, "qris": QRIS_OVERRIDES}
        household = temporary(Path(directory), load(None), seed=1, overrides=overrides)
        try:
            await household.start()
            return await _rehearse(household, notes, clock, seed, strikes)
        finally:
            await household.stop()


async def _rehearse(
    household: Household, notes: Notes, clock: Clock, seed: int, strikes: int
) -> Report:
    keeping = asyncio.create_task(household.watch())
    merchants = await codes(household.addresses["control"])
    crowd = Crowd(household.addresses["bank"], merchants, people=_PEOPLE, seed=seed, clock=clock)
    paying = asyncio.create_task(crowd.pay_until_stopped())
    source = random.Random(seed)  # noqa: S311
    took: dict[str, list[float]] = {"killed": [], "frozen": []}
    await until_paid(crowd, clock, 0)
    for number in range(strikes):
        await clock.sleep(source.uniform(*_BETWEEN_SECONDS))
        how = "frozen" if number % 2 else "killed"
        before, began = len(crowd.told), clock.monotonic()
        _strike(household, how)
        await clock.sleep(0.1)
        await until_paid(crowd, clock, max(before, len(crowd.told)))
        took[how].append(round(clock.monotonic() - began, 3))
        notes.add(f"{how}: paid again after {took[how][-1]} s")
    crowd.stop()
    await paying
    keeper = household.keeper
    restarts = keeper.restarts if keeper is not None else 0
    measures = {
        "strikes": strikes,
        "postgresql_restarts": restarts,
        "restart_seconds_killed": sorted(took["killed"]),
        "restart_seconds_frozen": sorted(took["frozen"]),
    }
    reached = {"restarted_each_time": restarts >= strikes}
    report = await compared(
        "database-dead", household, notes, clock, crowd, seed, measures, reached
    )
    keeping.cancel()
    await asyncio.wait({keeping})
    return report


def _strike(household: Household, how: str) -> None:
    if household.postgres is None:
        raise StoreUnavailable("this drill needs the embedded PostgreSQL")
    if how == "frozen":
        household.postgres.freeze()
    else:
        household.postgres.kill()


async def until_paid(crowd: Crowd, clock: Clock, told: int) -> None:
    """Wait until somebody more was told of a payment. Raises StoreUnavailable when nobody is."""
    deadline = clock.monotonic() + _BACK_SECONDS_MAX
    while len(crowd.told) <= told:
        if clock.monotonic() > deadline:
            raise StoreUnavailable(f"nobody could pay for {_BACK_SECONDS_MAX:g} seconds")
        await clock.sleep(0.02)
