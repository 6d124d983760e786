"""Every state of a case against every step, and the clocks that no case escapes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import JAKARTA
from tangguh.core.outcome import Refusal, Refused
from tangguh.disputes import case as cases
from tangguh.disputes.case import (
    TRANSITIONS,
    About,
    Case,
    CaseState,
    Evidence,
    Outcome,
    open_case,
    overdue_step,
)

KNOWN = datetime(2025, 3, 29, 4, 20, tzinfo=UTC)
"""11.20 WIB on the Saturday of the incident."""
PAYMENT = UUID(int=7)


def a_case(**changes: object) -> Case:
    made = open_case(
        case_id=UUID(int=1),
        number="TG25-0000-0001",
        customer_id=1,
        about=About.FAILED_DEBITED,
        channel="app",
        language="id",
        text_sha256="0" * 64,
        now=KNOWN,
        payment_id=PAYMENT,
    )
    return msgspec.structs.replace(made, **changes)


def wib(day: int, month: int = 4) -> datetime:
    return datetime(2025, month, day, 23, 59, 59, tzinfo=JAKARTA)


def test_ten_working_days_from_the_incident_end_on_22_april() -> None:
    """8 April is the first working day after Eid; 18 April is Good Friday."""
    case = a_case()
    assert case.due_at == wib(22)
    assert case.act_by == wib(8)


def test_an_extension_is_ten_more_once_and_only_before_it_is_due() -> None:
    extended = cases.extend(a_case(), KNOWN, "the acquirer has not answered")
    assert isinstance(extended, Case)
    assert extended.due_at == cases.deadlines.due("complaint-extended", KNOWN)
    again = cases.extend(extended, KNOWN, "x")
    late = cases.extend(a_case(), wib(23), "x")
    assert isinstance(again, Refused)
    assert isinstance(late, Refused)


def test_papers_stop_the_clock_and_it_begins_anew_when_they_came() -> None:
    asked = cases.ask_papers(a_case(state=CaseState.WITH_STAFF), KNOWN, "the receipt")
    assert isinstance(asked, Case)
    assert asked.complete_at is None
    later = KNOWN + timedelta(days=12)
    back = cases.complete(asked, later)
    assert isinstance(back, Case)
    assert (back.complete_at, back.due_at) == (
        later,
        cases.deadlines.due("complaint-written", later),
    )


def test_who_sends_no_papers_is_answered_so_and_may_come_again() -> None:
    asked = cases.ask_papers(a_case(state=CaseState.WITH_STAFF), KNOWN, "the receipt")
    assert isinstance(asked, Case)
    over = overdue_step(asked, asked.act_by)
    assert isinstance(over, Case)
    assert (over.state, over.outcome) == (CaseState.DECIDED, Outcome.NO_PAPERS)
    again = cases.object_to(over, asked.act_by)
    assert isinstance(again, Case)
    assert again.state is CaseState.WITH_STAFF


def test_an_objection_is_heard_once() -> None:
    decided = cases.decide(a_case(state=CaseState.WITH_STAFF), Outcome.ARRIVED, "bank", "", KNOWN)
    assert isinstance(decided, Case)
    heard = cases.object_to(decided, KNOWN)
    assert isinstance(heard, Case)
    second = cases.decide(heard, Outcome.REFUSED, "staff:9", "the merchant has it", KNOWN)
    assert isinstance(second, Case)
    assert isinstance(cases.object_to(second, KNOWN), Refused)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.EXPLAINED])
def test_a_no_gives_its_reason(outcome: Outcome) -> None:
    said = cases.decide(a_case(state=CaseState.WITH_STAFF), outcome, "staff:9", " ", KNOWN)
    assert isinstance(said, Refused)
    assert said.field == "why"


def test_five_files_and_no_more() -> None:
    case: Case | Refused = a_case()
    for number in range(7):
        assert isinstance(case, Case)
        one = Evidence(sha256=f"{min(number, 4):064d}", media="", size=1, pages=1, given_at=KNOWN)
        case = cases.attach(case, one)
    assert isinstance(case, Case)
    assert len(case.evidence) == 5
    sixth = Evidence(sha256="f" * 64, media="", size=1, pages=1, given_at=KNOWN)
    refused = cases.attach(case, sixth)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.EVIDENCE_REFUSED


@pytest.mark.parametrize("was", list(CaseState))
@pytest.mark.parametrize("to", list(CaseState))
def test_only_the_drawn_arrows_can_be_walked(was: CaseState, to: CaseState) -> None:
    moved = a_case(state=was).to(to)
    assert isinstance(moved, Case) is (to in TRANSITIONS[was])


@given(
    st.lists(
        st.sampled_from(["tick", "wait", "staff", "papers", "came", "no", "object"]), max_size=14
    )
)
def test_no_case_is_ever_without_a_clock_and_left_alone_every_case_closes(steps: list[str]) -> None:
    """Whatever happens to it, an open case has a time to act that is never past its deadline."""
    case, now = a_case(), KNOWN
    for step in steps:
        now += timedelta(hours=7)
        moved = {
            "tick": lambda c, n: overdue_step(c, n),
            "wait": lambda c, n: cases.wait(c, n + timedelta(days=400), "x"),
            "staff": lambda c, n: cases.give_to_staff(c, n, "x"),
            "papers": lambda c, n: cases.ask_papers(c, n, "x"),
            "came": lambda c, n: cases.complete(c, n),
            "no": lambda c, n: cases.decide(c, Outcome.REFUSED, "staff:9", "because", n),
            "object": lambda c, n: cases.object_to(c, n),
        }[step](case, now)
        if isinstance(moved, Case):
            case = moved
        if case.is_open:
            assert case.act_by <= case.due_at
    for _ in range(6):
        now = max(now, case.act_by)
        moved = overdue_step(case, now)
        if isinstance(moved, Case):
            case = moved
    assert case.state in {CaseState.CLOSED, CaseState.ESCALATED}
