"""Climbs as rows of the book: begun, explained, moved on, with the gate they open. Pure decisions.

A rung and what it lets through change in one step of the book, so nobody is in on a rung that was
left. A step decided on what is no longer so (another turn) is refused and looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec

from tangguh.access.approval import Change
from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.errors import InvariantBroken
from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.closure import Allowance, Closure, State
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.shelf import Loaded, ShelfPlan
from tangguh.payments.gates.change import ChangeClosure
from tangguh.payments.gates.judge import GATES, THE_BOARD, board_of
from tangguh.payments.people.changes import CHANGES, OPEN, Open, keep
from tangguh.recovery.climb import Climb, ClimbState, abandon, begin, explain
from tangguh.recovery.consent import KIND, ask
from tangguh.recovery.rungs import Exposure

_SQL: Final = ("tangguh.recovery", "recovery.sql")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Climb).decode


def _read(row: Loaded) -> tuple[UUID, Climb]:
    climb = _decode(row["climb_json"])
    return UUID(climb.closure_id), climb


def _row(climb: Climb) -> Row:
    return UUID(climb.closure_id), str(climb.state), _encode(climb).decode()


CLIMBS: Final[ShelfPlan[UUID, Climb]] = ShelfPlan(
    name="climbs",
    sql=_SQL,
    load="load_climbs",
    key_arrays=lambda keys: (list(keys),),
    read=_read,
    table="climbs",
    columns=("closure_id", "state", "climb_json"),
    to_row=_row,
    update="change_climbs",
    to_change=_row,
    rows_max=5_000,
    sealed_by=1,
)
CLIMB_EVENTS: Final = JournalPlan(
    table="climb_events",
    columns=("event_id", "batch_no", "at", "closure_id", "what", "why", "made_by", "climb_json"),
    order_by="event_id",
    sort_key=lambda row: row[0].int,
)


def allowance_of(
    exposure: Exposure, salt: str, let_in: tuple[int, ...], probes: tuple[int, ...]
) -> Allowance | None:
    """What a rung lets through. ``let_in``: staff and volunteers; ``probes``: the bank's own."""
    accounts = (*probes, *let_in) if exposure.staff_in else probes
    if exposure.is_closed and not accounts:
        return None
    return Allowance(
        amount_max_minor=exposure.amount_max_minor,
        amount_percent=exposure.limits_permille // 10,
        per_minute=exposure.payments_max,
        permille=exposure.permille,
        salt=salt,
        accounts=accounts,
    )


