"""The roles the bank works as: each may do what its work needs on each table, and nothing else.

Made by the owner of the bank's database, again at every start; no migration, since a role belongs
to the whole cluster. None of them owns anything, so none can switch a trigger off, change a table,
empty it or make roles.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from tangguh.core.errors import Misconfigured, StoreBroken
from tangguh.db.grants import CORE_TABLES, WEB_TABLES
from tangguh.db.migrate import migrate
from tangguh.db.pool import Connection, connect, translated
from tangguh.db.queries import Queries
from tangguh.db.safety import refuse_unsafe

CORE: Final = "tangguh_core"
"""The book's writer: the only one that writes what is decided."""
WEB: Final = "tangguh_web"
"""Everything beside the writer: reads the book, writes customers, sessions, messages."""
WATCH: Final = "tangguh_watch"
"""Reads payments by their wire reference."""
_WATCH_CONNECTIONS: Final = 4
_LOCK_KEY: Final = 0x7A6E6768
_ROLES: Final = Queries("tangguh.db", "roles.sql")


async def prepare(dsn: str, core_password: str, web_password: str) -> None:
    """As the owner, before the bank starts: the schema up to date, and the roles it works as.

    Raises Misconfigured, StoreUnavailable.
    """
    connection = await connect(dsn)
    try:
        await refuse_unsafe(connection)
        with translated():
            await migrate(connection)
    finally:
        await connection.close()
    await make_bank_roles(dsn, core_password, web_password)


async def make_bank_roles(dsn: str, core_password: str, web_password: str) -> None:
    """Make both roles of the bank at work and grant them their tables, taking back what is more.

    After the schema is up to date. Raises Misconfigured when the DSN's role may make no roles;
    StoreUnavailable.
    """
    async with _making(dsn, f"{CORE} and {WEB}") as connection:
        await _make(connection, CORE, core_password)
        await _make(connection, WEB, web_password)
        await _grant(connection, CORE, CORE_TABLES)
        await _grant(connection, WEB, WEB_TABLES)
        await connection.execute(f"GRANT EXECUTE ON FUNCTION learn_table(text) TO {CORE}")


async def make_watch_role(dsn: str, password: str, role: str = WATCH) -> None:
    """Let the watch read payments by their wire reference. Again: the password is set anew.

    Raises Misconfigured when the DSN's role may make no roles; StoreUnavailable.
    """
    async with _making(dsn, role) as connection:
        quoted = await _make(connection, role, password, _WATCH_CONNECTIONS)
        await connection.execute(f"ALTER ROLE {quoted} SET default_transaction_read_only = on")
        await connection.execute(f"ALTER ROLE {quoted} SET statement_timeout = '5s'")
        await connection.execute(f"GRANT SELECT ON watched_payments TO {quoted}")


def dsn_as(dsn: str, role: str, password: str) -> str:
    """The same database as another role. Raises Misconfigured for a DSN that is no URL."""
    parts = urlsplit(dsn)
    if parts.scheme not in ("postgres", "postgresql"):
        raise Misconfigured("db.dsn: another role needs a URL (postgresql://...)")
    where = parts.netloc.rpartition("@")[2]
    who = f"{quote(role, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{where}"))


@asynccontextmanager
async def _making(dsn: str, whose: str) -> AsyncIterator[Connection]:
    """One transaction in which roles are made, by one process at a time."""
    connection = await connect(dsn)
    try:
        with translated():
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
                await connection.execute("SET LOCAL log_statement = none")
                yield connection
    except StoreBroken as refused:
        if isinstance(refused.__cause__, asyncpg.InsufficientPrivilegeError):
            raise Misconfigured(
                f"db: this role may make no roles; have a database administrator make {whose}"
            ) from refused
        raise
    finally:
        await connection.close()


async def _make(connection: Connection, role: str, password: str, limit: int = -1) -> str:
    """The role, with this password and nothing but what is granted after; its name quoted."""
    quoted: str = await connection.fetchval(_ROLES["quote_name"], role)
    secret = await connection.fetchval(_ROLES["quote_secret"], password)
    known = await connection.fetchval(_ROLES["find_role"], role)
    await connection.execute(
        f"{'ALTER' if known else 'CREATE'} ROLE {quoted} LOGIN NOSUPERUSER NOCREATEDB "
        f"NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT {limit} PASSWORD {secret}"
    )
    database = await connection.fetchval(_ROLES["name_database"])
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {quoted}")
    await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    await connection.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}")
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
    return quoted


async def _grant(connection: Connection, role: str, tables: Mapping[str, str]) -> None:
    for table, rights in tables.items():
        await connection.execute(f"GRANT {rights} ON {table} TO {role}")
