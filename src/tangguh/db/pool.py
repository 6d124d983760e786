"""Connections to PostgreSQL. Whoever holds a ``Connection`` may write; nobody else can.

The driver's exceptions end here: what leaves this package is one of ``core.errors``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias

import asyncpg

from tangguh.core.errors import RowRefused
from tangguh.db.errors import DRIVER_ERRORS, translation_of

Connection: TypeAlias = asyncpg.Connection
Record: TypeAlias = asyncpg.Record

UNWRITABLE = (RowRefused, ValueError, OverflowError, TypeError)
"""What PostgreSQL, or the driver on the way there, will not write: the values are at fault."""


class RuleBroken(asyncpg.RaiseError):  # type: ignore[misc]
    """``must_hold`` said no: the statement did nothing. ``constraint_name`` is the rule."""

    sqlstate = "TG001"


SESSION: Final = {"synchronous_commit": "on"}
"""What each connection asks for at its start: before what the server, database or role is set to.

On: what is acknowledged is on the disk, and where there is a synchronous standby on its disk too.
"""
COMMAND_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 3.0
_ACQUIRE_SECONDS_MAX = 5.0
_RELEASE_SECONDS_MAX = 2.0
_CLOSE_SECONDS_MAX = 5.0


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into the bank's own, by the table in ``db.errors``."""
    try:
        yield
    except RuleBroken:
        raise
    except DRIVER_ERRORS as found:
        raise translation_of(found) from found


async def connect(dsn: str) -> Connection:
    """One connection of its own, for a writer that must not share. Raises StoreUnavailable."""
    with translated():
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            server_settings=SESSION,
        )


@contextmanager
def cut_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Cut the connection when what is inside takes longer: a silent server must not hold us.

    A time-out inside the driver would ask the same silent server to cancel, and wait for it.
    """
    watchdog = asyncio.get_running_loop().call_later(seconds, connection.terminate)
    try:
        yield
    finally:
        watchdog.cancel()


_PEPPER_BYTES: Final = 32


class Pool:
    """Shared connections for reads and for the small writes that are not the book's."""

    def __init__(self, raw: asyncpg.Pool, patience_seconds: float) -> None:
        self._raw = raw
        self.pepper = secrets.token_bytes(_PEPPER_BYTES)
        """What short secrets are hashed with before they are kept: never in the database itself.

        Without a setting it lives as long as this process, and so do the codes kept with it.
        """
        self._patience = patience_seconds

    def within(self, seconds: float) -> Pool:
        """The same connections for somebody with another patience; closing one closes both."""
        other = Pool(self._raw, seconds)
        other.pepper = self.pepper
        return other

    @classmethod
    async def open(
        cls, dsn: str, *, size_max: int = 10, command_seconds: float = COMMAND_TIMEOUT_SECONDS
    ) -> Pool:
        """Connect. Raises StoreUnavailable when the server cannot be reached."""
        with translated():
            raw = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size_max,
                timeout=CONNECT_TIMEOUT_SECONDS,
                server_settings=SESSION,
            )
        return cls(raw, command_seconds)

    async def close(self) -> None:
        """Return every connection and forget them; a server that says nothing is not waited for."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                await self._raw.close()
        except DRIVER_ERRORS:
            self._raw.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction, for reads.

        What takes longer than this pool's patience is cut off, so that a server which answers
        nothing holds nobody: StoreUnavailable.
        """
        with translated():
            connection = await self._raw.acquire(timeout=min(self._patience, _ACQUIRE_SECONDS_MAX))
            try:
                with cut_after(connection, self._patience):
                    yield connection
            finally:
                await self._raw.release(connection, timeout=_RELEASE_SECONDS_MAX)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one READ COMMITTED transaction: all of it, or none of it."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *arguments: Any) -> list[Record]:
        """Rows of one query."""
        async with self.connection() as connection:
            rows: list[Record] = await connection.fetch(sql, *arguments)
            return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> Record | None:
        """The first row of one query, or None."""
        async with self.connection() as connection:
            row: Record | None = await connection.fetchrow(sql, *arguments)
            return row
