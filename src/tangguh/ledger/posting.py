"""Postings: balanced sets of entries, and their reversals. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refusal, Refused

Entry = tuple[int, int]
"""(account id, signed amount in minor units): plus is a credit, minus a debit."""


class Posting(msgspec.Struct, frozen=True, gc=False):
    """Two or more entries that add up to zero, in the book for ever.

    ``reverses`` names the posting this one undoes. ``posted_at`` is set by the book.
    """

    id: UUID
    kind: str
    entries: tuple[Entry, ...]
    posted_at: datetime
    reverses: UUID | None = None
    note: str = ""


def unbalanced(entries: tuple[Entry, ...]) -> Refused | None:
    """Why these entries are no posting, or None. Zero amounts are refused: they say nothing."""
    if len(entries) < 2:
        return Refused(Refusal.ORDER_INVALID, "entries", "a posting has two or more entries")
    total = 0
    for _, amount in entries:
        if amount == 0:
            return Refused(
                Refusal.AMOUNT_NOT_POSITIVE, "entries", "an entry moves at least one sen"
            )
        total += amount
    if total:
        return Refused(Refusal.ORDER_INVALID, "entries", f"entries differ by {total} minor units")
    return None


def opposite(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries that undo these."""
    return tuple((account, -amount) for account, amount in entries)


def differing_field(first: Posting, second: Posting) -> str | None:
    """The first field in which two postings with one id differ, or None when they are the same.

    The order of entries says nothing, so it is not compared.
    """
    if first.kind != second.kind:
        return "kind"
    if first.entries != second.entries and sorted(first.entries) != sorted(second.entries):
        return "entries"
    if first.reverses != second.reverses:
        return "reverses"
    return None if first.note == second.note else "note"
