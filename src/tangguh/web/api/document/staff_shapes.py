"""What the staff API gives, as shapes: the structs behind its views, with what a view adds."""

from __future__ import annotations

from datetime import datetime
from types import GenericAlias
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from tangguh.access.approval import ChangeState
from tangguh.access.people import Role
from tangguh.disputes.case import Evidence
from tangguh.disputes.store import Event, Message
from tangguh.guard.backtest import BackTest
from tangguh.guard.closure import Allowance, Closure, SignalClass
from tangguh.guard.rules import Mode, Rule
from tangguh.recovery.rungs import Exposure
from tangguh.status.component import ComponentState
from tangguh.status.incident import Incident
from tangguh.status.regulator.clocks import Sent
from tangguh.web.api.views import PaymentView
from tangguh.work.guardian import Said

Hash = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[0-9a-f]{64}$"})]


def _shape(name: str, about: str, /, **fields: Any) -> Any:
    """A shape whose every member is there."""
    return msgspec.defstruct(name, list(fields.items()), namespace={"__doc__": about}, kw_only=True)


def _many(shape: Any) -> Any:
    """A list of a shape."""
    return GenericAlias(list, (shape,))


def _seen(name: str, about: str, of: type[msgspec.Struct], /, **more: Any) -> Any:
    """A struct as a view shows it: all of its members, some told otherwise, and more."""
    fields = {one.name: one.type for one in msgspec.structs.fields(of)}
    return _shape(name, about, **(fields | more))


CLOSURE: Final = _seen(
    "ClosureView",
    "A closure with what it does at this moment: closed, or limited to an allowance.",
    Closure,
    scope=str,
    effect=Literal["closed"] | Allowance,
    is_over=bool,
    seconds_left=int,
)
VOTE: Final = _shape("VoteView", "One yes or no.", by=str, yes=bool, at=datetime)
CHANGE: Final = _shape(
    "ChangeView",
    "A change as people are shown it before they sign: its exact content and its hash.",
    id=UUID,
    kind=str,
    subject=str,
    payload=dict[str, Any],
    sha256=Hash,
    made_by=str,
    made_at=datetime,
    expires_at=datetime,
    state=ChangeState,
    is_live=bool,
    lacking_roles=list[Role],
    votes=_many(VOTE),
)
CLIMB: Final = _shape(
    "ClimbView",
    "The way back of a closure: its rung of so many, and the newest look at it.",
    closure_id=str,
    scope=str,
    signal_class=SignalClass,
    state=str,
    rung=str,
    stage=int,
    stages=int,
    fast=bool,
    exposure=Exposure,
    cause=str,
    fix=str,
    control=str,
    entered_at=datetime,
    what=str,
    why=str,
    needs=list[str],
)
PROPOSED: Final = _shape("Proposed", "What others are asked to sign.", change=CHANGE)
CLOSED: Final = _shape("Closed", "What is closed now.", closure=CLOSURE)
GATES: Final = _shape(
    "Gates",
    "Every closure in force.",
    version=int,
    closures=_many(CLOSURE),
    said=list[Said],
)
_GATE_EVENT: Final = _shape(
    "GateEvent",
    "What happened to a gate.",
    at=datetime,
    closure=UUID,
    what=str,
    by=str,
    version=int,
)
GATE_EVENTS: Final = _shape("GateEvents", "Newest first.", events=_many(_GATE_EVENT))
LADDERS: Final = _shape("Ladders", "Every climb that goes on.", ladders=_many(CLIMB))
_STEP: Final = _shape("ClimbStep", "One step.", at=datetime, what=str, why=str, by=str, rung=str)
STEPS: Final = _shape("ClimbSteps", "Every step of one climb.", steps=_many(_STEP))
CHANGES: Final = _shape("Changes", "What people are asked.", changes=_many(CHANGE))
RULES: Final = _shape("Rules", "The guard's rules in force.", rules=list[Rule])
RULE_TEST: Final = _seen(
    "RuleTest", "What a rule would have closed.", BackTest, may_go_live_alone=bool
)
RULE_SET: Final = _shape("RuleSet", "A rule in force.", rule=str, mode=Mode, where=str)
DEVICE: Final = _shape("IssuedDevice", "A device's secret, told here only.", device=str)
ENDED: Final = _shape("EndedDevice", "The device opens nothing any more.", ended=bool)

_CLOCK: Final = _shape(
    "CaseClock",
    "How much time is left, and whether any is.",
    act_by=datetime,
    due_at=datetime,
    seconds_left=int,
    is_late=bool,
    is_overdue=bool,
)
_CASE_LINE: Final[dict[str, Any]] = {
    "id": UUID,
    "number": str,
    "customer_id": int,
    "about": str,
    "channel": str,
    "state": str,
    "turn": Literal["payment", "people"],
    "opened_at": datetime,
    "payment_id": UUID | None,
    "incident_id": UUID | None,
    "owner": str,
    "why": str,
    "clock": _CLOCK,
}
_LINE: Final = _shape("StaffCaseLine", "A complaint in the queue.", **_CASE_LINE)
CASES: Final = _shape("StaffCases", "What people must act on.", cases=_many(_LINE))
_VERDICT: Final = _shape(
    "VerdictView",
    "What the bank's own evidence says.",
    says=Literal["decide", "wait", "ask_network", "ask_staff"],
    outcome=str | None,
    why=str,
    until=datetime | None,
)
CASE: Final = _shape(
    "StaffCaseView",
    "A complaint with everything about it.",
    **_CASE_LINE,
    language=str,
    events=int,
    is_extended=bool,
    has_objected=bool,
    outcome=str | None,
    decided_by=str,
    decided_at=datetime | None,
    address=str,
    payment=PaymentView | None,
    verdict=_VERDICT | None,
    timeline=list[Event],
    messages=list[Message],
    evidence=list[Evidence],
)
INCIDENT_FIELDS: Final[dict[str, Any]] = {
    "next_update_at": datetime | None,
    "is_overdue": bool,
}
INCIDENT: Final = _seen("IncidentView", "An incident as staff see it.", Incident, **INCIDENT_FIELDS)
_JOURNAL: Final = _shape("JournalLine", "What happened.", at=datetime, what=str, by=str)
_DEADLINE: Final = _shape(
    "DeadlineView",
    "A report an authority waits for.",
    deadline=str,
    authority=str,
    source=str,
    certainty=str,
    due_at=datetime,
    urgency=str,
    sent=Sent | None,
)
WHOLE_INCIDENT: Final = _seen(
    "WholeIncident",
    "An incident with its journal and its clocks.",
    Incident,
    **INCIDENT_FIELDS,
    journal=_many(_JOURNAL),
    clocks=_many(_DEADLINE),
)
INCIDENTS: Final = _shape("Incidents", "Open ones first.", incidents=_many(INCIDENT))
COMPONENTS: Final = _shape(
    "Components", "Every component as it is shown now.", components=list[ComponentState]
)
SENT: Final = _shape("SentView", "Which report was sent.", sent=str)
