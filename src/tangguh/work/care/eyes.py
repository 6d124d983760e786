"""What the bank sees of a payment somebody complains of: its book, the files, the breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from tangguh.core.order import PaymentOrder, ToPurse
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.verdict import Seen
from tangguh.ledger import chart
from tangguh.payments import store as payments
from tangguh.payments.merchant.shop import is_own_sale
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
        token = await payments.token_of(self._pool, self._book_id, payment) if payment else ""
        return Seen(
            payment=payment,
            listed_minor=row["listed_minor"] if row is not None else None,
            is_break=bool(kinds),
            file_closed=str(Kind.MISSING_IN_FILE) in kinds,
            is_inside=payment is not None and _is_inside(payment),
            waits_for_tap=payment is not None and await self._waits_for_tap(payment),
            receipt=token,
            assured_at=self._assured_at(),
        )

    async def _waits_for_tap(self, payment: Payment) -> bool:
        """Whether it is on the server of a card that no reader has loaded since.

        A tap loads everything that waits, so one posting from there after it is enough.
        """
        payee = payment.order.payee if isinstance(payment.order, PaymentOrder) else None
        if not isinstance(payee, ToPurse) or chart.product_of(payee.account_id) != "card":
            return False
        since = payment.concluded_at or payment.accepted_at
        row = await self._pool.fetchrow(
            _QUERIES["loaded_since"], self._book_id, payee.account_id, since
        )
        return row is None


def _is_inside(payment: Payment) -> bool:
    """Whether an account here got it as it was debited. Cash may not have come out: it is none."""
    here = payment.rail in ("onus", "emoney") or is_own_sale(payment.order)
    return here and payment.creditor > chart.OWN_ACCOUNT_MAX
