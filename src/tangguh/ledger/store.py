"""Where the book meets PostgreSQL: loading rows, taking the fence, committing a sealed batch.

Only the writer uses this. A batch is one transaction and a constant number of statements:
the fence, one COPY per table that grew, one UPDATE per table that changed, the chain link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from tangguh.audit import chain
from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.errors import FenceLost, InvariantBroken, Misconfigured
from tangguh.db.pool import Connection
from tangguh.db.queries import Queries
from tangguh.ledger.plans import SQL
from tangguh.ledger.shelf import Shelf, ShelfPlan

LEDGER: Final = Queries(*SQL)


class Head(msgspec.Struct, frozen=True):
    """Where the book stands: the writer's epoch, the last batch and its hash."""

    epoch: int
    batch_no: int
    hash: bytes


class Sealed(msgspec.Struct, frozen=True):
    """A batch ready to be committed: rows only, no more thinking."""

    book_id: int
    previous: Head
    head: Head
    decided_at: datetime
    commands: int
    fresh: list[tuple[ShelfPlan[Any, Any], list[Any]]]
    changed: list[tuple[ShelfPlan[Any, Any], list[Any]]]
    appended: list[tuple[JournalPlan, list[Row]]]


async def take_book(connection: Connection, book_id: int) -> Head:
    """Fence every earlier writer of the book and become its writer."""
    row = await connection.fetchrow(LEDGER["take_book"], book_id)
    if row is None:
        raise Misconfigured(f"book {book_id} was never opened in this database")
    return Head(row["epoch"], row["batch_no"], row["head_hash"])


async def retake_book(connection: Connection, book_id: int, epoch: int) -> Head:
    """Take the fence again after a lost connection. Raises FenceLost if another writer has it.

    It waits for a transaction of ours that may still be committing, so the head it returns says
    for certain whether that batch was committed.
    """
    row = await connection.fetchrow(LEDGER["retake_book"], book_id, epoch)
    if row is None:
        raise FenceLost
    return Head(row["epoch"], row["batch_no"], row["head_hash"])


async def load(
    connection: Connection, book_id: int, shelf: Shelf[Any, Any], keys: Sequence[Any]
) -> None:
    """Bring rows into memory; what is not found is remembered as absent."""
    plan = shelf.plan
    found = await connection.fetch(_queries(*plan.sql)[plan.load], book_id, *plan.key_arrays(keys))
    for key in keys:
        shelf.rows[key] = None
    for row in found:
        key, value = plan.read(row)
        shelf.rows[key] = value


def seal(
    book_id: int,
    previous: Head,
    decided_at: datetime,
    commands: int,
    shelves: Iterable[Shelf[Any, Any]],
    appended: list[tuple[JournalPlan, list[Row]]],
) -> Sealed:
    """Close a batch: take what changed and compute its link of the chain."""
    fresh: list[tuple[ShelfPlan[Any, Any], list[Any]]] = []
    changed: list[tuple[ShelfPlan[Any, Any], list[Any]]] = []
    for shelf in shelves:
        added, replaced = shelf.take()
        if shelf.plan.table is not None:
            fresh.append((shelf.plan, added))
            changed.append((shelf.plan, replaced))
    for plan, rows in appended:
        if plan.sort_key is not None:
            rows.sort(key=plan.sort_key)
    batch_no = previous.batch_no + 1
    header = chain.Header(book_id, batch_no, previous.epoch, decided_at, commands)
    streams = ((plan.table, rows) for plan, rows in appended if rows)
    digest = chain.link(previous.hash, header, streams)
    head = Head(previous.epoch, batch_no, digest)
    return Sealed(book_id, previous, head, decided_at, commands, fresh, changed, appended)


async def commit(connection: Connection, batch: Sealed) -> None:
    """One transaction. Raises FenceLost when another writer took the book."""
    async with connection.transaction():
        await _advance(connection, batch)
        for plan, rows in batch.fresh:
            if rows and plan.table is not None and plan.to_row is not None:
                records = [(batch.book_id, *plan.to_row(row)) for row in rows]
                await connection.copy_records_to_table(
                    plan.table, records=records, columns=("book_id", *plan.columns)
                )
        for plan, rows in batch.changed:
            if rows:
                await _change(connection, batch.book_id, plan, rows)
        for journal, lines in batch.appended:
            if lines:
                await connection.copy_records_to_table(
                    journal.table,
                    records=[(batch.book_id, *line) for line in lines],
                    columns=("book_id", *journal.columns),
                )
        await connection.execute(
            LEDGER["add_batch"],
            batch.book_id,
            batch.head.batch_no,
            batch.head.epoch,
            batch.decided_at,
            batch.commands,
            batch.previous.hash,
            batch.head.hash,
        )


async def _advance(connection: Connection, batch: Sealed) -> None:
    status = await connection.execute(
        LEDGER["advance_book"],
        batch.book_id,
        batch.head.epoch,
        batch.head.batch_no,
        batch.head.hash,
        batch.previous.hash,
    )
    if status != "UPDATE 1":
        raise FenceLost


async def _change(
    connection: Connection, book_id: int, plan: ShelfPlan[Any, Any], rows: list[Any]
) -> None:
    if plan.update is None or plan.to_change is None:
        raise InvariantBroken(f"{plan.name} may not change, and a decision changed it")
    columns = zip(*map(plan.to_change, rows), strict=True)
    arrays = [list(column) for column in columns]
    status = await connection.execute(_queries(*plan.sql)[plan.update], book_id, *arrays)
    if status != f"UPDATE {len(rows)}":
        raise InvariantBroken(f"{plan.name}: {len(rows)} rows should have changed, {status}")


@cache
def _queries(package: str, filename: str) -> Queries:
    return Queries(package, filename)
