"""disk-full: the log's disk, the database's disk, and both are full under load, again and again.

While the log is full PostgreSQL cancels the bank's statements too, so that the error paths run.
Asked: nothing acknowledged is lost, nothing appears, new money is refused or the bank ends and
comes back. The disks are small tmpfs mounts: it takes Linux and root.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tangguh.cli.drills.crowd import Crowd
from tangguh.cli.drills.kill_nine import OVERRIDES, QRIS_OVERRIDES, codes, compared
from tangguh.cli.drills.machines.database_dead import until_paid
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.household import Household, temporary
from tangguh.config import load
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.db.pool import connect, translated

_PEOPLE: Final = 8
_KINDS: Final = ("log", "data", "both")
_DATA_SIZE: Final = "900m"
_LOG_SIZE: Final = "1m"
_FULL_SECONDS: Final = 4.0
_SPACE: Final = {"free_mib_min": 64, "ballast_mib": 16}
_CANCEL: Final = (
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
    "WHERE state = 'active' AND query ILIKE 'COPY %' AND pid <> pg_backend_pid()"
)


async def run(seed: int, strikes: int) -> Report:
    """Rehearse it on disks of its own."""
    if os.geteuid() != 0:
        raise Misconfigured("disk-full mounts small disks: it needs Linux and root")
    clock = SystemClock()
    notes = Notes(clock)
    with tempfile.TemporaryDirectory(prefix="tangguh-drill-") as directory:
        data = Path(directory) / "data"
        with _mounted(data, _DATA_SIZE), _mounted(data / "logs", _LOG_SIZE):
            overrides = {**OVERRIDES, "qris": QRIS_OVERRIDES, "db": {"space": _SPACE}}
            household = temporary(data, load(None), seed=1, overrides=overrides)
            try:
                await household.start()
                return await _rehearse(household, notes, clock, seed, strikes)
            finally:
                await household.stop()


@contextmanager
def _mounted(path: Path, size: str) -> Iterator[None]:
    path.mkdir(mode=0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(path)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=False)


async def _rehearse(
    household: Household, notes: Notes, clock: Clock, seed: int, strikes: int
) -> Report:
    keeping = asyncio.create_task(household.watch())
    merchants = await codes(household.addresses["control"])
    crowd = Crowd(household.addresses["bank"], merchants, people=_PEOPLE, seed=seed, clock=clock)
    paying = asyncio.create_task(crowd.pay_until_stopped())
    source = random.Random(seed)  # noqa: S311
    took: list[float] = []
    cancelled = 0
    await until_paid(crowd, clock, 0)
    for number in range(strikes):
        await clock.sleep(source.uniform(0.5, 2.0))
        kind = _KINDS[number % len(_KINDS)]
        fillers = _fill(household, kind)
        cancelled += await _trouble(household, clock)
        for filler in fillers:
            filler.unlink(missing_ok=True)
        began = clock.monotonic()
        await until_paid(crowd, clock, len(crowd.told))
        took.append(round(clock.monotonic() - began, 3))
        notes.add(f"{kind} was full: paid again {took[-1]} s after there was room")
    crowd.stop()
    await paying
    measures = {
        "strikes": strikes,
        "statements_cancelled": cancelled,
        "back_seconds": sorted(took),
        "bank_restarts": household.bank.restarts if household.bank is not None else 0,
        "postgresql_restarts": household.keeper.restarts if household.keeper is not None else 0,
    }
    reached = {"a_statement_was_cancelled": cancelled > 0}
    report = await compared("disk-full", household, notes, clock, crowd, seed, measures, reached)
    keeping.cancel()
    await asyncio.wait({keeping})
    return report


def _fill(household: Household, kind: str) -> list[Path]:
    """Take every byte that is free; the files that hold them."""
    log, data = household.place.logs, household.place.directory
    disks = {"log": [log], "data": [data], "both": [log, data]}
    fillers = []
    for disk in disks[kind]:
        filler = disk / "filler"
        with suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(b"\0" * 65_536)
                file.flush()
        fillers.append(filler)
    return fillers


async def _trouble(household: Household, clock: Clock) -> int:
    """While the disks are full, cancel what the bank's writer has PostgreSQL do."""
    cancelled, until = 0, clock.monotonic() + _FULL_SECONDS
    while clock.monotonic() < until:
        with suppress(TangguhError), translated():
            line = await connect(household.dsn)
            try:
                for _ in range(50):
                    cancelled += await line.fetchval(_CANCEL)
                    await clock.sleep(0.005)
            finally:
                line.terminate()
        await clock.sleep(0.05)
    return cancelled
