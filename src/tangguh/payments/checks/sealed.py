"""Rows that may change beside what the chain remembers of them: digests by table and key.

A row that seldom changes and decides about money (a bill, the board of closures, an advance) leaves
its digest in the chain at each change. Its newest digest is what it must still be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec

from tangguh.audit import chain
from tangguh.core.errors import InvariantBroken
from tangguh.db.pool import Connection, Pool
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Command, Key
from tangguh.ledger.plans import ACCOUNTS, ROW_SEALS
from tangguh.ledger.shelf import ShelfPlan
from tangguh.ledger.writer import Decider

_ROWS_PER_STEP: Final = 5_000
_AT_ONCE: Final = 1_000
Plans = Sequence[ShelfPlan[Any, Any]]


def sealed(plans: Iterable[ShelfPlan[Any, Any]]) -> list[ShelfPlan[Any, Any]]:
    """Those whose rows the chain remembers."""
    return [plan for plan in plans if plan.sealed_by]


async def rows_not_as_sealed(
    connection: Connection,
    book_id: int,
    plans: Plans,
    keys: Mapping[str, Collection[str]] | None = None,
) -> list[tuple[str, str, str]]:
    """(table, key, what is wrong) of every row that is not what the chain says, or never was.

    ``keys``: only these keys of these tables. Rows the chain never heard of are not in it.
    """
    found: list[tuple[str, str, str]] = []
    for plan in sealed(plans):
        table = str(plan.table)
        wanted = None if keys is None else sorted(keys.get(table, ()))
        if wanted == []:
            continue
        known = await _newest(connection, book_id, table, wanted)
        async for key, digest_is_known in _now(connection, book_id, plan, wanted, known):
            known.pop(key, None)
            if not digest_is_known:
                found.append((table, key, "it is not what the chain says it became"))
        found += [(table, key, "it is gone") for key in known]
    return found


async def _newest(
    connection: Connection, book_id: int, table: str, wanted: list[str] | None
) -> dict[str, bytes]:
    rows = await connection.fetch(
        "SELECT DISTINCT ON (row_key) row_key, digest FROM row_seals"
        " WHERE book_id = $1 AND relation = $2 AND ($3::text[] IS NULL OR row_key = ANY($3))"
        " ORDER BY row_key, batch_no DESC",
        book_id,
        table,
        wanted,
    )
    return {row["row_key"]: row["digest"] for row in rows}


async def _now(
    connection: Connection,
    book_id: int,
    plan: ShelfPlan[Any, Any],
    wanted: list[str] | None,
    known: Mapping[str, bytes],
) -> AsyncIterator[tuple[str, bool]]:
    """The rows that are there, each with whether it is what was sealed."""
    # The table and columns are the plan's own constants, never input.
    sql = f"SELECT {', '.join(plan.columns)} FROM {plan.table} WHERE book_id = $1"  # noqa: S608
    arguments: list[Any] = [book_id]
    if wanted is not None:
        parts = [key.split("/", plan.sealed_by - 1) for key in wanted]
        for place, column in enumerate(plan.columns[: plan.sealed_by]):
            kind = await _type_of(connection, str(plan.table), column)
            sql += f" AND {column} = ANY(${place + 2}::text[]::{kind}[])"
            arguments.append([part[place] for part in parts])
    asked = None if wanted is None else set(wanted)
    async for record in connection.cursor(sql, *arguments, prefetch=_ROWS_PER_STEP):
        row = tuple(record)
        _, key, _ = plan.seal_of(row)
        if asked is None or key in asked:
            yield key, key in known and chain.is_what_was(row, known[key])


async def _type_of(connection: Connection, table: str, column: str) -> str:
    found: str | None = await connection.fetchval(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = $1::regclass AND attname = $2",
        table,
        column,
    )
    if found is None:
        raise InvariantBroken(f"{table} has no column {column}")
    return found


# ---- rows that are older than their seals ---------------------------------------------------


class Seal(msgspec.Struct, frozen=True):
    """Have the chain remember rows as they are: those a bank had before it sealed any."""

    names_keys_at_once: ClassVar[bool] = True

    plan: ShelfPlan[Any, Any]
    wanted: tuple[Any, ...]

    def keys(self, _book: Book) -> Iterable[Key]:
        return [(self.plan.name, key) for key in self.wanted]

    def decide(self, book: Book) -> None:
        """An account's floor becomes what its kind says, whatever its row said.

        What can change is written anew: an older version may have written the same otherwise.
        """
        for key in self.wanted:
            row = book.shelf(self.plan).get(key)
            if row is None or self.plan.to_row is None:
                continue
            if self.plan.name == ACCOUNTS.name:
                floor = chart.floor_of(row.kind)
                book.set_terms(msgspec.structs.replace(row, floor_minor=floor))
            elif self.plan.update is not None:
                book.shelf(self.plan).put(key, row)
            else:
                book.seal(self.plan, self.plan.to_row(row))


async def seal_old_rows(writer: Decider, pool: Pool, book_id: int, plans: Plans) -> int:
    """Seal what was written before there were seals; how many rows. Nothing to do: 0."""
    count = 0
    for plan, sql in [(ACCOUNTS, _ACCOUNTS_WITHOUT), *((p, _unsealed(p)) for p in sealed(plans))]:
        while rows := await pool.fetch(sql, book_id, _AT_ONCE):
            command: Command[None] = Seal(plan, tuple(plan.read(row)[0] for row in rows))
            await writer.decide(command)
            count += len(rows)
    return count


_ACCOUNTS_WITHOUT: Final = (
    "SELECT a.* FROM accounts AS a WHERE a.book_id = $1 AND NOT EXISTS (SELECT FROM account_terms"
    " AS t WHERE t.book_id = a.book_id AND t.account_id = a.account_id) LIMIT $2"
)


def _unsealed(plan: ShelfPlan[Any, Any]) -> str:
    key = " || '/' || ".join(f"n.{column}::text" for column in plan.columns[: plan.sealed_by])
    return (
        f"SELECT n.* FROM {plan.table} AS n WHERE n.book_id = $1 AND NOT EXISTS"  # noqa: S608
        f" (SELECT FROM {ROW_SEALS.table} AS s WHERE s.book_id = n.book_id"
        f" AND s.relation = '{plan.table}' AND s.row_key = {key}) LIMIT $2"
    )


SealedKeys = defaultdict[str, set[str]]
"""The keys of sealed rows by table."""
