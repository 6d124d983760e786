"""An incident: where it may go, what it may not leave out, and when it may close."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS, TRANSFER_BIFAST
from tangguh.status import incident as story
from tangguh.status.component import Condition
from tangguh.status.incident import (
    KEPT,
    TRANSITIONS,
    Incident,
    IncidentState,
    Kind,
    Money,
    begin,
    count_money,
    discard,
    find_same,
    join,
    kind_of,
    review,
)
from unit.status.drafts import NOW, STAGE, S, at_state, counted, draft, no_lint, said, strict, texts

REVIEW = {"id": "Sebab dan perbaikan.", "en": "Cause and fixes."}


@pytest.mark.parametrize(("here", "to"), list(product(S, S)))
def test_it_moves_only_along_the_table(here: IncidentState, to: IncidentState) -> None:
    """Every pair of states, by the act that leads to the second."""
    known = at_state(here)
    if to is S.DISCARDED:
        moved: Incident | Refused = discard(known, NOW)
    elif to is S.POST_MORTEM:
        moved = review(known, REVIEW, no_lint)
    else:
        moved = said(known, to, stage=STAGE)
    if to in TRANSITIONS[here] and not (to is S.MONEY_RESOLVED and known.money.counted_at is None):
        assert isinstance(moved, Incident)
        assert moved.state is to
    else:
        assert isinstance(moved, Refused)
        assert moved.code in {Refusal.INCIDENT_STEP_NOT_ALLOWED, Refusal.MONEY_STILL_OPEN}


def test_it_cannot_close_while_money_is_open() -> None:
    restored = at_state(S.SERVICE_RESTORED)
    refused = said(restored, S.MONEY_RESOLVED)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.MONEY_STILL_OPEN  # nobody has counted
    one_open = count_money(restored, counted(open=1, arrived=36))
    assert isinstance(one_open, Incident)
    still = said(one_open, S.MONEY_RESOLVED)
    assert isinstance(still, Refused)
    assert still.code is Refusal.MONEY_STILL_OPEN
    clear = count_money(one_open, counted(came_back=1, arrived=36))
    assert isinstance(clear, Incident)
    closed = said(clear, S.MONEY_RESOLVED)
    assert isinstance(closed, Incident)
    assert closed.resolved_at == NOW
    assert closed.next_update_at is None


@given(st.lists(st.tuples(st.sampled_from(list(S)), st.integers(0, 3)), max_size=25))
def test_no_way_leads_past_open_money(acts: list[tuple[IncidentState, int]]) -> None:
    """Whatever is tried in whatever order, what is closed has no open payment."""
    here = draft()
    for to, still_open in acts:
        for moved in (
            count_money(here, counted(open=still_open, arrived=2)),
            said(here, to, stage=STAGE),
            review(here, REVIEW, no_lint),
        ):
            if isinstance(moved, Incident):
                here = moved
        if here.state in {S.MONEY_RESOLVED, S.POST_MORTEM}:
            assert here.money.open == 0
            assert here.money.counted_at is not None


def test_a_payment_found_open_later_opens_the_money_again() -> None:
    again = count_money(at_state(S.MONEY_RESOLVED), counted(open=1, arrived=2))
    assert isinstance(again, Incident)
    assert (again.state, again.resolved_at) == (S.SERVICE_RESTORED, None)
    assert isinstance(count_money(at_state(S.POST_MORTEM), counted(open=1)), Refused)


@pytest.mark.parametrize(
    "money",
    [
        Money(affected=3, open=1, arrived=1, counted_at=NOW),
        Money(affected=1, open=2, arrived=-1, counted_at=NOW),
        Money(affected=1, arrived=1, affected_minor=5, counted_at=NOW),
        Money(),
    ],
)
def test_a_count_that_does_not_add_up_is_refused(money: Money) -> None:
    refused = count_money(draft(), money)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.ORDER_INVALID


@pytest.mark.parametrize(
    ("major", "minutes", "is_taken"),
    [(True, 15, True), (True, 16, False), (False, 30, True), (False, 31, False), (True, 0, False),
     (False, -5, False)],
)  # fmt: skip
def test_every_word_promises_the_next_in_time(major: bool, minutes: int, is_taken: bool) -> None:
    word = said(draft(major=major), S.PUBLISHED, next_update_at=NOW + timedelta(minutes=minutes))
    assert isinstance(word, Incident) == is_taken
    if isinstance(word, Refused):
        assert word.code is Refusal.NEXT_WORD_MISSING


@pytest.mark.parametrize("state", [S.PUBLISHED, S.RECOVERING, S.MONITORING, S.SERVICE_RESTORED])
def test_no_word_without_the_next_one(state: IncidentState) -> None:
    refused = said(at_state(state), state, next_update_at=None)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.NEXT_WORD_MISSING


def test_a_word_that_did_not_come_shows_itself() -> None:
    published = at_state(S.PUBLISHED)
    due = published.next_update_at
    assert due is not None
    assert not published.is_overdue(due)
    assert published.is_overdue(due + timedelta(seconds=1))
    assert not at_state(S.MONEY_RESOLVED).is_overdue(NOW + timedelta(days=9))
    assert draft().is_overdue(NOW + timedelta(minutes=6))  # the first word is owed too


@pytest.mark.parametrize("word", ["Pemeliharaan sistem", "maintenance window"])
def test_only_a_change_with_a_ticket_may_be_called_one(word: str) -> None:
    refused = said(draft(), S.PUBLISHED)
    assert isinstance(refused, Incident)
    told: dict[str, Any] = {
        "by": "staff:1",
        "lint": no_lint,
        "next_update_at": NOW + timedelta(minutes=9),
    }
    without = story.say(draft(), S.PUBLISHED, texts(word), NOW, **told)
    assert isinstance(without, Refused)
    assert without.code is Refusal.TICKET_MISSING
    change = draft(kind=Kind.SCHEDULED_CHANGE, ticket="CHG-7")
    assert isinstance(story.say(change, S.PUBLISHED, texts(word), NOW, **told), Incident)
    made = begin(UUID(int=2), Kind.SCHEDULED_CHANGE, (QRIS_OFFUS,), NOW, cause_key="x", ticket=" ")
    assert isinstance(made, Refused)
    assert made.code is Refusal.TICKET_MISSING


@pytest.mark.parametrize(
    "told",
    [
        {"id": texts()["id"]},
        texts("x" * 161),
        texts(happened="x" * 701),
        texts(money=""),
        texts("Kami buka segera."),
    ],
)
def test_texts_are_whole_short_and_keep_the_rules(told: dict[str, Any]) -> None:
    refused = story.say(
        draft(), S.PUBLISHED, told, NOW, by="staff:1", lint=strict,
        next_update_at=NOW + timedelta(minutes=9),
    )  # fmt: skip
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.TEXT_NOT_ALLOWED


def test_the_review_is_in_both_languages_and_keeps_the_rules() -> None:
    done = at_state(S.MONEY_RESOLVED)
    for reviews in ({"id": "Sebab."}, {"id": "segera", "en": "x"}, {"id": " ", "en": "x"}):
        refused = review(done, reviews, strict)
        assert isinstance(refused, Refused)
        assert refused.code is Refusal.TEXT_NOT_ALLOWED


def test_a_stage_is_said_while_it_recovers() -> None:
    unstaged = said(at_state(S.PUBLISHED), S.RECOVERING)
    assert isinstance(unstaged, Refused)
    recovering = at_state(S.RECOVERING)
    assert recovering.stage == recovering.updates[-1].stage == STAGE
    closed_again = said(recovering, S.PUBLISHED)
    assert isinstance(closed_again, Incident)
    assert closed_again.stage is None


def test_restored_is_forgotten_when_it_comes_back() -> None:
    back = said(at_state(S.SERVICE_RESTORED), S.PUBLISHED)
    assert isinstance(back, Incident)
    assert back.restored_at is None
    assert back.published_at == NOW


def test_one_trouble_is_one_incident() -> None:
    first, other = at_state(S.PUBLISHED), draft(2, cause_key="qris.out", closure_ids=())
    assert find_same([first, other], "qris.out") is other
    assert find_same([first, other], "anything", [str(UUID(int=7))]) is first
    assert find_same([first, other], "anything") is None
    assert find_same([at_state(S.MONEY_RESOLVED)], "bifast.out") is None


def test_joining_adds_and_never_takes_away() -> None:
    wide = join(draft(), (QRIS_OFFUS,), ("c2",), kind=Kind.DOWN, stage=STAGE)
    assert set(wide.components) == {TRANSFER_BIFAST, QRIS_OFFUS}
    assert wide.closure_ids == (str(UUID(int=7)), "c2")
    assert (wide.kind, wide.major, wide.stage) == (Kind.DOWN, True, STAGE)
    assert join(wide, (), kind=Kind.DEGRADED) == wide


@pytest.mark.parametrize(
    "changes",
    [{"components": ()}, {"components": ("mobile.horoscope.daily",)}, {"cause_key": ""}],
)
def test_a_draft_names_what_it_is_about(changes: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"components": (QRIS_OFFUS,), "cause_key": "qris.out"}
    named = whole | changes
    refused = begin(UUID(int=1), Kind.DOWN, named.pop("components"), NOW, **named)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.ORDER_INVALID


def test_it_is_kept_for_twelve_months() -> None:
    done = at_state(S.POST_MORTEM)
    assert done.is_kept(NOW + KEPT)
    assert not done.is_kept(NOW + KEPT + timedelta(seconds=1))
    assert at_state(S.SERVICE_RESTORED).is_kept(NOW + KEPT * 3)


def test_every_condition_but_well_has_its_kind() -> None:
    assert kind_of(Condition.OPERATIONAL) is None
    assert {kind_of(one) for one in Condition} == {None, *Kind}


def test_it_survives_the_road_through_json() -> None:
    for state in S:
        known = at_state(state)
        assert msgspec.json.decode(msgspec.json.encode(known), type=Incident) == known
