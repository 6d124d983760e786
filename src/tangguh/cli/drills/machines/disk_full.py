"""disk-full: the log's disk, the database's disk, and both are full under load, again and again.

A disk stays full: whatever is freed, the bank's reserve too, is filled again at once. PostgreSQL is
made to cancel the bank's statements meanwhile, so that the error paths run, and on a full data disk
to begin new files of its log, as any other user of it may: it can, until it ends (PANIC).
Asked: nothing acknowledged is lost, nothing appears, no new money is taken once the bank had two
seconds to see that the data disk is full, and it comes back by itself when there is room.
The disks are small tmpfs mounts: it takes Linux and root.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

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
_FULL_SECONDS: Final = {"log": 4.0, "data": 12.0, "both": 12.0}
_NOTICED_SECONDS: Final = 2.0
_NEW_LOG_SECONDS: Final = 0.5
_SPACE: Final = {"free_mib_min": 64, "ballast_mib": 16}
_CANCEL: Final = (
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity "
    "WHERE state = 'active' AND query ILIKE 'COPY %' AND pid <> pg_backend_pid()"
)
_FILLER: Final = "filler"
_BEGIN_NEW_LOG: Final = "SELECT pg_switch_wal()"
_TAKEN_BETWEEN: Final = "SELECT count(*) FROM payments WHERE accepted_at BETWEEN $1 AND $2"


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
    trouble = _Trouble(household, clock)
    await until_paid(crowd, clock, 0)
    for number in range(strikes):
        await clock.sleep(source.uniform(0.5, 2.0))
        kind = _KINDS[number % len(_KINDS)]
        await trouble.strike(kind)
        began = clock.monotonic()
        await until_paid(crowd, clock, len(crowd.told))
        took.append(round(clock.monotonic() - began, 3))
        notes.add(f"{kind} was full: paid again {took[-1]} s after there was room")
    crowd.stop()
    await paying
    measures = {
        "strikes": strikes,
        "statements_cancelled": trouble.cancelled,
        "postgresql_ended_while_full": trouble.ended,
        "new_money_while_full": await trouble.new_money(),
        "back_seconds": sorted(took),
        "bank_restarts": household.bank.restarts if household.bank is not None else 0,
        "postgresql_restarts": household.keeper.restarts if household.keeper is not None else 0,
    }
    reached = {"a_statement_was_cancelled": trouble.cancelled > 0}
    if strikes > 1:
        reached["postgresql_ended_on_a_full_disk"] = trouble.ended > 0
    report = await compared("disk-full", household, notes, clock, crowd, seed, measures, reached)
    report.oracles["O6"] = not measures["new_money_while_full"]
    report = msgspec.structs.replace(
        report, passed=report.passed and not measures["new_money_while_full"]
    )
    keeping.cancel()
    await asyncio.wait({keeping})
    return report


class _Trouble:
    """Fills disks, keeps them full, and counts what happened meanwhile."""

    def __init__(self, household: Household, clock: Clock) -> None:
        self._household = household
        self._clock = clock
        self._full: list[tuple[datetime, datetime]] = []
        self.cancelled = 0
        self.ended = 0

    async def strike(self, kind: str) -> None:
        """One disk, or both, is full for a while; there is room again when it returns."""
        log, data = self._household.place.logs, self._household.place.directory
        disks = {"log": [log], "data": [data], "both": [log, data]}[kind]
        restarts = self._restarts()
        await asyncio.to_thread(_fill, disks)
        began = self._clock.now()
        pressing = asyncio.create_task(self._press(begins_log=kind != "log"))
        try:
            until = self._clock.monotonic() + _FULL_SECONDS[kind]
            while self._clock.monotonic() < until:
                await self._clock.sleep(0.05)
                await asyncio.to_thread(_fill, disks)
            if kind != "log":
                noticed = began + timedelta(seconds=_NOTICED_SECONDS)
                self._full.append((noticed, self._clock.now()))
        finally:
            pressing.cancel()
            await asyncio.wait({pressing})
            for disk in disks:
                (disk / _FILLER).unlink(missing_ok=True)
        self.ended += self._restarts() > restarts

    async def new_money(self) -> int:
        """Payments taken while the data disk was full and the bank had had time to see it."""
        line = await connect(self._household.dsn)
        try:
            return sum([await line.fetchval(_TAKEN_BETWEEN, *span) for span in self._full])
        finally:
            line.terminate()

    def _restarts(self) -> int:
        keeper = self._household.keeper
        return keeper.restarts if keeper is not None else 0

    async def _press(self, *, begins_log: bool) -> None:
        """Cancel what the bank's writer has PostgreSQL do; have it begin new files of its log."""
        next_log = 0.0
        while True:
            with suppress(TangguhError), translated():
                line = await connect(self._household.dsn)
                try:
                    while True:
                        self.cancelled += await line.fetchval(_CANCEL)
                        if begins_log and self._clock.monotonic() >= next_log:
                            next_log = self._clock.monotonic() + _NEW_LOG_SECONDS
                            await line.fetchval(_BEGIN_NEW_LOG)
                        await self._clock.sleep(0.005)
                finally:
                    line.terminate()
            await self._clock.sleep(0.05)


def _fill(disks: list[Path]) -> None:
    """Take every byte that is free."""
    for disk in disks:
        with suppress(OSError), (disk / _FILLER).open("ab") as file:
            while True:
                file.write(b"\0" * 65_536)
                file.flush()
