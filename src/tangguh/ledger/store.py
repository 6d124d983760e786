"""Where the book meets PostgreSQL: loading rows, taking the fence, committing a sealed batch.

Only the writer uses this. A batch is one transaction: one statement with the fence, the chain's
link and an UPDATE per table that changed, then one COPY per table that grew.
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
from tangguh.db.pool import Connection, RuleBroken, connect, translated
from tangguh.db.queries import Queries
from tangguh.ledger.batch_sql import Part, compose, unique_part, update_part
from tangguh.ledger.plans import ROW_SEALS, SQL
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

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written: its commands only read, or were refused."""
        return self.head is self.previous


async def take_book(connection: Connection, book_id: int) -> Head:
    """Fence every earlier writer of the book and become its writer."""
    row = await connection.fetchrow(LEDGER["take_book"], book_id)
    if row is None:
        raise Misconfigured(f"book {book_id} was never opened in this database")
    return Head(row["epoch"], row["batch_no"], row["head_hash"])


async def retake_book(connection: Connection, book_id: int, epoch: int, asked: int) -> Head:
    """Take the fence again after a lost connection. Raises FenceLost if another writer has it.

    ``epoch`` is what this writer knows it has, ``asked`` what it will have: one more at each
    attempt, since an attempt that was given up may still be carried out.

    It waits for a transaction of ours that may still be committing, so the head it returns says
    for certain whether that batch was committed.
    """
    row = await connection.fetchrow(LEDGER["retake_book"], book_id, epoch, asked)
    if row is None:
        raise FenceLost
    return Head(row["epoch"], row["batch_no"], row["head_hash"])


async def learn(dsn: str, tables: Iterable[str]) -> None:
    """Let PostgreSQL look at tables that have grown, and plan the writer's statements anew.

    On a young table it has nothing to choose an index by: measured, it walked a wrong one and a
    batch took fifteen times as long, until its own collector came round a minute later.
    """
    connection = await connect(dsn)
    try:
        with translated():
            for table in sorted(set(tables)):
                await connection.execute(LEDGER["learn_table"], table)
    finally:
        connection.terminate()


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
    """Close a batch: take what changed and compute its link of the chain.

    A batch that changes nothing has no link: its head is the one before.
    """
    fresh: list[tuple[ShelfPlan[Any, Any], list[Any]]] = []
    changed: list[tuple[ShelfPlan[Any, Any], list[Any]]] = []
    for shelf in shelves:
        added, replaced = shelf.take()
        if shelf.plan.table is not None:
            fresh.append((shelf.plan, added))
            changed.append((shelf.plan, replaced))
    batch_no = previous.batch_no + 1
    for plan, rows in appended:
        if plan.sort_key is not None:
            rows.sort(key=plan.sort_key)
        elif plan is ROW_SEALS:
            rows += _seals((*fresh, *changed), batch_no, len(rows))
    if not any(rows for _, rows in (*fresh, *changed, *appended)):
        return Sealed(book_id, previous, previous, decided_at, commands, [], [], [])
    header = chain.Header(book_id, batch_no, previous.epoch, decided_at, commands)
    streams = ((plan.table, rows) for plan, rows in appended if rows)
    digest = chain.link(previous.hash, header, streams)
    head = Head(previous.epoch, batch_no, digest)
    return Sealed(book_id, previous, head, decided_at, commands, fresh, changed, appended)


def _seals(
    shelves: Iterable[tuple[ShelfPlan[Any, Any], list[Any]]], batch_no: int, first: int
) -> list[Row]:
    """What the chain is to remember of rows that may change and seldom do."""
    seals: list[Row] = []
    for plan, rows in shelves:
        if plan.sealed_by and plan.to_row is not None:
            for row in rows:
                relation, key, known = plan.seal_of(plan.to_row(row))
                seals.append((relation, key, batch_no, first + len(seals), known))
    return seals


async def commit(connection: Connection, batch: Sealed) -> None:
    """One transaction. Raises FenceLost when another writer took the book, InvariantBroken when a
    row that was to change is not there; nothing is written then.
    """
    try:
        async with connection.transaction():
            await _open_batch(connection, batch)
            for plan, rows in batch.fresh:
                if rows and plan.table is not None and plan.to_row is not None:
                    await _append(
                        connection, plan.table, plan.columns, batch, map(plan.to_row, rows)
                    )
            for journal, lines in batch.appended:
                if lines:
                    await _append(connection, journal.table, journal.columns, batch, lines)
    except RuleBroken as broken:
        if broken.constraint_name == "fence_lost":
            raise FenceLost from broken
        raise InvariantBroken(str(broken)) from broken


async def confirm(connection: Connection, batch: Sealed) -> None:
    """For answers that change nothing: is what they were read from still the book as it stands?

    Raises FenceLost when another writer took the book, or memory is not what was committed.
    """
    found = await connection.fetchrow(
        LEDGER["confirm_book"], batch.book_id, batch.previous.epoch, batch.previous.hash
    )
    if found is None:
        raise FenceLost


async def _open_batch(connection: Connection, batch: Sealed) -> None:
    """The fence, the chain's link, whether what is new is so, and every change of a row, in one
    statement.
    """
    parts: list[Part] = []
    arrays: list[list[Any]] = []
    for plan, rows in batch.fresh:
        if rows and plan.unique is not None and plan.to_unique is not None:
            columns = [list(column) for column in zip(*map(plan.to_unique, rows), strict=True)]
            parts.append(_unique(plan.name, *plan.sql, plan.unique, len(columns)))
            arrays += columns
    for plan, rows in batch.changed:
        if not rows:
            continue
        if plan.update is None or plan.to_change is None:
            raise InvariantBroken(f"{plan.name} may not change, and a decision changed it")
        columns = [list(column) for column in zip(*map(plan.to_change, rows), strict=True)]
        parts.append(_update(plan.name, *plan.sql, plan.update, len(columns)))
        arrays += columns
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


async def _append(
    connection: Connection, table: str, columns: tuple[str, ...], batch: Sealed, rows: Iterable[Row]
) -> None:
    book_id = batch.book_id
    await connection.copy_records_to_table(
        table, records=[(book_id, *row) for row in rows], columns=("book_id", *columns)
    )


async def open_line(dsn: str) -> Connection:
    """A connection for the writer. Raises StoreUnavailable.

    PostgreSQL is told what the writer's statements are like: each finds rows by their keys.
    They are planned once, since their arrays differ in length only, and always by index. Left to
    its statistics, which on a young table there are none of, it read whole tables: 27 ms instead
    of 0.3 for the keys of a batch.
    """
    connection = await connect(dsn)
    with translated():
        await connection.execute(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; "
            "SET enable_hashjoin = off; SET enable_mergejoin = off"
        )
    return connection


@cache
def _update(name: str, package: str, filename: str, block: str, arrays: int) -> Part:
    return update_part(name, _queries(package, filename)[block], arrays)


@cache
def _unique(name: str, package: str, filename: str, block: str, arrays: int) -> Part:
    return unique_part(name, _queries(package, filename)[block], arrays)


@cache
def _statement(parts: tuple[Part, ...]) -> str:
    return compose(LEDGER["advance_book"], LEDGER["add_batch"], parts)


@cache
def _queries(package: str, filename: str) -> Queries:
    return Queries(package, filename)
