"""The board: every closure in force, and the judgement of one order against it. Pure.

Every closure that covers an order is applied, so a narrower one never weakens a wider one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.closure import Closure
from tangguh.guard.scope import PINNED, Facts

CLOSURES_MAX: Final = 5_000


class Board(msgspec.Struct, frozen=True):
    """The closures in force. ``version`` counts the changes; ``ended`` names the newest ends."""

    version: int = 0
    closures: tuple[Closure, ...] = ()
    ended: tuple[UUID, ...] = ()

    def find(self, closure_id: UUID) -> Closure | None:
        """The closure of this id while it is in force."""
        return next((one for one in self.closures if one.id == closure_id), None)

    def with_(self, closure: Closure) -> Board:
        """The board after this closure became what it is."""
        others = tuple(one for one in self.closures if one.id != closure.id)
        if closure.is_in_force:
            return Board(self.version + 1, (*others, closure), self.ended)
        return Board(self.version + 1, others, (*self.ended, closure.id)[-_ENDED_KEPT:])


_ENDED_KEPT: Final = 1_000


class Stopped(msgspec.Struct, frozen=True):
    """An order that a closure stops. ``by``: which; ``parks``: it may be taken and sent later."""

    by: Closure
    code: Refusal
    detail: str

    @property
    def parks(self) -> bool:
        """Whether the payment may wait with its money reserved."""
        return self.by.parks

    @property
    def refused(self) -> Refused:
        """As our own no. The detail names the closure, for its words."""
        return Refused(self.code, "service", self.detail)


class Gates:
    """A board made quick to ask: closures of one account, payee, terminal or device by name."""

    __slots__ = ("_general", "_pinned", "board")

    def __init__(self, board: Board) -> None:
        self.board = board
        self._pinned: dict[tuple[str, Any], list[Closure]] = {}
        self._general: list[Closure] = []
        for closure in board.closures:
            pin = next((name for name in PINNED if getattr(closure.scope, name)), None)
            if pin is None:
                self._general.append(closure)
            else:
                key = (pin, getattr(closure.scope, pin))
                self._pinned.setdefault(key, []).append(closure)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing at all is closed."""
        return not self.board.closures

    def covering(self, facts: Facts) -> Iterator[Closure]:
        """Every closure in force whose scope has this order."""
        for closure in self._general:
            if closure.scope.covers(facts):
                yield closure
        if self._pinned:
            for name in PINNED:
                for closure in self._pinned.get((name, getattr(facts, name)), ()):
                    if closure.scope.covers(facts):
                        yield closure

    def judge(self, facts: Facts, now: datetime) -> Stopped | None:
        """The closure that stops this order, if one does. Rates are counted by ``rates``."""
        if self.is_quiet:
            return None
        parked = None
        for closure in self.covering(facts):
            stopped = _judge(closure, facts, now)
            if stopped is not None and not stopped.parks:
                return stopped
            parked = parked or stopped
        return parked

    def rates(self, facts: Facts, now: datetime) -> Iterator[tuple[Closure, int]]:
        """The closures that let so many payments a minute through, with how many."""
        if self.is_quiet:
            return
        for closure in self.covering(facts):
            allowance = closure.effect(now)
            if allowance is not None and allowance.per_minute is not None:
                yield closure, allowance.per_minute

    def percent(self, facts: Facts, now: datetime) -> int:
        """How much of its usual limits an order may use, 0 to 100."""
        least = 100
        for closure in self.covering(facts):
            allowance = closure.effect(now)
            if allowance is not None:
                least = min(least, allowance.amount_percent)
        return least


def _judge(closure: Closure, facts: Facts, now: datetime) -> Stopped | None:
    allowance = closure.effect(now)
    detail = f"{closure.id} {closure.reason}"
    if allowance is None:
        return Stopped(closure, Refusal.PROTECTIVE_CLOSURE, detail)
    if not allowance.lets_in(facts):
        return Stopped(closure, Refusal.PROTECTIVE_CLOSURE, detail)
    most = allowance.amount_max_minor
    if most is not None and facts.amount_minor > most:
        return Stopped(
            closure, Refusal.PROTECTIVE_LIMIT, f"{detail}: at most {most} minor units for now"
        )
    return None


def too_many(closure: Closure, per_minute: int) -> Stopped:
    """The answer to an order above a closure's rate."""
    return Stopped(
        closure,
        Refusal.PROTECTIVE_LIMIT,
        f"{closure.id} {closure.reason}: {per_minute} a minute for now",
    )
