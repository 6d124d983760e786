"""How a component's condition is judged: outcomes, probes, closures, people. Pure.

What was decided (a closure, a person's word) counts at once. What is only observed must be seen
three looks running before it is said, and well two looks running before it is taken back, so that a
handful of payments never makes the page flicker (resilience blueprint §1.8). Too few payments
say nothing: the last judgement stands, until nothing bad has been seen for a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import SERVICES, Service
from tangguh.guard.closure import Allowance, Closure, SignalClass
from tangguh.guard.scope import Facts, Scope
from tangguh.status.component import (
    COMPONENTS,
    ComponentState,
    Condition,
    Reach,
    Stage,
    Why,
    worst_of,
)

OVERRIDE_BETTER_MAX: Final = timedelta(hours=1)
"""So long two people may say better than is measured, before they must look again."""
_OURS: Final = frozenset({"onus"})
"""Rails with nobody on the other side."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes of one service in the window: an end the customer asked for, no answer, and a fault
    of ours or the network's. What a customer's own limits or balance refuse is in none of them.
    """

    done: int = 0
    unanswered: int = 0
    failed: int = 0

    @property
    def tries(self) -> int:
        """How many there were."""
        return self.done + self.unanswered + self.failed

    @property
    def bad_permille(self) -> int:
        """Of a thousand tries, how many had no good end."""
        return (self.unanswered + self.failed) * 1000 // self.tries if self.tries else 0


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """The newest probe of a service. ``ours``: the fault lies on the bank's side."""

    ok: bool
    at: datetime
    ours: bool = False


class Shut(msgspec.Struct, frozen=True, kw_only=True):
    """A closure in force, the change ticket it belongs to if any, its stage on the way back."""

    closure: Closure
    ticket: str = ""
    stage: Stage | None = None


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """People's word on a component. ``over`` is what was computed when they gave it."""

    component: str
    condition: Condition
    over: Condition
    reason: str
    by: tuple[str, ...]
    at: datetime
    until: datetime | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When outcomes are bad. Shares are of a thousand tries in the window."""

    tries_min: int = 10
    degraded_permille: int = 50
    out_permille: int = 500
    bad_looks: int = 3
    good_looks: int = 2
    forget_seconds: float = 900.0
    probe_seconds_max: float = 300.0


RULES: Final = Rules()


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """What has been observed of a component so far; the caller keeps it from look to look.

    ``pending`` is what the running looks agree on at least; ``bad_at`` the last bad look.
    """

    observed: Condition = Condition.OPERATIONAL
    why: Why = Why.OUTCOMES
    since: datetime | None = None
    pending: Condition | None = None
    looks: int = 0
    bad_at: datetime | None = None


class Judged(msgspec.Struct, frozen=True):
    """A component's state, and the trend to hand in at the next look."""

    state: ComponentState
    trend: Trend


def judge(
    component: str,
    *,
    tally: Tally,
    now: datetime,
    closures: Sequence[Shut] = (),
    probe: Probe | None = None,
    override: Override | None = None,
    before: Judged | None = None,
    rules: Rules = RULES,
) -> Judged:
    """One look at one component: the worst of what is observed and what is decided.

    ``closures`` may be all that are in force: those that do not concern the service, and those
    that single out one customer or shop, are passed over.
    """
    service = SERVICES[component]
    trend = _observe(service, tally, probe, before.trend if before else Trend(), now, rules)
    found = [_of_closure(service, one, now) for one in closures if concerns(one.closure, service)]
    found = [one for one in found if one.condition is not Condition.OPERATIONAL]
    found.append(_of_trend(component, trend, now))
    # Equal conditions: the one that lets less through is the truth for the reader.
    worst = max(found, key=lambda one: (one.condition.rank, -one.reach))
    ids = tuple(sorted({one for state in found for one in state.closure_ids}))
    share = tally.unanswered * 1000 // tally.tries if tally.tries >= rules.tries_min else None
    state = msgspec.structs.replace(worst, closure_ids=ids, unanswered_permille=share)
    state = _overridden(state, override, now)
    if before is not None and before.state.condition is state.condition:
        state = msgspec.structs.replace(state, since=min(before.state.since, state.since))
    elif before is not None and state.condition is Condition.OPERATIONAL:
        state = msgspec.structs.replace(state, since=now)
    return Judged(state, trend)


