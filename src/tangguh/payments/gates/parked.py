"""Payments that wait for a closed gate: released when it lets them through, or given back in time.

They were taken with their money reserved and never sent, so giving back is certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.decide import PARKED_SECONDS_MAX, Conclude
from tangguh.payments.desk import Desk
from tangguh.payments.flow import dispatch
from tangguh.payments.gates.judge import count, gate_keys, judge
from tangguh.payments.limits.usage import usage_keys, use_limit
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.plans import PAYMENTS, SQL, read_payment
from tangguh.payments.record import record
from tangguh.payments.rules import Rules

_QUERIES: Final = Queries(*SQL)
OLDEST: Final = UUID(int=0)
"""The cursor before the oldest payment."""


class Release(msgspec.Struct, frozen=True):
    """Let a parked payment go if its gate lets it through now; give it back if it waited enough."""

    names_keys_at_once: ClassVar[bool] = False

    payment_id: UUID
    rules: Rules

    def keys(self, book: Book) -> Iterable[Key]:
        yield "payments", self.payment_id
        if not book.is_loaded("payments", self.payment_id):
            return
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return
        yield "holds", payment.id
        yield "accounts", payment.debtor
        yield from gate_keys(book, _order_of(payment))
        day = payment.business_date
        yield from usage_keys(book, self.rules, payment.debtor, payment.service, day)

    def decide(self, book: Book) -> Decided | Refused:
        """The payment: held and to be sent, voided, or still parked (``repeated``).

        Refuses PAYMENT_NOT_FOUND.
        """
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        if payment.state is not State.PARKED:
            return Decided(payment, repeated=True)
        order = _order_of(payment)
        stopped = judge(book, order)
        if stopped is None:
            count(book, order)
            way = self.rules.ways[payment.service]
            due = book.now + timedelta(seconds=way.send_timeout_seconds)
            return record(book, payment.to(State.HELD, book.now, resolve_at=due), "released")
        if book.now < payment.accepted_at + timedelta(seconds=PARKED_SECONDS_MAX):
            return Decided(payment, repeated=True)
        voided = book.void_hold(payment.id)
        if isinstance(voided, Refused):
            raise InvariantBroken(f"the hold of {payment.id} cannot be voided: {voided.code}")
        use_limit(book, self.rules, payment, -payment.to_payee_minor)
        over = payment.to(State.VOIDED, book.now, refused=stopped.refused)
        return record(book, over, "voided", stopped.detail)


async def release(desk: Desk, payment: Payment) -> Decided | Refused:
    """Release one parked payment and carry it, when its gate lets it through."""
    released = await desk.decide(Release(payment.id, desk.rules))
    if isinstance(released, Refused) or released.repeated or not released.payment.is_to_be_sent:
        return released
    outcome = await dispatch(desk, released.payment)
    return await desk.decide(Conclude(payment.id, outcome, desk.rules))


async def parked(pool: Pool, book_id: int, count_max: int, after: UUID = OLDEST) -> list[Payment]:
    """What waits, the oldest first, after a cursor (a payment's id)."""
    rows = await pool.fetch(_QUERIES["parked_payments"], book_id, after, count_max)
    return [read_payment(row) for row in rows]


def _order_of(payment: Payment) -> PaymentOrder:
    if not isinstance(payment.order, PaymentOrder):
        raise InvariantBroken(f"{payment.id} is no payment of a customer and cannot be parked")
    return payment.order
