"""The staff API of incidents: words, steps, people's word on components, the act for many, reports.

Each handler is one act of one member of staff; what may be said and done is decided in the book.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute

from tangguh.access.acts import Act
from tangguh.access.approval import Change
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.text import FIT
from tangguh.ledger.command import Command
from tangguh.payments.people.changes import Alone
from tangguh.status import store
from tangguh.status.book import (
    OVERRIDE_KIND,
    DiscardDraft,
    MoveIncident,
    OpenIncident,
    OverrideComponent,
    ReviewIncident,
    UpdateIncident,
    payload_of,
)
from tangguh.status.component import COMPONENTS, Condition
from tangguh.status.incident import Incident, IncidentState, Kind, Text
from tangguh.status.judgement import people_needed, shown_now
from tangguh.status.regulator.drafts import Report
from tangguh.status.regulator.papers import as_docx, as_pdf
from tangguh.status.source import Source
from tangguh.web.api.parameters import Choice, Parameter
from tangguh.web.api.parameters import Text as TextParameter
from tangguh.web.problems import trouble
from tangguh.web.staff.door import Call, StaffDoor, route
from tangguh.web.staff.figures import LANGUAGE
from tangguh.web.staff.views import change_view
from tangguh.work.care.bulk import Bulk
from tangguh.work.care.pay import Payouts
from tangguh.work.incidents.desk import IncidentDesk
from tangguh.work.incidents.lint import lint_with
from tangguh.work.incidents.reporting import Reporting, Told

_DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
A = TypeVar("A")
_OVERRIDE_MINUTES_MAX: Final = 24 * 60
_SAID_MAX: Final = 500
PERSONAL_DATA: Final = Choice(
    name="personal_data", words=("yes", "no"), about="Whether personal data were touched"
)
WHICH_DATA: Final = TextParameter(
    name="personal_data", pattern=FIT, length_max=_SAID_MAX, about="Which personal data, if any"
)
CONTACT: Final = TextParameter(
    name="contact", pattern=FIT, length_max=_SAID_MAX, about="Whom to ask"
)
POLICE_REPORT: Final = TextParameter(
    name="police_report", pattern=FIT, length_max=_SAID_MAX, about="The number of the report"
)
REPORT_PARAMETERS: Final[tuple[Parameter, ...]] = (WHICH_DATA, CONTACT, POLICE_REPORT, LANGUAGE)
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset."""


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word in both languages. ``to``: the state it leads to; empty: where the incident is.

    That state stands until people change it; ``follow``: what is seen may move it on from there.
    """

    id: Text
    en: Text
    to: str = ""
    next_minutes: float = 15.0
    follow: bool = False


class NewIncident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incident people open: a scheduled change with its ticket, or what no machine has seen.

    Its state is people's; ``follow``: what is seen may move it on. A change has ``starts_at`` and
    ``ends_at``, and is told before it begins.
    """

    kind: Kind
    components: tuple[str, ...]
    cause_key: str
    ticket: str = ""
    follow: bool = False
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cause and fixes in both languages."""

    id: str
    en: str


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason in words."""

    why: str


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People's word on a component; ``condition`` empty takes it back."""

    reason: str
    condition: str = ""
    minutes: int = 60


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to how much of the bank's money for each unanswered payment, in minor units."""

    advance_max_minor: int = 0


class Pay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much of the bank's money to an account, for a case, in minor units."""

    account: int
    amount_minor: int
    why: str


class SentReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which report was sent, the hash of exactly what, and the authority's reference."""

    deadline: str
    sha256: str
    reference: str = ""


