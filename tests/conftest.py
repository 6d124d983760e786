"""What many tests share: one real PostgreSQL for the session, a fresh database for each test."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import asyncpg
import msgspec
import pytest
import structlog

from owner import OWNERS
from paper import PaperRail, paper_rails
from tangguh.access.pin import PinSettings
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.db import pool, safety
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.migrate import migrate
from tangguh.db.roles import CORE, WEB, dsn_as, make_bank_roles

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
"""12.00 WIB on a Friday: where most stories begin."""

QUICK = Settings(pin=PinSettings(memory_kib=64, passes=1))
"""The default settings, with a PIN hash that costs no time: its cost is not under test."""

CORE_WORD, WEB_WORD = "core of tests", "web of tests"
_numbers = count(1)

# Plain lines: the default draws every local variable of a traceback, which takes seconds.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL for the whole session, with a migrated template database.

    fsync is left on: what the bank promises is tested as the bank runs.
    """
    postgres = EmbeddedPostgres(tmp_path_factory.mktemp("pg"))
    asyncio.run(_start(postgres))
    yield postgres
    asyncio.run(postgres.stop())


async def _start(postgres: EmbeddedPostgres) -> None:
    await postgres.start()
    connection = await asyncpg.connect(postgres.dsn)
    await migrate(connection)
    await connection.execute("INSERT INTO books (book_id, currency) VALUES (1, 'IDR')")
    await connection.execute("CREATE DATABASE demo TEMPLATE template0")
    await connection.close()
    clock = HandClock(NOON)
    filled = await Bank.open(
        QUICK, postgres.dsn_for("demo"), rails={}, clock=clock, ids=Ids(clock, random.Random(1))
    )
    await filled.fill_demo(seed=1)
    await filled.close()
    await make_bank_roles(postgres.dsn, CORE_WORD, WEB_WORD)
    await make_bank_roles(postgres.dsn_for("demo"), CORE_WORD, WEB_WORD)


@pytest.fixture
async def dsn(request: pytest.FixtureRequest, server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database with the schema and an empty book 1; filled already for a ``bank``."""
    template = "demo" if "bank" in request.fixturenames else "tangguh"
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(server.dsn_for("postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.dsn_for(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


def at_work(dsn: str, settings: Settings = QUICK) -> tuple[Settings, str]:
    """The settings and the DSN of a bank that works as its own roles, not as the owner."""
    core = dsn_as(dsn, CORE, CORE_WORD)
    OWNERS[core] = dsn
    web = msgspec.structs.replace(settings.db, web_dsn=dsn_as(dsn, WEB, WEB_WORD))
    return msgspec.structs.replace(settings, db=web), core


@pytest.fixture
def clock() -> HandClock:
    """A clock the test moves by hand."""
    return HandClock(NOON)


@pytest.fixture
def ids(clock: HandClock) -> Ids:
    """Ids from a fixed seed."""
    return Ids(clock, random.Random(20250329))


@pytest.fixture
def paper() -> PaperRail:
    """A rail whose answers the test writes."""
    return PaperRail()


@pytest.fixture
async def bank(dsn: str, clock: HandClock, ids: Ids, paper: PaperRail) -> AsyncIterator[Bank]:
    """A bank with the demo's people, on a hand clock, whose QRIS rail is on paper.

    It works with the rights the bank has at work: the book's owner is who has ``dsn``.
    The resolver does not run by itself: stories call ``bank.resolver.round()``.
    """
    opened = await Bank.open(
        *at_work(dsn),
        rails=paper_rails(paper),
        clock=clock,
        ids=ids,
    )
    await opened.fill_demo(seed=1)
    yield opened
    await opened.close()


@pytest.fixture
def commits_may_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that commit thousands of times and kill no server: nobody waits for the disk.

    Only here: no setting of the bank's, of a server, a database or a role does this.
    """
    monkeypatch.setitem(pool.SESSION, "synchronous_commit", "off")
    monkeypatch.setitem(safety.REQUIRED, "synchronous_commit", frozenset({"off"}))


@pytest.fixture
def pictures() -> Path:
    """Where screenshots for the documentation go."""
    return Path(__file__).parent.parent / "docs" / "pictures"
