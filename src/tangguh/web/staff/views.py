"""What staff are shown of closures, climbs and changes. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tangguh.access.approval import Change
from tangguh.guard.closure import Closure
from tangguh.guard.scope import text_of
from tangguh.recovery.climb import Climb
from tangguh.recovery.climber import Looked
from tangguh.recovery.rungs import LADDER


def closure_view(closure: Closure, now: datetime) -> dict[str, Any]:
    """A closure with what it does at this moment."""
    effect = closure.effect(now)
    shown: dict[str, Any] = msgspec.to_builtins(closure)
    shown |= {
        "scope": text_of(closure.scope),
        "effect": "closed" if effect is None else msgspec.to_builtins(effect),
        "is_over": closure.is_over(now),
        "seconds_left": max(int((closure.expires_at - now).total_seconds()), 0),
    }
    return shown


def climb_view(climb: Climb, newest: Looked | None) -> dict[str, Any]:
    """A climb with its rung of so many and the newest look at it."""
    lane = climb.lane
    return {
        "closure_id": climb.closure_id,
        "scope": climb.scope,
        "signal_class": climb.signal_class,
        "state": climb.state,
        "rung": climb.here.name,
        "stage": climb.rung,
        "stages": len(lane) - 1,
        "fast": lane is not LADDER,
        "exposure": msgspec.to_builtins(climb.exposure),
        "cause": climb.cause,
        "fix": climb.fix,
        "control": climb.control,
        "entered_at": climb.entered_at,
        "what": newest.what if newest else "",
        "why": newest.why if newest else "",
        "needs": newest.needs if newest else (),
    }


def change_view(change: Change, now: datetime) -> dict[str, Any]:
    """A change as people are shown it before they sign: its exact content and its hash."""
    return {
        "id": change.id,
        "kind": change.kind,
        "subject": change.subject,
        "payload": msgspec.Raw(change.payload),
        "sha256": change.sha256,
        "made_by": change.maker.id,
        "made_at": change.made_at,
        "expires_at": change.expires_at,
        "state": change.state,
        "is_live": change.is_live(now),
        "lacking_roles": change.lacking_roles,
        "votes": [{"by": vote.by.id, "yes": vote.is_yes, "at": vote.at} for vote in change.votes],
    }
