"""PostgreSQL dies or freezes under the bank: it is ended for good, started again, and said so."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from tangguh.cli.processes.keeping import KeepPostgres
from tangguh.core.clock import SystemClock
from tangguh.db.embedded import EmbeddedPostgres

QUICK = {"silent_seconds": 0.6, "probe_seconds": 0.3, "look_seconds": 0.02}


@pytest.fixture
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """A running server with one committed row."""
    with tempfile.TemporaryDirectory(prefix="tg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        await server.start()
        line = await asyncpg.connect(server.dsn)
        await line.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        await line.close()
        yield server
        for pid in server._processes():
            with suppress(ProcessLookupError):  # a backend whose client has just gone
                os.kill(pid, signal.SIGCONT)
        await server.stop()


async def kept(server: EmbeddedPostgres) -> int:
    async with asyncio.timeout(30):
        while True:
            try:
                line = await asyncpg.connect(server.dsn, timeout=1)
                try:
                    return int(await line.fetchval("SELECT n FROM kept", timeout=1))
                finally:
                    line.terminate()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_it_comes_back_by_itself_with_what_was_committed(
    postgres: EmbeddedPostgres, how: str
) -> None:
    """Also while a connection is open, whose backend may be frozen with its postmaster."""
    busy = await asyncpg.connect(postgres.dsn)
    said: list[str] = []
    keeper = KeepPostgres(postgres, SystemClock(), said.append, **QUICK)
    keeping = asyncio.create_task(keeper.run())
    before = postgres._running_pid()
    if how == "killed":
        postgres.kill()
    else:
        postgres.freeze()
    async with asyncio.timeout(30):
        while keeper.restarts == 0:
            await asyncio.sleep(0.02)
    assert await kept(postgres) == 7
    assert postgres._running_pid() not in {None, before}
    assert said
    assert "PostgreSQL" in said[0]
    assert keeper.restarts == 1
    keeping.cancel()
    await asyncio.wait({keeping})
    busy.terminate()


async def test_a_server_that_is_busy_is_left_alone(postgres: EmbeddedPostgres) -> None:
    """Full of connections it still answers: "no" is an answer, and a kill would cost everybody."""
    keeper = KeepPostgres(postgres, SystemClock(), lambda _: None, **QUICK)
    lines: list[asyncpg.Connection] = []
    with pytest.raises(asyncpg.TooManyConnectionsError):
        while True:
            lines.append(await asyncpg.connect(postgres.dsn))
    assert await postgres.answers(1.0)
    await keeper.look()
    assert keeper.restarts == 0
    for line in lines:
        line.terminate()
