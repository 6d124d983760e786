"""Our own merchants: who they are behind their QRIS codes, and when they are paid."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount
from tangguh.ledger.writer import Decider

PRODUCTS: Final = Queries("tangguh.customers", "products.sql")


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


class Waiting(msgspec.Struct, frozen=True):
    """What waits for one merchant's cut-off, in minor units."""

    merchant_id: str
    account_id: int
    waiting_id: int
    posted_minor: int


async def enrol(book: Decider, pool: Pool, book_id: int, merchant: Merchant) -> None:
    """Keep a merchant, and open the account that waits for the cut-off when there is one."""
    if merchant.waiting_id:
        opened = await book.decide(
            OpenAccount(merchant.waiting_id, Kind.PAYABLE, merchant.customer_id)
        )
        if isinstance(opened, Refused):
            raise ValueError(opened.detail)
    await pool.fetch(PRODUCTS["add_merchant"], book_id, *_values(merchant))


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


def _values(merchant: Merchant) -> tuple[object, ...]:
    return (
        merchant.merchant_id,
        merchant.account_id,
        merchant.waiting_id,
        merchant.customer_id,
        merchant.nmid,
        merchant.pan,
        merchant.name,
        merchant.city,
        merchant.postal_code,
        merchant.category_code,
        merchant.criteria,
    )
