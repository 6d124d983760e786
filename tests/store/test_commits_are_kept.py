"""Somebody makes PostgreSQL quicker and less safe: what was acknowledged is there all the same."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from conftest import QUICK
from tangguh.app import Bank
from tangguh.core.clock import SystemClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.db import embedded
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.pool import Pool, connect
from tangguh.guard.closure import SignalClass
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount, Post
from tangguh.ledger.writer import Writer
from tangguh.payments.gates.change import ReadBoard

QUICKER_AND_LESS_SAFE = {
    "fsync": "off",
    "full_page_writes": "off",
    "zero_damaged_pages": "on",
    "ignore_checksum_failure": "on",
}


@pytest.fixture
async def own_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EmbeddedPostgres]:
    """A server of the test's own whose file of settings is believed, as an operator's own is."""
    for name in (*QUICKER_AND_LESS_SAFE, "synchronous_commit"):
        monkeypatch.delitem(embedded._SERVER_SETTINGS, name, raising=False)
    with tempfile.TemporaryDirectory(prefix="tg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        await server.start()
        yield server
        await server.stop()


async def set_in_file(server: EmbeddedPostgres, **settings: str | None) -> None:
    """ALTER SYSTEM and a reload that has reached a new connection."""
    line = await asyncpg.connect(server.dsn)
    for name, value in settings.items():
        word = "DEFAULT" if value is None else f"'{value}'"
        await line.execute(f"ALTER SYSTEM SET {name} = {word}")
    await line.execute("SELECT pg_reload_conf()")
    await line.close()
    for name, value in settings.items():
        while True:
            line = await asyncpg.connect(server.dsn)
            now = await line.fetchval(f"SHOW {name}")
            await line.close()
            if value is None or now == value:
                break


async def test_what_was_acknowledged_survives_a_database_set_to_lose_it(
    own_server: EmbeddedPostgres,
) -> None:
    """synchronous_commit is off for the database and the server dies at once after the answer."""
    await set_in_file(own_server, synchronous_commit="off", wal_writer_delay="10s")
    line = await asyncpg.connect(own_server.dsn)
    await line.execute("ALTER DATABASE tangguh SET synchronous_commit = off")
    await line.execute("ALTER ROLE tangguh SET synchronous_commit = off")
    await line.close()
    clock = SystemClock()
    async with await Bank.open(QUICK, own_server.dsn, rails={}):
        pass
    writer = Writer(own_server.dsn, clock, Ids(clock))
    await writer.start()
    await writer.decide(OpenAccount(11, Kind.VAULT))
    await writer.decide(OpenAccount(12, Kind.CUSTOMER, 1))
    for number in range(20):
        await writer.decide(Post(UUID(int=number + 1), "test", ((11, -100), (12, 100))))
    for pid in own_server._processes():
        os.kill(pid, signal.SIGKILL)
    await own_server.restart()
    line = await asyncpg.connect(own_server.dsn)
    assert await line.fetchval("SELECT posted_minor FROM accounts WHERE account_id = 12") == 2000
    await line.close()
    await writer.stop()


@pytest.mark.parametrize(
    "asked", ["", "?synchronous_commit=off", "?options=-c%20synchronous_commit%3Doff"]
)
async def test_no_line_of_the_banks_commits_without_the_disk(dsn: str, asked: str) -> None:
    """Whoever set it: the database, the role, or the address the bank was given."""
    admin = await asyncpg.connect(dsn)
    database = await admin.fetchval("SELECT quote_ident(current_database())")
    await admin.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    await admin.close()
    where = dsn + (asked.replace("?", "&") if "?" in dsn else asked)
    line = await connect(where)
    pool = await Pool.open(where, size_max=1)
    try:
        for _ in range(2):  # also the second time: a pool resets what was set since
            assert await line.fetchval("SHOW synchronous_commit") == "on"
            row = await pool.fetchrow("SELECT current_setting('synchronous_commit') AS it")
            assert row is not None
            assert row["it"] == "on"
            await line.execute("RESET ALL")
    finally:
        await line.close()
        await pool.close()


async def test_a_server_that_may_lose_or_hide_what_is_written_is_not_started_on(
    own_server: EmbeddedPostgres,
) -> None:
    """Each such setting is refused by its name before anything is written there."""
    for name, value in QUICKER_AND_LESS_SAFE.items():
        await set_in_file(own_server, **{name: value})
        with pytest.raises(Misconfigured, match=rf"{name} is {value}.*docs/runbooks/"):
            await Bank.open(QUICK, own_server.dsn, rails={})
        await set_in_file(own_server, **{name: None})
    line = await asyncpg.connect(own_server.dsn)
    assert await line.fetchval("SELECT to_regclass('books')") is None
    await line.close()
    async with await Bank.open(QUICK, own_server.dsn, rails={}):
        pass


async def test_triggers_switched_off_for_a_role_are_noticed(dsn: str) -> None:
    """session_replication_role = replica: no trigger of ours would run, and nobody would say so."""
    admin = await asyncpg.connect(dsn)
    database = await admin.fetchval("SELECT quote_ident(current_database())")
    await admin.execute(f"ALTER DATABASE {database} SET session_replication_role = replica")
    await admin.close()
    with pytest.raises(Misconfigured, match="session_replication_role"):
        await Bank.open(QUICK, dsn, rails={})
    clock = SystemClock()
    writer = Writer(dsn, clock, Ids(clock))
    with pytest.raises(Misconfigured, match="session_replication_role"):
        await writer.start()


async def test_safety_switched_off_under_a_running_bank_is_a_signal(
    own_server: EmbeddedPostgres,
) -> None:
    """The next look sees it; outgoing money is capped and people are asked."""
    async with await Bank.open(QUICK, own_server.dsn, rails={}) as bank:
        assert await bank.pulse.round() == []
        await set_in_file(own_server, fsync="off")
        found = await bank.pulse.round()
        assert [one.rule for one in found] == ["store.unsafe"]
        assert "fsync is off" in found[0].detail
        board = await bank.desk.decide(ReadBoard())
        assert [one.signal_class for one in board.closures] == [SignalClass.INTEGRITY]
