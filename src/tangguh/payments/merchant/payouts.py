"""Until when a merchant's sales are paid out, and so where the money of one sale is. Pure.

A merchant who is paid at the cut-off has its sales on a payable account until then, and on its own
account afterwards. A refund is taken from where the sale's money is, never from later sales.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tangguh.ledger.book import Book
from tangguh.ledger.shelf import Loaded, ShelfPlan
from tangguh.payments.payment import Payment


class Payout(msgspec.Struct, frozen=True, gc=False):
    """Sales on ``waiting_id`` before ``paid_until`` were paid out to ``account_id``."""

    waiting_id: int
    account_id: int
    paid_until: datetime


def _read(row: Loaded) -> tuple[int, Payout]:
    return row["waiting_id"], Payout(row["waiting_id"], row["account_id"], row["paid_until"])


def _row(payout: Payout) -> tuple[int, int, datetime]:
    return payout.waiting_id, payout.account_id, payout.paid_until


PAYOUTS: Final[ShelfPlan[int, Payout]] = ShelfPlan(
    name="merchant_payouts",
    sql=("tangguh.payments.merchant", "payouts.sql"),
    load="load_merchant_payouts",
    key_arrays=lambda keys: (list(keys),),
    read=_read,
    table="merchant_payouts",
    columns=("waiting_id", "account_id", "paid_until"),
    to_row=_row,
    update="change_merchant_payouts",
    to_change=_row,
    rows_max=20_000,
    sealed_by=1,
)


def note_payout(book: Book, waiting_id: int, account_id: int, until: datetime) -> None:
    """Remember that everything before an instant was paid out; an earlier one changes nothing."""
    known = book.shelf(PAYOUTS).get(waiting_id)
    if known is None or known.paid_until < until:
        book.shelf(PAYOUTS).put(waiting_id, Payout(waiting_id, account_id, until))


def money_of_sale(book: Book, sale: Payment) -> int:
    """The account a sale is on now: its creditor, or after the payout the merchant's own."""
    payout = book.shelf(PAYOUTS).get(sale.creditor)
    if payout is None or (sale.concluded_at or sale.accepted_at) >= payout.paid_until:
        return sale.creditor
    return payout.account_id
