"""The yardstick: pgbench's TPC-B with 8 clients on the very server that is being measured.

A machine's speed drifts, so the yardstick is run in turn with what is measured, and ratios are
taken between neighbours. pgbench gets its own database on the same server, at its default scale
of 1: its eight clients share one branch row, as a bank's customers share hot accounts. At scale
10 they hardly meet; ``run_large`` measures that too, so that both can be shown.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from tangguh.core.errors import Misconfigured, StoreUnavailable
from tangguh.db.embedded import binaries
from tangguh.db.pool import connect

NAME: Final = "pgbench TPC-B, 8 clients, scale 1"
_CLIENTS: Final = 8
_THREADS: Final = 2
_DATABASE: Final = "tangguh_yardstick"
_TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


class Yardstick(msgspec.Struct, frozen=True):
    """What pgbench did: its name, the median of its runs and each of them, per second."""

    name: str
    per_second: float
    runs: list[float]


class Pgbench:
    """Runs pgbench beside the bank. ``prepare`` once, then ``run`` between measurements."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        # What is among a program's words everybody on the machine can read.
        self._password = unquote(parts.password or "")
        who, _, where = parts.netloc.rpartition("@")
        netloc = f"{who.partition(':')[0]}@{where}" if who else where
        self._dsn = urlunsplit(parts._replace(netloc=netloc, path=f"/{_DATABASE}"))
        self._admin = dsn
        self.runs: list[float] = []

    async def prepare(self) -> None:
        """Make pgbench's own database and fill it."""
        connection = await connect(self._admin)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {_DATABASE}")
        finally:
            await connection.close()
        await asyncio.to_thread(self._pgbench, "-i", "-q", "-s", "1")

    async def run(self, seconds: int) -> float:
        """Measure once; transactions per second."""
        self.runs.append(await self._measure(seconds))
        return self.runs[-1]

    async def run_large(self, seconds: int) -> float:
        """Measure once at scale 10, and leave it filled so: call it last."""
        await asyncio.to_thread(self._pgbench, "-i", "-q", "-s", "10")
        return round(await self._measure(seconds), 1)

    async def _measure(self, seconds: int) -> float:
        words = ("-n", "-c", str(_CLIENTS), "-j", str(_THREADS), "-T", str(seconds))
        said = await asyncio.to_thread(self._pgbench, *words)
        found = _TPS.search(said)
        if found is None:
            raise StoreUnavailable(f"pgbench said nothing to measure by: {said[-300:]}")
        return float(found.group(1))

    def measured(self) -> Yardstick:
        """All runs so far."""
        return Yardstick(NAME, _median(self.runs), [round(run, 1) for run in self.runs])

    def _pgbench(self, *words: str) -> str:
        program = binaries() / "pgbench"
        env = {"PGPASSWORD": self._password} if self._password else None
        done = subprocess.run(
            [str(program), *words, self._dsn], check=False, capture_output=True, text=True, env=env
        )
        if done.returncode:
            raise Misconfigured(f"pgbench failed: {done.stderr[-300:]}")
        return done.stdout


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return round(ordered[len(ordered) // 2], 1) if ordered else 0.0
