"""Incidents and overrides as rows of the book; every word given is a link of the chain. Pure.

Which incidents are open is one row of the book, so a second one for the same trouble cannot be
opened: whoever comes later joins the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec

from tangguh.access import approval
from tangguh.access.acts import Act, refuse_carry
from tangguh.access.approval import Change
from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.shelf import Loaded, ShelfPlan
from tangguh.payments.gates.judge import GATES, THE_BOARD, board_of
from tangguh.payments.people.changes import CHANGES
from tangguh.payments.people.changes import keep as keep_change
from tangguh.status import incident as story
from tangguh.status.component import Condition, Stage
from tangguh.status.incident import Incident, IncidentState, Kind, Lint, Money, Text
from tangguh.status.judgement import Override, lets_everything_through, refuse_override, shown_now
from tangguh.status.source import STAFF, Extent, Source

_SQL: Final = ("tangguh.status", "status.sql")
_encode: Final = msgspec.json.Encoder().encode
_decode_incident: Final = msgspec.json.Decoder(Incident).decode
_decode_override: Final = msgspec.json.Decoder(Override).decode
_decode_ids: Final = msgspec.json.Decoder(tuple[UUID, ...]).decode

THE_LIST: Final = 0
"""The key of the one row that lists the open incidents."""
OPEN_MAX: Final = 50
"""More open incidents than anybody can read: later trouble joins the newest."""


def _read_incident(row: Loaded) -> tuple[UUID, Incident]:
    found = _decode_incident(row["incident_json"])
    return found.id, found


def _incident_row(one: Incident) -> Row:
    return one.id, str(one.state), one.begun_at, _encode(one).decode()


INCIDENTS: Final[ShelfPlan[UUID, Incident]] = ShelfPlan(
    name="incidents",
    sql=_SQL,
    load="load_incidents",
    key_arrays=lambda keys: (list(keys),),
    read=_read_incident,
    table="incidents",
    columns=("incident_id", "state", "begun_at", "incident_json"),
    to_row=_incident_row,
    update="change_incidents",
    to_change=lambda one: (one.id, str(one.state), _encode(one).decode()),
    rows_max=1_000,
)


class OpenIncidents(msgspec.Struct, frozen=True):
    """The ids of the incidents that are open, oldest first."""

    ids: tuple[UUID, ...] = ()


def _open_row(one: OpenIncidents) -> Row:
    return THE_LIST, _encode(one.ids).decode()


OPEN_INCIDENTS: Final[ShelfPlan[int, OpenIncidents]] = ShelfPlan(
    name="open_incidents",
    sql=_SQL,
    load="load_open_incidents",
    key_arrays=lambda keys: (list(keys),),
    read=lambda row: (THE_LIST, OpenIncidents(_decode_ids(row["ids_json"]))),
    table="open_incidents",
    columns=("list_id", "ids_json"),
    to_row=_open_row,
    update="change_open_incidents",
    to_change=_open_row,
)


def _override_row(one: Override) -> Row:
    return one.component, _encode(one).decode()


OVERRIDES: Final[ShelfPlan[str, Override]] = ShelfPlan(
    name="component_overrides",
    sql=_SQL,
    load="load_overrides",
    key_arrays=lambda keys: (list(keys),),
    read=lambda row: (row["component"], _decode_override(row["override_json"])),
    table="component_overrides",
    columns=("component", "override_json"),
    to_row=_override_row,
    update="change_overrides",
    to_change=_override_row,
)
INCIDENT_EVENTS: Final = JournalPlan(
    table="incident_events",
    columns=("event_id", "batch_no", "at", "subject", "what", "made_by", "event_json"),
    order_by="event_id",
    sort_key=lambda row: row[0].int,
)
"""What was said and done, whole, as it became, to ``incident:<id>`` or ``component:<id>``."""


class _OnIncident(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about one incident reads it, and the list of open ones."""

    names_keys_at_once: ClassVar[bool] = True

    incident_id: UUID

    def keys(self, _book: Book) -> Iterable[Key]:
        return ((INCIDENTS.name, self.incident_id), (OPEN_INCIDENTS.name, THE_LIST))

    def find(self, book: Book) -> Incident | Refused:
        """The incident. Refuses INCIDENT_NOT_FOUND."""
        known = book.shelf(INCIDENTS).get(self.incident_id)
        if known is None:
            return Refused(Refusal.INCIDENT_NOT_FOUND, "incident", "there is no such incident")
        return known


