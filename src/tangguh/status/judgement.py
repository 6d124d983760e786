"""How a component's condition is judged: what is observed, closures, people. Pure.

What was decided (a closure, a person's word) counts at once; what is only observed is weighed in
``observation``.
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
from tangguh.status.observation import OURS, RULES, Probe, Rules, Tally, Trend, observe, worse_of

OVERRIDE_BETTER_MAX: Final = timedelta(hours=1)
"""So long two people may say better than is measured, before they must look again."""


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
    book: Probe | None = None,
    override: Override | None = None,
    before: Judged | None = None,
    rules: Rules = RULES,
) -> Judged:
    """One look at one component: the worst of what is observed and what is decided.

    ``probe``: whether whoever carries the service answers; ``book``: whether our own book does,
    without which nothing can be paid. ``closures`` may be all that are in force: those that do
    not concern the service, and those that single out one customer or shop, are passed over.
    """
    service = SERVICES[component]
    asked = worse_of(book, probe, now, rules)
    trend = observe(service, tally, asked, before.trend if before else Trend(), now, rules)
    found = [_of_closure(service, one, now) for one in closures if concerns(one.closure, service)]
    found = [one for one in found if one.condition is not Condition.OPERATIONAL]
    found.append(_of_trend(component, trend, now))
    # Equal conditions: the one that lets less through is the truth for the reader.
    worst = max(found, key=lambda one: (one.condition.rank, -one.reach))
    ids = tuple(sorted({one for state in found for one in state.closure_ids}))
    share = tally.unanswered * 1000 // tally.tries if tally.tries >= rules.tries_min else None
    state = msgspec.structs.replace(
        worst, closure_ids=ids, unanswered_permille=share, known_at=trend.known_at
    )
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
    """How many people must stand behind a word: two for better, and for "down"; else one.

    ``shown`` is what the page says now: what is computed, or a word that stands and is worse.
    """
    is_down = wanted is Condition.DOWN and shown is not Condition.DOWN
    return 2 if is_down or wanted.rank < shown.rank else 1


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
    return (Condition.DOWN if service.rail in OURS else Condition.PARTNER_OUTAGE), Why.PARTNER


def _of_trend(component: str, trend: Trend, now: datetime) -> ComponentState:
    return ComponentState(
        component=component,
        condition=trend.observed,
        reach=_reach_of(trend.observed),
        since=trend.since or now,
        why=trend.why,
        known_at=trend.known_at,
    )


def _reach_of(condition: Condition) -> Reach:
    """How much can be used, where nothing but the condition is known."""
    match condition:
        case Condition.OPERATIONAL:
            return Reach.ALL
        case Condition.NOT_MEASURED:
            return Reach.UNKNOWN
        case Condition.DEGRADED:
            return Reach.PART
        case _:
            return Reach.NONE
