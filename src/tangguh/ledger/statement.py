"""What an account looks like from outside: balance now, balance then, history, what is held.

Reads PostgreSQL only, so it answers while the writer is busy, stopped or elsewhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from tangguh.db.pool import Pool
from tangguh.ledger.account import Account
from tangguh.ledger.hold import Hold
from tangguh.ledger.plans import ACCOUNTS, HOLDS
from tangguh.ledger.store import LEDGER

NEWEST: Final = 2**62
"""The cursor before the newest entry."""


class Line(msgspec.Struct, frozen=True):
    """One entry as its owner sees it: signed amount and running balance in minor units."""

    seq: int
    posting_id: UUID
    amount_minor: int
    balance_minor: int
    posted_at: datetime
    kind: str
    note: str
    reverses: UUID | None


async def balance(pool: Pool, book_id: int, account_id: int) -> Account | None:
    """The account as it is now, or None when there is none."""
    row = await pool.fetchrow(LEDGER["balance"], book_id, account_id)
    return ACCOUNTS.read(row)[1] if row is not None else None


async def balance_at(pool: Pool, book_id: int, account_id: int, instant: datetime) -> int:
    """The posted balance in minor units just after the last entry at or before ``instant``."""
    row = await pool.fetchrow(LEDGER["balance_at"], book_id, account_id, instant)
    return int(row["balance_minor"]) if row is not None else 0


async def history(
    pool: Pool, book_id: int, account_id: int, before_seq: int = NEWEST, count_max: int = 50
) -> list[Line]:
    """Entries before a cursor (an entry's number), newest first, with running balance."""
    rows = await pool.fetch(LEDGER["history"], book_id, account_id, before_seq, count_max)
    return [
        Line(
            row["seq"],
            row["posting_id"],
            row["amount_minor"],
            row["balance_minor"],
            row["posted_at"],
            row["kind"],
            row["note"],
            row["reverses"],
        )
        for row in rows
    ]


async def open_holds(pool: Pool, book_id: int, account_id: int) -> list[Hold]:
    """What is held on the account now; the sum is posted minus available."""
    rows = await pool.fetch(LEDGER["open_holds"], book_id, account_id)
    return [HOLDS.read(row)[1] for row in rows]