class IncidentRoutes:
    """The handlers, over what they need."""

    def __init__(
        self,
        staff: StaffDoor,
        desk: IncidentDesk,
        bulk: Bulk,
        payouts: Payouts,
        reporting: Reporting,
    ) -> None:
        self._payouts = payouts
        self._decide = staff.door.desk.decide
        self._desk = desk
        self._bulk = bulk
        self._reporting = reporting

    # ---- incidents -------------------------------------------------------------------------------

    async def every(self, call: Call) -> Any:
        """The open incidents and the newest of the others."""
        door = call.staff.door
        now = door.clock.now()
        open_ones = await store.open_incidents(door.pool, door.book_id)
        recent = await store.recent_incidents(door.pool, door.book_id, now - timedelta(days=31))
        known = {one.id: one for one in (*open_ones, *recent)}
        return {"incidents": [_view(one, call) for one in known.values()]}

    async def one(self, call: Call) -> Any:
        """One incident with its journal and its clocks."""
        incident = await self._find(call)
        door = call.staff.door
        happened = await store.events_of(door.pool, door.book_id, f"incident:{incident.id}")
        clocks = await self._reporting.clocks(incident, personal_data=_has_data(call))
        now = door.clock.now()
        return _view(incident, call) | {
            "journal": [{"at": one.at, "what": one.what, "by": one.made_by} for one in happened],
            "clocks": [
                {
                    "deadline": one.deadline.id,
                    "authority": one.deadline.authority,
                    "source": one.deadline.source,
                    "certainty": one.deadline.certainty,
                    "due_at": one.due_at,
                    "urgency": one.urgency(now),
                    "sent": msgspec.to_builtins(one.sent),
                }
                for one in clocks
            ],
        }

    async def open(self, call: Call) -> Any:
        """Begin one by hand; the desk gives its first word at the next look."""
        asked = call.read(NewIncident)
        door = call.staff.door
        now, is_plan = door.clock.now(), asked.kind is Kind.SCHEDULED_CHANGE
        if not is_plan and (asked.starts_at or asked.ends_at):
            return Refused(Refusal.ORDER_INVALID, "starts_at", "only a change is planned")
        opened = await self._alone(
            call,
            Act.INCIDENT_OPEN,
            OpenIncident(
                incident_id=door.ids.next(),
                kind=asked.kind,
                components=asked.components,
                begun_at=asked.starts_at or now,
                cause_key=asked.cause_key,
                by=call.by.id,
                ticket=asked.ticket,
                source=Source.PLANNED if is_plan else Source.STAFF_SAID,
                follows=asked.follow,
                ends_at=asked.ends_at,
            ),
        )
        return opened if isinstance(opened, Refused) else _view(opened, call)

    async def say(self, call: Call) -> Any:
        """Give a word, with a step or without."""
        incident, asked = await self._find(call), call.read(Texts)
        door, keeper = call.staff.door, self._desk.keeper
        lint = lint_with({one: keeper.assured(one) for one in ("id", "en")}, self._desk.states)
        texts = {"id": asked.id, "en": asked.en}
        due = door.clock.now() + timedelta(minutes=min(max(asked.next_minutes, 1.0), 60.0))
        if not asked.to:
            moved = await self._alone(
                call,
                Act.INCIDENT_WORD,
                UpdateIncident(
                    incident_id=incident.id,
                    texts=texts,
                    lint=lint,
                    by=call.by.id,
                    next_update_at=due,
                ),
            )
        else:
            try:
                to = IncidentState(asked.to)
            except ValueError:
                return Refused(Refusal.ORDER_INVALID, "to", "no such state")
            moved = await self._alone(
                call,
                Act.INCIDENT_WORD,
                MoveIncident(
                    incident_id=incident.id,
                    to=to,
                    texts=texts,
                    lint=lint,
                    by=call.by.id,
                    next_update_at=due,
                    follows=asked.follow,
                ),
            )
        return moved if isinstance(moved, Refused) else _view(moved, call)

    async def review(self, call: Call) -> Any:
        """Close it with cause and fixes."""
        incident, asked = await self._find(call), call.read(Review)
        closed = await self._alone(
            call,
            Act.INCIDENT_REVIEW,
            ReviewIncident(
                incident_id=incident.id,
                reviews={"id": asked.id, "en": asked.en},
                lint=lint_with({}),
                by=call.by.id,
            ),
        )
        return closed if isinstance(closed, Refused) else _view(closed, call)

    async def discard(self, call: Call) -> Any:
        """Take back a draft nobody has read."""
        incident, why = await self._find(call), call.read(Why).why
        draft = DiscardDraft(incident_id=incident.id, why=why, by=call.by.id)
        gone = await self._alone(call, Act.INCIDENT_DISCARD, draft)
        return gone if isinstance(gone, Refused) else _view(gone, call)

    # ---- components ------------------------------------------------------------------------------

    async def components(self, call: Call) -> Any:
        """Every component as it is shown now."""
        return {"components": [msgspec.to_builtins(one) for one in self._desk.states.values()]}

    async def override(self, call: Call) -> Any:
        """Say worse alone; better, or down, is proposed, and done when a second person signs."""
        component, asked = call.request.path_params["component"], call.read(Override)
        word = await self._word(call, component, asked)
        if isinstance(word, Refused):
            return word
        door = call.staff.door
        standing = (await store.overrides(door.pool, door.book_id, door.clock.now())).get(component)
        shown = shown_now(word.computed, standing, door.clock.now())
        wanted = word.condition or word.computed
        if people_needed(shown, wanted) == 1:
            done = await self._alone(call, Act.COMPONENT_WORSE, word)
            return done if isinstance(done, Refused) else msgspec.to_builtins(done)
        change = await call.staff.room.propose(call.by, OVERRIDE_KIND, component, payload_of(word))
        return _proposed(change)

    async def carry_override(self, change: Change) -> Any:
        """Two people said better: their exact word, once."""
        said = msgspec.json.decode(change.payload)
        until = said["until"]
        return await self._decide(
            OverrideComponent(
                component=said["component"],
                condition=Condition(said["condition"]) if said["condition"] else None,
                computed=Condition(said["computed"]),
                reason=said["reason"],
                by=change.maker.id,
                until=datetime.fromisoformat(until) if until else None,
                change_id=change.id,
            )
        )

    async def _word(
        self, call: Call, component: str, asked: Override
    ) -> OverrideComponent | Refused:
        state = self._desk.states.get(component)
        if component not in COMPONENTS or state is None:
            return Refused(Refusal.ORDER_INVALID, "component", "there is no such component")
        try:
            condition = Condition(asked.condition) if asked.condition else None
        except ValueError:
            return Refused(Refusal.ORDER_INVALID, "condition", "no such condition")
        minutes = min(max(asked.minutes, 1), _OVERRIDE_MINUTES_MAX)
        return OverrideComponent(
            component=component,
            condition=condition,
            computed=self._desk.computed(component),
            reason=asked.reason,
            by=call.by.id,
            until=call.staff.door.clock.now() + timedelta(minutes=minutes),
        )

    # ---- everybody it touched --------------------------------------------------------------------

    async def preview_bulk(self, call: Call) -> Any:
        """Whom the act would reach and what it would pay."""
        return await self._bulk.preview(call.id("incident"), call.read(Advance).advance_max_minor)

    async def propose_bulk(self, call: Call) -> Any:
        """Propose it; a second person signs the exact list."""
        most = call.read(Advance).advance_max_minor
        return _proposed(await self._bulk.propose(call.by, call.id("incident"), most))

    async def pay_for_case(self, call: Call) -> Any:
        """Propose to pay a customer for a case; a second person signs, then it is done."""
        asked = call.read(Pay)
        case = call.id("case")
        return _proposed(
            await self._payouts.propose(call.by, case, asked.account, asked.amount_minor, asked.why)
        )

    # ---- authorities -----------------------------------------------------------------------------

    async def report(self, call: Call) -> Any:
        """A draft as JSON, DOCX or PDF."""
        incident = await self._find(call)
        name, _, kind = call.request.path_params["report"].partition(".")
        try:
            report = Report(name)
        except ValueError:
            return Refused(Refusal.ORDER_INVALID, "report", "initial, full or breach")
        if report is Report.COMPLAINTS or kind not in ("", "json", "docx", "pdf"):
            return Refused(Refusal.ORDER_INVALID, "report", "json, docx or pdf of an incident")
        told = Told(
            personal_data=WHICH_DATA.of(call.request),
            contact=CONTACT.of(call.request),
            police_report=POLICE_REPORT.of(call.request),
        )
        language = LANGUAGE.of(call.request, "id")
        document = await self._reporting.draft(report, incident, told, language)
        if kind == "docx":
            return Response(as_docx(document), media_type=_DOCX)
        if kind == "pdf":
            return Response(as_pdf(document), media_type="application/pdf")
        return msgspec.to_builtins(document)

    async def report_sent(self, call: Call) -> Any:
        """Somebody has sent a report to an authority."""
        incident, asked = await self._find(call), call.read(SentReport)
        refused = await self._reporting.remember_sent(
            call.by, incident, asked.deadline, asked.sha256, asked.reference
        )
        return refused or {"sent": asked.deadline}

    async def _alone(self, call: Call, act: Act, command: Command[A]) -> A | Refused:
        return await self._decide(Alone(act=act, by=call.by, command=command))

    async def _find(self, call: Call) -> Incident:
        door = call.staff.door
        found = await store.find_incident(door.pool, door.book_id, call.id("incident"))
        if found is None:
            raise trouble(Refusal.INCIDENT_NOT_FOUND, "there is no such incident", "incident")
        return found


