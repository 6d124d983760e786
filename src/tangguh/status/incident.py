"""Incidents: one story of one trouble, from the draft to the last rupiah. Pure.

    detected ──► published ──► recovering ──► monitoring ──► service_restored ──► money_resolved
        │            ▲              │              │                │                  │
        └► discarded └──────────────┴──────────────┴────────────────┘                  ▼
           (a draft only)               (it is there again)                       post_mortem

Service and money end apart: the service may be well for days while one payment is open, and as
long the incident stays open and owes a next word by the clock (resilience blueprint §4.4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.status.component import COMPONENTS, Condition, Stage
from tangguh.status.source import Extent, Source, worse

LANGUAGES: Final = ("id", "en")
KEPT: Final = timedelta(days=366)
"""Twelve months, and a day for the leap year."""
NEXT_WORD_MAX: Final = {True: timedelta(minutes=15), False: timedelta(minutes=30)}
"""By when the next word is due at most: a major incident, a minor one."""
PLANNED_NOTICE_MIN: Final = timedelta(hours=1)
"""So long before it begins a planned change is told; what begins sooner is no plan."""
FIRST_WORD_MAX: Final = timedelta(minutes=5)
"""From the begin to the first public word."""
HEADLINE_MAX: Final = 160
PART_MAX: Final = 700
"""Characters. The page must reach a phone on 2G."""


class Kind(StrEnum):
    """What sort of trouble it is. Leaves the house: never renamed."""

    PROTECTIVE_RESTRICTION = "protective_restriction"
    DEGRADED = "degraded"
    PARTNER_OUTAGE = "partner_outage"
    SCHEDULED_CHANGE = "scheduled_change"
    DOWN = "down"


class IncidentState(StrEnum):
    """Where an incident is. Leaves the house: never renamed."""

    DETECTED = "detected"
    PUBLISHED = "published"
    RECOVERING = "recovering"
    MONITORING = "monitoring"
    SERVICE_RESTORED = "service_restored"
    MONEY_RESOLVED = "money_resolved"
    POST_MORTEM = "post_mortem"
    DISCARDED = "discarded"

    @property
    def is_public(self) -> bool:
        """Whether the public page shows it."""
        return self not in {IncidentState.DETECTED, IncidentState.DISCARDED}

    @property
    def owes_word(self) -> bool:
        """Whether a next word is due by the clock."""
        return self in _OWING

    @property
    def is_open(self) -> bool:
        """Whether service or money is still to be made good."""
        return self in _OWING or self is IncidentState.DETECTED


_S = IncidentState
_OWING: Final = frozenset({_S.PUBLISHED, _S.RECOVERING, _S.MONITORING, _S.SERVICE_RESTORED})
TRANSITIONS: Final[dict[IncidentState, frozenset[IncidentState]]] = {
    _S.DETECTED: frozenset({_S.PUBLISHED, _S.DISCARDED}),
    _S.PUBLISHED: frozenset({_S.PUBLISHED, _S.RECOVERING, _S.MONITORING}),
    _S.RECOVERING: frozenset({_S.RECOVERING, _S.PUBLISHED, _S.MONITORING}),
    _S.MONITORING: frozenset({_S.MONITORING, _S.PUBLISHED, _S.RECOVERING, _S.SERVICE_RESTORED}),
    _S.SERVICE_RESTORED: frozenset(
        {_S.SERVICE_RESTORED, _S.PUBLISHED, _S.RECOVERING, _S.MONEY_RESOLVED}
    ),
    _S.MONEY_RESOLVED: frozenset({_S.SERVICE_RESTORED, _S.POST_MORTEM}),
    _S.POST_MORTEM: frozenset(),
    _S.DISCARDED: frozenset(),
}
"""A state that leads to itself takes another word without a step."""


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One word to the public in one language, by what it answers."""

    headline: str
    happened: str
    works: str = ""
    broken: str = ""
    money: str
    do: str

    @property
    def parts(self) -> tuple[str, ...]:
        """Everything it says, the headline first."""
        said = (self.headline, self.happened, self.works, self.broken, self.money, self.do)
        return tuple(one for one in said if one)


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """A word that was given. ``by`` never leaves the house."""

    at: datetime
    state: IncidentState
    texts: Mapping[str, Text]
    by: str
    next_update_at: datetime | None = None
    stage: Stage | None = None


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """The payments an incident touched and what became of them. Sums in minor units.

    ``counted_at`` None: nobody has counted, which is not the same as none.
    """

    affected: int = 0
    affected_minor: int = 0
    open: int = 0
    open_minor: int = 0
    came_back: int = 0
    came_back_minor: int = 0
    arrived: int = 0
    arrived_minor: int = 0
    counted_at: datetime | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. ``cause_key`` tells one trouble from another (``bifast.out``) and is internal.

    ``ticket`` is that of the change, without which nothing is called a change. ``major`` incidents
    owe a word more often. ``reviews`` is the post-mortem by language. ``source``: by what it is
    known; ``extent``: how much its newest word said is missing, ``worst`` the most there was.
    ``follows``: what is seen moves it on; else its state is people's. A planned change has a
    beginning (``begun_at``) and an end (``ends_at``).
    """

    id: UUID
    kind: Kind
    components: tuple[str, ...]
    begun_at: datetime
    cause_key: str
    major: bool = False
    state: IncidentState = IncidentState.DETECTED
    closure_ids: tuple[str, ...] = ()
    ticket: str = ""
    stage: Stage | None = None
    updates: tuple[Update, ...] = ()
    money: Money = Money()
    published_at: datetime | None = None
    restored_at: datetime | None = None
    resolved_at: datetime | None = None
    reviews: Mapping[str, str] = {}
    source: Source = Source.UNKNOWN
    extent: Extent = Extent.NONE
    worst: Extent = Extent.NONE
    follows: bool = True
    ends_at: datetime | None = None

    @property
    def next_update_at(self) -> datetime | None:
        """When the next word is due; None when none is owed."""
        if not self.state.owes_word or not self.updates:
            return None
        return self.updates[-1].next_update_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether a word was promised and has not come; for a draft, the first word."""
        if self.state is IncidentState.DETECTED:
            return now > self.begun_at + FIRST_WORD_MAX
        due = self.next_update_at
        return due is not None and now > due

    def is_kept(self, now: datetime) -> bool:
        """Whether the public page still tells of it."""
        end = self.resolved_at or self.begun_at
        return self.state.is_open or now - end <= KEPT


