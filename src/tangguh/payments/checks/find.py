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
from tangguh.payments.plans import ORDER_KEYS, PAYMENTS, order_key
from tangguh.payments.record import keys_of_idempotency


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


class FindOrdered(msgspec.Struct, frozen=True):
    """Read what an order was made into, by who ordered it and their key. Changes nothing."""

    names_keys_at_once: ClassVar[bool] = False

    requested_by: int
    idempotency_key: str

    def keys(self, book: Book) -> Iterable[Key]:
        return keys_of_idempotency(book, order_key(self.requested_by, self.idempotency_key))

    def decide(self, book: Book) -> Payment | None:
        """The payment or refund; None when this key was never used."""
        key = order_key(self.requested_by, self.idempotency_key)
        payment_id = book.shelf(ORDER_KEYS).get(key)
        return book.shelf(PAYMENTS).get(payment_id) if payment_id is not None else None
