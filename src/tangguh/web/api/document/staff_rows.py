"""A row for each route of the staff API: its name, what it takes and gives, how it is refused."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tangguh.disputes.evidence.judge import SIZE_MAX
from tangguh.status.judgement import Override
from tangguh.status.regulator.drafts import Document, Figures
from tangguh.web.api.document import staff_shapes as shapes
from tangguh.web.api.parameters import Parameter
from tangguh.web.staff import cases, devices, figures, incidents, routes
from tangguh.web.staff.oncall import routes as oncall
from tangguh.work.care.bulk import BulkPreview
from tangguh.work.control.preview import Preview
from tangguh.work.control.room import CloseOrder
from tangguh.work.tracing.shapes import CaseTold, CustomerTold, Lines, Me, Trace


class Described(msgspec.Struct, frozen=True):
    """What a route says of itself beside its act and its path."""

    id: str
    summary: str
    takes: Any = None
    gives: Any = None
    problems: tuple[str, ...] = ()
    gives_files: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()


_SIGNING: Final = ("change_already_pending", "same_person", "two_people_needed", "order_invalid")
_GATE: Final = ("closure_not_found", "gate_step_not_allowed", "text_not_allowed", *_SIGNING)
_OPENS: Final = (*_GATE, "money_still_open", "overloaded")
_VOTE: Final = (
    "change_not_found",
    "change_ended",
    "change_expired",
    "change_differs",
    *_OPENS,
)
_CASE: Final = ("case_not_found", "case_step_not_allowed", "order_invalid", "text_not_allowed")
_INCIDENT: Final = (
    "incident_not_found",
    "incident_step_not_allowed",
    "order_invalid",
    "text_not_allowed",
    "next_word_missing",
    "ticket_missing",
    "money_still_open",
)
_PAYS: Final = ("account_not_found", "payment_not_found", "amount_not_positive", *_SIGNING)
_FIGURES: Final = "complaints/figures"

ROWS: Final[dict[tuple[str, str], Described]] = {
    ("GET", "gates"): Described("listGates", "Every closure in force", None, shapes.GATES),
    ("GET", "gates/history"): Described(
        "gateHistory", "What happened to gates", None, shapes.GATE_EVENTS
    ),
    ("POST", "gates/preview"): Described(
        "previewGate", "What a closure would stop", routes.ScopeOnly, Preview, ("order_invalid",)
    ),
    ("POST", "gates"): Described(
        "closeGate",
        "Close a part of the bank, or all of it",
        CloseOrder,
        (shapes.CLOSED, shapes.PROPOSED),
        _GATE,
    ),
    ("POST", "gates/{closure}/confirm"): Described(
        "confirmGate", "Stand behind a closure", None, (shapes.CLOSED, shapes.PROPOSED), _GATE
    ),
    ("POST", "gates/{closure}/widen"): Described(
        "widenGate", "Propose the next wider scope", routes.ScopeOnly, shapes.PROPOSED, _GATE
    ),
    ("POST", "gates/{closure}/narrow"): Described(
        "narrowGate", "Propose to keep parts closed", routes.Scopes, shapes.PROPOSED, _GATE
    ),
    ("POST", "gates/{closure}/false-positive"): Described(
        "declareWrong", "Propose that it was wrong", routes.Why, shapes.PROPOSED, _GATE
    ),
    ("GET", "ladders"): Described("listLadders", "Every climb that goes on", None, shapes.LADDERS),
    ("GET", "ladders/{closure}"): Described(
        "ladderHistory", "Every step of one climb", None, shapes.STEPS, ("closure_not_found",)
    ),
    ("POST", "ladders/{closure}/start"): Described(
        "startLadder", "Begin the way back", routes.Start, shapes.CLIMB, _OPENS
    ),
    ("POST", "ladders/{closure}/back"): Described(
        "stepBack", "Close it again", routes.Why, shapes.CLIMB, _OPENS
    ),
    ("GET", "changes"): Described("listChanges", "What people are asked", None, shapes.CHANGES),
    ("POST", "changes/{change}/approve"): Described(
        "approveChange", "Say yes to what was shown", routes.Yes, shapes.PROPOSED, _VOTE
    ),
    ("POST", "changes/{change}/deny"): Described(
        "denyChange", "Say no to a change", None, shapes.PROPOSED, _VOTE
    ),
    ("POST", "outflows/book"): Described(
        "bookOutflows", "Propose to book what left", None, shapes.PROPOSED, _PAYS
    ),
    ("GET", "rules"): Described("listRules", "The guard's rules in force", None, shapes.RULES),
    ("POST", "rules/test"): Described(
        "testRule", "What a rule would have closed", routes.NewRule, shapes.RULE_TEST, _SIGNING
    ),
    ("POST", "rules"): Described(
        "setRule",
        "Put a rule in force",
        routes.NewRule,
        (shapes.RULE_SET, shapes.PROPOSED),
        ("text_not_allowed", *_SIGNING),
    ),
    ("POST", "devices"): Described(
        "issueDevice", "A device's secret", devices.NewDevice, shapes.DEVICE
    ),
    ("POST", "devices/end"): Described("endDevice", "End a device", devices.Nothing, shapes.ENDED),
    ("POST", "devices/reset"): Described(
        "resetDevices", "Propose to end another's devices", devices.Reset, shapes.PROPOSED, _SIGNING
    ),
    ("GET", "me"): Described("whoAmI", "Whose token it is, and the bank's time", None, Me),
    ("GET", "payments"): Described(
        "findPayments", "Payments by what is known of them", None, Lines, (), (), oncall.OF_FIND
    ),
    ("GET", "payments/named"): Described(
        "paymentsNamed", "Payments a reference names", None, Lines, (), (), oncall.OF_NAMED
    ),
    ("GET", "payments/{payment}"): Described(
        "tracePayment", "One payment's whole story", None, Trace, ("payment_not_found",)
    ),
    ("GET", "customers/{who}"): Described(
        "showCustomer", "A customer, masked", None, CustomerTold, ("not_found",)
    ),
    ("GET", "cases/{number}/outline"): Described(
        "outlineCase", "A case without its words", None, CaseTold, ("case_not_found",)
    ),
    ("GET", "cases"): Described("listCases", "What people must act on", None, shapes.CASES),
    ("POST", "cases"): Described(
        "openCase",
        "Take a complaint down",
        cases.NewCase,
        shapes.CASE,
        ("payment_not_found", "idempotency_key_reused", *_CASE),
    ),
    ("GET", "cases/{case}"): Described("getCase", "A complaint whole", None, shapes.CASE, _CASE),
    ("GET", "cases/{case}/evidence/{file}/pages/{page}"): Described(
        "getCaseEvidence",
        "A page of a file, as the bank drew it",
        problems=("case_not_found", "not_found"),
        gives_files=("image/jpeg",),
    ),
    ("POST", "cases/{case}/evidence"): Described(
        "addCaseEvidence",
        f"Take a file somebody brought, of at most {SIZE_MAX} bytes",
        None,
        shapes.CASE,
        ("evidence_refused", *_CASE),
    ),
    ("POST", "cases/{case}/answer"): Described(
        "answerCase", "Decide a complaint", cases.NewAnswer, shapes.CASE, _CASE
    ),
    ("POST", "cases/{case}/papers"): Described(
        "askPapers", "Ask for papers", cases.Words, shapes.CASE, _CASE
    ),
    ("POST", "cases/{case}/extend"): Described(
        "extendCase", "Ten working days more", cases.Words, shapes.CASE, _CASE
    ),
    ("POST", "cases/{case}/escalate"): Described(
        "escalateCase", "To the head of complaints", cases.Words, shapes.CASE, _CASE
    ),
    ("POST", "cases/{case}/claim"): Described(
        "claimCase",
        "Claim it from the network",
        cases.Words,
        shapes.CASE,
        ("payment_not_found", "way_back_taken", "payment_not_refundable", *_CASE),
    ),
    ("POST", "cases/{case}/pay"): Described(
        "payForCase",
        "Propose to pay a customer",
        incidents.Pay,
        shapes.PROPOSED,
        ("case_not_found", "case_step_not_allowed", *_PAYS),
    ),
    ("GET", _FIGURES): Described(
        "getFigures", "The month's figures", None, Figures, parameters=(figures.MONTH,)
    ),
    ("GET", f"{_FIGURES}.pdf"): Described(
        "getFiguresPdf",
        "The month's figures to read",
        gives_files=(figures.MEDIA["pdf"],),
        parameters=(figures.MONTH, figures.LANGUAGE),
    ),
    ("GET", f"{_FIGURES}.docx"): Described(
        "getFiguresDocx",
        "The month's figures to finish",
        gives_files=(figures.MEDIA["docx"],),
        parameters=(figures.MONTH, figures.LANGUAGE),
    ),
    ("GET", "incidents"): Described(
        "listIncidents", "Open ones and newest", None, shapes.INCIDENTS
    ),
    ("POST", "incidents"): Described(
        "openIncident", "Begin one by hand", incidents.NewIncident, shapes.INCIDENT, _INCIDENT
    ),
    ("GET", "incidents/{incident}"): Described(
        "getIncident",
        "One incident whole",
        None,
        shapes.WHOLE_INCIDENT,
        ("incident_not_found",),
        parameters=(incidents.PERSONAL_DATA,),
    ),
    ("POST", "incidents/{incident}/word"): Described(
        "sayWord", "Give a word", incidents.Texts, shapes.INCIDENT, _INCIDENT
    ),
    ("POST", "incidents/{incident}/review"): Described(
        "reviewIncident", "Close it with its review", incidents.Review, shapes.INCIDENT, _INCIDENT
    ),
    ("POST", "incidents/{incident}/discard"): Described(
        "discardIncident", "Take back a draft", incidents.Why, shapes.INCIDENT, _INCIDENT
    ),
    ("POST", "incidents/{incident}/bulk/preview"): Described(
        "previewBulk", "Whom an act would reach", incidents.Advance, BulkPreview, _INCIDENT
    ),
    ("POST", "incidents/{incident}/bulk"): Described(
        "proposeBulk",
        "Propose an act for everybody it touched",
        incidents.Advance,
        shapes.PROPOSED,
        (*_INCIDENT, *_SIGNING),
    ),
    ("GET", "incidents/{incident}/reports/{report}"): Described(
        "getReport",
        "A draft for an authority: values, DOCX or PDF",
        None,
        Document,
        ("incident_not_found", "order_invalid"),
        tuple(figures.MEDIA.values()),
        incidents.REPORT_PARAMETERS,
    ),
    ("POST", "incidents/{incident}/reports/sent"): Described(
        "reportSent", "A report was sent", incidents.SentReport, shapes.SENT, _INCIDENT
    ),
    ("GET", "components"): Described(
        "listComponents", "Every component as it is shown", None, shapes.COMPONENTS
    ),
    ("POST", "components/{component}/override"): Described(
        "overrideComponent",
        "People's word on a component",
        incidents.Override,
        (Override, shapes.PROPOSED),
        ("text_not_allowed", *_SIGNING),
    ),
}
