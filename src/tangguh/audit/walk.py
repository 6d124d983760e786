"""Walking the hash chain in PostgreSQL: every append-only row is hashed again. Reads only.

A walk may begin anywhere: it takes the link before as it stands, and goes on behind whatever is
broken, so that one broken link hides no other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec

from tangguh.audit import chain
from tangguh.audit.journal import JournalPlan, Row
from tangguh.db.pool import Connection, Record
from tangguh.db.queries import Queries

WALK: Final = Queries("tangguh.audit", "walk.sql")
Streams = list[tuple[str, list[Row]]]
"""The rows of one batch by table, in the chain's order."""


class Head(msgspec.Struct, frozen=True):
    """A link that is known: its number and its hash. Number 0 is the beginning."""

    batch_no: int = 0
    hash: bytes = chain.GENESIS


class Link(msgspec.Struct, frozen=True):
    """One batch as it was found: its link, its rows, and what is wrong with it ("" is nothing)."""

    head: Head
    streams: Streams
    wrong: str


async def head_of(connection: Connection, book_id: int) -> Head | None:
    """Where the book says it stands; None when there is no such book."""
    row = await connection.fetchrow(WALK["read_head"], book_id)
    return Head(row["batch_no"], row["head_hash"]) if row is not None else None


async def hash_at(connection: Connection, book_id: int, batch_no: int) -> bytes | None:
    """The hash of a link as it is written; None when it is not there."""
    if batch_no == 0:
        return chain.GENESIS
    found: bytes | None = await connection.fetchval(WALK["one_batch"], book_id, batch_no)
    return found


async def head_trouble(connection: Connection, book_id: int, known: Head | None = None) -> str:
    """What is wrong with the end of the chain, "" when nothing is.

    ``known`` is what somebody remembers outside the database: the book can only have grown since.
    """
    head = await head_of(connection, book_id)
    if head is None:
        return f"there is no book {book_id}"
    last = await connection.fetchrow(WALK["last_batch"], book_id)
    there = Head(last["batch_no"], last["hash"]) if last is not None else Head()
    if there.batch_no != head.batch_no:
        return f"the chain ends at {there.batch_no}, the head at {head.batch_no}"
    if there.hash != head.hash:
        return f"the head's hash is not that of batch {there.batch_no}"
    if known is None:
        return ""
    if known.batch_no > there.batch_no:
        return f"the chain ends at {there.batch_no}, and batch {known.batch_no} was known"
    if await hash_at(connection, book_id, known.batch_no) != known.hash:
        return f"batch {known.batch_no} is not the one that was known"
    return ""


async def walk(
    connection: Connection,
    book_id: int,
    journals: Sequence[JournalPlan],
    first: int,
    last: int,
) -> AsyncIterator[Link]:
    """The links from ``first`` to ``last``, each hashed anew from its rows."""
    before = await hash_at(connection, book_id, first - 1)
    number = first
    async for batch, streams in _batches(connection, book_id, journals, first, last):
        for missing in range(number, batch["batch_no"]):
            yield Link(Head(missing, b""), [], f"batch {missing} is missing or out of line")
            before = b""
        number = batch["batch_no"]
        header = chain.Header(
            book_id, number, batch["epoch"], batch["decided_at"], batch["commands"]
        )
        wrong = ""
        if batch["previous"] != before:
            wrong = f"batch {number} is missing or out of line"
        elif chain.link(batch["previous"], header, streams) != batch["hash"]:
            wrong = f"batch {number}: its rows do not hash to its link"
        before = batch["hash"]
        yield Link(Head(number, before), streams, wrong)
        number += 1


async def _batches(
    connection: Connection, book_id: int, journals: Sequence[JournalPlan], first: int, last: int
) -> AsyncIterator[tuple[Record, Streams]]:
    batches = await connection.fetch(WALK["read_batches"], book_id, first, last)
    rows: dict[str, dict[int, list[Row]]] = {}
    for plan in journals:
        rows[plan.table] = await _rows_of(connection, book_id, plan, first, last)
    for batch in batches:
        streams = [(plan.table, rows[plan.table].get(batch["batch_no"], [])) for plan in journals]
        yield batch, [(table, lines) for table, lines in streams if lines]


def outside(plan: JournalPlan) -> str:
    """SQL for rows that no link covers. The table is the plan's own constant, never input."""
    return (
        f"SELECT 1 FROM {plan.table} "  # noqa: S608
        "WHERE book_id = $1 AND (batch_no < 1 OR batch_no > $2) LIMIT 1"
    )


async def _rows_of(
    connection: Connection, book_id: int, plan: JournalPlan, first: int, last: int
) -> dict[int, list[Row]]:
    # The table and columns are the plan's own constants, never input.
    sql = (
        f"SELECT {', '.join(plan.columns)} FROM {plan.table} "  # noqa: S608
        f"WHERE book_id = $1 AND batch_no BETWEEN $2 AND $3 ORDER BY batch_no, {plan.order_by}"
    )
    place = plan.columns.index("batch_no")
    grouped: dict[int, list[Row]] = {}
    for record in await connection.fetch(sql, book_id, first, last):
        row: tuple[Any, ...] = tuple(record)
        grouped.setdefault(row[place], []).append(plan.hashed(row) if plan.later else row)
    return grouped