def concerns(closure: Closure, service: Service) -> bool:
    """Whether a closure in force changes the service for customers at large."""
    scope = closure.scope
    if not closure.is_in_force or scope.is_pinned:
        return False
    wide = msgspec.structs.replace(
        scope, cohort=None, version="", amount_from_minor=0, amount_to_minor=None
    )
    return wide.covers(
        Facts(
            service=service.id,
            rail=service.rail,
            direction=service.direction,
            channel=service.channel,
            partner=service.partner,
        )
    )


def lets_everything_through(allowance: Allowance | None) -> bool:
    """Whether a gate holds nobody and nothing back."""
    return (
        allowance is not None
        and allowance.amount_max_minor is None
        and allowance.amount_percent >= 100
        and allowance.per_minute is None
        and allowance.permille >= 1000
    )


# ---- people ----------------------------------------------------------------------------------


def people_needed(shown: Condition, wanted: Condition) -> int:
    """How many people must stand behind a word: one for worse or the same, two for better.

    ``shown`` is what the page says now: what is computed, or a word that stands and is worse.
    """
    return 2 if wanted.rank < shown.rank else 1


def shown_now(computed: Condition, standing: Override | None, now: datetime) -> Condition:
    """What the page says of a component: computed, unless a word that stands is worse."""
    if standing is None or (standing.until is not None and now >= standing.until):
        return computed
    return worst_of((computed, standing.condition))


def refuse_override(override: Override, shown: Condition, now: datetime) -> Refused | None:
    """What no override may lack. Refuses ORDER_INVALID and TWO_PEOPLE_NEEDED."""
    if override.component not in COMPONENTS:
        return Refused(Refusal.ORDER_INVALID, "component", "there is no such component")
    if not override.reason.strip():
        return Refused(Refusal.ORDER_INVALID, "reason", "say why")
    people = {one for one in override.by if one.strip()}
    if not people:
        return Refused(Refusal.ORDER_INVALID, "by", "say who")
    if len(people) < people_needed(shown, override.condition):
        return Refused(Refusal.TWO_PEOPLE_NEEDED, "by", "two say that it is better than shown")
    if override.condition.rank < override.over.rank:
        longest = now + OVERRIDE_BETTER_MAX
        if override.until is None or not now < override.until <= longest:
            return Refused(Refusal.ORDER_INVALID, "until", "better is said for an hour at most")
    elif override.until is not None and override.until < now:
        return Refused(Refusal.ORDER_INVALID, "until", "it would be over already")
    return None


def _overridden(state: ComponentState, override: Override | None, now: datetime) -> ComponentState:
    if override is None or (override.until is not None and now >= override.until):
        return state
    wanted, measured = override.condition, state.condition
    if wanted.rank == measured.rank:
        return state
    if wanted.rank < measured.rank and (
        wanted.rank >= override.over.rank or measured.rank > override.over.rank
    ):
        # It was never meant to be better, or it has become worse than what the two were shown.
        return state
    return msgspec.structs.replace(
        state, condition=wanted, reach=_reach_of(wanted), since=override.at, why=Why.PEOPLE,
        stage=None,
    )  # fmt: skip


# ---- closures --------------------------------------------------------------------------------


