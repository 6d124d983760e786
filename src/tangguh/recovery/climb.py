"""One closure on its way back: where it stands, what explains it, and who agreed to what. Pure.

    climbing ──► finished     (a day of watch at the top passed)
        │
        └──────► abandoned    (somebody ended the climb; the scope stays closed)

An approval is for one ``turn``. Every change of rung and every new explanation is a new turn, so
an approval is used once and is void when what it was given for is no longer so.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from tangguh.access.people import Role
from tangguh.core.errors import InvariantBroken
from tangguh.guard.closure import SignalClass
from tangguh.recovery.rungs import (
    FAST_LANE,
    HELD,
    LADDER,
    OPEN_LOW,
    Exposure,
    Rung,
    approvals_for,
    has_fast_lane,
)

_NO_CAUSE: Final = frozenset({"", "unknown", "cause unknown"})


class ClimbState(StrEnum):
    """Whether the climb goes on. Only ``finished`` is a success."""

    CLIMBING = "climbing"
    FINISHED = "finished"
    ABANDONED = "abandoned"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One person's yes in one role, to one turn of one climb.

    It comes from an approved change (``access.approval``): that two accounts are two people, and
    not of the suspected group, was judged there.
    """

    closure_id: str
    turn: int
    role: Role
    staff_id: str
    at: datetime


class Climb(msgspec.Struct, frozen=True, kw_only=True):
    """The climb of one closure. Times are UTC instants; rung is the number in its lane.

    ``salt`` orders the customers and never changes. ``turn`` counts what happened so far.
    ``waiting_since``: since when only people are missing; ``blind_since``: since when a gate cannot
    be judged. ``parked_left``: payments of the scope still parked; None: nobody has counted.
    ``keys_rotated``: which keys are new. ``without_restore``: why it goes on although nobody has
    seen a backup restore; empty: it waits for one.
    """

    closure_id: str
    scope: str
    signal_class: SignalClass
    salt: str
    entered_at: datetime
    fast: bool = False
    rung: int = HELD
    turn: int = 0
    state: ClimbState = ClimbState.CLIMBING
    cause: str = ""
    fix: str = ""
    evidence: str = ""
    control: str = ""
    keys_rotated: str = ""
    without_restore: str = ""
    suspected_group: str = ""
    soft_fails: int = 0
    step_backs: int = 0
    parked_left: int | None = None
    waiting_since: datetime | None = None
    blind_since: datetime | None = None

    @property
    def lane(self) -> tuple[Rung, ...]:
        """The rungs it climbs."""
        return FAST_LANE if self.fast else LADDER

    @property
    def here(self) -> Rung:
        """The rung it stands on."""
        return self.lane[self.rung]

    @property
    def above(self) -> Rung | None:
        """The next rung; None at the top."""
        return self.lane[self.rung + 1] if self.rung + 1 < len(self.lane) else None

    @property
    def exposure(self) -> Exposure:
        """How far the scope is open now. A climb that was ended without success opens nothing."""
        return LADDER[HELD].exposure if self.state is ClimbState.ABANDONED else self.here.exposure

    @property
    def cause_known(self) -> bool:
        """Whether a cause is named. "Unknown" is not a name."""
        return self.cause.strip().casefold() not in _NO_CAUSE

    @property
    def is_explained(self) -> bool:
        """A cause with its fix and evidence; or none, and what is in place instead."""
        if self.cause_known:
            return bool(self.fix.strip() and self.evidence.strip())
        return bool(self.control.strip())

    @property
    def is_open(self) -> bool:
        """Whether every customer is in: from here on it holds no other scope back."""
        if self.state is not ClimbState.CLIMBING:
            return self.state is ClimbState.FINISHED
        return self.rung >= (len(FAST_LANE) - 1 if self.fast else OPEN_LOW)

    @property
    def roles_above(self) -> tuple[Role, ...]:
        """The roles that must agree to the next rung."""
        if self.above is None:
            return ()
        return approvals_for(
            self.above,
            self.signal_class,
            cause_known=self.cause_known,
            without_restore=bool(self.without_restore.strip()),
        )


def begin(
    closure_id: str,
    scope: str,
    signal_class: SignalClass,
    now: datetime,
    *,
    salt: str,
    collateral_permille: int = 1000,
    suspected_group: str = "",
    parked_left: int | None = None,
) -> Climb:
    """A climb that stands at held. ``collateral_permille``: normal traffic inside the scope."""
    return Climb(
        closure_id=closure_id,
        scope=scope,
        signal_class=signal_class,
        salt=salt,
        entered_at=now,
        fast=has_fast_lane(signal_class, collateral_permille),
        suspected_group=suspected_group,
        parked_left=parked_left,
    )


def explain(
    climb: Climb,
    *,
    cause: str = "",
    fix: str = "",
    evidence: str = "",
    control: str = "",
    keys_rotated: str = "",
    without_restore: str = "",
) -> Climb:
    """Name the cause, its fix and the evidence, or the control that stands in for a cause.

    Approvals given to what was said before are void. Raises InvariantBroken once customers are in:
    a new explanation starts from held.
    """
    if climb.state is not ClimbState.CLIMBING or climb.rung > HELD:
        raise InvariantBroken("only what is held can be explained anew")
    return msgspec.structs.replace(
        climb,
        cause=cause,
        fix=fix,
        evidence=evidence,
        control=control,
        keys_rotated=keys_rotated,
        without_restore=without_restore,
        turn=climb.turn + 1,
        waiting_since=None,
    )


def with_parked(climb: Climb, parked_left: int | None) -> Climb:
    """After somebody counted the payments of the scope that are still parked."""
    return msgspec.structs.replace(climb, parked_left=parked_left)


def abandon(climb: Climb, now: datetime) -> Climb:
    """End the climb without success: the scope is closed as at the beginning.

    Raises InvariantBroken when it has ended already.
    """
    if climb.state is not ClimbState.CLIMBING:
        raise InvariantBroken(f"a climb that is {climb.state} cannot be abandoned")
    moved = moved_to(climb, HELD, now)
    return msgspec.structs.replace(moved, state=ClimbState.ABANDONED)


def moved_to(climb: Climb, rung: int, now: datetime) -> Climb:
    """The same climb on another rung, with its counters of that rung at nought."""
    return msgspec.structs.replace(
        climb,
        rung=rung,
        entered_at=now,
        turn=climb.turn + 1,
        soft_fails=0,
        waiting_since=None,
        blind_since=None,
    )


def payload_of(climb: Climb) -> dict[str, Any]:
    """What people agree to when they sign for the next rung: the exact change, for its hash.

    ``consent`` puts it into a change and reads the signatures back.
    """
    above = climb.above
    return {
        "closure_id": climb.closure_id,
        "scope": climb.scope,
        "signal_class": climb.signal_class,
        "turn": climb.turn,
        "from": climb.here.name,
        "to": above.name if above else "",
        "exposure": msgspec.to_builtins(above.exposure) if above else {},
        "cause": climb.cause,
        "fix": climb.fix,
        "evidence": climb.evidence,
        "control": climb.control,
        "keys_rotated": climb.keys_rotated,
        "without_restore": climb.without_restore,
    }
