"""Roles beside the bank's own: who may read a part of the book, and nothing else.

Made by whoever runs the bank's database, again at every start; no migration, since a role belongs
to the whole cluster.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from tangguh.core.errors import Misconfigured
from tangguh.db.pool import connect, translated

WATCH: Final = "tangguh_watch"
_LOCK_KEY: Final = 0x7A6E6768


async def make_watch_role(dsn: str, password: str, role: str = WATCH) -> None:
    """Let the watch read payments by their wire reference. Again: the password is set anew.

    Raises Misconfigured when the bank's own role may make no roles; StoreUnavailable.
    """
    connection = await connect(dsn)
    try:
        with translated():
            quoted = await connection.fetchval("SELECT quote_ident($1)", role)
            secret = await connection.fetchval("SELECT quote_literal($1)", password)
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
                known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
                await connection.execute(
                    f"{'ALTER' if known else 'CREATE'} ROLE {quoted} LOGIN NOSUPERUSER NOCREATEDB "
                    f"NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 4 PASSWORD {secret}"
                )
                await connection.execute(
                    f"ALTER ROLE {quoted} SET default_transaction_read_only = on"
                )
                await connection.execute(f"ALTER ROLE {quoted} SET statement_timeout = '5s'")
                await connection.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
                await connection.execute(f"GRANT SELECT ON watched_payments TO {quoted}")
    except asyncpg.InsufficientPrivilegeError as refused:
        raise Misconfigured(
            f"db: the bank's role may make no roles; have a database administrator make {role}"
        ) from refused
    finally:
        await connection.close()


def dsn_as(dsn: str, role: str, password: str) -> str:
    """The same database as another role. Raises Misconfigured for a DSN that is no URL."""
    parts = urlsplit(dsn)
    if parts.scheme not in ("postgres", "postgresql"):
        raise Misconfigured("db.dsn: the watch needs a URL (postgresql://...)")
    where = parts.netloc.rpartition("@")[2]
    who = f"{quote(role, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{where}"))
