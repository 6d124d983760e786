"""Commands to the book: what is asked, which rows it reads, and the decision. Pure.

A command names the keys it reads; asked again once those are loaded it may name more (a hold's
account is known only when the hold is). ``decide`` then runs inside the writer, after every
earlier decision and before every later one, and never waits for anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.book import Book
from tangguh.ledger.chart import Kind, floor_of
from tangguh.ledger.hold import Hold
from tangguh.ledger.posting import Entry, Posting, differing_field

A_co = TypeVar("A_co", covariant=True)

Key = tuple[str, Any]
"""(shelf name, key)."""


class Command(Protocol[A_co]):
    """Something the writer can decide.

    ``names_keys_at_once``: its keys do not depend on what is loaded, so it is asked only once.
    """

    @property
    def names_keys_at_once(self) -> bool:
        """Whether ``keys`` is complete the first time."""
        ...

    def keys(self, book: Book) -> Iterable[Key]:
        """The rows this decision reads, as far as can be told from what is loaded."""
        ...

    def decide(self, book: Book) -> A_co:
        """The answer; what it changes is recorded in the book."""
        ...


class Post(msgspec.Struct, frozen=True, gc=False):
    """Write a posting under a client-made id. Same id and content again: the first answer."""

    names_keys_at_once: ClassVar[bool] = True

    posting_id: UUID
    kind: str
    entries: tuple[Entry, ...]
    note: str = ""

    def keys(self, book: Book) -> Iterable[Key]:
        return [("postings", self.posting_id), *(("accounts", entry[0]) for entry in self.entries)]

    def decide(self, book: Book) -> Posting | Refused:
        """Refuses what ``Book.post`` does, and IDEMPOTENCY_KEY_REUSED naming the field."""
        known = book.postings.get(self.posting_id)
        if known is None:
            return book.post(self.posting_id, self.kind, self.entries, note=self.note)
        asked = Posting(self.posting_id, self.kind, self.entries, known.posted_at, None, self.note)
        return _same_or_refused(known, asked)


class PlaceHold(msgspec.Struct, frozen=True, gc=False):
    """Set money aside under a client-made id. Amount in minor units."""

    names_keys_at_once: ClassVar[bool] = True

    hold_id: UUID
    account_id: int
    amount_minor: int
    expires_at: datetime | None = None

    def keys(self, book: Book) -> Iterable[Key]:
        return [("holds", self.hold_id), ("accounts", self.account_id)]

    def decide(self, book: Book) -> Hold | Refused:
        """Refuses what ``Book.hold`` does; a repeat with other content names the field."""
        known = book.holds.get(self.hold_id)
        if known is None:
            return book.hold(self.hold_id, self.account_id, self.amount_minor, self.expires_at)
        for field in ("account_id", "amount_minor", "expires_at"):
            if getattr(known, field) != getattr(self, field):
                return _reused(field)
        return known


class _OnHold(msgspec.Struct, frozen=True, gc=False):
    """What is decided about one hold reads the hold and then its account."""

    names_keys_at_once: ClassVar[bool] = False

    hold_id: UUID

    def keys(self, book: Book) -> Iterable[Key]:
        yield "holds", self.hold_id
        if book.is_loaded("holds", self.hold_id):
            hold = book.holds.get(self.hold_id)
            if hold is not None:
                yield "accounts", hold.account_id


class PostHold(_OnHold, frozen=True, gc=False):
    """Take all or part of a hold and pay it to ``credits``; the rest is released."""

    posting_id: UUID
    kind: str
    credits: tuple[Entry, ...]
    note: str = ""

    def keys(self, book: Book) -> Iterable[Key]:
        yield from _OnHold.keys(self, book)
        yield "postings", self.posting_id
        for account_id, _ in self.credits:
            yield "accounts", account_id

    def decide(self, book: Book) -> Posting | Refused:
        """Refuses what ``Book.post_hold`` does. The same posting id again: the first answer."""
        known = book.postings.get(self.posting_id)
        if known is None:
            return book.post_hold(self.hold_id, self.posting_id, self.kind, self.credits, self.note)
        hold = book.holds.get(self.hold_id)
        if hold is None:
            return Refused(Refusal.HOLD_NOT_FOUND, "hold_id", "there is no such hold")
        taken = sum(amount for _, amount in self.credits)
        entries = ((hold.account_id, -taken), *self.credits)
        asked = Posting(self.posting_id, self.kind, entries, known.posted_at, None, self.note)
        return _same_or_refused(known, asked)


class VoidHold(_OnHold, frozen=True, gc=False):
    """Give a held sum back."""

    def decide(self, book: Book) -> Hold | Refused:
        """Refuses HOLD_NOT_FOUND and HOLD_ALREADY_*: a hold ends once."""
        return book.void_hold(self.hold_id)


class ExpireHold(_OnHold, frozen=True, gc=False):
    """Give a held sum back because its time is over."""

    def decide(self, book: Book) -> Hold | Refused:
        """Refuses HOLD_NOT_FOUND, HOLD_ALREADY_* and HOLD_NOT_YET_EXPIRED."""
        return book.expire_hold(self.hold_id)


class Reverse(msgspec.Struct, frozen=True, gc=False):
    """Undo a posting by its equal and opposite, once."""

    names_keys_at_once: ClassVar[bool] = False

    posting_id: UUID
    reversal_id: UUID
    note: str = ""

    def keys(self, book: Book) -> Iterable[Key]:
        yield "postings", self.posting_id
        yield "postings", self.reversal_id
        yield "reversals", self.posting_id
        if book.is_loaded("postings", self.posting_id):
            original = book.postings.get(self.posting_id)
            for account_id, _ in original.entries if original else ():
                yield "accounts", account_id

    def decide(self, book: Book) -> Posting | Refused:
        """Refuses what ``Book.reverse`` does. The same reversal id again: the first answer."""
        known = book.postings.get(self.reversal_id)
        if known is None:
            return book.reverse(self.posting_id, self.reversal_id, self.note)
        return known if known.reverses == self.posting_id else _reused("reverses")


class OpenAccount(msgspec.Struct, frozen=True, gc=False):
    """Open an account with nothing on it. A repeat gives the account as it is.

    How low it may go follows from its kind (``chart.floor_of``); nobody may ask for more.
    """

    names_keys_at_once: ClassVar[bool] = True

    account_id: int
    kind: Kind
    owner_id: int = 0
    tier: str = ""

    def keys(self, book: Book) -> Iterable[Key]:
        return [("accounts", self.account_id)]

    def decide(self, book: Book) -> Account | Refused:
        """Refuses IDEMPOTENCY_KEY_REUSED when the number is another owner's or of another kind."""
        known = book.accounts.get(self.account_id)
        if known is not None:
            if known.owner_id != self.owner_id:
                return _reused("owner_id")
            return known if known.kind == self.kind else _reused("kind")
        return book.open_account(
            Account(
                self.account_id,
                self.kind,
                self.owner_id,
                AccountState.OPEN,
                0,
                0,
                floor_of(self.kind),
                0,
                book.now,
                0,
                self.tier,
            )
        )


def _same_or_refused(known: Posting, asked: Posting) -> Posting | Refused:
    field = differing_field(known, asked)
    return known if field is None else _reused(field)


def _reused(field: str) -> Refused:
    return Refused(
        Refusal.IDEMPOTENCY_KEY_REUSED, field, f"this id was used before with another {field}"
    )
