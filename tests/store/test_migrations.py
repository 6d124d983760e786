"""Migrations: each applied once, by however many, and history is not rewritten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from tangguh.core.errors import Misconfigured
from tangguh.db import migrate as migrating
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.migrate import is_migrated, migrate, migrations

COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
)


@pytest.fixture
async def empty(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database with nothing in it."""
    admin = await asyncpg.connect(server.dsn_for("postgres"))
    await admin.execute("CREATE DATABASE empty TEMPLATE template0")
    yield server.dsn_for("empty")
    await admin.execute("DROP DATABASE empty WITH (FORCE)")
    await admin.close()


async def test_twice_is_once(empty: str) -> None:
    """The second run applies nothing and changes nothing."""
    connection = await asyncpg.connect(empty)
    assert not await is_migrated(connection)
    first = await migrate(connection)
    schema = await connection.fetch(COLUMNS)
    assert first == [one.name for one in migrations()]
    assert await migrate(connection) == []
    assert await connection.fetch(COLUMNS) == schema
    assert await is_migrated(connection)
    await connection.close()


async def test_four_at_once_apply_each_once(empty: str) -> None:
    """Four processes that start together bring it up to date together."""
    connections = [await asyncpg.connect(empty) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(name for names in applied for name in names) == [one.name for one in migrations()]
    for connection in connections:
        await connection.close()


async def test_a_changed_file_is_refused(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that was applied with other text stops the bank, naming the file."""
    connection = await asyncpg.connect(empty)
    await migrate(connection)
    changed = [msgspec.structs.replace(migrations()[0], sha256="0" * 64), *migrations()[1:]]
    monkeypatch.setattr(migrating, "migrations", lambda: changed)
    with pytest.raises(Misconfigured, match=r"0001_pre_book\.sql was changed after it was applied"):
        await migrate(connection)
    await connection.close()


async def test_one_that_fails_leaves_nothing_and_the_lock_is_free(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a migration is none of it, and the next runner is not kept waiting."""
    broken = migrating.Migration(
        "0001_pre_broken.sql", "CREATE TABLE half (id int); SELECT nonsense", "x"
    )
    connection = await asyncpg.connect(empty)
    monkeypatch.setattr(migrating, "migrations", lambda: [broken])
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(connection)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    monkeypatch.undo()
    other = await asyncpg.connect(empty)
    assert await migrate(other)
    await connection.close()
    await other.close()


@pytest.mark.parametrize("name", ["0009_book.sql", "9_pre_x.sql", "0009_pre_X.sql", "notes.sql"])
def test_a_misnamed_file_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose place in the order or in the roll-out is not said is not guessed about."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / name).write_text("SELECT 1")
    monkeypatch.setattr(migrating, "files", lambda _: tmp_path)
    with pytest.raises(Misconfigured, match=name):
        migrations()


def test_every_file_says_why_and_how_to_back_out() -> None:
    """The header of a migration is for whoever has to run it at night."""
    for one in migrations():
        header = "\n".join(line for line in one.sql.splitlines() if line.startswith("--"))
        for word in ("Why:", "Locks:", "Back out:"):
            assert word in header, f"{one.name} does not say {word}"


def test_no_two_have_one_number() -> None:
    """Numbers are the order, so each is used once."""
    numbers = [one.name[:4] for one in migrations()]
    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers)


async def test_an_old_version_on_a_newer_schema_is_refused_with_words(dsn: str) -> None:
    """Started on what a newer version has changed, it says so and touches nothing."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_pre_of_tomorrow.sql', 'x')"
    )
    with pytest.raises(Misconfigured, match=r"newer version.*9999_pre_of_tomorrow"):
        await migrate(connection)
    await connection.close()
