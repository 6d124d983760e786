"""What the watch may order by itself, and what an edge makes of orders and snapshots. Pure.

The watch may close exactly one rail in one direction, for lost integrity, wholly. An edge obeys it
at once and keeps obeying until the bank's own board has taken the order over, and has ended it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.board import Board
from tangguh.guard.closure import (
    AUTOMATIC_TTL_MAX,
    Allowance,
    Closure,
    SignalClass,
    State,
    refuse_closure,
)
from tangguh.guard.scope import Facts

MADE_BY: Final = "watch"
CLOCKS_APART: Final = timedelta(seconds=60)
OLDEST: Final = AUTOMATIC_TTL_MAX[SignalClass.INTEGRITY]
"""An order older than this is not taken any more: somebody may have kept it."""
_UNKNOWABLE: Final = ("service", "channel", "terminal", "device", "version")
"""What a message on a rail does not say: a closure that names it is the ledger's to enforce."""


def refuse_order(closure: Closure, now: datetime) -> Refused | None:
    """What the watch may not order: another scope, class or effect, or something of long ago."""
    refused = refuse_closure(closure)
    if refused is not None:
        return refused
    if not closure.scope.is_one_way_of_a_rail:
        return _no("scope", "the watch closes one rail in one direction, nothing else")
    if closure.signal_class is not SignalClass.INTEGRITY:
        return _no("signal_class", "the watch closes for lost integrity only")
    is_plain = closure.state is State.CONTAINED and closure.allowance is None
    if not is_plain or closure.parks or closure.replaces is not None:
        return _no("state", "the watch closes wholly, and does nothing else")
    if closure.made_by != MADE_BY or closure.confirmed_by:
        return _no("made_by", "the watch speaks for itself only")
    if not now - OLDEST <= closure.made_at <= now + CLOCKS_APART:
        return _no("made_at", "the order is not of now")
    return None


def stands_for(board: Board, order: Closure) -> Closure | None:
    """Another closure of the board that closes as wholly, for the same reason."""
    for one in board.closures:
        is_same = one.scope == order.scope and one.reason == order.reason
        if is_same and one.id != order.id and one.allowance is None and not one.parks:
            return one
    return None


def still_own(orders: Iterable[Closure], board: Board) -> tuple[Closure, ...]:
    """The orders an edge goes on keeping by itself under this board of the bank."""
    return tuple(
        one for one in orders if one.id not in board.ended and stands_for(board, one) is None
    )


def in_force_at_edge(board: Board, orders: Iterable[Closure]) -> tuple[Closure, ...]:
    """The board's closures, and the orders that it does not know yet.

    What the board knows it says better: a closure on its way up the ladder lets something through.
    """
    known: set[UUID] = {one.id for one in board.closures}
    return (*board.closures, *(one for one in orders if one.id not in known))


def stopped_at_edge(closures: Iterable[Closure], facts: Facts, now: datetime) -> Closure | None:
    """The closure that stops a message, as far as a message can tell.

    Cohorts, devices and rates are judged where they are known: in the ledger, before its leave.
    """
    for closure in closures:
        scope = closure.scope
        if scope.cohort is not None or any(getattr(scope, name) for name in _UNKNOWABLE):
            continue
        if scope.covers(facts) and _stops(closure.effect(now), facts):
            return closure
    return None


def _stops(allowance: Allowance | None, facts: Facts) -> bool:
    if allowance is None:
        return True
    if allowance.permille == 0 and facts.account not in allowance.accounts:
        return True
    most = allowance.amount_max_minor
    return most is not None and facts.amount_minor > most


def shown(closure: Closure) -> dict[str, str]:
    """One closure for a page of figures: nothing of its evidence."""
    return {
        "id": str(closure.id),
        "scope": str(closure.scope),
        "reason": closure.reason,
        "state": str(closure.state),
        "is_limited": "yes" if closure.allowance is not None else "no",
    }


def _no(field: str, detail: str) -> Refused:
    return Refused(Refusal.ORDER_INVALID, field, detail)