class OpenIncident(_OnIncident, frozen=True, kw_only=True):
    """Begin an incident as a draft, or join the open one that tells of the same trouble.

    The same id again gives the incident as it is.
    """

    names_keys_at_once: ClassVar[bool] = False

    kind: Kind
    components: tuple[str, ...]
    begun_at: datetime
    cause_key: str
    by: str
    major: bool | None = None
    closure_ids: tuple[str, ...] = ()
    ticket: str = ""
    stage: Stage | None = None
    source: Source = Source.UNKNOWN
    extent: Extent = Extent.NONE
    follows: bool = True
    ends_at: datetime | None = None

    def keys(self, book: Book) -> Iterable[Key]:
        yield INCIDENTS.name, self.incident_id
        yield OPEN_INCIDENTS.name, THE_LIST
        if book.is_loaded(OPEN_INCIDENTS.name, THE_LIST):
            for one in _open_ids(book):
                yield INCIDENTS.name, one

    def decide(self, book: Book) -> Incident | Refused:
        """Refuses ORDER_INVALID and TICKET_MISSING.

        A change that people plan is told before it begins, with its end.
        """
        known = book.shelf(INCIDENTS).get(self.incident_id)
        if known is not None:
            return known
        if self.kind is Kind.SCHEDULED_CHANGE and self.by.startswith(STAFF):
            if self.ends_at is None:
                return Refused(Refusal.ORDER_INVALID, "ends_at", "say when it is over")
            if self.begun_at < book.now + story.PLANNED_NOTICE_MIN:
                minutes = int(story.PLANNED_NOTICE_MIN.total_seconds() // 60)
                return Refused(
                    Refusal.ORDER_INVALID, "starts_at", f"tell it {minutes} minutes before"
                )
        drafted = story.begin(
            self.incident_id,
            self.kind,
            self.components,
            self.begun_at,
            cause_key=self.cause_key,
            major=self.major,
            closure_ids=self.closure_ids,
            ticket=self.ticket,
            stage=self.stage,
            source=self.source,
            extent=self.extent,
            follows=self.follows,
            ends_at=self.ends_at,
        )
        if isinstance(drafted, Refused):
            return drafted
        there = [one for one in map(book.shelf(INCIDENTS).get, _open_ids(book)) if one is not None]
        same = story.find_same(there, self.cause_key, self.closure_ids)
        if same is None and len(there) >= OPEN_MAX:
            same = there[-1]
        if same is None:
            return _keep(book, drafted, "detected", self.by)
        joined = story.join(
            same, drafted.components, drafted.closure_ids, kind=self.kind, stage=self.stage,
            source=self.source, extent=self.extent,
        )  # fmt: skip
        return same if joined == same else _keep(book, joined, "joined", self.by)


class UpdateIncident(_OnIncident, frozen=True, kw_only=True):
    """Give the next word where the incident is: published or later, without a step."""

    texts: Mapping[str, Text]
    lint: Lint
    by: str
    next_update_at: datetime | None = None
    stage: Stage | None = None
    extent: Extent | None = None
    follows: bool | None = None

    def decide(self, book: Book) -> Incident | Refused:
        """Refuses INCIDENT_NOT_FOUND and what ``incident.say`` refuses."""
        known = self.find(book)
        if isinstance(known, Refused):
            return known
        said = story.say(
            known, known.state, self.texts, book.now, by=self.by, lint=self.lint,
            next_update_at=self.next_update_at, stage=self.stage, extent=self.extent,
            follows=self.follows,
        )  # fmt: skip
        return said if isinstance(said, Refused) else _keep(book, said, "updated", self.by)


class MoveIncident(_OnIncident, frozen=True, kw_only=True):
    """Move an incident on, with the word that says so."""

    to: IncidentState
    texts: Mapping[str, Text]
    lint: Lint
    by: str
    next_update_at: datetime | None = None
    stage: Stage | None = None
    extent: Extent | None = None
    follows: bool | None = None

    def keys(self, book: Book) -> Iterable[Key]:
        yield from super().keys(book)
        yield GATES.name, THE_BOARD

    def decide(self, book: Book) -> Incident | Refused:
        """Refuses INCIDENT_NOT_FOUND and what ``incident.say`` refuses.

        Also INCIDENT_STEP_NOT_ALLOWED for a service called well while a closure holds it.
        """
        known = self.find(book)
        if isinstance(known, Refused):
            return known
        if self.to in {IncidentState.SERVICE_RESTORED, IncidentState.MONEY_RESOLVED}:
            held = _still_held(book, known)
            if held:
                return Refused(
                    Refusal.INCIDENT_STEP_NOT_ALLOWED, "state", f"closure {held} is in force"
                )
        said = story.say(
            known, self.to, self.texts, book.now, by=self.by, lint=self.lint,
            next_update_at=self.next_update_at, stage=self.stage, extent=self.extent,
            follows=self.follows,
        )  # fmt: skip
        return said if isinstance(said, Refused) else _keep(book, said, str(self.to), self.by)


class SetMoney(_OnIncident, frozen=True, kw_only=True):
    """Write down what became of the payments an incident touched."""

    money: Money
    by: str

    def decide(self, book: Book) -> Incident | Refused:
        """Refuses INCIDENT_NOT_FOUND, ORDER_INVALID, INCIDENT_STEP_NOT_ALLOWED."""
        known = self.find(book)
        if isinstance(known, Refused):
            return known
        counted = story.count_money(known, self.money)
        if isinstance(counted, Refused):
            return counted
        if msgspec.structs.replace(counted.money, counted_at=None) == (
            msgspec.structs.replace(known.money, counted_at=None)
        ) and known.money.counted_at is not None:  # fmt: skip
            return known  # counted again with nothing new: no row every minute
        return _keep(book, counted, "money", self.by)


class ReviewIncident(_OnIncident, frozen=True, kw_only=True):
    """Close an incident with its post-mortem."""

    reviews: Mapping[str, str]
    lint: Lint
    by: str

    def decide(self, book: Book) -> Incident | Refused:
        """Refuses INCIDENT_NOT_FOUND and what ``incident.review`` refuses."""
        known = self.find(book)
        if isinstance(known, Refused):
            return known
        closed = story.review(known, self.reviews, self.lint)
        return closed if isinstance(closed, Refused) else _keep(book, closed, "closed", self.by)


class DiscardDraft(_OnIncident, frozen=True, kw_only=True):
    """Take back a draft that was never published."""

    why: str
    by: str

    def decide(self, book: Book) -> Incident | Refused:
        """Refuses INCIDENT_NOT_FOUND, ORDER_INVALID, INCIDENT_STEP_NOT_ALLOWED."""
        known = self.find(book)
        if isinstance(known, Refused):
            return known
        if not self.why.strip():
            return Refused(Refusal.ORDER_INVALID, "why", "say why")
        gone = story.discard(known, book.now)
        return gone if isinstance(gone, Refused) else _keep(book, gone, "discarded", self.by)


class OverrideComponent(msgspec.Struct, frozen=True, kw_only=True):
    """People's word on a component; ``condition`` None takes a word back.

    Worse than what is shown: one person, ``by``. Better, or down: ``change_id`` names the change of
    kind ``OVERRIDE_KIND`` that two people approved for ``payload_of`` this very word; it is used up
    in the same step, and those who signed stand behind the word.
    """

    names_keys_at_once: ClassVar[bool] = True

    component: str
    condition: Condition | None
    computed: Condition
    reason: str
    by: str
    until: datetime | None = None
    change_id: UUID | None = None

    def keys(self, _book: Book) -> Iterable[Key]:
        yield OVERRIDES.name, self.component
        if self.change_id is not None:
            yield CHANGES.name, self.change_id

    def decide(self, book: Book) -> Override | Refused:
        """Refuses ORDER_INVALID, TWO_PEOPLE_NEEDED, and what the use of an approval refuses."""
        standing = book.shelf(OVERRIDES).get(self.component)
        change = self._used(book)
        if isinstance(change, Refused):
            return change
        word = Override(
            component=self.component,
            condition=self.computed if self.condition is None else self.condition,
            over=self.computed,
            reason=self.reason,
            by=(self.by,) if change is None else signers_of(change),
            at=book.now,
            until=book.now if self.condition is None else self.until,
        )
        shown = shown_now(self.computed, standing, book.now)
        if refused := refuse_override(word, shown, book.now):
            return refused
        if change is not None:
            keep_change(book, change, "used", self.by)
        book.shelf(OVERRIDES).put(self.component, word)
        what = "override" if self.condition is not None else "override_ended"
        _note(book, f"component:{self.component}", what, ",".join(word.by), _encode(word))
        return word

    def _used(self, book: Book) -> Change | Refused | None:
        if self.change_id is None:
            return None
        change = book.shelf(CHANGES).get(self.change_id)
        if change is None:
            return Refused(Refusal.CHANGE_NOT_FOUND, "change", "there is no such change")
        if (change.kind, change.subject) != (OVERRIDE_KIND, self.component):
            return Refused(Refusal.CHANGE_DIFFERS, "change", "it is about something else")
        payload = approval.canonical(payload_of(self))
        return refuse_carry(change) or approval.use(change, payload, book.now)


OVERRIDE_KIND: Final = str(Act.COMPONENT)
"""The kind of change two people approve for a better word, or "down"; of the component."""


def payload_of(word: OverrideComponent) -> dict[str, Any]:
    """What two people sign: the exact word, and what was computed when they were shown it."""
    return {
        "component": word.component,
        "condition": str(word.condition or ""),
        "computed": str(word.computed),
        "reason": word.reason,
        "until": word.until.isoformat() if word.until else "",
    }


def signers_of(change: Change) -> tuple[str, ...]:
    """Who stands behind an approved change: its maker and everybody who said yes."""
    return tuple(dict.fromkeys((change.maker.id, *(one.by.id for one in change.votes))))


def _open_ids(book: Book) -> tuple[UUID, ...]:
    there = book.shelf(OPEN_INCIDENTS).get(THE_LIST)
    return () if there is None else there.ids


def _still_held(book: Book, known: Incident) -> str:
    board = board_of(book)
    for text in known.closure_ids:
        closure = board.find(UUID(text))
        if closure is not None and not lets_everything_through(closure.effect(book.now)):
            return text
    return ""


def _keep(book: Book, known: Incident, what: str, by: str) -> Incident:
    """Write an incident as it is now, the list of open ones, and who made it so."""
    book.shelf(INCIDENTS).put(known.id, known)
    ids = _open_ids(book)
    if known.state.is_open and known.id not in ids:
        book.shelf(OPEN_INCIDENTS).put(THE_LIST, OpenIncidents((*ids, known.id)))
    elif not known.state.is_open and known.id in ids:
        left = tuple(one for one in ids if one != known.id)
        book.shelf(OPEN_INCIDENTS).put(THE_LIST, OpenIncidents(left))
    _note(book, f"incident:{known.id}", what, by, _encode(known))
    return known


def _note(book: Book, subject: str, what: str, by: str, value: bytes) -> None:
    row = (book.ids.next(), book.batch_no, book.now, subject, what, by, value.decode())
    book.note(INCIDENT_EVENTS, row)


STATUS_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (INCIDENTS, OPEN_INCIDENTS, OVERRIDES)
