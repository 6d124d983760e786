"""A card meets a reader: what waits on the server moves to the chip, once per tap. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Posting

_TAPS: Final = UUID("74617020-6f66-5700-8000-000000000001")


class LoadChip(msgspec.Struct, frozen=True):
    """Move everything that waits for a card to its chip. The same tap again: the same sum."""

    names_keys_at_once: ClassVar[bool] = True

    number: str
    tap: int
    pending_id: int
    chip_id: int

    @property
    def posting_id(self) -> UUID:
        """One posting per card and tap."""
        return uuid5(_TAPS, f"{self.number}:{self.tap}")

    def keys(self, book: Book) -> Iterable[Key]:
        return [
            ("postings", self.posting_id),
            ("accounts", self.pending_id),
            ("accounts", self.chip_id),
        ]

    def decide(self, book: Book) -> int | Refused:
        """How much was loaded in minor units, 0 when nothing waited. Refuses what ``post`` does."""
        known: Posting | None = book.postings.get(self.posting_id)
        if known is not None:
            return known.entries[1][1]
        pending = book.accounts.get(self.pending_id)
        if pending is None:
            return Refused(Refusal.ACCOUNT_NOT_FOUND, "number", "this card has no server side")
        waiting = pending.available_minor
        if waiting <= 0:
            return 0
        entries = ((self.pending_id, -waiting), (self.chip_id, waiting))
        moved = book.post(self.posting_id, "tap", entries, note="loaded to the chip")
        return moved if isinstance(moved, Refused) else waiting
