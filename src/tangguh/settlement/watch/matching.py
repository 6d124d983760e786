"""Matching of what left a settlement account to what the book decided, and what is odd. Pure.

The book commits before it sends, so what left is in the book already when it is read: there is no
period of grace, only one look more for a reader that may be behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

Verdict = Literal["matched", "no_posting", "other_amount", "not_sent", "second_outflow"]

TRANSFER: Final = "transfer"
OUT: Final = "out"
SENT: Final = frozenset({"held", "unanswered", "posted", "refunded"})
"""States of a payment whose money may be on its way or is gone."""


class Row(msgspec.Struct, frozen=True):
    """One movement of the settlement account, as the rail's statement has it."""

    seq: int
    at: str
    direction: str
    kind: str
    reference: str
    amount_minor: int
    balance_minor: int

    @property
    def is_outflow(self) -> bool:
        """Whether it must have a payment in the book: funding and sweeps have not."""
        return self.direction == OUT and self.kind == TRANSFER


class Page(msgspec.Struct, frozen=True):
    """An answer of the statement: the account now, its newest row's number, the rows asked for."""

    participant: str
    balance_minor: int
    reserved_minor: int
    is_limited: bool
    last_seq: int
    rows: list[Row]


class Decided(msgspec.Struct, frozen=True):
    """What the book has under a reference."""

    reference: str
    amount_minor: int
    state: str


class Unmatched(msgspec.Struct, frozen=True):
    """An outflow that the book does not explain, and when the watch saw it."""

    seq: int
    reference: str
    amount_minor: int
    at: str
    found_at: str
    why: Verdict


class Place(msgspec.Struct, frozen=True):
    """How far the statement has been read: the newest row's number, its balance, its instant."""

    seq: int = 0
    balance_minor: int = 0
    at: str = ""


def judge(row: Row, book: Mapping[str, Decided], matched: Collection[str]) -> Verdict:
    """Whether one outflow has its payment, not used by another outflow before."""
    if row.reference in matched:
        return "second_outflow"
    decided = book.get(row.reference)
    if decided is None:
        return "no_posting"
    if decided.amount_minor != row.amount_minor:
        return "other_amount"
    return "matched" if decided.state in SENT else "not_sent"


def judge_all(
    rows: Sequence[Row], book: Mapping[str, Decided], matched: Collection[str]
) -> dict[int, Verdict]:
    """The verdict on each outflow by its number; the order of the rows counts."""
    used = set(matched)
    found: dict[int, Verdict] = {}
    for row in rows:
        if not row.is_outflow:
            continue
        verdict = judge(row, book, used)
        if verdict == "matched":
            used.add(row.reference)
        found[row.seq] = verdict
    return found


def faults_of(place: Place, page: Page) -> list[str]:
    """What is wrong with the statement itself: gaps, arithmetic, numbers that go backwards."""
    faults = []
    seq, balance = place.seq, place.balance_minor
    if page.last_seq < seq:
        faults.append(f"the statement ends at {page.last_seq}; {seq} was read before")
    for row in page.rows:
        if row.seq != seq + 1:
            faults.append(f"row {row.seq} follows row {seq}")
        expected = balance + (row.amount_minor if row.direction == "in" else -row.amount_minor)
        if row.balance_minor != expected:
            faults.append(f"row {row.seq}: balance {row.balance_minor}, reckoned {expected}")
        if row.amount_minor <= 0 or row.direction not in ("in", "out"):
            faults.append(f"row {row.seq} is no movement")
        seq, balance = row.seq, row.balance_minor
    is_whole = bool(page.rows) and page.rows[-1].seq == page.last_seq
    if is_whole and page.balance_minor != balance:
        faults.append(f"the account says {page.balance_minor}, its rows {balance}")
    return faults


def place_after(place: Place, page: Page) -> Place:
    """How far it has been read with this page."""
    if not page.rows:
        return place
    last = page.rows[-1]
    return Place(last.seq, last.balance_minor, last.at)


def lag_seconds(row_at: str, found_at: datetime) -> float:
    """From the settlement of a row until it was judged; 0 when the row's instant cannot be read."""
    try:
        return max((found_at - datetime.fromisoformat(row_at)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0
