"""Examples of the staff API: made by the very views that answer, from one incident of one noon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.access.approval import Change, Vote
from tangguh.access.approval import Rule as Signing
from tangguh.access.people import Role, Staff
from tangguh.disputes.case import About, Case, CaseState, Evidence, Outcome
from tangguh.disputes.store import Event, Message
from tangguh.guard.backtest import BackTest, Firing
from tangguh.guard.closure import Closure, SignalClass, State
from tangguh.guard.rules import Metric, Rule
from tangguh.guard.scope import Scope, text_of
from tangguh.recovery.climb import Climb
from tangguh.recovery.climber import Looked
from tangguh.status.component import ComponentState, Condition, Reach
from tangguh.status.incident import Incident, Kind, Text
from tangguh.status.regulator.drafts import Document, Figures, Section
from tangguh.web.api.document import oncall_examples
from tangguh.web.staff import cases, devices, incidents, routes
from tangguh.web.staff.views import change_view, climb_view, closure_view
from tangguh.work.care.bulk import BulkPreview
from tangguh.work.control.preview import Preview, Share
from tangguh.work.control.room import CloseOrder

_NOON: Final = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
_SOON: Final = _NOON + timedelta(minutes=15)
_CLOSURE_ID: Final = UUID("019d0a70-2d10-7c44-9e51-7b0d4c3f1a01")
_CHANGE_ID: Final = UUID("019d0a71-9c02-71fe-8b13-0aa5f3d82b02")
_CASE_ID: Final = UUID("019d0a72-4411-7e0a-a6c2-3c1be5d99c03")
_PAYMENT_ID: Final = UUID("019d0a5f-0a10-7bd1-9a44-0c2e7f61d822")
_INCIDENT_ID: Final = UUID("019d0a73-58f7-7b66-8d0f-4e2a91c04d04")
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_SCOPE: Final = Scope(rail="qris", direction="out")
_TEXT: Final = text_of(_SCOPE)
_WHY: Final = "Saklar QRIS tidak menjawab sejak pukul 11.55 WIB"
_WORDS_ID: Final = "QRIS ditutup sementara. Saldo Anda tercatat."
_WORDS_EN: Final = "QRIS is closed for now. Your balance is recorded."
_ONE: Final = Staff(id="staff:1", hr_id="hr:1", roles=frozenset({Role.INCIDENT_COMMANDER}))
_TWO: Final = Staff(id="staff:2", hr_id="hr:2", roles=frozenset({Role.RISK_OFFICER}))
_CLOSURE: Final = closure_view(
    Closure(
        id=_CLOSURE_ID,
        scope=_SCOPE,
        signal_class=SignalClass.HEALTH,
        reason="by_hand",
        cause=_WHY,
        evidence="",
        evidence_sha256=_SHA256,
        made_by=_ONE.id,
        owner=_ONE.id,
        made_at=_NOON,
        expires_at=_NOON + timedelta(hours=1),
        message_id=_WORDS_ID,
        message_en=_WORDS_EN,
        state=State.CONFIRMED,
        confirmed_by=(_ONE.id,),
        next_word_at=_SOON,
    ),
    _NOON,
)
_CHANGE: Final = change_view(
    Change(
        id=_CHANGE_ID,
        kind="gate.narrow",
        subject=str(_CLOSURE_ID),
        payload=b'{"scopes":["rail=qris direction=out partner=switch"]}',
        sha256=_SHA256,
        maker=_ONE,
        made_at=_NOON,
        rule=Signing(roles=(Role.RISK_OFFICER,), people=1),
        votes=(Vote(by=_TWO, at=_NOON, is_yes=True),),
    ),
    _NOON,
)
_PROPOSED: Final = {"others are asked": {"change": _CHANGE}}
_CLIMB: Final = climb_view(
    Climb(
        closure_id=str(_CLOSURE_ID),
        scope=_TEXT,
        signal_class=SignalClass.HEALTH,
        salt="0c2e7f61",
        entered_at=_NOON,
        cause=_WHY,
        fix="Saklar menjawab lagi",
    ),
    Looked(_NOON, str(_CLOSURE_ID), _TEXT, "held", "waits", "one look more"),
)
_RULE: Final = Rule(
    id="qris_unanswered",
    signal_class=SignalClass.HEALTH,
    metric=Metric.TECHNICAL_COUNT,
    by=("rail", "direction"),
    threshold=5,
    window_seconds=60,
    reason="partner_unanswered",
    cause=_WHY,
    message_id=_WORDS_ID,
    message_en=_WORDS_EN,
    ttl_seconds=300,
)
_RULE_TEST: Final[dict[str, Any]] = {
    **msgspec.to_builtins(
        BackTest(
            _RULE.id,
            9_120,
            9_100,
            (Firing(_NOON, _TEXT, 6, 12, 20, "partner=switch"),),
            12,
            20,
            1,
            100,
        )
    ),
    "may_go_live_alone": True,
}
_LINE: Final[dict[str, Any]] = {
    "id": _CASE_ID,
    "number": "P-2603-000017",
    "customer_id": 1,
    "about": About.NO_WORD,
    "channel": "app",
    "state": CaseState.WITH_STAFF,
    "turn": "people",
    "opened_at": _NOON,
    "payment_id": _PAYMENT_ID,
    "incident_id": None,
    "owner": "",
    "why": "network_silent",
    "clock": cases.clock_of(
        Case(
            id=_CASE_ID,
            number="P-2603-000017",
            customer_id=1,
            about=About.NO_WORD,
            channel="app",
            language="id",
            opened_at=_NOON,
            complete_at=_NOON,
            due_at=_NOON + timedelta(days=7),
            act_by=_NOON + timedelta(days=1),
            text_sha256=_SHA256,
        ),
        _NOON,
    ),
}
_CASE: Final = _LINE | {
    "language": "id",
    "events": 2,
    "is_extended": False,
    "has_objected": False,
    "outcome": None,
    "decided_by": "",
    "decided_at": None,
    "address": "",
    "payment": None,
    "verdict": {"says": "ask_staff", "outcome": None, "why": "network_silent", "until": None},
    "timeline": [Event(1, _NOON, "received", "opened", "", "customer:1")],
    "messages": [Message(_NOON, "customer:1", "Uang saya belum sampai.")],
    "evidence": [
        Evidence(sha256=_SHA256, media="image/jpeg", size=48_213, pages=1, given_at=_NOON)
    ],
}
_CASE_GIVEN: Final = {"the case as it stands": _CASE}
_INCIDENT: Final[dict[str, Any]] = {
    **msgspec.to_builtins(
        Incident(
            id=_INCIDENT_ID,
            kind=Kind.PARTNER_OUTAGE,
            components=("qris.pay",),
            begun_at=_NOON,
            cause_key="qris.out",
        )
    ),
    "next_update_at": None,
    "is_overdue": False,
}
_INCIDENT_GIVEN: Final = {"the incident as it stands": _INCIDENT}
_WORDS: Final = {"in words": cases.Words(_WHY)}
_REASON: Final = {"a reason": routes.Why(_WHY)}

ASKS: Final[dict[str, dict[str, Any]]] = {
    "previewGate": {"a scope": routes.ScopeOnly(_TEXT)},
    "closeGate": {
        "a network that is down": CloseOrder(
            scope=_TEXT,
            reason="by_hand",
            cause=_WHY,
            message_id=_WORDS_ID,
            message_en=_WORDS_EN,
            signal_class=SignalClass.HEALTH,
            minutes=10,
        )
    },
    "widenGate": {"all of the network": routes.ScopeOnly("rail=qris")},
    "narrowGate": {"one partner only": routes.Scopes((f"{_TEXT} partner=switch",))},
    "declareWrong": _REASON,
    "startLadder": {
        "cause, fix and evidence": routes.Start(
            cause=_WHY, fix="Saklar menjawab lagi", evidence="100 jawaban berturut-turut"
        )
    },
    "stepBack": _REASON,
    "approveChange": {"exactly what was shown": routes.Yes(_SHA256)},
    "testRule": {"over a week": routes.NewRule(_RULE)},
    "setRule": {"in force": routes.NewRule(_RULE, "diuji tujuh hari")},
    "issueDevice": {
        "one more device": devices.NewDevice(),
        "a new secret": devices.NewDevice(replaces=True),
    },
    "endDevice": {"nothing to say": devices.Nothing()},
    "resetDevices": {"a lost telephone": devices.Reset("staff:2", "telepon hilang")},
    "openCase": {
        "taken down at the counter": cases.NewCase(
            1, About.NO_WORD, "Uang saya belum sampai.", "counter-17", _PAYMENT_ID
        )
    },
    "answerCase": {"it came back": cases.NewAnswer(Outcome.CAME_BACK, "Dana sudah kembali.", 2)},
    "askPapers": _WORDS,
    "extendCase": _WORDS,
    "escalateCase": _WORDS,
    "claimCase": _WORDS,
    "payForCase": {"the bank's own money": incidents.Pay(10100000011, 2_500_000, _WHY)},
    "openIncident": {
        "no machine has seen it": incidents.NewIncident(
            Kind.DEGRADED, ("qris.pay",), "qris.out", follow=True
        )
    },
    "sayWord": {
        "in both languages": incidents.Texts(
            id=Text(
                headline="QRIS terganggu",
                happened="Sebagian pembayaran QRIS belum mendapat jawaban.",
                money="Dana yang ditahan tetap milik Anda.",
                do="Jangan membayar ulang; tunggu kabar kami.",
            ),
            en=Text(
                headline="QRIS is disturbed",
                happened="Some QRIS payments have had no answer yet.",
                money="What is held is still yours.",
                do="Do not pay again; wait for our word.",
            ),
        )
    },
    "reviewIncident": {"the review": incidents.Review("Penyebab dan perbaikan", "Cause and fix")},
    "discardIncident": {"a draft nobody has read": incidents.Why(_WHY)},
    "previewBulk": {"without an advance": incidents.Advance()},
    "proposeBulk": {"up to Rp100.000 each": incidents.Advance(10_000_000)},
    "reportSent": {"the first report": incidents.SentReport("initial", _SHA256, "SR-2026-03-001")},
    "overrideComponent": {"worse, at once": incidents.Override(_WHY, "down", 30)},
}
TOLD: Final[dict[str, dict[str, Any]]] = {
    "listGates": {"one is closed": {"version": 7, "closures": [_CLOSURE], "said": []}},
    "gateHistory": {
        "newest first": {
            "events": [
                {
                    "at": _NOON, "closure": _CLOSURE_ID, "what": "closed", "by": "staff:1",
                    "version": 7,
                }
            ]
        }
    },
    "previewGate": {
        "what it would stop": Preview(
            _TEXT, 9_120, 2_010, 220, 180, 4_020_000_000, 1_410, 3,
            {"mobile.qris.offus": 2_010},
            (Share(f"{_TEXT} partner=switch", 200, 160),), needs_people=False,
            probes=12, probes_in_flight=0,
        )
    },
    "closeGate": {"it is closed": {"closure": _CLOSURE}, **_PROPOSED},
    "confirmGate": {"somebody stands behind it": {"closure": _CLOSURE}, **_PROPOSED},
    "listLadders": {"one is on its way back": {"ladders": [_CLIMB]}},
    "ladderHistory": {
        "from its first step": {
            "steps": [{"at": _NOON, "what": "started", "why": "", "by": "staff:1", "rung": "held"}]
        }
    },
    "startLadder": {"it stands on its first rung": _CLIMB},
    "stepBack": {"it is closed again": _CLIMB},
    "listChanges": {"one waits": {"changes": [_CHANGE]}},
    "listRules": {"one rule": {"rules": [msgspec.to_builtins(_RULE)]}},
    "testRule": {"it would have closed once": _RULE_TEST},
    "setRule": {"it is in force": {"rule": _RULE.id, "mode": "live", "where": ""}, **_PROPOSED},
    "issueDevice": {"told once": {"device": "nYx0c3RhZmYgZGV2aWNlIHNlY3JldCwgb25jZQ"}},
    "endDevice": {"it has ended": {"ended": True}},
    "listCases": {"the most urgent first": {"cases": [_LINE]}},
    "getFigures": {
        "a month": Figures(
            bank="Bank Contoh", month="2026-03", opened={"no_word": 3}, decided={"arrived": 2},
            still_open=1, overdue=0,
        )
    },
    "listIncidents": {"one is open": {"incidents": [_INCIDENT]}},
    "getIncident": {
        "with its journal": _INCIDENT
        | {"journal": [{"at": _NOON, "what": "opened", "by": "staff:1"}], "clocks": []}
    },
    "previewBulk": {
        "whom it would reach": BulkPreview(
            incident=str(_INCIDENT_ID), payments=3, people=3, minor=7_500_000,
            states={"unanswered": 3}, advance_max_minor=0, advances=0, advances_minor=0,
            sha256=_SHA256,
        )
    },
    "getReport": {
        "a draft": Document(
            title="Laporan awal", subtitle="Bank Contoh", missing=("contact",), note="",
            language="id",
            sections=(Section("Gangguan", fields=(("Mulai", "20 Maret 2026 pukul 12.00 WIB"),)),),
        )
    },
    "reportSent": {"it was sent": {"sent": "initial"}},
    "listComponents": {
        "one component": {
            "components": [
                ComponentState(
                    component="qris.pay", condition=Condition.DOWN, reach=Reach.PART, since=_NOON
                )
            ]
        }
    },
    "overrideComponent": {**_PROPOSED},
    **dict.fromkeys(
        (
            "widenGate", "narrowGate", "declareWrong", "approveChange", "denyChange",
            "bookOutflows", "resetDevices", "payForCase", "proposeBulk",
        ),
        _PROPOSED,
    ),
    **dict.fromkeys(
        (
            "openCase", "getCase", "answerCase", "askPapers", "extendCase", "escalateCase",
            "claimCase", "addCaseEvidence",
        ),
        _CASE_GIVEN,
    ),
    **dict.fromkeys(
        ("openIncident", "sayWord", "reviewIncident", "discardIncident"), _INCIDENT_GIVEN
    ),
    **oncall_examples.TOLD,
}  # fmt: skip


def of(operation_id: str) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
    """What is asked of an operation, and what it answers by status; each by what it shows."""
    told = TOLD.get(operation_id)
    return ASKS.get(operation_id, {}), {} if told is None else {200: told}
