"""The ledger's invariants, provable at any moment on the truth in PostgreSQL.

Each is one query that looks for what breaks it; no row found means it holds. The chain is walked
apart: every append-only row is hashed again. All of it reads one snapshot. What cannot be read is
no answer, and said as such, with where.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

import msgspec

from tangguh.audit.journal import JournalPlan
from tangguh.audit.walk import head_of, head_trouble, outside, walk
from tangguh.db.pages import NO_ANSWER
from tangguh.db.pool import Connection, Record
from tangguh.db.queries import Queries
from tangguh.ledger.checks.look import Invariant, looked

PROOF: Final = Queries("tangguh.ledger", "proof.sql")
LEDGER_INVARIANTS: Final = tuple(name for name in PROOF.names() if not name.startswith("read_"))

_BATCHES_PER_STEP: Final = 2_000
_SHOWN_MAX: Final = 5
_OF_THESE: Final = re.compile(r"/\* of these: (.*?) \*/")


async def prove(
    connection: Connection, book_id: int, queries: Queries, names: Sequence[str]
) -> list[Invariant]:
    """Run the named blocks of ``queries``; each takes (book_id) and gives what breaks the rule."""
    return [
        await looked(connection, name, _broken(connection, book_id, queries[name]))
        for name in names
    ]


def _broken(connection: Connection, book_id: int, block: str) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        broken = await connection.fetch(f"{block}\nLIMIT {_SHOWN_MAX}", book_id)
        return "; ".join(describe(row) for row in broken)

    look.__doc__ = block
    return look


def only_these(block: str) -> str:
    """A block as it looks at the ids in $2 and no others."""
    return _OF_THESE.sub(r"AND \1", block)


def can_be_partial(queries: Queries) -> list[str]:
    """The blocks that can look at some rows only."""
    return [name for name in queries.names() if _OF_THESE.search(queries[name])]


async def breaks_among(
    connection: Connection, book_id: int, queries: Queries, name: str, ids: Collection[Any]
) -> list[Record]:
    """What breaks a rule among these ids."""
    rows: list[Record] = await connection.fetch(only_these(queries[name]), book_id, list(ids))
    return rows


async def prove_chain(
    connection: Connection, book_id: int, journals: Sequence[JournalPlan]
) -> Invariant:
    """Walk every link from the first to the head, hashing each batch's rows again."""
    links = 0

    async def look() -> str:
        nonlocal links
        head = await head_of(connection, book_id)
        if head is None:
            return f"there is no book {book_id}"
        for first in range(1, head.batch_no + 1, _BATCHES_PER_STEP):
            last = min(first + _BATCHES_PER_STEP - 1, head.batch_no)
            async for link in walk(connection, book_id, journals, first, last):
                if link.wrong:
                    return link.wrong
                links += 1
        if trouble := await head_trouble(connection, book_id):
            return trouble
        for plan in journals:
            if await connection.fetchrow(outside(plan), book_id, head.batch_no) is not None:
                return f"{plan.table} has rows of no batch"
        return ""

    look.__doc__ = " ".join(f"FROM {table}" for table in ("batches", *_tables(journals)))
    found = await looked(connection, "hash_chain_is_unbroken", look)
    return msgspec.structs.replace(found, detail=f"{links} links") if found.holds else found


def _tables(journals: Sequence[JournalPlan]) -> list[str]:
    return [plan.table for plan in journals]


async def counts(connection: Connection, book_id: int) -> tuple[int, int] | None:
    """How many accounts and entries the book has; None when they cannot be counted."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(PROOF["read_counts"], book_id)
    except NO_ANSWER:
        return None
    return (row["accounts"], row["entries"]) if row is not None else (0, 0)


def describe(row: Record) -> str:
    """A row in words: its columns and their values."""
    return ", ".join(f"{key}={value}" for key, value in row.items())
