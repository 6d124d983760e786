"""Looking at the book all day long: the same rules as the proof, a part at a time, cheap enough.

What is found is not the writer's doing (it states each rule twice, ADR-0008) but somebody's who
wrote beside it: a balance changed by SQL, a link that does not follow. Reads only.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.db.pages import MAYBE_UNREADABLE, UNREADABLE, unreadable_parts
from tangguh.db.pool import Connection, Record
from tangguh.db.queries import Queries

PULSE: Final = Queries("tangguh.ledger.checks", "pulse.sql")
_EVERY: Final = (-(2**63), 2**63 - 1)


class Broken(msgspec.Struct, frozen=True):
    """One rule that does not hold, the accounts it is about (at most so many), and how."""

    rule: str
    detail: str
    accounts: tuple[int, ...] = ()


async def rows_that_differ(connection: Connection, book_id: int, accounts_max: int) -> list[Broken]:
    """Accounts that are not what their entries, holds and kind say, and a book that is not zero.

    A sum that these accounts explain is the same trouble and not told again. What cannot be read
    is trouble of its own: those accounts, if it can be told which. Inside a transaction. Raises
    what kept it from looking.
    """
    found = []
    try:
        async with connection.transaction():
            rows = await _differing(connection, book_id, accounts_max, *_EVERY)
    except MAYBE_UNREADABLE as error:
        accounts = await _unreadable(connection, book_id, accounts_max)
        if not accounts and not isinstance(error, UNREADABLE):
            raise  # every part could be read just now
        return [Broken("row.unreadable", str(error), accounts)]
    if rows:
        told = f"{len(rows)} accounts differ from their entries, holds or kind"
        found.append(Broken("row.differs", told, tuple(row["account_id"] for row in rows)))
    total = await connection.fetchval(PULSE["sum_of_balances"], book_id)
    if total != sum(row["differs_minor"] for row in rows):
        found.append(Broken("row.differs", f"the book adds up to {total} minor units"))
    return found


async def _differing(
    connection: Connection, book_id: int, accounts_max: int, first: int, last: int
) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        PULSE["accounts_that_differ"], book_id, accounts_max, first, last
    )
    return rows


async def _unreadable(connection: Connection, book_id: int, accounts_max: int) -> tuple[int, ...]:
    """The accounts of which the newest entry cannot be read."""
    span = await connection.fetchrow(PULSE["span_of_accounts"], book_id)
    assert span is not None

    async def probe(first: int, last: int) -> None:
        # By index and row by row: another way reads pages that are none of this account's.
        await connection.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
        )
        await _differing(connection, book_id, accounts_max, first, last)

    parts = await unreadable_parts(connection, probe, span["lowest"], span["highest"], accounts_max)
    return tuple(account for account, _ in parts)
