"""The tariff a new book begins with, written down as its first rows so that it is proved. Pure.

What a release begins with may change; what a book began with may not. Rows of the opening are in
force from before everything; any later change of the same name counts after them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

import msgspec

from tangguh.customers.terms import BEGINNING
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.merchant.mdr import DEFAULT_DISCOUNTS, Discount
from tangguh.payments.rules import DEFAULT_FEES
from tangguh.payments.tariff import TARIFF, Change

OPENED_BY: Final = "opening"
_APPROVED_BY: Final = "release"
_REASON: Final = "what a new book begins with"

Opening = tuple[str, str, str]
"""(kind, name, value as JSON)."""


class OpenTariff(msgspec.Struct, frozen=True):
    """Write rows of the opening."""

    names_keys_at_once: ClassVar[bool] = True

    rows: tuple[Opening, ...]

    def keys(self, _book: Book) -> Iterable[Key]:
        return ()

    def decide(self, book: Book) -> int:
        """How many were written."""
        for kind, name, value in self.rows:
            row = (book.ids.next(), book.batch_no, BEGINNING, kind, name, value)
            book.note(TARIFF, (*row, OPENED_BY, _APPROVED_BY, _REASON))
        return len(self.rows)


def opening_rows(
    fees: Iterable[tuple[str, int]] = tuple(DEFAULT_FEES.items()),
    discounts: Iterable[tuple[str, Discount]] = tuple(DEFAULT_DISCOUNTS.items()),
) -> tuple[Opening, ...]:
    """The opening as rows."""
    return (
        *(("fee", name, msgspec.json.encode(minor).decode()) for name, minor in fees),
        *(("discount", name, msgspec.json.encode(one).decode()) for name, one in discounts),
    )


def missing_opening(changes: Iterable[Change]) -> tuple[Opening, ...]:
    """What of the opening this book has not written yet."""
    there = {(one.kind, one.name) for one in changes if one.changed_by == OPENED_BY}
    return tuple(row for row in opening_rows() if row[:2] not in there)
