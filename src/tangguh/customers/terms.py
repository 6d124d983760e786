"""A merchant's terms, kept by the book: who it is, what it is charged as, where it is paid. Pure.

Every change is a row of its own in the hash chain, so that what a payment to it should have been
can be proved for any instant. The writer alone adds merchants; everybody else reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar, Final

import msgspec

from tangguh.audit.journal import JournalPlan, Row
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.shelf import Loaded, ShelfPlan

SQL: Final = ("tangguh.customers", "products.sql")
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""In force from before everything: what held when a book began to keep such rows."""


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant we acquire for. ``waiting_id`` 0: paid at once, else what waits for the cut-off.

    ``criteria``: UMI micro, UKE small, UME medium, UBE large, URE regular, PSO public service, BLU.
    """

    merchant_id: str
    account_id: int
    waiting_id: int
    customer_id: int
    nmid: str
    pan: str
    name: str
    city: str
    postal_code: str
    category_code: str
    criteria: str

    @property
    def credit_id(self) -> int:
        """The account a payment is credited to."""
        return self.waiting_id or self.account_id


def _read(row: Loaded) -> tuple[str, Merchant]:
    merchant = msgspec.convert(dict(row), Merchant)
    return merchant.merchant_id, merchant


MERCHANTS: Final[ShelfPlan[str, Merchant]] = ShelfPlan(
    name="merchants",
    sql=SQL,
    load="load_merchants",
    key_arrays=lambda keys: (list(keys),),
    read=_read,
    table="merchants",
    columns=Merchant.__struct_fields__,
    to_row=msgspec.structs.astuple,
    update="change_merchants",
    to_change=lambda one: (one.merchant_id, one.name, one.city),
    rows_max=20_000,
    sealed_by=1,
)

TERMS: Final = JournalPlan(
    table="merchant_terms",
    columns=(
        "terms_id",
        "batch_no",
        "in_force_from",
        "merchant_id",
        "account_id",
        "waiting_id",
        "customer_id",
        "category_code",
        "criteria",
    ),
    order_by="terms_id",
    sort_key=lambda row: row[0].int,
)


class EnrolMerchant(msgspec.Struct, frozen=True):
    """Keep a merchant with its first terms. A repeat changes nothing."""

    names_keys_at_once: ClassVar[bool] = True

    merchant: Merchant

    def keys(self, _book: Book) -> Iterable[Key]:
        return [(MERCHANTS.name, self.merchant.merchant_id)]

    def decide(self, book: Book) -> Merchant:
        """The merchant as it is kept."""
        known = book.shelf(MERCHANTS).get(self.merchant.merchant_id)
        if known is not None:
            return known
        book.shelf(MERCHANTS).put(self.merchant.merchant_id, self.merchant)
        book.note(TERMS, _terms(book, self.merchant, book.now))
        return self.merchant


class KeepTerms(msgspec.Struct, frozen=True):
    """Write the terms of merchants who were enrolled before terms were kept, from the beginning."""

    names_keys_at_once: ClassVar[bool] = True

    merchants: tuple[Merchant, ...]

    def keys(self, _book: Book) -> Iterable[Key]:
        return ()

    def decide(self, book: Book) -> int:
        """How many were written."""
        for merchant in self.merchants:
            book.note(TERMS, _terms(book, merchant, BEGINNING))
        return len(self.merchants)


def _terms(book: Book, merchant: Merchant, since: datetime) -> Row:
    return (
        book.ids.next(),
        book.batch_no,
        since,
        merchant.merchant_id,
        merchant.account_id,
        merchant.waiting_id,
        merchant.customer_id,
        merchant.category_code,
        merchant.criteria,
    )
