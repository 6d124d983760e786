"""A reversal may overtake what it reverses: the name is taken, so the late one is refused.

Rule: ISO 8583 practice; a reversal of an unknown original is answered, and remembered. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

import msgspec

from tangguh.core.order import PaymentOrder, ToCash
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import CARD_CASH, SERVICES
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.plans import ORDER_KEYS, PAYMENTS, key_of
from tangguh.payments.record import keys_of_idempotency, record_refused

_THE_NETWORK: Final = 0
_FIELD: Final = "reversed_before"
"""Marks the refusal: no order can be refused for a field it does not have."""


class Forbid(msgspec.Struct, frozen=True):
    """The payment or credit a network knows by this name; none: none will ever be made under it.

    ``name`` is the idempotency key of an order ``by_network``, or of a credit.
    """

    names_keys_at_once: ClassVar[bool] = False

    name: str

    def keys(self, book: Book) -> Iterable[Key]:
        return keys_of_idempotency(book, key_of(self._stand_in()))

    def decide(self, book: Book) -> Decided:
        """``repeated``: it was there already, whatever its end (see ``is_forbidden``)."""
        order = self._stand_in()
        known_id = book.shelf(ORDER_KEYS).get(key_of(order))
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
            creditor=0,
            amount_minor=0,
            tip_minor=0,
            fee_minor=0,
            currency=order.currency,
            order=order,
            business_date=book.today,
            accepted_at=book.now,
        )
        why = Refused(Refusal.ORDER_INVALID, _FIELD, "it was reversed before it came")
        return record_refused(book, never, why)

    def _stand_in(self) -> PaymentOrder:
        """In place of an order that has not come: its name, and nobody's money."""
        return PaymentOrder(
            customer_id=_THE_NETWORK,
            idempotency_key=self.name,
            service=CARD_CASH,
            debtor=chart.SETTLEMENT_CARDS,
            payee=ToCash(terminal="", acquirer=""),
            amount_minor=0,
            by_network=True,
        )


def is_forbidden(payment: Payment) -> bool:
    """Whether it only stands for an original that was reversed before it came."""
    return payment.state is State.REFUSED and payment.refusal_field == _FIELD
