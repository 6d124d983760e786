"""A case: one complaint of one person, with its clock, its evidence and how it ended. Pure.

    received ─┬─► waiting ──────────┐   (its payment's own clock ends it, or people take it)
              ├─► with_staff ◄─┐    │
              │      │  └► needs_papers (their turn; without papers it closes)
              │      └► escalated   │
              └──────────┴──────────┴─► decided ─► closed
                                          └─► with_staff   (they object, once)

Every state that is no end has a time by which somebody acts: a case is closed or on a clock.
Deadlines are those of ``core.deadlines``, counted from when the papers are complete (POJK 22/2023).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core import deadlines
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.workdays import end_of_workday

EVIDENCE_MAX: Final = 5
TEXT_LENGTH_MAX: Final = 2_000
OBJECT_WORKDAYS: Final = 10
"""So long somebody may object to a decision; then the case closes."""
TARGET_WORKDAYS: Final = 1
"""The bank's own aim for what staff decide: nine of ten within a working day."""
ESCALATE_WORKDAYS: Final = 3
"""A case nobody has decided after so many working days goes to the head of complaints."""


class About(StrEnum):
    """What it is about. The value is stored and counted for the regulator."""

    CANNOT_OPEN = "cannot_open"
    TRANSFER = "transfer"
    CASH = "cash"
    FAILED_NOT_DEBITED = "failed_not_debited"
    FAILED_DEBITED = "failed_debited"
    TOPUP = "topup"
    SAFETY = "safety"
    NO_WORD = "no_word"
    NOT_MINE = "not_mine"
    OTHER = "other"


class CaseState(StrEnum):
    """Where a case is. ``closed`` is the only end."""

    RECEIVED = "received"
    WAITING = "waiting"
    WITH_STAFF = "with_staff"
    NEEDS_PAPERS = "needs_papers"
    ESCALATED = "escalated"
    DECIDED = "decided"
    CLOSED = "closed"


