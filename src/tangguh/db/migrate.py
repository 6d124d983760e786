"""Applies numbered plain-SQL migrations, each once, under an advisory lock.

A file is named ``NNNN_pre_what.sql`` (before the new code is rolled out) or ``NNNN_post_what.sql``
(after). A file that changed since it was applied is refused: history is not rewritten.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec

from tangguh.core.errors import Misconfigured

if TYPE_CHECKING:
    from tangguh.db.pool import Connection

_LOCK_KEY: Final = 0x7A6E6767
_NAME: Final = re.compile(r"\d{4}_(pre|post)_[a-z0-9_]+\.sql")
_LEDGER_OF_MIGRATIONS: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)"""


class Migration(msgspec.Struct, frozen=True):
    """One file: its name, its SQL and the hash that says it has not changed."""

    name: str
    sql: str
    sha256: str


def migrations() -> list[Migration]:
    """Every migration of this version, in order. Raises Misconfigured on a misnamed file."""
    found: list[Migration] = []
    for entry in (files("tangguh.db") / "migrations").iterdir():
        if not entry.name.endswith(".sql"):
            continue
        if not _NAME.fullmatch(entry.name):
            raise Misconfigured(f"migration {entry.name} must be named NNNN_pre|post_what.sql")
        sql = entry.read_text(encoding="utf-8")
        found.append(Migration(entry.name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return sorted(found, key=lambda migration: migration.name)


async def migrate(connection: Connection) -> list[str]:
    """Apply what is pending; return the names applied now. Safe to run from many processes.

    Only a role that owns the schema can apply anything; when nothing is pending any role will do.
    """
    if await _is_up_to_date(connection):
        return []
    try:
        return await _apply(connection)
    except asyncpg.InsufficientPrivilegeError as refused:
        raise Misconfigured(
            "db.dsn: this role may not bring the schema up to date; let its owner do it first:"
            " tangguh migrate (docs/runbooks/new-version.md)"
        ) from refused


async def _apply(connection: Connection) -> list[str]:
    applied: list[str] = []
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
    try:
        await connection.execute(_LEDGER_OF_MIGRATIONS)
        rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
        known = {row["name"]: row["sha256"] for row in rows}
        _refuse_newer(set(known))
        for migration in migrations():
            if migration.name in known:
                _refuse_changed(migration, known[migration.name])
                continue
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)",
                    migration.name,
                    migration.sha256,
                )
            applied.append(migration.name)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK_KEY)
    return applied


async def _is_up_to_date(connection: Connection) -> bool:
    """Whether nothing is pending. Raises Misconfigured as ``migrate`` does."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return False
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
    known = {row["name"]: row["sha256"] for row in rows}
    _refuse_newer(set(known))
    ours = migrations()
    for migration in ours:
        _refuse_changed(migration, known.get(migration.name, migration.sha256))
    return {migration.name for migration in ours} <= set(known)


async def is_migrated(connection: Connection) -> bool:
    """Whether every migration of this version has been applied."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return False
    rows = await connection.fetch("SELECT name FROM schema_migrations")
    return {migration.name for migration in migrations()} <= {row["name"] for row in rows}


def _refuse_newer(applied: set[str]) -> None:
    """A schema that a newer version has moved on is not ours to write to."""
    unknown = sorted(applied - {migration.name for migration in migrations()})
    if unknown:
        raise Misconfigured(
            f"this database was made by a newer version of the bank: it has {unknown[-1]}, which "
            "this version does not know. Start the newer version, or restore a backup from before."
        )


def _refuse_changed(migration: Migration, applied_sha256: str) -> None:
    if migration.sha256 != applied_sha256:
        raise Misconfigured(f"{migration.name} was changed after it was applied; add a new one")
