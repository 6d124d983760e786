"""What PostgreSQL cannot read: which pages of a table, when a query met one. Reads only.

A page whose checksum is wrong, or that the disk refuses, fails every query that touches it and
none that does not; the server goes on. Whoever looks must take that for an answer of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from tangguh.db.errors import UNREADABLE as UNREADABLE
from tangguh.db.pool import Connection

MAYBE_UNREADABLE: Final = (*UNREADABLE, asyncpg.InternalServerError)
"""XX000 is damage PostgreSQL has no word for, or its own confusion: trying again tells."""
NO_ANSWER: Final = (asyncpg.PostgresError, UnicodeDecodeError)
"""Anything at all that came from PostgreSQL instead of an answer."""

_PAGES_TOLD_MAX: Final = 8

Probe = Callable[[int, int], Awaitable[object]]


async def unreadable_parts(
    connection: Connection, probe: Probe, first: int, last: int, told_max: int = _PAGES_TOLD_MAX
) -> list[tuple[int, int]]:
    """The parts of ``first`` to ``last`` that ``probe(first, last)`` cannot read, each of one.

    By halves, each try in a savepoint; at most ``told_max`` of them. Raises what kept it from
    looking.
    """
    found: list[tuple[int, int]] = []
    waiting = [(first, last)]
    while waiting and len(found) < told_max:
        low, high = waiting.pop()
        try:
            async with connection.transaction():
                await probe(low, high)
            continue
        except MAYBE_UNREADABLE:
            if low == high:
                found.append((low, high))
                continue
        middle = (low + high) // 2
        waiting += [(middle + 1, high), (low, middle)]
    return found


async def unreadable_pages(connection: Connection, table: str) -> list[tuple[str, int]]:
    """Pages that cannot be read, each with the part of the table it is in, the first few.

    Inside a transaction. The table's name is a constant of the bank's, never input; one that is in
    partitions has no pages of its own.
    """
    parts = await connection.fetch(
        "SELECT relid::regclass::text AS name FROM pg_partition_tree($1::regclass) WHERE isleaf",
        table,
    )
    found: list[tuple[str, int]] = []
    for name in [part["name"] for part in parts] or [table]:
        found += [(name, page) for page in await _unreadable_in(connection, name)]
    return found[:_PAGES_TOLD_MAX]


async def _unreadable_in(connection: Connection, table: str) -> list[int]:
    size = "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint"
    pages: int = await connection.fetchval(size, table)
    if not pages:
        return []

    async def probe(first: int, last: int) -> None:
        await connection.fetchval(
            f"SELECT count(*) FROM {table} "  # noqa: S608
            f"WHERE ctid >= '({first},0)'::tid AND ctid < '({last + 1},0)'::tid"
        )

    return [page for page, _ in await unreadable_parts(connection, probe, 0, pages - 1)]