TRANSITIONS: Final[dict[CaseState, frozenset[CaseState]]] = {
    CaseState.RECEIVED: frozenset({CaseState.WAITING, CaseState.WITH_STAFF, CaseState.DECIDED}),
    CaseState.WAITING: frozenset(
        {CaseState.WITH_STAFF, CaseState.NEEDS_PAPERS, CaseState.ESCALATED, CaseState.DECIDED}
    ),
    CaseState.WITH_STAFF: frozenset(
        {CaseState.NEEDS_PAPERS, CaseState.ESCALATED, CaseState.WAITING, CaseState.DECIDED}
    ),
    CaseState.NEEDS_PAPERS: frozenset({CaseState.WITH_STAFF, CaseState.DECIDED}),
    CaseState.ESCALATED: frozenset({CaseState.NEEDS_PAPERS, CaseState.WAITING, CaseState.DECIDED}),
    CaseState.DECIDED: frozenset({CaseState.WITH_STAFF, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}


class Outcome(StrEnum):
    """How a case was decided. The value is stored; its words are in ``letters``."""

    NOTHING_TAKEN = "nothing_taken"
    MONEY_FREE = "money_free"
    CAME_BACK = "came_back"
    ARRIVED = "arrived"
    WAITS_FOR_TAP = "waits_for_tap"
    TOKEN_GIVEN = "token_given"  # noqa: S105
    CLAIMED = "claimed"
    PAID_BY_BANK = "paid_by_bank"
    EXPLAINED = "explained"
    ASSURED = "assured"
    REFUSED = "refused"
    NO_PAPERS = "no_papers"


BY_PEOPLE: Final = frozenset(
    {
        Outcome.NOTHING_TAKEN,
        Outcome.MONEY_FREE,
        Outcome.CAME_BACK,
        Outcome.ARRIVED,
        Outcome.EXPLAINED,
        Outcome.REFUSED,
    }
)
"""What somebody may answer by word alone. That the bank paid or claims is answered by doing it."""
AGAINST: Final = frozenset({Outcome.REFUSED, Outcome.ARRIVED, Outcome.NO_PAPERS})
"""After these the answer names the way to LAPS SJK: the person may not have got what they asked."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was given: its hash, what it really is, and how many pages can be looked at."""

    sha256: str
    media: str
    size: int
    pages: int
    given_at: datetime


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case. ``number`` is what people are told; ``customer_id`` 0: somebody without an account.

    ``channel``: app, staff, public or bank (the bank opened it by itself). ``complete_at``: when
    the papers were complete, which starts the clock; ``due_at`` when it runs out, ``act_by`` when
    somebody must have acted next. What was written is beside the book, by hash.
    """

    id: UUID
    number: str
    customer_id: int
    about: About
    channel: str
    language: str
    opened_at: datetime
    complete_at: datetime | None
    due_at: datetime
    act_by: datetime
    text_sha256: str
    payment_id: UUID | None = None
    incident_id: UUID | None = None
    state: CaseState = CaseState.RECEIVED
    evidence: tuple[Evidence, ...] = ()
    outcome: Outcome | None = None
    why: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    is_extended: bool = False
    has_objected: bool = False
    owner: str = ""
    events: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the bank still owes an answer."""
        return self.state not in {CaseState.DECIDED, CaseState.CLOSED}

    def is_overdue(self, now: datetime) -> bool:
        """Whether the answer is late by the rule, which must never be."""
        return self.is_open and now > self.due_at

    def to(self, state: CaseState, **changes: object) -> Case | Refused:
        """The same case one transition later. Refuses CASE_STEP_NOT_ALLOWED."""
        if state not in TRANSITIONS[self.state]:
            return Refused(
                Refusal.CASE_STEP_NOT_ALLOWED, "state", f"it is {self.state} and cannot be {state}"
            )
        return msgspec.structs.replace(self, state=state, events=self.events + 1, **changes)


def open_case(
    *,
    case_id: UUID,
    number: str,
    customer_id: int,
    about: About,
    channel: str,
    language: str,
    text_sha256: str,
    now: datetime,
    payment_id: UUID | None = None,
    incident_id: UUID | None = None,
) -> Case:
    """A new case. What comes with its payment, or needs none, is complete from the start."""
    complete = payment_id is not None or about in _NEEDS_NO_PAYMENT
    rule = deadlines.COMPLAINT_WRITTEN
    return Case(
        id=case_id,
        number=number,
        customer_id=customer_id,
        about=about,
        channel=channel,
        language=language,
        opened_at=now,
        complete_at=now if complete else None,
        due_at=deadlines.due(rule, now),
        act_by=end_of_workday(now, TARGET_WORKDAYS),
        text_sha256=text_sha256,
        payment_id=payment_id,
        incident_id=incident_id,
        events=1,
    )


_NEEDS_NO_PAYMENT: Final = frozenset({About.CANNOT_OPEN, About.SAFETY, About.NO_WORD, About.OTHER})


def wait(case: Case, act_by: datetime, why: str) -> Case | Refused:
    """Its payment's own clock ends it; somebody looks again by ``act_by``."""
    return case.to(CaseState.WAITING, act_by=min(act_by, case.due_at), why=why)


def give_to_staff(case: Case, now: datetime, why: str) -> Case | Refused:
    """People decide: by the bank's own aim, and long before the rule's deadline."""
    by = min(end_of_workday(now, TARGET_WORKDAYS), case.due_at)
    return case.to(CaseState.WITH_STAFF, act_by=by, why=why)


def ask_papers(case: Case, now: datetime, what: str) -> Case | Refused:
    """The person's turn; the clock of the answer starts again when the papers are complete."""
    due = deadlines.due(deadlines.COMPLAINT_PAPERS, now)
    return case.to(CaseState.NEEDS_PAPERS, act_by=due, due_at=due, complete_at=None, why=what)


def complete(case: Case, now: datetime) -> Case | Refused:
    """The papers are complete: the answer's clock starts now."""
    by = end_of_workday(now, TARGET_WORKDAYS)
    due = deadlines.due(deadlines.COMPLAINT_WRITTEN, now)
    return case.to(CaseState.WITH_STAFF, complete_at=now, due_at=due, act_by=by, why="papers came")


def extend(case: Case, now: datetime, why: str) -> Case | Refused:
    """Ten working days more, once, and only with notice before it was due (POJK 22/2023)."""
    if not case.is_open or case.complete_at is None or case.is_extended or now > case.due_at:
        return Refused(
            Refusal.CASE_STEP_NOT_ALLOWED,
            "due_at",
            "it may be extended once, before it is due",
        )
    due = deadlines.due(deadlines.COMPLAINT_EXTENDED, case.complete_at)
    return msgspec.structs.replace(
        case, is_extended=True, due_at=due, act_by=due, why=why, events=case.events + 1
    )


def escalate(case: Case, why: str) -> Case | Refused:
    """To the head of complaints; the deadline stays."""
    return case.to(CaseState.ESCALATED, act_by=case.due_at, why=why, owner="head of complaints")


def decide(case: Case, outcome: Outcome, by: str, why: str, now: datetime) -> Case | Refused:
    """The answer. Refuses CASE_STEP_NOT_ALLOWED, and ORDER_INVALID for a no without a reason."""
    if outcome in {Outcome.REFUSED, Outcome.EXPLAINED} and not why.strip():
        return Refused(Refusal.ORDER_INVALID, "why", "an answer gives its reason")
    return case.to(
        CaseState.DECIDED,
        outcome=outcome,
        why=why,
        decided_by=by,
        decided_at=now,
        act_by=end_of_workday(now, OBJECT_WORKDAYS),
    )


def object_to(case: Case, now: datetime) -> Case | Refused:
    """The person does not agree: people look again, once. After that: LAPS SJK."""
    if case.has_objected:
        return Refused(
            Refusal.CASE_STEP_NOT_ALLOWED, "state", "it was looked at again; see LAPS SJK"
        )
    return case.to(
        CaseState.WITH_STAFF,
        has_objected=True,
        outcome=None,
        decided_at=None,
        decided_by="",
        complete_at=now,
        due_at=deadlines.due(deadlines.COMPLAINT_WRITTEN, now),
        act_by=end_of_workday(now, TARGET_WORKDAYS),
        why="they object",
    )


def close(case: Case) -> Case | Refused:
    """Nobody objected in time."""
    return case.to(CaseState.CLOSED)


def attach(case: Case, evidence: Evidence) -> Case | Refused:
    """One more file. Refuses EVIDENCE_REFUSED above five, and CASE_STEP_NOT_ALLOWED once closed.

    The same file again changes nothing.
    """
    if case.state is CaseState.CLOSED:
        return Refused(Refusal.CASE_STEP_NOT_ALLOWED, "state", "it is closed")
    if any(known.sha256 == evidence.sha256 for known in case.evidence):
        return case
    if len(case.evidence) >= EVIDENCE_MAX:
        return Refused(Refusal.EVIDENCE_REFUSED, "file", f"at most {EVIDENCE_MAX} files for a case")
    return msgspec.structs.replace(
        case, evidence=(*case.evidence, evidence), events=case.events + 1
    )


def overdue_step(case: Case, now: datetime) -> Case | Refused | None:
    """What the clock alone does to a case whose ``act_by`` is over; None: nothing yet.

    Staff who do not act lose it to the head of complaints; who sends no papers is answered so; a
    decision nobody objected to closes. Waiting cases are judged anew by whoever calls this.
    """
    if now < case.act_by:
        return None
    match case.state:
        case CaseState.RECEIVED | CaseState.WAITING:
            return give_to_staff(case, now, "its payment's clock is over")
        case CaseState.WITH_STAFF:
            return escalate(case, "nobody decided in time")
        case CaseState.NEEDS_PAPERS:
            return decide(case, Outcome.NO_PAPERS, "bank", "the papers did not come", now)
        case CaseState.DECIDED:
            return close(case)
        case _:
            return None
