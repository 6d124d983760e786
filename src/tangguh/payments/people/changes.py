"""What two people sign lies in the book: proposing, voting, and doing exactly what was approved.

An approval and what it is for are used up in one step of the book (``Carry``), so it is done once
or not at all. Every vote is a row in the hash chain. Who may propose, who must sign and what one
person does alone (``Alone``) is asked of the table of acts here, where it is decided. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from tangguh.access import acts, approval
from tangguh.access.acts import Act
from tangguh.access.approval import Change
from tangguh.access.people import Staff
from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Command, Key
from tangguh.ledger.shelf import Loaded, ShelfPlan

_SQL: Final = ("tangguh.payments.people", "changes.sql")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Change).decode
A = TypeVar("A")


def _read(row: Loaded) -> tuple[UUID, Change]:
    change = _decode(row["change_json"])
    return change.id, change


def _row(change: Change) -> Row:
    return (
        change.id,
        change.kind,
        change.subject,
        str(change.state),
        change.made_at,
        change.expires_at,
        _encode(change).decode(),
    )


CHANGES: Final[ShelfPlan[UUID, Change]] = ShelfPlan(
    name="changes",
    sql=_SQL,
    load="load_changes",
    key_arrays=lambda keys: (list(keys),),
    read=_read,
    table="changes",
    columns=("change_id", "kind", "subject", "state", "made_at", "expires_at", "change_json"),
    to_row=_row,
    update="change_changes",
    to_change=lambda change: (change.id, str(change.state), _encode(change).decode()),
    rows_max=5_000,
    sealed_by=1,
)
CHANGE_EVENTS: Final = JournalPlan(
    table="change_events",
    columns=("event_id", "batch_no", "at", "change_id", "sha256", "what", "made_by"),
    order_by="event_id",
    sort_key=lambda row: row[0].int,
)
"""Who did what to which change; the hash names the exact bytes."""


class Open(msgspec.Struct, frozen=True):
    """The newest change proposed for a kind and subject."""

    kind: str
    subject: str
    change_id: UUID


OPEN: Final[ShelfPlan[tuple[str, str], Open]] = ShelfPlan(
    name="newest_changes",
    sql=_SQL,
    load="load_newest_changes",
    key_arrays=lambda keys: ([key[0] for key in keys], [key[1] for key in keys]),
    read=lambda row: (
        (row["kind"], row["subject"]),
        Open(row["kind"], row["subject"], row["change_id"]),
    ),
    table="newest_changes",
    columns=("kind", "subject", "change_id"),
    to_row=lambda one: (one.kind, one.subject, one.change_id),
    update="change_newest_changes",
    to_change=lambda one: (one.kind, one.subject, one.change_id),
    rows_max=5_000,
    sealed_by=2,
)


class Propose(msgspec.Struct, frozen=True, kw_only=True):
    """Propose a change; its kind is an act of the table. One at a time is open for a subject."""

    names_keys_at_once: ClassVar[bool] = False

    change_id: UUID
    kind: str
    subject: str
    payload: Mapping[str, Any]
    maker: Staff
    suspected_group: str = ""

    def keys(self, book: Book) -> Iterable[Key]:
        yield CHANGES.name, self.change_id
        yield OPEN.name, (self.kind, self.subject)
        if book.is_loaded(OPEN.name, (self.kind, self.subject)):
            before = book.shelf(OPEN).get((self.kind, self.subject))
            if before is not None:
                yield CHANGES.name, before.change_id

    def decide(self, book: Book) -> Change | Refused:
        """Refuses CHANGE_ALREADY_PENDING, APPROVER_NOT_ALLOWED, and a kind that nobody signs."""
        rule = acts.rule_of(self.kind)
        if isinstance(rule, Refused):
            return rule
        if refused := acts.refuse_begin(Act(self.kind), self.maker):
            return refused
        before = book.shelf(OPEN).get((self.kind, self.subject))
        known = book.shelf(CHANGES).get(before.change_id) if before is not None else None
        made = approval.propose(
            self.change_id,
            self.kind,
            self.subject,
            self.payload,
            maker=self.maker,
            now=book.now,
            rule=rule,
            suspected_group=self.suspected_group,
            known=() if known is None else (known,),
        )
        if isinstance(made, Refused):
            return made
        book.shelf(OPEN).put((self.kind, self.subject), Open(self.kind, self.subject, made.id))
        return keep(book, made, "proposed", self.maker.id)


class _OnChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about one change reads it."""

    names_keys_at_once: ClassVar[bool] = True

    change_id: UUID

    def keys(self, _book: Book) -> Iterable[Key]:
        return ((CHANGES.name, self.change_id),)


class Vote(_OnChange, frozen=True, kw_only=True):
    """One person's yes or no. ``sha256`` is what they were shown; ``everyone`` the accounts."""

    by: Staff
    is_yes: bool
    sha256: str = ""
    everyone: tuple[Staff, ...] = ()

    def decide(self, book: Book) -> Change | Refused:
        """Refuses CHANGE_NOT_FOUND and whatever ``access.approval`` refuses."""
        change = book.shelf(CHANGES).get(self.change_id)
        if change is None:
            return Refused(Refusal.CHANGE_NOT_FOUND, "change", "there is no such change")
        if self.is_yes:
            voted = approval.approve(change, self.by, self.sha256, book.now, everyone=self.everyone)
        else:
            voted = approval.deny(change, self.by, book.now)
        if isinstance(voted, Refused):
            return voted
        return keep(book, voted, "approved" if self.is_yes else "denied", self.by.id)


class Alone(msgspec.Struct, Generic[A], frozen=True, kw_only=True):
    """Do what one member of staff may do with nobody else."""

    names_keys_at_once: ClassVar[bool] = False

    act: Act
    by: Staff
    command: Command[A]

    def keys(self, book: Book) -> Iterable[Key]:
        yield from self.command.keys(book)

    def decide(self, book: Book) -> A | Refused:
        """What the command answers. Refuses APPROVER_NOT_ALLOWED and TWO_PEOPLE_NEEDED."""
        return acts.refuse_alone(self.act, self.by) or self.command.decide(book)


class Carry(msgspec.Struct, Generic[A], frozen=True, kw_only=True):
    """Use up an approval and do what it was for, in one step: both, or neither."""

    names_keys_at_once: ClassVar[bool] = False

    change_id: UUID
    payload: bytes
    command: Command[A]

    def keys(self, book: Book) -> Iterable[Key]:
        yield CHANGES.name, self.change_id
        yield from self.command.keys(book)

    def decide(self, book: Book) -> A | Refused:
        """What the command answers; when it refuses, the approval is not used up.

        Refuses CHANGE_NOT_FOUND, CHANGE_ENDED, CHANGE_EXPIRED, CHANGE_DIFFERS.
        """
        change = book.shelf(CHANGES).get(self.change_id)
        if change is None:
            return Refused(Refusal.CHANGE_NOT_FOUND, "change", "there is no such change")
        used = acts.refuse_carry(change) or approval.use(change, self.payload, book.now)
        if isinstance(used, Refused):
            return used
        done = self.command.decide(book)
        if not isinstance(done, Refused):
            keep(book, used, "used", change.maker.id)
        return done


def keep(book: Book, change: Change, what: str, by: str) -> Change:
    """Write a change as it is now, and who made it so."""
    book.shelf(CHANGES).put(change.id, change)
    row = (book.ids.next(), book.batch_no, book.now, change.id, change.sha256, what, by)
    book.note(CHANGE_EVENTS, row)
    return change


PEOPLE_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (CHANGES, OPEN)