class _OnClimb(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about a climb reads it and the board."""

    names_keys_at_once: ClassVar[bool] = True

    closure_id: UUID
    by: tuple[str, ...]

    def keys(self, _book: Book) -> Iterable[Key]:
        return ((CLIMBS.name, self.closure_id), (GATES.name, THE_BOARD))


class StartClimb(_OnClimb, frozen=True, kw_only=True):
    """Begin the way back of a closure: it is held, and nobody is let in yet."""

    suspected_group: str = ""

    def decide(self, book: Book) -> Climb | Refused:
        """Refuses CLOSURE_NOT_FOUND and GATE_STEP_NOT_ALLOWED. Begun before: as it is."""
        known = book.shelf(CLIMBS).get(self.closure_id)
        if known is not None and known.state is ClimbState.CLIMBING:
            return known
        closure = board_of(book).find(self.closure_id)
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
        moved = ChangeClosure(
            closure_id=self.closure_id, to=State.RECOVERING, what="recovering", by=self.by
        ).decide(book)
        if isinstance(moved, Refused):
            return moved
        begun = begin(
            str(closure.id),
            str(closure.scope),
            closure.signal_class,
            book.now,
            salt=str(closure.id),
            collateral_permille=closure.collateral_permille,
            suspected_group=self.suspected_group,
        )
        return _keep(book, begun, "started", "", self.by)


class Explain(_OnClimb, frozen=True, kw_only=True):
    """Name the cause with its fix and evidence, or the control that stands in for a cause.

    ``keys_rotated``: which keys are new. ``without_restore``: why it may go on although no backup
    was seen to restore; two people sign these words with the rung.
    """

    cause: str = ""
    fix: str = ""
    evidence: str = ""
    control: str = ""
    keys_rotated: str = ""
    without_restore: str = ""

    def decide(self, book: Book) -> Climb | Refused:
        """Refuses CLOSURE_NOT_FOUND, and GATE_STEP_NOT_ALLOWED once somebody was let in."""
        climb = book.shelf(CLIMBS).get(self.closure_id)
        if climb is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "nobody has begun its way back")
        try:
            told = explain(
                climb,
                cause=self.cause,
                fix=self.fix,
                evidence=self.evidence,
                control=self.control,
                keys_rotated=self.keys_rotated,
                without_restore=self.without_restore,
            )
        except InvariantBroken as not_now:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "climb", str(not_now))
        return _keep(book, told, "explained", self.cause or self.control, self.by)


class MoveClimb(_OnClimb, frozen=True, kw_only=True):
    """Take one step that ``ladder.advance`` made, with the gate it opens or closes.

    ``was``: the turn it was decided on.
    """

    was: int
    climb: Climb
    what: str
    why: str
    allowance: Allowance | None

    def decide(self, book: Book) -> Climb | Refused:
        """Refuses GATE_STEP_NOT_ALLOWED when the climb has moved meanwhile, CLOSURE_NOT_FOUND."""
        known = book.shelf(CLIMBS).get(self.closure_id)
        if known is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "nobody has begun its way back")
        if known.turn != self.was or known.state is not ClimbState.CLIMBING:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "turn", "it has moved meanwhile")
        is_over = self.climb.state is ClimbState.FINISHED
        moved = self._move_gate(book, State.LIFTED if is_over else State.RECOVERING)
        if isinstance(moved, Refused):
            return moved
        return _keep(book, self.climb, self.what, self.why, self.by)

    def _move_gate(self, book: Book, to: State) -> Closure | Refused:
        closure = board_of(book).find(self.closure_id)
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
        if closure.state is to and closure.allowance == self.allowance:
            return closure
        return ChangeClosure(
            closure_id=self.closure_id,
            to=to,
            what=self.what,
            by=self.by,
            allowance=self.allowance,
            sets_allowance=True,
        ).decide(book)


class AskPeople(_OnClimb, frozen=True, kw_only=True):
    """Propose the next rung to those who must sign, once per turn."""

    names_keys_at_once: ClassVar[bool] = False

    change_id: UUID

    def keys(self, book: Book) -> Iterable[Key]:
        yield CLIMBS.name, self.closure_id
        yield CHANGES.name, self.change_id
        place = (KIND, str(self.closure_id))
        yield OPEN.name, place
        if book.is_loaded(OPEN.name, place):
            newest = book.shelf(OPEN).get(place)
            if newest is not None:
                yield CHANGES.name, newest.change_id

    def decide(self, book: Book) -> Change | Refused | None:
        """The proposal; None when nobody must sign. Refuses CLOSURE_NOT_FOUND and, while one for
        this turn is open, CHANGE_ALREADY_PENDING.
        """
        climb = book.shelf(CLIMBS).get(self.closure_id)
        if climb is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "nobody has begun its way back")
        place = (KIND, str(self.closure_id))
        newest = book.shelf(OPEN).get(place)
        before = book.shelf(CHANGES).get(newest.change_id) if newest is not None else None
        asked = ask(climb, self.change_id, book.now, known=() if before is None else (before,))
        if asked is None or isinstance(asked, Refused):
            return asked
        book.shelf(OPEN).put(place, Open(KIND, str(self.closure_id), asked.id))
        return keep(book, asked, "proposed", asked.maker.id)


class StepBack(_OnClimb, frozen=True, kw_only=True):
    """Close again by a person's word: anybody may, at any time. The scope is held anew."""

    why: str

    def decide(self, book: Book) -> Climb | Refused:
        """Refuses CLOSURE_NOT_FOUND, GATE_STEP_NOT_ALLOWED when it has ended."""
        climb = book.shelf(CLIMBS).get(self.closure_id)
        if climb is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "nobody has begun its way back")
        try:
            ended = abandon(climb, book.now)
        except InvariantBroken as over:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "climb", str(over))
        moved = ChangeClosure(
            closure_id=self.closure_id,
            to=State.CONFIRMED,
            what="closed_again",
            by=self.by,
            allowance=None,
            sets_allowance=True,
        ).decide(book)
        if isinstance(moved, Refused):
            return moved
        return _keep(book, ended, "abandoned", self.why, self.by)


def _keep(book: Book, climb: Climb, what: str, why: str, by: tuple[str, ...]) -> Climb:
    key = UUID(climb.closure_id)
    book.shelf(CLIMBS).put(key, climb)
    row = (book.ids.next(), book.batch_no, book.now, key, what, why, ",".join(by))
    book.note(CLIMB_EVENTS, (*row, _encode(climb).decode()))
    return climb


RECOVERY_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (CLIMBS,)
