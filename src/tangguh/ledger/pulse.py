"""Looking at the book all day long: the same rules as the proof, a part at a time, cheap enough.

What is found is not the writer's doing (it states each rule twice, ADR-0008) but somebody's who
wrote beside it: a balance changed by SQL, a link that does not follow. Reads only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tangguh.audit import chain
from tangguh.audit.journal import JournalPlan
from tangguh.db.pool import Connection
from tangguh.db.queries import Queries
from tangguh.ledger.proof import batches_with_rows

PULSE: Final = Queries("tangguh.ledger", "pulse.sql")


class Broken(msgspec.Struct, frozen=True):
    """One rule that does not hold, the accounts it is about (at most so many), and how."""

    rule: str
    detail: str
    accounts: tuple[int, ...] = ()


class Walked(msgspec.Struct, frozen=True):
    """How far the chain has been walked: the last batch and its hash."""

    batch_no: int = 0
    hash: bytes = chain.GENESIS


async def rows_that_differ(connection: Connection, book_id: int, accounts_max: int) -> list[Broken]:
    """Accounts whose balance is not what their newest entry says, and a book that is not zero.

    A sum that these accounts explain is the same trouble and not told again.
    """
    found = []
    rows = await connection.fetch(PULSE["accounts_that_differ"], book_id, accounts_max)
    if rows:
        told = f"{len(rows)} accounts differ from their entries"
        found.append(Broken("row.differs", told, tuple(row["account_id"] for row in rows)))
    total = await connection.fetchval(PULSE["sum_of_balances"], book_id)
    if total != sum(row["differs_minor"] for row in rows):
        found.append(Broken("row.differs", f"the book adds up to {total} minor units"))
    return found


async def chain_from(
    connection: Connection,
    book_id: int,
    journals: Sequence[JournalPlan],
    walked: Walked,
    batches_max: int = 25,
) -> tuple[Walked, list[Broken]]:
    """Walk on from where the walk stopped, hashing the rows of so many batches again."""
    here = walked
    async for batch, streams in batches_with_rows(
        connection, book_id, journals, first=walked.batch_no + 1, per_step=batches_max
    ):
        number = here.batch_no + 1
        if batch["batch_no"] != number or batch["previous"] != here.hash:
            return here, [Broken("chain.broken", f"batch {number} is missing or out of line")]
        header = chain.Header(
            book_id, number, batch["epoch"], batch["decided_at"], batch["commands"]
        )
        link = chain.link(here.hash, header, streams)
        if link != batch["hash"]:
            return here, [
                Broken("chain.broken", f"batch {number}: its rows do not hash to its link")
            ]
        here = Walked(number, link)
    return here, []
