"""Where the book meets PostgreSQL: loading rows, taking the fence, committing a sealed batch.

Only the writer uses this. A batch is one statement: the fence, the chain's link, an INSERT per
table that grew and an UPDATE per table that changed, however many rows that is.
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
from tangguh.db.pool import Connection, RuleBroken
from tangguh.db.queries import Queries
from tangguh.ledger.batch_sql import Part, compose, insert_part, update_part
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
    """One statement, one implicit transaction. Raises FenceLost when another writer took the book,
    InvariantBroken when a row that was to change is not there; nothing is written then."""
    parts: list[Part] = []
    arrays: list[list[Any]] = []
    for plan, rows in batch.fresh:
        if rows and plan.table is not None and plan.to_row is not None:
            parts.append(_insert(plan.table, plan.columns))
            arrays += _transposed(map(plan.to_row, rows))
    for plan, rows in batch.changed:
        if rows:
            if plan.update is None or plan.to_change is None:
                raise InvariantBroken(f"{plan.name} may not change, and a decision changed it")
            columns = _transposed(map(plan.to_change, rows))
            parts.append(_update(plan.name, *plan.sql, plan.update, len(columns)))
            arrays += columns
    for journal, lines in batch.appended:
        if lines:
            parts.append(_insert(journal.table, journal.columns))
            arrays += _transposed(lines)
    try:
        await connection.execute(
            _statement(tuple(parts)),
            batch.book_id,
            batch.head.epoch,
            batch.head.batch_no,
            batch.head.hash,
            batch.previous.hash,
            batch.decided_at,
            batch.commands,
            *arrays,
        )
    except RuleBroken as broken:
        if broken.constraint_name == "fence_lost":
            raise FenceLost from broken
        raise InvariantBroken(str(broken)) from broken


async def prepare_to_write(connection: Connection) -> None:
    """Plan each statement once: its arrays differ in length only, and replanning costs more."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")


def _transposed(rows: Iterable[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


@cache
def _insert(table: str, columns: tuple[str, ...]) -> Part:
    return insert_part(table, columns)


@cache
def _update(name: str, package: str, filename: str, block: str, arrays: int) -> Part:
    return update_part(name, _queries(package, filename)[block], arrays)


@cache
def _statement(parts: tuple[Part, ...]) -> str:
    return compose(LEDGER["advance_book"], LEDGER["add_batch"], parts)


@cache
def _queries(package: str, filename: str) -> Queries:
    return Queries(package, filename)