def routes(
    staff: StaffDoor, desk: IncidentDesk, bulk: Bulk, payouts: Payouts, reporting: Reporting
) -> list[BaseRoute]:
    """Everything staff do about incidents by HTTP."""
    found = IncidentRoutes(staff, desk, bulk, payouts, reporting)
    staff.room.carriers[OVERRIDE_KIND] = found.carry_override
    here = "/staff/v1/incidents/{incident}"
    table = (
        ("GET", "/staff/v1/incidents", found.every, Act.READ),
        ("POST", "/staff/v1/incidents", found.open, Act.INCIDENT_OPEN),
        ("GET", here, found.one, Act.READ),
        ("POST", f"{here}/word", found.say, Act.INCIDENT_WORD),
        ("POST", f"{here}/review", found.review, Act.INCIDENT_REVIEW),
        ("POST", f"{here}/discard", found.discard, Act.INCIDENT_DISCARD),
        ("POST", f"{here}/bulk/preview", found.preview_bulk, Act.PREVIEW),
        ("POST", f"{here}/bulk", found.propose_bulk, Act.CARE_BULK),
        ("GET", f"{here}/reports/{{report}}", found.report, Act.READ),
        ("POST", f"{here}/reports/sent", found.report_sent, Act.REPORT_SENT),
        ("POST", "/staff/v1/cases/{case}/pay", found.pay_for_case, Act.CARE_PAY),
        ("GET", "/staff/v1/components", found.components, Act.READ),
        ("POST", "/staff/v1/components/{component}/override", found.override, Act.COMPONENT),
    )
    return [route(staff, method, path, handler, act) for method, path, handler, act in table]


def _view(incident: Incident, call: Call) -> dict[str, Any]:
    now = call.staff.door.clock.now()
    shown: dict[str, Any] = msgspec.to_builtins(incident)
    return shown | {
        "next_update_at": incident.next_update_at,
        "is_overdue": incident.is_overdue(now),
    }


def _has_data(call: Call) -> bool:
    return PERSONAL_DATA.of(call.request, "") == "yes"


def _proposed(done: Any) -> Any:
    return done if isinstance(done, Refused) else {"change": change_view(done, done.made_at)}
