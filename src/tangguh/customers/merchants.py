"""Our own merchants: who they are behind their QRIS codes, and when they are paid."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.outcome import Refused
from tangguh.customers.terms import EnrolMerchant, KeepTerms, Merchant
from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount
from tangguh.ledger.writer import Decider

PRODUCTS: Final = Queries("tangguh.customers", "products.sql")


class Waiting(msgspec.Struct, frozen=True):
    """What waits for one merchant's cut-off, in minor units."""

    merchant_id: str
    account_id: int
    waiting_id: int
    posted_minor: int


async def enrol(book: Decider, merchant: Merchant) -> None:
    """Keep a merchant, and open the account that waits for the cut-off when there is one."""
    if merchant.waiting_id:
        opened = await book.decide(
            OpenAccount(merchant.waiting_id, Kind.PAYABLE, merchant.customer_id)
        )
        if isinstance(opened, Refused):
            raise ValueError(opened.detail)
    await book.decide(EnrolMerchant(merchant))


async def keep_terms(book: Decider, pool: Pool, book_id: int) -> None:
    """Give terms to merchants who have none: they were enrolled before terms were kept."""
    rows = await pool.fetch(PRODUCTS["merchants_without_terms"], book_id)
    if rows:
        await book.decide(KeepTerms(tuple(_merchant(row) for row in rows)))


async def by_pan(pool: Pool, book_id: int, pan: str) -> Merchant | None:
    """The merchant a scanned code names, or None."""
    row = await pool.fetchrow(PRODUCTS["merchant_of_pan"], book_id, pan)
    return _merchant(row) if row is not None else None


async def of_customer(pool: Pool, book_id: int, customer_id: int) -> list[Merchant]:
    """A customer's shops."""
    rows = await pool.fetch(PRODUCTS["merchants_of_customer"], book_id, customer_id)
    return [_merchant(row) for row in rows]


async def waiting(pool: Pool, book_id: int) -> list[Waiting]:
    """Every merchant with something waiting for the cut-off."""
    rows = await pool.fetch(PRODUCTS["waiting_merchants"], book_id)
    return [msgspec.convert(dict(row), Waiting) for row in rows]


def _merchant(row: Record) -> Merchant:
    return msgspec.convert(dict(row), Merchant)
