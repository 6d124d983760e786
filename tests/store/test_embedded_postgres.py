"""The PostgreSQL the bank brings: started, stopped, killed, found again, and never two at once."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from tangguh.core.errors import Misconfigured, StoreUnavailable
from tangguh.db.embedded import EmbeddedPostgres

At = Callable[[Path], EmbeddedPostgres]


@pytest.fixture
async def at() -> AsyncIterator[At]:
    """A bank's server over a directory; whatever still runs at the end is stopped."""
    known: list[EmbeddedPostgres] = []

    def over(directory: Path) -> EmbeddedPostgres:
        known.append(EmbeddedPostgres(directory))
        return known[-1]

    yield over
    for server in known:
        await server.stop()
        if server._process is not None:
            await asyncio.to_thread(server._process.wait)


@pytest.fixture
async def postgres(at: At) -> AsyncIterator[EmbeddedPostgres]:
    """A running server of the test's own, with a table that has one row."""
    with tempfile.TemporaryDirectory(prefix="tg-", ignore_cleanup_errors=True) as folder:
        started = at(Path(folder) / "data")
        await started.start()
        await run(started, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        yield started
        await at(started.directory).stop()


async def run(server: EmbeddedPostgres, sql: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(sql)
    await connection.close()


async def kept(server: EmbeddedPostgres) -> int:
    connection = await asyncpg.connect(server.dsn)
    found = await connection.fetchval("SELECT n FROM kept")
    await connection.close()
    return int(found)


async def test_stopped_and_started_again(at: At, postgres: EmbeddedPostgres) -> None:
    """What was committed is there; in between nobody answers; stopping twice is no error."""
    await postgres.stop()
    await postgres.stop()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(postgres.dsn)
    again = at(postgres.directory)
    await again.start()
    assert (await kept(again), again.adopted) == (7, False)


async def test_left_running_it_is_taken_over(at: At, postgres: EmbeddedPostgres) -> None:
    """A bank that was killed left its server: the next one adopts that very process."""
    pid = postgres._running_pid()
    after = at(postgres.directory)
    await after.start()
    assert (after.adopted, after._running_pid()) == (True, pid)
    assert await kept(after) == 7
    await after.stop()
    assert after._running_pid() is None


async def test_killed_it_recovers(at: At, postgres: EmbeddedPostgres) -> None:
    """After SIGKILL with a connection open, the next start recovers what was committed."""
    busy = await asyncpg.connect(postgres.dsn)
    await busy.execute("BEGIN; UPDATE kept SET n = 8")
    postgres.kill()
    after = at(postgres.directory)
    await after.start()
    assert await kept(after) == 7
    busy.terminate()


async def test_a_pid_file_with_a_strangers_number(at: At, postgres: EmbeddedPostgres) -> None:
    """After a power cut the number in the file may be anybody's: nobody is adopted or killed."""
    await postgres.stop()
    stranger = f"{os.getpid()}\n{postgres.cluster}\n"
    (postgres.cluster / "postmaster.pid").write_text(stranger)
    (postgres.sockets / ".s.PGSQL.5432.lock").write_text(stranger)
    after = at(postgres.directory)
    assert after._running_pid() is None
    await after.start()
    assert (after.adopted, await kept(after)) == (False, 7)


async def test_a_pid_file_that_says_nothing(at: At, postgres: EmbeddedPostgres) -> None:
    """An empty or torn file is no server."""
    await postgres.stop()
    (postgres.cluster / "postmaster.pid").write_text("")
    after = at(postgres.directory)
    await after.start()
    assert await kept(after) == 7


async def test_another_major_version_is_refused(at: At, postgres: EmbeddedPostgres) -> None:
    """Data of another PostgreSQL is not touched; the message says both versions."""
    await postgres.stop()
    version = (postgres.cluster / "PG_VERSION").read_text()
    (postgres.cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(Misconfigured, match=r"made by PostgreSQL 15"):
        await at(postgres.directory).start()
    (postgres.cluster / "PG_VERSION").write_text(version)


async def test_a_half_made_cluster_is_made_anew(at: At, tmp_path: Path) -> None:
    """A machine that crashed while the cluster was being made left no half of one."""
    directory = tmp_path / "data"
    (directory / "postgres.making").mkdir(parents=True)
    (directory / "postgres.making" / "junk").write_text("half")
    server = at(directory)
    await server.start()
    await server.stop()
    assert not (directory / "postgres.making").exists()


async def test_a_long_path_gets_a_short_socket(at: At) -> None:
    """A socket's path has a bound that a data directory's has not."""
    with tempfile.TemporaryDirectory(prefix="tg-") as folder:
        deep = Path(folder) / ("a" * 60) / ("b" * 60)
        server = at(deep)
        assert len(os.fsencode(server.sockets / ".s.PGSQL.5432")) < 104
        assert server.sockets == EmbeddedPostgres(deep).sockets
        assert server.sockets != EmbeddedPostgres(deep / "c").sockets
        await server.start()
        await run(server, "SELECT 1")
        await server.stop()


async def test_on_no_network_and_for_nobody_else(postgres: EmbeddedPostgres) -> None:
    """It listens on its private socket only."""
    connection = await asyncpg.connect(postgres.dsn)
    assert await connection.fetchval("SHOW listen_addresses") == ""
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.close()
    assert postgres.sockets.stat().st_mode & 0o077 == 0
    assert postgres.directory.stat().st_mode & 0o007 in {0, 1}


async def test_a_server_that_cannot_start_says_why(at: At, postgres: EmbeddedPostgres) -> None:
    """The last lines of its log are in the error."""
    await postgres.stop()
    (postgres.cluster / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(StoreUnavailable, match="nonsense"):
        await at(postgres.directory).start()


async def test_two_banks_do_not_start_two_servers(at: At, postgres: EmbeddedPostgres) -> None:
    """Starting side by side on one directory ends with one server."""
    pid = postgres._running_pid()
    others = [at(postgres.directory) for _ in range(3)]
    await asyncio.gather(*(other.start() for other in others))
    assert {other._running_pid() for other in others} == {pid}
