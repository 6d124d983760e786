"""Changing gates: closing, confirming, widening, narrowing, lifting, lapsing. Pure decisions.

Each change moves the board and writes the whole closure as it became into the hash chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.board import CLOSURES_MAX, Board, Gates
from tangguh.guard.closure import Allowance, Closure, SignalClass, State, refuse_closure
from tangguh.guard.scope import Scope, is_one_step_wider
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.gates.judge import GATE_EVENTS, GATES, THE_BOARD, board_of

_encode: Final = msgspec.json.Encoder().encode
_MILDER: Final = frozenset({SignalClass.ABUSE, SignalClass.HEALTH})
"""What becomes milder by itself when its time is over, and lapses in the end."""


class _OnBoard(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever changes the board reads it."""

    names_keys_at_once: ClassVar[bool] = True

    def keys(self, _book: Book) -> Iterable[Key]:
        return ((GATES.name, THE_BOARD),)


class ReadBoard(_OnBoard, frozen=True, kw_only=True):
    """The board after every decision made so far. Changes nothing."""

    def decide(self, book: Book) -> Board:
        """Every closure in force."""
        return board_of(book)


class Close(_OnBoard, frozen=True, kw_only=True):
    """Put a closure in force. The same id again: the closure as it is."""

    closure: Closure

    def decide(self, book: Book) -> Closure | Refused:
        """Refuses ORDER_INVALID naming the field, GATE_STEP_NOT_ALLOWED when the board is full.

        A closure of a scope that is in force already for the same reason is not doubled: the one
        there is given, so two detectors of one trouble make one closure. One that lets more
        through stands for none that is stricter, unless it is on its way up the ladder, which
        looks for the trouble itself. One whose time is over and that became milder (half-open)
        makes room for it: the trouble is there again.
        """
        board = board_of(book)
        known = board.find(self.closure.id)
        if known is not None:
            return known
        if refused := refuse_closure(self.closure):
            return refused
        for one in board.closures:
            is_same = one.scope == self.closure.scope and one.reason == self.closure.reason
            if is_same and self._is_done_by(one):
                return self._again(book, one)
        if len(board.closures) >= CLOSURES_MAX:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "scope", "the board is full; go wider")
        return _write(book, board, self.closure, "closed", self.closure.made_by)

    def _is_done_by(self, one: Closure) -> bool:
        """Whether another closure already holds back all that this one would."""
        asked = self.closure.allowance
        return one.allowance in (None, asked) or one.state is State.RECOVERING

    def _again(self, book: Book, one: Closure) -> Closure:
        milder = one.signal_class in _MILDER and not one.is_confirmed and one.is_over(book.now)
        over = one.to(State.LAPSED) if milder else one
        if over is one or isinstance(over, Refused):
            return one
        _write(book, board_of(book), over, "lapsed", self.closure.made_by)
        anew = msgspec.structs.replace(self.closure, replaces=one.id)
        return _write(book, board_of(book), anew, "closed", self.closure.made_by)


class ChangeClosure(_OnBoard, frozen=True, kw_only=True):
    """Move a closure on: confirm, let more through, lift, declare it wrong.

    ``what`` is the event's name. ``allowance`` is taken when ``sets_allowance``; ``expires_at``
    when given. ``by`` are the people or the engine, as recorded.
    """

    closure_id: UUID
    to: State
    what: str
    by: tuple[str, ...]
    allowance: Allowance | None = None
    sets_allowance: bool = False
    expires_at: datetime | None = None
    next_word_at: datetime | None = None
    cause: str = ""

    def decide(self, book: Book) -> Closure | Refused:
        """Refuses CLOSURE_NOT_FOUND, GATE_STEP_NOT_ALLOWED, ORDER_INVALID."""
        board = board_of(book)
        closure = board.find(self.closure_id)
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
        changes: dict[str, object] = {}
        if self.sets_allowance:
            changes["allowance"] = self.allowance
        if self.expires_at is not None:
            changes["expires_at"] = self.expires_at
        if self.next_word_at is not None:
            changes["next_word_at"] = self.next_word_at
        if self.cause:
            changes["cause"] = self.cause
        if self.to is State.CONFIRMED:
            people = {*closure.confirmed_by, *(one for one in self.by if one.startswith("staff:"))}
            changes["confirmed_by"] = tuple(sorted(people))
        moved = closure.to(self.to, **changes)
        if isinstance(moved, Refused):
            return moved
        return _write(book, board, moved, self.what, ",".join(self.by))


