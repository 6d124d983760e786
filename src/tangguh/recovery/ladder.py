"""Up, stay or back: what the gates and the people make of a climb, one look at a time. Pure.

Call ``advance`` every few seconds with the readings of the scope. The gates are judged at every
look, also while people are awaited, so a gate that turns bad pulls back without asking anybody.
Nothing goes up two rungs at once, and nothing goes up on data that is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.access.people import Role, lacking
from tangguh.guard.closure import SignalClass
from tangguh.recovery.climb import Approval, Climb, ClimbState, moved_to
from tangguh.recovery.rungs import (
    EXPLAINED,
    HELD,
    MATCHED,
    OPEN_LOW,
    REAL,
    REHEARSED,
    Exposure,
    Pace,
)
from tangguh.recovery.verdict import (
    OPTIONAL,
    SOFT,
    ZERO_TOLERANCE,
    Judgement,
    Kind,
    Reading,
    Verdict,
    judge_all,
)

APPROVAL_SECONDS: Final = 15 * 60
PAGE_SECONDS: Final = 15 * 60
SOFT_FAILS_MAX: Final = 2
STEP_BACKS_MAX: Final = 2

_MATCHED: Final = frozenset(
    {"aged_in_flight", "ledger_differences", "unmatched_settlement", "restore_faults"}
)
_REHEARSED: Final = frozenset({"rehearsal_wrong", "replay_divergent", "capacity_needed"})
_KEYS: Final = frozenset({"keys_to_rotate"})
_RESTORE: Final = frozenset({"restore_faults"})
_KEYS_ROTATED_AFTER: Final = frozenset({SignalClass.INTEGRITY, SignalClass.CONTROL})


class What(StrEnum):
    """What one look came to. Leaves the house (audit, page, metrics): never renamed."""

    STAY = "stay"
    UP = "up"
    BACK = "back"
    TO_HELD = "to_held"
    TO_EXPLAINED = "to_explained"
    NEEDS_PEOPLE = "needs_people"
    FEED_SYNTHETIC = "feed_synthetic"
    PAGE = "page"
    FINISHED = "finished"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The climb after a look. ``needs``: roles still missing. ``pace``: said of a rehearsal.

    ``page`` goes on feeding synthetic payments, and calls a person.
    """

    climb: Climb
    what: What
    why: str
    needs: tuple[Role, ...] = ()
    judgement: Judgement | None = None
    pace: str = ""

    @property
    def exposure(self) -> Exposure:
        """How far the scope is open after this look."""
        return self.climb.exposure


def advance(
    climb: Climb,
    readings: Sequence[Reading],
    approvals: Sequence[Approval],
    now: datetime,
    *,
    pace: Pace = REAL,
    waits_for: Sequence[str] = (),
) -> Step:
    """Look once. ``waits_for``: closures (``order``) before which this one lets nobody in."""
    if climb.state is ClimbState.FINISHED:
        return Step(climb=climb, what=What.FINISHED, why="finished before", pace=pace.words())
    if climb.state is ClimbState.ABANDONED:
        return Step(climb=climb, what=What.STAY, why="the climb was abandoned", pace=pace.words())
    judgement = judge_all(
        required_of(climb),
        readings,
        also=frozenset() if climb.here.exposure.is_closed else OPTIONAL,
        sample_min=climb.here.sample,
        tight=climb.here.tight,
        since=climb.entered_at,
        pace=pace,
    )
    step = _judged(climb, judgement, now, pace) or _cleared(
        msgspec.structs.replace(climb, blind_since=None), approvals, now, pace, waits_for
    )
    return msgspec.structs.replace(step, judgement=judgement, pace=pace.words())


def required_of(climb: Climb) -> frozenset[str]:
    """The metrics without which this climb does not leave its rung upwards.

    A restore is asked for unless two people have signed that it goes on without one, and why.
    """
    if not climb.here.exposure.is_closed:
        return ZERO_TOLERANCE | SOFT
    if climb.rung == HELD:
        return ZERO_TOLERANCE if climb.fast else frozenset()
    matched = _MATCHED | (_KEYS if climb.signal_class in _KEYS_ROTATED_AFTER else frozenset())
    if climb.without_restore.strip():
        matched -= _RESTORE
    entry = {
        EXPLAINED: matched,
        MATCHED: matched | _REHEARSED,
        REHEARSED: matched | _REHEARSED | {"partner_not_ready"},
    }
    return ZERO_TOLERANCE | entry[climb.rung]


# ---- what the gates say ----------------------------------------------------------------------


def _judged(climb: Climb, judgement: Judgement, now: datetime, pace: Pace) -> Step | None:
    """The step that the gates alone decide; None when they let the climb go on."""
    if broken := judgement.failed(Kind.ZERO):
        return _to_held(climb, "; ".join(f"{one.metric}: {one.why}" for one in broken), now)
    if not climb.here.exposure.is_closed and judgement.verdict is Verdict.FAIL:
        return _soft_fail(climb, judgement.why, now)
    if judgement.verdict is Verdict.FAIL:
        waiting = msgspec.structs.replace(climb, blind_since=None, waiting_since=None)
        return Step(climb=waiting, what=What.STAY, why=f"not ready: {judgement.why}")
    if judgement.verdict is Verdict.INCONCLUSIVE and (required_of(climb) or judgement.judged):
        return _blind(climb, judgement.why, now, pace)
    return None


