"""Ask the book for one payment as the writer has it: after every decision made so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.payment import Payment
from tangguh.payments.plans import PAYMENTS


class Find(msgspec.Struct, frozen=True):
    """Read one payment that must exist. Changes nothing. Raises InvariantBroken if it does not."""

    names_keys_at_once: ClassVar[bool] = True

    payment_id: UUID

    def keys(self, book: Book) -> Iterable[Key]:
        return [("payments", self.payment_id)]

    def decide(self, book: Book) -> Payment:
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            raise InvariantBroken(f"payment {self.payment_id} is named and does not exist")
        return payment
