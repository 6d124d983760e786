"""Ends holds whose time is over. Those without an expiry are somebody's duty."""

from __future__ import annotations

from datetime import datetime

from tangguh.db.pool import Pool
from tangguh.ledger.command import ExpireHold
from tangguh.ledger.hold import Hold
from tangguh.ledger.store import LEDGER
from tangguh.ledger.writer import Decider


async def expire_due(book: Decider, pool: Pool, book_id: int, now: datetime, count_max: int) -> int:
    """Expire every hold that is due, the longest overdue first; how many were released.

    A hold that was posted or voided meanwhile stays as it is: the writer's decision comes last.
    """
    rows = await pool.fetch(LEDGER["holds_to_expire"], book_id, now, count_max)
    released = 0
    for row in rows:
        answer = await book.decide(ExpireHold(row["hold_id"]))
        released += isinstance(answer, Hold)
    return released