def _to_held(climb: Climb, why: str, now: datetime) -> Step:
    """Money was touched: nobody is in, whatever was explained is doubted, there is no fast lane."""
    raised = climb.signal_class
    if raised in {SignalClass.ABUSE, SignalClass.HEALTH}:
        raised = SignalClass.INTEGRITY
    if climb.rung == HELD:
        is_new = raised is not climb.signal_class  # what people sign for names the class
        held = msgspec.structs.replace(
            climb,
            signal_class=raised,
            fast=False,
            turn=climb.turn + is_new,
            waiting_since=None,
        )
        return Step(climb=held, what=What.STAY, why=why)
    held = msgspec.structs.replace(
        moved_to(climb, HELD, now),
        signal_class=raised,
        fast=False,
        cause="",
        fix="",
        evidence="",
        control="",
        keys_rotated="",
        without_restore="",
        step_backs=0,
    )
    return Step(climb=held, what=What.TO_HELD, why=why)


def _soft_fail(climb: Climb, why: str, now: datetime) -> Step:
    fails = climb.soft_fails + 1
    if fails < SOFT_FAILS_MAX:
        noted = msgspec.structs.replace(climb, soft_fails=fails, waiting_since=None)
        return Step(climb=noted, what=What.STAY, why=f"failed once: {why}")
    if climb.step_backs + 1 < STEP_BACKS_MAX:
        back = msgspec.structs.replace(
            moved_to(climb, climb.rung - 1, now), step_backs=climb.step_backs + 1
        )
        return Step(climb=back, what=What.BACK, why=why)
    if climb.fast:
        slow = msgspec.structs.replace(moved_to(climb, HELD, now), fast=False, step_backs=0)
        return Step(climb=slow, what=What.TO_HELD, why=f"no fast lane any more: {why}")
    explained = msgspec.structs.replace(moved_to(climb, EXPLAINED, now), step_backs=0)
    return Step(climb=explained, what=What.TO_EXPLAINED, why=why)


def _blind(climb: Climb, why: str, now: datetime, pace: Pace) -> Step:
    """Not known is not passed. It does not wash away a fail before it either."""
    since = climb.blind_since or now
    kept = msgspec.structs.replace(climb, blind_since=since, waiting_since=None)
    is_long = now - since >= timedelta(seconds=pace.seconds(PAGE_SECONDS))
    return Step(climb=kept, what=What.PAGE if is_long else What.FEED_SYNTHETIC, why=why)


# ---- what time, order and people say ---------------------------------------------------------


def _cleared(
    climb: Climb,
    approvals: Sequence[Approval],
    now: datetime,
    pace: Pace,
    waits_for: Sequence[str],
) -> Step:
    climb = msgspec.structs.replace(climb, soft_fails=0)
    if why := _not_yet(climb, now, pace, waits_for):
        return Step(climb=_not_waiting(climb), what=What.STAY, why=why)
    if climb.above is None:
        done = msgspec.structs.replace(_not_waiting(climb), state=ClimbState.FINISHED)
        return Step(climb=done, what=What.FINISHED, why="every gate passed to the end")
    needs = lacking(climb.roles_above, _given(climb, approvals, now, pace))
    if needs:
        waiting = msgspec.structs.replace(climb, waiting_since=climb.waiting_since or now)
        why = "awaits " + ", ".join(needs)
        return Step(climb=waiting, what=What.NEEDS_PEOPLE, why=why, needs=needs)
    up = moved_to(climb, climb.rung + 1, now)
    return Step(climb=up, what=What.UP, why=f"{climb.here.name} passed")


def _not_waiting(climb: Climb) -> Climb:
    return msgspec.structs.replace(climb, waiting_since=None)


def _not_yet(climb: Climb, now: datetime, pace: Pace, waits_for: Sequence[str]) -> str:
    """Why it stays although the gates pass; empty when only people are asked."""
    if not climb.fast and climb.rung == HELD and not climb.is_explained:
        return "a cause with its fix and evidence is to be named, or a compensating control"
    stays = timedelta(seconds=pace.seconds(climb.here.seconds))
    if now - climb.entered_at < stays:
        return f"until {(climb.entered_at + stays).isoformat(timespec='seconds')}"
    above = climb.above
    if waits_for and climb.here.exposure.is_closed and above and not above.exposure.is_closed:
        return "waits for " + ", ".join(waits_for)
    if not climb.fast and climb.rung == OPEN_LOW and climb.parked_left != 0:
        left = "uncounted" if climb.parked_left is None else climb.parked_left
        return f"parked payments left: {left}"
    return ""


def _given(
    climb: Climb, approvals: Sequence[Approval], now: datetime, pace: Pace
) -> dict[str, frozenset[Role]]:
    """The roles each person has signed in for this very turn, and not too long ago."""
    oldest = now - timedelta(seconds=pace.seconds(APPROVAL_SECONDS))
    given: dict[str, frozenset[Role]] = {}
    for one in approvals:
        is_this = one.closure_id == climb.closure_id and one.turn == climb.turn
        if is_this and oldest < one.at <= now:
            given[one.staff_id] = given.get(one.staff_id, frozenset()) | {one.role}
    return given
