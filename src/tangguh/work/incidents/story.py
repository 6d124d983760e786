"""What an incident's next step is, from what is seen now. Pure.

Services and money end apart: a story moves to restored when its services have been well for a
while, and is resolved when the last rupiah is clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, assert_never

import msgspec

from tangguh.core.known import Tristate, all_of, known_as
from tangguh.core.service import SERVICES
from tangguh.guard.closure import Closure, SignalClass
from tangguh.guard.scope import text_of
from tangguh.status.component import ComponentState, Condition, Stage, Why
from tangguh.status.incident import Incident, IncidentState, Kind, kind_of
from tangguh.status.judgement import Shut
from tangguh.status.source import STAFF, Extent, Source, extent_of, source_of_states
from tangguh.work.incidents.settings import IncidentSettings

_OBSERVED: Final = frozenset({Why.OUTCOMES, Why.PROBE, Why.PARTNER, Why.PEOPLE})


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble that is seen now: what the public is to be told of, once for its cause."""

    cause_key: str
    kind: Kind
    components: tuple[str, ...]
    begun_at: datetime
    closure_ids: tuple[str, ...] = ()
    ticket: str = ""
    stage: Stage | None = None
    source: Source = Source.UNKNOWN
    extent: Extent = Extent.NONE
    ends_at: datetime | None = None


def troubles_in(states: Mapping[str, ComponentState], shut: Iterable[Shut]) -> list[Trouble]:
    """Every trouble: one for each closure that the public feels, one for each network's sickness.

    A component that a closure explains is not told of twice.
    """
    found: list[Trouble] = []
    explained: set[str] = set()
    for one in shut:
        felt = tuple(
            component
            for component, state in states.items()
            if str(one.closure.id) in state.closure_ids and kind_of(state.condition) is not None
        )
        if not felt:
            continue
        explained |= set(felt)
        kind = kind_of(max((states[name].condition for name in felt), key=lambda it: it.rank))
        found.append(
            Trouble(
                cause_key=cause_of(one.closure),
                kind=kind or Kind.DEGRADED,
                components=felt,
                begun_at=one.closure.made_at,
                closure_ids=(str(one.closure.id),),
                ticket=one.ticket,
                stage=one.stage,
                source=source_of_closure(one.closure, one.ticket),
                extent=extent_of(states, felt),
                ends_at=one.closure.expires_at if one.ticket else None,
            )
        )
    sick: dict[str, list[ComponentState]] = {}
    for component, state in states.items():
        if component in explained or kind_of(state.condition) is None:
            continue
        service = SERVICES[component]
        sick.setdefault(f"health:{service.rail}:{service.partner}", []).append(state)
    for key, ill in sick.items():
        worst = max(ill, key=lambda it: it.condition.rank)
        found.append(
            Trouble(
                cause_key=key,
                kind=kind_of(worst.condition) or Kind.DEGRADED,
                components=tuple(one.component for one in ill),
                begun_at=min(one.since for one in ill),
                source=source_of_states(ill),
                extent=extent_of(states, [one.component for one in ill]),
            )
        )
    return found


def told_of_by(trouble: Trouble, known: Iterable[Incident]) -> Trouble:
    """The trouble under the name of the open incident that tells of its services already, if any.

    A network falls silent, is closed for it, and is still silent when it is opened: to everybody
    who waits that is one story.
    """
    wanted = set(trouble.components)
    known = tuple(known)
    for one in known:
        if trouble.ticket and one.ticket == trouble.ticket:
            return msgspec.structs.replace(trouble, cause_key=one.cause_key)
    for one in known:
        told = set(one.components)
        if one.begun_at > trouble.begun_at and is_planned(one, trouble.begun_at):
            continue  # what is only planned explains nothing yet
        if wanted <= told or told <= wanted:
            return msgspec.structs.replace(trouble, cause_key=one.cause_key)
    return trouble


def source_of_closure(closure: Closure, ticket: str) -> Source:
    """Who closed it: people, a ticket's plan, or the bank by itself for what its class says."""
    if ticket:
        return Source.PLANNED
    if closure.made_by.startswith(STAFF):
        return Source.STAFF_CLOSED
    match closure.signal_class:
        case SignalClass.INTEGRITY:
            return Source.MONEY
        case SignalClass.ABUSE:
            return Source.ABUSE
        case SignalClass.HEALTH:
            return Source.NETWORK
        case SignalClass.CONTROL:
            return Source.CONTROL
        case _:
            assert_never(closure.signal_class)


def cause_of(closure: Closure) -> str:
    """Tells one trouble from another: its reason, and the rail or scope it is about."""
    return f"{closure.reason}:{closure.scope.rail or text_of(closure.scope)}"


