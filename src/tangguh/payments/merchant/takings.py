"""What a merchant took on a day: payments, gross, and the discount it paid."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.payments.plans import SQL

PAYMENTS: Final = Queries(*SQL)


class Takings(msgspec.Struct, frozen=True):
    """Sums in minor units; refunds already taken off."""

    payments: int
    gross_minor: int
    discount_minor: int
    refunded_minor: int


async def of_day(pool: Pool, book_id: int, account_id: int, day: date) -> Takings:
    """What an account received by QRIS on one Jakarta day."""
    row = await pool.fetchrow(PAYMENTS["takings_of_day"], book_id, account_id, day)
    if row is None:
        return Takings(0, 0, 0, 0)
    return msgspec.convert(dict(row), Takings)