def _of_closure(service: Service, shut: Shut, now: datetime) -> ComponentState:
    closure = shut.closure
    allowance = closure.effect(now)
    is_part = allowance is not None or _is_narrow(closure.scope)
    reach = Reach.PART if is_part else Reach.NONE
    condition, why = _kind_of(service, shut, is_part=is_part)
    if lets_everything_through(allowance):
        condition, reach = Condition.OPERATIONAL, Reach.ALL
    return ComponentState(
        component=service.id,
        condition=condition,
        reach=reach,
        since=closure.made_at,
        why=why,
        stage=shut.stage,
        closure_ids=(str(closure.id),),
    )


def _is_narrow(scope: Scope) -> bool:
    """Whether it stops some of a service's customers, versions or amounts only."""
    return scope.cohort is not None or scope.has_band or bool(scope.version)


def _kind_of(service: Service, shut: Shut, *, is_part: bool) -> tuple[Condition, Why]:
    if shut.ticket:
        return Condition.SCHEDULED_CHANGE, Why.CHANGE
    if shut.closure.signal_class is not SignalClass.HEALTH:
        return Condition.PROTECTIVE_RESTRICTION, Why.PROTECTION
    if is_part:
        return Condition.DEGRADED, Why.PARTNER
    return (Condition.DOWN if service.rail in _OURS else Condition.PARTNER_OUTAGE), Why.PARTNER


# ---- observation -----------------------------------------------------------------------------


def _observe(
    service: Service, tally: Tally, probe: Probe | None, before: Trend, now: datetime, rules: Rules
) -> Trend:
    seen, why = _look(service, tally, probe, now, rules)
    if seen is None:
        quiet = before.bad_at is not None and (
            (now - before.bad_at).total_seconds() >= rules.forget_seconds
        )
        return Trend(since=now) if quiet else before
    if seen is not Condition.OPERATIONAL:
        before = msgspec.structs.replace(before, bad_at=now)
    if seen is before.observed:
        return msgspec.structs.replace(before, pending=None, looks=0)
    is_worse = seen.rank > before.observed.rank
    needed = rules.bad_looks if is_worse else rules.good_looks
    same_way = before.pending is not None and (
        (before.pending.rank > before.observed.rank) == is_worse
    )
    looks = before.looks + 1 if same_way else 1
    pending = seen
    if same_way and before.pending is not None:
        # Worse: only as bad as the mildest look. Better: only as good as the worst of them.
        pick = min if is_worse else max
        pending = pick(before.pending, seen, key=lambda one: one.rank)
    if looks < needed:
        return msgspec.structs.replace(before, pending=pending, looks=looks)
    return Trend(observed=pending, why=why, since=now, bad_at=before.bad_at)


def _look(
    service: Service, tally: Tally, probe: Probe | None, now: datetime, rules: Rules
) -> tuple[Condition | None, Why]:
    """What this look alone shows; None: too little to say anything."""
    is_ours = service.rail in _OURS
    if probe is not None and (now - probe.at).total_seconds() > rules.probe_seconds_max:
        probe = None
    if tally.tries >= rules.tries_min:
        bad = tally.bad_permille
        if bad >= rules.out_permille:
            return (Condition.DOWN if is_ours else Condition.PARTNER_OUTAGE), Why.OUTCOMES
        if bad >= rules.degraded_permille:
            return Condition.DEGRADED, Why.OUTCOMES
        return Condition.OPERATIONAL, Why.OUTCOMES
    if probe is None:
        return None, Why.PROBE
    if probe.ok:
        return Condition.OPERATIONAL, Why.PROBE
    return (Condition.DOWN if is_ours or probe.ours else Condition.PARTNER_OUTAGE), Why.PROBE


def _of_trend(component: str, trend: Trend, now: datetime) -> ComponentState:
    return ComponentState(
        component=component,
        condition=trend.observed,
        reach=_reach_of(trend.observed),
        since=trend.since or now,
        why=trend.why,
    )


def _reach_of(condition: Condition) -> Reach:
    """How much can be used, where nothing but the condition is known."""
    match condition:
        case Condition.OPERATIONAL:
            return Reach.ALL
        case Condition.DEGRADED:
            return Reach.PART
        case _:
            return Reach.NONE