Lint = Callable[[str, str, bool], Iterable[str]]
"""(text, language, is there a change ticket) → complaints about the text; none: it may be said."""

_CHANGE_WORDS: Final = re.compile(
    r"\bpemeliharaan\b|\bperawatan sistem\b|\bmaintenance\b", re.IGNORECASE
)


def begin(
    incident_id: UUID,
    kind: Kind,
    components: Iterable[str],
    begun_at: datetime,
    *,
    cause_key: str,
    major: bool | None = None,
    closure_ids: Iterable[str] = (),
    ticket: str = "",
    stage: Stage | None = None,
    source: Source = Source.UNKNOWN,
    extent: Extent = Extent.NONE,
    follows: bool = True,
    ends_at: datetime | None = None,
) -> Incident | Refused:
    """A draft. ``major`` None: as its kind is. Refuses ORDER_INVALID, TICKET_MISSING."""
    touched = tuple(one for one in COMPONENTS if one in set(components))
    if not touched or len(touched) != len(set(components)):
        return Refused(Refusal.ORDER_INVALID, "components", "name components that exist")
    if not cause_key:
        return Refused(Refusal.ORDER_INVALID, "cause_key", "name what it is about")
    if kind is Kind.SCHEDULED_CHANGE and not ticket.strip():
        return Refused(Refusal.TICKET_MISSING, "ticket", "a change has a ticket")
    if ends_at is not None and ends_at <= begun_at:
        return Refused(Refusal.ORDER_INVALID, "ends_at", "it ends after it begins")
    return Incident(
        id=incident_id,
        kind=kind,
        components=touched,
        begun_at=begun_at,
        cause_key=cause_key,
        major=is_major(kind) if major is None else major,
        closure_ids=tuple(sorted(set(closure_ids))),
        ticket=ticket,
        stage=stage,
        source=source,
        worst=extent,
        follows=follows,
        ends_at=ends_at,
    )


def is_major(kind: Kind) -> bool:
    """Whether this kind owes a word every quarter of an hour."""
    return kind in {Kind.PROTECTIVE_RESTRICTION, Kind.DOWN}


def kind_of(condition: Condition) -> Kind | None:
    """The kind of incident a component's condition calls for; None: it calls for none."""
    if condition in {Condition.OPERATIONAL, Condition.NOT_MEASURED}:
        return None
    return Kind(str(condition))


