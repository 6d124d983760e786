"""Outflows that nobody ordered, brought into the book: no rupiah is left unprovable. Pure decision.

What left without a payment is a claim of the bank against somebody; until it is recovered it stands
in suspense, so that our settlement account is again what the network says it is. Two people sign.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.core.outcome import Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Posting

KIND: Final = "outflow"
_NAMES: Final = UUID("5d3f1c1e-7a64-5c8e-9d52-8f5a1f0b7c11")


class Outflow(msgspec.Struct, frozen=True):
    """One row of a settlement statement that no payment explains. Amount in minor units."""

    rail: str
    seq: int
    reference: str
    amount_minor: int

    @property
    def posting_id(self) -> UUID:
        """The same for the same row of the statement, so it is booked once."""
        return uuid5(_NAMES, f"{self.rail}:{self.seq}")


class BookOutflows(msgspec.Struct, frozen=True, kw_only=True):
    """Book outflows into suspense, each once."""

    names_keys_at_once: ClassVar[bool] = True

    rows: tuple[Outflow, ...]

    def keys(self, _book: Book) -> Iterable[Key]:
        yield "accounts", chart.SUSPENSE
        for row in self.rows:
            yield "accounts", chart.SETTLEMENT_OF_RAIL[row.rail]
            yield "postings", row.posting_id

    def decide(self, book: Book) -> tuple[Posting, ...] | Refused:
        """The postings, new or as they were. Refuses what a posting refuses."""
        done = []
        for row in self.rows:
            posted = book.postings.get(row.posting_id)
            if posted is None:
                settlement = chart.SETTLEMENT_OF_RAIL[row.rail]
                entries = ((chart.SUSPENSE, -row.amount_minor), (settlement, row.amount_minor))
                made = book.post(row.posting_id, KIND, entries, note=f"outflow {row.reference}")
                if isinstance(made, Refused):
                    return made
                posted = made
            done.append(posted)
        return tuple(done)
