"""Changing what merchants pay: a row of the tariff with two names, like a limit or a fee. Pure."""

from __future__ import annotations

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.book import Book
from tangguh.payments.merchant.mdr import DEFAULT_DISCOUNTS, PER_TEN_THOUSAND_MAX, Discount
from tangguh.payments.tariff import Signed


class ChangeDiscount(Signed, frozen=True, kw_only=True):
    """Set the discount of a criteria (``UKE``) or a category (``category/8211``) from now on."""

    discount: Discount

    def decide(self, book: Book) -> Discount | Refused:
        """Refuses ORDER_INVALID naming the field: signatures, unknown name, not a part of a sum."""
        if refused := self.refuse_names():
            return refused
        if self.name not in DEFAULT_DISCOUNTS:
            return Refused(Refusal.ORDER_INVALID, "name", f"there is no discount {self.name!r}")
        rate, free = self.discount.per_ten_thousand, self.discount.free_max_minor
        if not 0 <= rate <= PER_TEN_THOUSAND_MAX or free < 0:
            return Refused(Refusal.ORDER_INVALID, "discount", "from nothing to the whole sum")
        self.write(book, "discount", msgspec.json.encode(self.discount))
        return self.discount
