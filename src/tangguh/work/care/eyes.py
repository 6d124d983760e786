"""What the bank sees of a payment somebody complains of: its book, the files, the breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.verdict import Seen
from tangguh.ledger import chart
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment
from tangguh.settlement.match import Kind

_QUERIES: Final = Queries("tangguh.work.care", "care.sql")


class Eyes:
    """Looks at one payment at a time. ``assured_at``: when books and networks last agreed."""

    def __init__(self, pool: Pool, book_id: int, assured_at: Callable[[], datetime | None]) -> None:
        self._pool = pool
        self._book_id = book_id
        self._assured_at = assured_at

    async def __call__(self, payment_id: UUID | None) -> Seen:
        if payment_id is None:
            return Seen(payment=None, assured_at=self._assured_at())
        payment = await payments.find(self._pool, self._book_id, payment_id)
        row = await self._pool.fetchrow(_QUERIES["seen_of_payment"], self._book_id, payment_id)
        kinds = set(row["open_breaks"]) if row is not None else set()
        return Seen(
            payment=payment,
            listed_minor=row["listed_minor"] if row is not None else None,
            is_break=bool(kinds),
            file_closed=str(Kind.MISSING_IN_FILE) in kinds,
            is_inside=payment is not None and _is_inside(payment),
            assured_at=self._assured_at(),
        )


def _is_inside(payment: Payment) -> bool:
    """Whether an account here got it as it was debited. Cash may not have come out: it is none."""
    return payment.rail in ("onus", "emoney") and payment.creditor > chart.OWN_ACCOUNT_MAX
