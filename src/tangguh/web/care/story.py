"""A case in words: how it stands, what happens next, by when, and what its person may do. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from tangguh.core.format import spoken
from tangguh.disputes.case import AGAINST, EVIDENCE_MAX, Case, CaseState, Outcome
from tangguh.disputes.complaints import BANK
from tangguh.disputes.letters import answer_of
from tangguh.disputes.store import Event, Message
from tangguh.disputes.verdict import WaitsFor
from tangguh.payments.payment import Payment
from tangguh.web.words import Words

_OURS: Final = frozenset({"look_again"})
"""Steps that change nothing for the person."""
_REASONED: Final = frozenset({Outcome.REFUSED, Outcome.EXPLAINED, Outcome.PAID_BY_BANK})
_LOOKS: Final = {
    CaseState.RECEIVED: ("clock", "info"),
    CaseState.WAITING: ("clock", "wait"),
    CaseState.WITH_STAFF: ("list", "info"),
    CaseState.NEEDS_PAPERS: ("warn", "wait"),
    CaseState.ESCALATED: ("list", "info"),
}


def reason_of(words: Words, why: str) -> str:
    """The bank's own reason in a reader's language; what people wrote stays as they wrote it."""
    key = because_key(why)
    return words(key) if words.has(key) else why


def because_key(why: str) -> str:
    """Under which key a reason of the bank's has its words."""
    return f"because.{re.sub(r'[^a-z]+', '_', why.lower()).strip('_')}"


class CaseStep(msgspec.Struct, frozen=True):
    """A line of the timeline."""

    at: datetime
    what: str
    words: str


class Said(msgspec.Struct, frozen=True):
    """What was written. ``is_theirs``: by the person, not by the bank."""

    at: datetime
    is_theirs: bool
    text: str


class CaseStory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a case's page says. ``answer`` and ``reason`` are empty while it is open.

    ``by``: the moment that counts now, in words. ``may_object``: what is written next is an
    objection. ``laps``: the answer was against the person, so the way on is named.
    """

    label: str
    icon: str
    tone: str
    sentence: str
    by: str
    answer: str
    reason: str
    may_object: bool
    laps: bool
    may_write: bool
    may_add: bool


def tell(
    words: Words, case: Case, payment: Payment | None, now: datetime, token: str = ""
) -> CaseStory:
    """The story of a case as of now. ``token``: the power token of its payment, if it has one."""
    icon, tone = _look(case)
    is_closed = case.state is CaseState.CLOSED
    may_object = case.state is CaseState.DECIDED and not case.has_objected
    is_reasoned = case.outcome in _REASONED and case.decided_by != BANK
    return CaseStory(
        label=label_of(words, case),
        icon=icon,
        tone=tone,
        sentence=_sentence(words, case, now, may_object=may_object),
        by=_by(words, case, now),
        answer=answer_of(case, payment, words.language, token),
        reason=case.why if is_reasoned else "",
        may_object=may_object,
        laps=case.outcome in AGAINST,
        may_write=case.is_open or may_object,
        may_add=not is_closed and len(case.evidence) < EVIDENCE_MAX,
    )


def label_of(words: Words, case: Case) -> str:
    """The state in a few words."""
    return words(f"case.state_{_state_key(case.state, case.why)}")


def waits_for(why: str) -> WaitsFor | None:
    """What a waiting case waits for, by its reason; None where the reason is an old one."""
    return next((one for one in WaitsFor if one == why), None)


def _state_key(state: str, why: str) -> str:
    """A state as its words are found: waiting by what it waits for."""
    reason = waits_for(why) if state == CaseState.WAITING else None
    return f"waiting_{reason.name.lower()}" if reason is not None else state


def steps_of(words: Words, events: list[Event]) -> list[CaseStep]:
    """The timeline, without what is only the bank's own book-keeping."""
    return [
        CaseStep(event.at, event.what, words(f"case.did_{_did(event)}"))
        for event in events
        if event.what not in _OURS
    ]


def said_in(messages: list[Message]) -> list[Said]:
    """What was written, oldest first."""
    return [Said(one.at, one.by.startswith(("customer:", "public")), one.body) for one in messages]


def _did(event: Event) -> str:
    if event.what == "clock":
        return event.state  # the clock moved it; where to, is what counts
    if event.what == "opened" and event.detail == BANK:
        return "opened_bank"
    return _state_key(event.what, event.detail)


def _look(case: Case) -> tuple[str, str]:
    if case.state in _LOOKS:
        return _LOOKS[case.state]
    if case.outcome is Outcome.REFUSED:
        return "cross", "bad"
    return ("warn", "info") if case.outcome is Outcome.NO_PAPERS else ("check", "ok")


def _sentence(words: Words, case: Case, now: datetime, *, may_object: bool) -> str:
    if case.state is CaseState.NEEDS_PAPERS:
        return words("case.next_needs_papers", what=case.why)
    if case.state is CaseState.DECIDED:
        until = spoken(case.act_by, now, words.language)
        key = "case.next_decided" if may_object else "case.next_decided_again"
        return words(key, until=until)
    looked_at = case.act_by if case.act_by > now else case.due_at
    time = spoken(looked_at, now, words.language)
    return words(f"case.next_{_state_key(case.state, case.why)}", time=time)


def _by(words: Words, case: Case, now: datetime) -> str:
    """When the next thing is due: the answer, or the person's papers."""
    if not case.is_open:
        return ""
    time = spoken(case.due_at, now, words.language)
    is_theirs = case.state is CaseState.NEEDS_PAPERS
    return words("case.by_papers" if is_theirs else "case.by_answer", time=time)
