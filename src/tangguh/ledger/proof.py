"""The ledger's invariants, provable at any moment on the truth in PostgreSQL.

Each is one query that looks for what breaks it; no row found means it holds. The chain is walked
apart: every append-only row is hashed again. All of it reads one snapshot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec

from tangguh.audit import chain
from tangguh.audit.journal import JournalPlan, Row
from tangguh.db.pool import Connection, Record
from tangguh.db.queries import Queries

PROOF: Final = Queries("tangguh.ledger", "proof.sql")
LEDGER_INVARIANTS: Final = tuple(name for name in PROOF.names() if not name.startswith("read_"))

_BATCHES_PER_STEP: Final = 500


class Invariant(msgspec.Struct, frozen=True):
    """One rule, whether it holds, and what was found when it does not."""

    name: str
    holds: bool
    detail: str


async def prove(
    connection: Connection, book_id: int, queries: Queries, names: Sequence[str]
) -> list[Invariant]:
    """Run the named blocks of ``queries``; each takes (book_id) and gives what breaks the rule."""
    proved: list[Invariant] = []
    for name in names:
        broken = await connection.fetch(f"{queries[name]}\nLIMIT 5", book_id)
        proved.append(Invariant(name, not broken, "; ".join(_describe(row) for row in broken)))
    return proved


async def prove_chain(
    connection: Connection, book_id: int, journals: Sequence[JournalPlan]
) -> Invariant:
    """Walk every link from the first to the head, hashing each batch's rows again."""
    name = "hash_chain_is_unbroken"
    book = await connection.fetchrow(PROOF["read_head"], book_id)
    if book is None:
        return Invariant(name, holds=False, detail=f"there is no book {book_id}")
    previous, number = chain.GENESIS, 0
    async for batch, streams in batches_with_rows(connection, book_id, journals):
        number += 1
        if batch["batch_no"] != number or batch["previous"] != previous:
            return Invariant(name, holds=False, detail=f"batch {number} is missing or out of line")
        header = chain.Header(
            book_id, number, batch["epoch"], batch["decided_at"], batch["commands"]
        )
        previous = chain.link(previous, header, streams)
        if previous != batch["hash"]:
            return Invariant(
                name, holds=False, detail=f"batch {number}: its rows do not hash to its link"
            )
    if (number, previous) != (book["batch_no"], book["head_hash"]):
        return Invariant(
            name, holds=False, detail=f"the chain ends at {number}, the head at {book['batch_no']}"
        )
    for plan in journals:
        if await connection.fetchrow(_outside(plan), book_id, number) is not None:
            return Invariant(name, holds=False, detail=f"{plan.table} has rows of no batch")
    return Invariant(name, holds=True, detail=f"{number} links")


async def counts(connection: Connection, book_id: int) -> tuple[int, int]:
    """How many accounts and entries the book has."""
    row = await connection.fetchrow(PROOF["read_counts"], book_id)
    return (row["accounts"], row["entries"]) if row is not None else (0, 0)


async def batches_with_rows(
    connection: Connection,
    book_id: int,
    journals: Sequence[JournalPlan],
    first: int = 1,
    per_step: int = _BATCHES_PER_STEP,
) -> AsyncIterator[tuple[Record, list[tuple[str, list[Row]]]]]:
    """Each batch's row with its rows in every journal, so many batches at a time."""
    while True:
        last = first + per_step - 1
        batches = await connection.fetch(PROOF["read_batches"], book_id, first, last)
        if not batches:
            return
        rows: dict[str, dict[int, list[Row]]] = {}
        for plan in journals:
            rows[plan.table] = await _rows_of(connection, book_id, plan, first, last)
        for batch in batches:
            streams = [
                (plan.table, rows[plan.table].get(batch["batch_no"], [])) for plan in journals
            ]
            yield batch, [(table, lines) for table, lines in streams if lines]
        first = last + 1


def _outside(plan: JournalPlan) -> str:
    """Rows that no link covers. The table is the plan's own constant, never input."""
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
        grouped.setdefault(row[place], []).append(row)
    return grouped


def _describe(row: Record) -> str:
    return ", ".join(f"{key}={value}" for key, value in row.items())