def say(
    incident: Incident,
    to: IncidentState,
    texts: Mapping[str, Text],
    now: datetime,
    *,
    by: str,
    lint: Lint,
    next_update_at: datetime | None = None,
    stage: Stage | None = None,
    extent: Extent | None = None,
    follows: bool | None = None,
) -> Incident | Refused:
    """Give a word, and move on with it: nothing moves in silence.

    ``stage`` None keeps the one there is while it recovers. ``extent``: how much the word says is
    missing. ``follows``: whether what is seen moves it on from here; None: as before.

    Refuses INCIDENT_STEP_NOT_ALLOWED, MONEY_STILL_OPEN, NEXT_WORD_MISSING, TEXT_NOT_ALLOWED,
    TICKET_MISSING.
    """
    if to not in TRANSITIONS[incident.state] or to is IncidentState.DISCARDED:
        return _no_step(incident, to)
    if to is IncidentState.RECOVERING and (stage or incident.stage) is None:
        return Refused(Refusal.INCIDENT_STEP_NOT_ALLOWED, "stage", "say which stage of how many")
    if to is IncidentState.POST_MORTEM:
        return Refused(Refusal.INCIDENT_STEP_NOT_ALLOWED, "state", "it ends with its review")
    if to is IncidentState.MONEY_RESOLVED and (refused := _refuse_money(incident)):
        return refused
    if refused := _refuse_next_word(incident, to, next_update_at, now):
        return refused
    if refused := refuse_texts(texts, incident.ticket, lint):
        return refused
    stage = stage or incident.stage
    is_staged = to in {IncidentState.RECOVERING, IncidentState.MONITORING}
    update = Update(
        at=now,
        state=to,
        texts=dict(texts),
        by=by,
        next_update_at=next_update_at if to.owes_word else None,
        stage=stage if is_staged else None,
    )
    return msgspec.structs.replace(
        incident,
        state=to,
        updates=(*incident.updates, update),
        stage=stage if is_staged else None,
        extent=incident.extent if extent is None else extent,
        worst=incident.worst if extent is None else worse(incident.worst, extent),
        follows=incident.follows if follows is None else follows,
        published_at=incident.published_at or now,
        restored_at=_first(incident.restored_at, now) if to in _RESTORED else None,
        resolved_at=now if to is IncidentState.MONEY_RESOLVED else None,
    )


_RESTORED: Final = frozenset({_S.SERVICE_RESTORED, _S.MONEY_RESOLVED, _S.POST_MORTEM})


def discard(incident: Incident, now: datetime) -> Incident | Refused:
    """Take back a draft that nobody has read. What was published is never taken back."""
    if incident.state is not IncidentState.DETECTED:
        return _no_step(incident, IncidentState.DISCARDED)
    return msgspec.structs.replace(incident, state=IncidentState.DISCARDED, resolved_at=now)


def review(incident: Incident, reviews: Mapping[str, str], lint: Lint) -> Incident | Refused:
    """Close with the post-mortem: cause and fixes, in both languages.

    Refuses INCIDENT_STEP_NOT_ALLOWED, MONEY_STILL_OPEN, TEXT_NOT_ALLOWED.
    """
    if IncidentState.POST_MORTEM not in TRANSITIONS[incident.state]:
        return _no_step(incident, IncidentState.POST_MORTEM)
    if refused := _refuse_money(incident):
        return refused
    for language in LANGUAGES:
        text = reviews.get(language, "").strip()
        if not text:
            return Refused(Refusal.TEXT_NOT_ALLOWED, language, "say it in both languages")
        for complaint in _complaints((text,), language, incident.ticket, lint):
            return Refused(Refusal.TEXT_NOT_ALLOWED, language, complaint)
    return msgspec.structs.replace(
        incident, state=IncidentState.POST_MORTEM, reviews={one: reviews[one] for one in LANGUAGES}
    )


def count_money(incident: Incident, money: Money) -> Incident | Refused:
    """What is known of the payments now. One found open later opens the incident's money again.

    Refuses ORDER_INVALID unless every affected payment is in exactly one heap, and
    INCIDENT_STEP_NOT_ALLOWED once the story is closed.
    """
    if incident.state in {IncidentState.POST_MORTEM, IncidentState.DISCARDED}:
        return _no_step(incident, incident.state)
    heaps = (money.open, money.came_back, money.arrived)
    sums = (money.open_minor, money.came_back_minor, money.arrived_minor)
    if min(*heaps, *sums) < 0 or money.counted_at is None:
        return Refused(Refusal.ORDER_INVALID, "money", "count from nought, and say when")
    if sum(heaps) != money.affected or sum(sums) != money.affected_minor:
        return Refused(Refusal.ORDER_INVALID, "money", "every payment is in exactly one heap")
    counted = msgspec.structs.replace(incident, money=money)
    if incident.state is IncidentState.MONEY_RESOLVED and money.open:
        back = IncidentState.SERVICE_RESTORED
        counted = msgspec.structs.replace(counted, state=back, resolved_at=None)
    return counted


