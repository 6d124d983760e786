"""What the bank did about a payment beside the payment itself, and how it lies in the book. Pure.

One row per payment, made only when there is something to say. It is the arbiter's memory: which way
money is coming back, what the bank has advanced, what it paid for being late (ADR-0024).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.audit.journal import JournalPlan, Row
from tangguh.ledger.book import Book
from tangguh.ledger.shelf import Loaded, ShelfPlan

_SQL: Final = ("tangguh.payments.redress", "redress.sql")


class Advance(StrEnum):
    """Where the bank's advance is. ``refused``: it was not given, and why is kept.

    none ─► given ─┬─► settled      (the payment came back, or did not happen)
       └► refused  └─► owed ─┬─► settled
                             └─► written_off
    """

    NONE = "none"
    REFUSED = "refused"
    GIVEN = "given"
    OWED = "owed"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"


class Redress(msgspec.Struct, frozen=True, kw_only=True):
    """One payment's row. Sums in minor units.

    ``account``: the payer's. ``advance_minor``: what was advanced at first; what is still out
    stands in the payment. ``take_back_at``: when an owed advance is taken. ``late_days`` paid
    for, ``late_minor`` in all. ``chargeback``: the refund by which the bank claims it back now.
    ``came_back_by``: the way of the newest money that came back.
    """

    payment_id: UUID
    account: int
    advance: Advance = Advance.NONE
    advance_minor: int = 0
    advanced_at: datetime | None = None
    take_back_at: datetime | None = None
    why_not: str = ""
    late_days: int = 0
    late_minor: int = 0
    chargeback: UUID | None = None
    came_back_by: str = ""


class Advanced(msgspec.Struct, frozen=True):
    """What one account has of the bank's advances, all its payments together."""

    account_id: int
    count: int
    minor: int


def _read(row: Loaded) -> tuple[UUID, Redress]:
    found = Redress(
        payment_id=row["payment_id"],
        account=row["account_id"],
        advance=Advance(row["advance"]),
        advance_minor=row["advance_minor"],
        advanced_at=row["advanced_at"],
        take_back_at=row["take_back_at"],
        why_not=row["why_not"],
        late_days=row["late_days"],
        late_minor=row["late_minor"],
        chargeback=row["chargeback"],
        came_back_by=row["came_back_by"],
    )
    return found.payment_id, found


def _change(one: Redress) -> Row:
    return (
        one.payment_id,
        str(one.advance),
        one.advance_minor,
        one.advanced_at,
        one.take_back_at,
        one.why_not,
        one.late_days,
        one.late_minor,
        one.chargeback,
        one.came_back_by,
    )


def _row(one: Redress) -> Row:
    payment_id, *rest = _change(one)
    return (payment_id, one.account, *rest)


REDRESS: Final[ShelfPlan[UUID, Redress]] = ShelfPlan(
    name="redress",
    sql=_SQL,
    load="load_redress",
    key_arrays=lambda keys: (list(keys),),
    read=_read,
    table="redress",
    columns=(
        "payment_id",
        "account_id",
        "advance",
        "advance_minor",
        "advanced_at",
        "take_back_at",
        "why_not",
        "late_days",
        "late_minor",
        "chargeback",
        "came_back_by",
    ),
    to_row=_row,
    update="change_redress",
    to_change=_change,
    rows_max=20_000,
    sealed_by=1,
)
ADVANCED: Final[ShelfPlan[int, Advanced]] = ShelfPlan(
    name="advanced",
    sql=_SQL,
    load="load_advanced",
    key_arrays=lambda keys: (list(keys),),
    read=lambda row: (row["account_id"], Advanced(row["account_id"], row["count"], row["minor"])),
    table="advanced",
    columns=("account_id", "count", "minor"),
    to_row=lambda one: (one.account_id, one.count, one.minor),
    update="change_advanced",
    to_change=lambda one: (one.account_id, one.count, one.minor),
    rows_max=20_000,
    sealed_by=1,
)
REDRESS_EVENTS: Final = JournalPlan(
    table="redress_events",
    columns=("event_id", "batch_no", "at", "payment_id", "what", "amount_minor", "made_by"),
    order_by="event_id",
    sort_key=lambda row: row[0].int,
)
REDRESS_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (REDRESS, ADVANCED)


def redress_of(book: Book, payment_id: UUID, account: int) -> Redress:
    """The payment's row, or the one it would begin with."""
    found = book.shelf(REDRESS).get(payment_id)
    return found if found is not None else Redress(payment_id=payment_id, account=account)


def keep(book: Book, one: Redress, what: str, amount_minor: int = 0, by: str = "bank") -> Redress:
    """Write the row as it is now, and what changed it into the chain."""
    book.shelf(REDRESS).put(one.payment_id, one)
    row = (book.ids.next(), book.batch_no, book.now, one.payment_id, what, amount_minor, by)
    book.note(REDRESS_EVENTS, row)
    return one


def count_advance(book: Book, account: int, count: int, minor: int) -> None:
    """Add to what an account has of the bank's advances, or take from it."""
    before = book.shelf(ADVANCED).get(account) or Advanced(account, 0, 0)
    after = Advanced(account, before.count + count, before.minor + minor)
    book.shelf(ADVANCED).put(account, after)
