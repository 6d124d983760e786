"""What a customer has ordered lately, whatever over; read from PostgreSQL."""

from __future__ import annotations

from uuid import UUID

from tangguh.db.pool import Pool
from tangguh.payments.store import PAYMENTS


async def spent_since(pool: Pool, book_id: int, customer_id: int, first: UUID) -> int:
    """Minor units a customer ordered to be paid from this id on, without what came to nothing."""
    row = await pool.fetchrow(PAYMENTS["spent_since"], book_id, customer_id, first)
    return int(row["minor"]) if row is not None else 0