def next_state(
    incident: Incident,
    states: Mapping[str, ComponentState],
    stage: Stage | None,
    settings: IncidentSettings,
    now: datetime,
) -> IncidentState | None:
    """Where the story goes now; None: nowhere, it stays as it was told.

    ``stage``: of its closures, the one that lets the fewest in. A state that people set stands:
    what is seen may only make it worse, and count its money. A plan stands until its end.
    """
    well = well_of(states, incident.components)
    to = _seen_state(incident, stage, settings, now, well=well)
    if to is None or incident.state in {IncidentState.DETECTED, IncidentState.SERVICE_RESTORED}:
        return to
    if is_planned(incident, now):
        return None
    is_better = to in {IncidentState.MONITORING, IncidentState.SERVICE_RESTORED}
    is_better |= to is IncidentState.RECOVERING and incident.state is IncidentState.PUBLISHED
    is_peoples = not incident.follows and incident.ends_at is None
    return None if is_better and is_peoples else to


def well_of(states: Mapping[str, ComponentState], components: Iterable[str]) -> Tristate:
    """Whether all of these services are well; unknown while one of them is not measured."""
    return all_of(
        known_as(None)
        if states[name].condition is Condition.NOT_MEASURED
        else known_as(states[name].condition is Condition.OPERATIONAL)
        for name in components
        if name in states
    )


def plans_of(known: Iterable[Incident], now: datetime) -> frozenset[str]:
    """The tickets of changes that were told before and have begun: only these are changes."""
    return frozenset(
        one.ticket for one in known if one.kind is Kind.SCHEDULED_CHANGE and one.begun_at <= now
    )


def is_planned(incident: Incident, now: datetime) -> bool:
    """Whether it is a change within, or before, the time that was told for it."""
    return incident.ends_at is not None and now < incident.ends_at


def _seen_state(
    incident: Incident,
    stage: Stage | None,
    settings: IncidentSettings,
    now: datetime,
    *,
    well: Tristate,
) -> IncidentState | None:
    """Where what is seen would lead it. What is not measured leads nowhere."""
    match incident.state:
        case IncidentState.DETECTED:
            return IncidentState.PUBLISHED
        case IncidentState.PUBLISHED if well is Tristate.YES:
            return IncidentState.MONITORING
        case IncidentState.PUBLISHED if stage is not None:
            return IncidentState.RECOVERING
        case IncidentState.RECOVERING if well is Tristate.YES:
            return IncidentState.MONITORING
        case IncidentState.RECOVERING if stage is None:
            return IncidentState.PUBLISHED
        case IncidentState.RECOVERING if stage != incident.stage:
            return IncidentState.RECOVERING
        case IncidentState.MONITORING if well is Tristate.NO:
            return IncidentState.RECOVERING if stage is not None else IncidentState.PUBLISHED
        case IncidentState.MONITORING if well is Tristate.YES and _has_been_well(
            incident, settings, now
        ):
            return IncidentState.SERVICE_RESTORED
        case IncidentState.SERVICE_RESTORED if well is Tristate.NO:
            return IncidentState.RECOVERING if stage is not None else IncidentState.PUBLISHED
        case IncidentState.SERVICE_RESTORED if _is_clear(incident):
            return IncidentState.MONEY_RESOLVED
        case _:
            return None


def word_due(incident: Incident, settings: IncidentSettings, now: datetime) -> bool:
    """Whether the promised word is due and the bank is to give it."""
    if settings.words != "bank" or incident.next_update_at is None:
        return False
    early = timedelta(seconds=min(30.0, _rhythm(incident, settings) / 10))
    return now >= incident.next_update_at - early


def next_word_at(incident: Incident, settings: IncidentSettings, now: datetime) -> datetime:
    """When the next word is due after one that is given now; of a plan, when it begins."""
    if incident.begun_at > now:
        return incident.begun_at
    return now + timedelta(seconds=_rhythm(incident, settings))


def _rhythm(incident: Incident, settings: IncidentSettings) -> float:
    return settings.next_word_seconds if incident.major else settings.minor_word_seconds


def _has_been_well(incident: Incident, settings: IncidentSettings, now: datetime) -> bool:
    since = next(
        (
            one.at
            for one, before in zip(
                reversed(incident.updates), [*reversed(incident.updates[:-1]), None], strict=True
            )
            if one.state is IncidentState.MONITORING
            and (before is None or before.state is not IncidentState.MONITORING)
        ),
        None,
    )
    return since is not None and now >= since + timedelta(seconds=settings.monitor_seconds)


def _is_clear(incident: Incident) -> bool:
    return incident.money.counted_at is not None and incident.money.open == 0