class HalfOpen(_OnBoard, frozen=True, kw_only=True):
    """Let a few payments try a network that was closed for its silence and answers again."""

    closure_id: UUID
    by: str

    def decide(self, book: Book) -> Closure | Refused:
        """Refuses CLOSURE_NOT_FOUND; GATE_STEP_NOT_ALLOWED: not about health, people's, or over."""
        board = board_of(book)
        closure = board.find(self.closure_id)
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
        is_own = closure.state is State.CONTAINED and not closure.confirmed_by
        if closure.signal_class is not SignalClass.HEALTH or not is_own:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "closure", "people or the ladder open it")
        if closure.is_over(book.now):
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "closure", "its time is over already")
        opened = msgspec.structs.replace(closure, half_open_at=book.now)
        return _write(book, board, opened, "half_opened", self.by)


class Widen(_OnBoard, frozen=True, kw_only=True):
    """Put a closure of the next wider scope in the place of one. One step, never more."""

    closure_id: UUID
    wider: Closure
    by: str

    def decide(self, book: Book) -> Closure | Refused:
        """Refuses CLOSURE_NOT_FOUND, ORDER_INVALID; GATE_STEP_NOT_ALLOWED: more than one step."""
        board = board_of(book)
        closure = board.find(self.closure_id)
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
        if not is_one_step_wider(closure.scope, self.wider.scope):
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "scope", "one step wider, never more")
        if refused := refuse_closure(self.wider):
            return refused
        over = closure.to(State.REPLACED)
        if isinstance(over, Refused):
            return over
        _write(book, board, over, "widened", self.by)
        return _write(
            book,
            board_of(book),
            msgspec.structs.replace(self.wider, replaces=closure.id),
            "closed",
            self.by,
        )


class Narrow(_OnBoard, frozen=True, kw_only=True):
    """Put closures of narrower scopes in the place of one, letting the rest go."""

    closure_id: UUID
    scopes: tuple[Scope, ...]
    ids: tuple[UUID, ...]
    by: str

    def decide(self, book: Book) -> tuple[Closure, ...] | Refused:
        """Refuses CLOSURE_NOT_FOUND; GATE_STEP_NOT_ALLOWED when a scope is not inside the first."""
        board = board_of(book)
        closure = board.find(self.closure_id)
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
        if not self.scopes or len(self.scopes) != len(self.ids):
            return Refused(Refusal.ORDER_INVALID, "scopes", "name what stays closed")
        if any(not closure.scope.includes(scope) for scope in self.scopes):
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "scopes", "only inside what is closed")
        over = closure.to(State.REPLACED)
        if isinstance(over, Refused):
            return over
        _write(book, board, over, "narrowed", self.by)
        return tuple(
            _write(
                book,
                board_of(book),
                msgspec.structs.replace(closure, id=new, scope=scope, replaces=closure.id),
                "closed",
                self.by,
            )
            for new, scope in zip(self.ids, self.scopes, strict=True)
        )


class Lapse(_OnBoard, frozen=True, kw_only=True):
    """Take away closures whose time and whose half-open time are over. Integrity never lapses."""

    def decide(self, book: Book) -> tuple[Closure, ...]:
        """The closures that lapsed: abuse and health, one whole span after their end."""
        lapsed = []
        for closure in board_of(book).closures:
            milder = closure.signal_class in _MILDER
            if not milder or closure.is_confirmed or book.now < closure.lapses_at():
                continue
            over = closure.to(State.LAPSED)
            if not isinstance(over, Refused):
                lapsed.append(_write(book, board_of(book), over, "lapsed", "clock"))
        return tuple(lapsed)


class TakeBack(_OnBoard, frozen=True, kw_only=True):
    """Open what a part of the bank closed for want of knowing, now that it knows.

    ``by`` and ``reason`` as in the closures. One that a person has put a name to stays.
    """

    by: str
    reason: str

    def decide(self, book: Book) -> tuple[Closure, ...]:
        """The closures that ended."""
        ended = []
        for closure in board_of(book).closures:
            is_own = closure.made_by == self.by and closure.reason == self.reason
            if not is_own or closure.confirmed_by:
                continue
            over = closure.to(State.LAPSED)
            if not isinstance(over, Refused):
                ended.append(_write(book, board_of(book), over, "lapsed", self.by))
        return tuple(ended)


def _write(book: Book, board: Board, closure: Closure, what: str, by: str) -> Closure:
    """Keep the closure on the board and as a row of history."""
    after = board.with_(closure)
    book.shelf(GATES).put(THE_BOARD, Gates(after))
    row = (book.ids.next(), book.batch_no, book.now, closure.id, after.version, what, by)
    book.note(GATE_EVENTS, (*row, _encode(closure).decode()))
    return closure
