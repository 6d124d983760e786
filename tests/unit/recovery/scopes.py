"""Readings, approvals and climbs for the tests of the ladder."""

from __future__ import annotations

from datetime import datetime, timedelta

from conftest import NOON
from tangguh.access.people import Role
from tangguh.guard.closure import SignalClass
from tangguh.recovery.climb import Approval, Climb, begin, explain
from tangguh.recovery.ladder import Step, advance, required_of
from tangguh.recovery.rungs import REAL, Pace
from tangguh.recovery.verdict import METRICS, OPTIONAL, Reading

GOOD = {"success": 0.999, "p99": 0.4, "partner_declines": 0.004, "complaints": 1.0, "notices": 1.0}
BAD = {"success": 0.9, "p99": 9.0, "partner_declines": 0.4, "complaints": 90.0, "notices": 0.1}
PEOPLE = {
    Role.INCIDENT_COMMANDER: "staff:1", Role.RAIL_OWNER: "staff:2", Role.RISK_OFFICER: "staff:3",
    Role.CISO: "staff:4", Role.RECON_OWNER: "staff:5",
}  # fmt: skip


def good(metric: str) -> Reading:
    value = GOOD.get(metric, 0.0)
    return Reading(metric, value, 10_000, control=0.999, baseline=value or 0.01)


def bad(metric: str) -> Reading:
    value = BAD.get(metric, 1.0 if METRICS[metric].is_share else 99.0)
    return Reading(metric, value, 10_000, control=0.999, baseline=GOOD.get(metric, 0.01))


def all_good(climb: Climb | None = None) -> list[Reading]:
    names = METRICS if climb is None else sorted(required_of(climb) | OPTIONAL)
    return [good(name) for name in names]


def without(metric: str) -> list[Reading]:
    return [one for one in all_good() if one.metric != metric]


def with_bad(*metrics: str) -> list[Reading]:
    return [bad(one) if one in metrics else good(one) for one in METRICS]


def signed(climb: Climb, now: datetime, roles: tuple[Role, ...] | None = None) -> list[Approval]:
    """A yes of each person for the climb's next rung; of every role it needs unless said."""
    return [
        Approval(
            closure_id=climb.closure_id, turn=climb.turn, role=role, staff_id=PEOPLE[role], at=now
        )
        for role in (climb.roles_above if roles is None else roles)
    ]


def held(signal_class: SignalClass = SignalClass.INTEGRITY, *, collateral: int = 1000) -> Climb:
    """A climb at held with its cause named."""
    climb = begin(
        "closure:1", "rail=bifast direction=out", signal_class, NOON, salt="s",
        collateral_permille=collateral, parked_left=0,
    )  # fmt: skip
    return explain(climb, cause="connector key copied", fix="CHG-7", evidence="sha256:ab")


def at(rung: int, signal_class: SignalClass = SignalClass.INTEGRITY, **keys: int) -> Climb:
    """A climb brought to this rung by looks that passed. Its clock: ``entered_at``."""
    climb = held(signal_class, **keys)
    while climb.rung < rung:
        climb = up(climb).climb
    return climb


def up(climb: Climb, pace: Pace = REAL) -> Step:
    """One look, when the rung's time is over, with everything there; it goes up or finishes."""
    now = over(climb, pace)
    step = advance(climb, all_good(), signed(climb, now), now, pace=pace)
    assert step.what in {"up", "finished"}, step
    return step


def over(climb: Climb, pace: Pace = REAL) -> datetime:
    """When the time on this rung is over."""
    return climb.entered_at + timedelta(seconds=pace.seconds(climb.here.seconds))
