"""What would be decided of an order now: the same decision, and then nothing of it kept. Pure.

Asked before a PIN is asked for: a refusal that is known is said first. It promises nothing: the
order is decided anew when it comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from tangguh.core.outcome import Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.decide import Accept
from tangguh.payments.payment import State
from tangguh.payments.refund import AcceptRefund


class Foreseen(msgspec.Struct, frozen=True):
    """``refused``: why it would be. ``waits``: it would be taken, and sent once a gate opens."""

    refused: Refused | None = None
    waits: bool = False


class Preview(msgspec.Struct, frozen=True):
    """Decide a payment or refund and drop what it changed. Changes nothing."""

    names_keys_at_once: ClassVar[bool] = False

    of: Accept | AcceptRefund

    def keys(self, book: Book) -> Iterable[Key]:
        return self.of.keys(book)

    def decide(self, book: Book) -> Foreseen:
        """What would become of it. An order that was decided before is foreseen as it was."""
        decided = self.of.decide(book)
        book.undo()
        if isinstance(decided, Refused):
            return Foreseen(decided)
        payment = decided.payment
        if payment.state is State.REFUSED and payment.refusal is not None:
            refused = Refused(payment.refusal, payment.refusal_field, payment.refusal_detail)
            return Foreseen(refused)
        return Foreseen(waits=payment.state is State.PARKED)
