"""A network's word that cannot be booked: kept with its payment, which stays as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.incoming import contradiction
from tangguh.payments.payment import Payment
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.record import record


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Write down that a network now says that ``taken_minor`` of a payment took place.

    Nothing moves; who looks after that network gets it as a break (``settlement.contradicted``).
    ``why``: in what the word disagrees. Raises InvariantBroken where there is no such payment.
    """

    names_keys_at_once: ClassVar[bool] = True

    payment_id: UUID
    taken_minor: int
    why: str = ""

    def keys(self, book: Book) -> Iterable[Key]:
        return [("payments", self.payment_id)]

    def decide(self, book: Book) -> Payment:
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            raise InvariantBroken(f"payment {self.payment_id} is named and does not exist")
        if payment.is_told_enough:
            return payment  # what is said again and again has its owner by now
        told = contradiction.told_after_undoing(payment, self.taken_minor, self.why)
        noted = msgspec.structs.replace(payment, events=payment.events + 1)
        return record(book, noted, contradiction.EVENT, told).payment
