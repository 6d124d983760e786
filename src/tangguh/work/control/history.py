"""The past as observations: what a rule would have seen, from the payments' own rows."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tangguh.core.order import CreditOrder, PaymentOrder
from tangguh.core.outcome import Refusal
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.guard.window import End, Seen
from tangguh.payments.gates.facts import facts_of
from tangguh.payments.payment import Payment, State
from tangguh.payments.plans import read_payment
from tangguh.settlement.store import id_at

QUERIES: Final = Queries("tangguh.work.control", "control.sql")
_ROWS_MAX: Final = 200_000
_ENDS: Final = {
    State.POSTED: End.PAID,
    State.REFUNDED: End.PAID,
    State.UNANSWERED: End.UNANSWERED,
    State.REFUSED: End.REFUSED,
}


async def read_history(pool: Pool, book_id: int, since: datetime) -> list[Seen]:
    """Observations of payments accepted since, in order of time, at most so many payments."""
    rows = await pool.fetch(QUERIES["history"], book_id, id_at(since), _ROWS_MAX)
    seen = [one for row in rows for one in observed(read_payment(row))]
    return sorted(seen, key=lambda one: one.at)


def observed(payment: Payment) -> list[Seen]:
    """A payment's attempt and its end, as they were."""
    order = payment.order
    if not isinstance(order, PaymentOrder | CreditOrder):
        return []
    if payment.refusal in {Refusal.PROTECTIVE_CLOSURE, Refusal.PROTECTIVE_LIMIT}:
        return []
    facts = facts_of(order)
    seen = [Seen(payment.accepted_at, payment.id, facts, End.ATTEMPTED)]
    ended = payment.concluded_at or payment.accepted_at
    took = (ended - payment.accepted_at).total_seconds()
    end = _ENDS.get(payment.state)
    if payment.state is State.VOIDED:
        # A voided payment that had to be asked about was silence first.
        sick = payment.refusal is Refusal.PARTNER_UNREACHABLE or payment.attempts > 0
        end = End.UNANSWERED if sick else End.DECLINED
    if end is not None:
        seen.append(Seen(ended, payment.id, facts, end, took))
    return seen
