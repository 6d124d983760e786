"""E-money purses: issued, found by the number printed on them. The money is the book's.

A card has two accounts: what its chip holds, and what waits on the server until it is tapped.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount
from tangguh.ledger.writer import Decider

PRODUCTS: Final = Queries("tangguh.customers", "products.sql")
UNREGISTERED: Final = "unregistered"
"""The tier of a purse whose holder has not shown who they are: lower ceilings."""


class Purse(msgspec.Struct, frozen=True, kw_only=True):
    """A purse. ``pending_id`` is 0 but for cards; ``customer_id`` is 0 when nobody registered it.

    It may be used up to and on ``expires_on`` (Jakarta).
    """

    account_id: int
    pending_id: int
    product: str
    number: str
    customer_id: int
    expires_on: date

    @property
    def top_up_id(self) -> int:
        """The account a top-up goes to: the purse itself, or what waits for the card's tap."""
        return self.pending_id or self.account_id


async def issue(book: Decider, pool: Pool, book_id: int, purse: Purse, tier: str = "") -> None:
    """Open the purse's accounts and keep it. A repeat changes nothing.

    Raises ValueError when a number is another kind of account already.
    """
    for account_id in (purse.account_id, purse.pending_id):
        if account_id:
            opened = await book.decide(OpenAccount(account_id, Kind.PURSE, purse.customer_id, tier))
            if isinstance(opened, Refused):
                raise ValueError(opened.detail)
    await pool.fetch(
        PRODUCTS["add_purse"],
        book_id,
        purse.account_id,
        purse.pending_id,
        purse.product,
        purse.number,
        purse.customer_id,
        purse.expires_on,
    )


async def by_number(pool: Pool, book_id: int, number: str) -> Purse | None:
    """The purse with this printed number, or None."""
    return _purse(await pool.fetchrow(PRODUCTS["purse_of_number"], book_id, number))


async def by_account(pool: Pool, book_id: int, account_id: int) -> Purse | None:
    """The purse of an account, or None."""
    return _purse(await pool.fetchrow(PRODUCTS["purse_of_account"], book_id, account_id))


def _purse(row: Record | None) -> Purse | None:
    return msgspec.convert(dict(row), Purse) if row is not None else None
