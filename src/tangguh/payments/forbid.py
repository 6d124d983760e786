"""A reversal may overtake what it reverses: the reference is taken, so the late one is refused.

Rule: ISO 8583 practice; a reversal of an unknown original is answered, and remembered. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import SERVICES
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.entries import creditor_of
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.plans import ORDER_KEYS, PAYMENTS, order_key
from tangguh.payments.record import keys_of_idempotency, record_refused


class Forbid(msgspec.Struct, frozen=True):
    """The payment made under an order's key; when there is none, a refused one in its place."""

    names_keys_at_once: ClassVar[bool] = False

    order: PaymentOrder

    def keys(self, book: Book) -> Iterable[Key]:
        return keys_of_idempotency(book, self.order.customer_id, self.order.idempotency_key)

    def decide(self, book: Book) -> Decided:
        """``repeated``: it was there already, whatever its end. Otherwise it never will be paid."""
        order = self.order
        known_id = book.shelf(ORDER_KEYS).get(order_key(order.customer_id, order.idempotency_key))
        known = book.shelf(PAYMENTS).get(known_id) if known_id is not None else None
        if known is not None:
            return Decided(known, repeated=True)
        never = Payment(
            id=book.ids.next(),
            kind="payment",
            customer_id=order.customer_id,
            service=order.service,
            rail=SERVICES[order.service].rail,
            state=State.HELD,
            debtor=order.debtor,
            creditor=creditor_of(order) or 0,
            amount_minor=order.amount_minor,
            tip_minor=0,
            fee_minor=0,
            currency=order.currency,
            order=order,
            business_date=book.today,
            accepted_at=book.now,
        )
        reversed_before = Refused(Refusal.ORDER_INVALID, "", "it was reversed before it came")
        return record_refused(book, never, reversed_before)