def join(
    incident: Incident,
    components: Iterable[str],
    closure_ids: Iterable[str] = (),
    *,
    kind: Kind | None = None,
    stage: Stage | None = None,
    source: Source = Source.UNKNOWN,
    extent: Extent = Extent.NONE,
) -> Incident:
    """The same trouble, wider: its components and closures join the story, and never leave it.

    A ``kind`` that is worse replaces the one it had, with its ``source``; ``stage`` is the newest
    one known.
    """
    touched = {*incident.components, *components}
    is_worse = kind is not None and Condition(str(kind)).rank > Condition(str(incident.kind)).rank
    told = kind if kind is not None and is_worse else incident.kind
    is_named = source is not Source.UNKNOWN and (is_worse or incident.source is Source.UNKNOWN)
    return msgspec.structs.replace(
        incident,
        kind=told,
        source=source if is_named else incident.source,
        worst=worse(incident.worst, extent),
        major=incident.major or is_major(told),
        components=tuple(one for one in COMPONENTS if one in touched),
        closure_ids=tuple(sorted({*incident.closure_ids, *closure_ids})),
        stage=stage or incident.stage,
    )


def find_same(
    incidents: Iterable[Incident], cause_key: str, closure_ids: Iterable[str] = ()
) -> Incident | None:
    """The open incident that already tells of this trouble: a closure of it, or its cause."""
    wanted = set(closure_ids)
    found = [one for one in incidents if one.state.is_open]
    for one in found:
        if wanted & set(one.closure_ids):
            return one
    for one in found:
        if one.cause_key == cause_key:
            return one
    return None


def refuse_texts(texts: Mapping[str, Text], ticket: str, lint: Lint) -> Refused | None:
    """Both languages, whole, within size, and nothing the rules forbid."""
    for language in LANGUAGES:
        text = texts.get(language)
        if text is None:
            return Refused(Refusal.TEXT_NOT_ALLOWED, language, "say it in both languages")
        for field in ("headline", "happened", "money", "do"):
            if not getattr(text, field).strip():
                return Refused(Refusal.TEXT_NOT_ALLOWED, f"{language}.{field}", "leave none out")
        if not all(part.isprintable() for part in text.parts):
            return Refused(Refusal.TEXT_NOT_ALLOWED, language, "one line each, printable")
        if len(text.headline) > HEADLINE_MAX or max(map(len, text.parts)) > PART_MAX:
            return Refused(Refusal.TEXT_NOT_ALLOWED, language, "too long for a small phone")
        if not ticket and any(_CHANGE_WORDS.search(part) for part in text.parts):
            return Refused(Refusal.TICKET_MISSING, language, "only a change may be called one")
        for complaint in _complaints(text.parts, language, ticket, lint):
            return Refused(Refusal.TEXT_NOT_ALLOWED, language, complaint)
    return None


def _complaints(
    parts: Iterable[str], language: str, ticket: str, lint: Lint
) -> Iterable[str]:  # fmt: skip
    for part in parts:
        yield from lint(part, language, bool(ticket))


def _refuse_money(incident: Incident) -> Refused | None:
    money = incident.money
    if money.counted_at is None:
        return Refused(Refusal.MONEY_STILL_OPEN, "money", "nobody has counted the payments")
    if money.open > 0:
        return Refused(Refusal.MONEY_STILL_OPEN, "money", f"{money.open} payments are still open")
    return None


def _refuse_next_word(
    incident: Incident, to: IncidentState, next_update_at: datetime | None, now: datetime
) -> Refused | None:
    if not to.owes_word:
        return None
    longest = max(NEXT_WORD_MAX[incident.major], incident.begun_at - now)  # until a plan begins
    if next_update_at is None or not now < next_update_at <= now + longest:
        minutes = int(longest.total_seconds() // 60)
        return Refused(
            Refusal.NEXT_WORD_MISSING, "next_update_at", f"promise it within {minutes} minutes"
        )
    return None


def _no_step(incident: Incident, to: IncidentState) -> Refused:
    return Refused(
        Refusal.INCIDENT_STEP_NOT_ALLOWED, "state", f"it is {incident.state} and cannot be {to}"
    )


def _first(known: datetime | None, now: datetime) -> datetime:
    return known or now
