"""The bank is told to stop while PostgreSQL is dead: it ends, and soon."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from conftest import QUICK
from tangguh.app import Bank
from tangguh.core.errors import TangguhError
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.ledger.writer import WriterSettings
from tangguh.payments.gates.change import ReadBoard

SECONDS_MAX = 20.0
"""Less than what whoever stops it waits before SIGKILL (``cli.processes.children``, 30 s)."""
SETTINGS = msgspec.structs.replace(
    QUICK, book=WriterSettings(ambiguity_seconds=1.0, silence_seconds_max=1.0)
)


async def test_it_ends_in_bounded_time_though_postgresql_is_gone() -> None:
    """With commands in flight, loops at work and lines open to a server that is no more."""
    with tempfile.TemporaryDirectory(prefix="tg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        await server.start()
        bank = await Bank.open(SETTINGS, server.dsn, rails={})
        await bank.fill_demo(seed=1)
        await bank.__aenter__()
        pids = server._processes()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        try:
            paying = [asyncio.create_task(bank.desk.decide(ReadBoard())) for _ in range(3)]
            reading = asyncio.create_task(bank.pool.fetchrow("SELECT count(*) FROM payments"))
            await asyncio.sleep(0.3)
            began = asyncio.get_running_loop().time()
            await asyncio.wait_for(bank.close(), SECONDS_MAX)
            assert asyncio.get_running_loop().time() - began < SECONDS_MAX
            for one in (*paying, reading):
                with suppress(TangguhError):
                    await asyncio.wait_for(one, SECONDS_MAX)
        finally:
            async with asyncio.timeout(10):
                while not server.has_ended:
                    await asyncio.sleep(0.02)
