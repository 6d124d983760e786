"""When, by which way and how often somebody is told: quiet hours, rate, pauses, the next way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import JAKARTA
from tangguh.core.outcome import Refused
from tangguh.notices.notice import (
    HOUR,
    Notice,
    Open,
    Person,
    Reach,
    Rules,
    State,
    Urgency,
    Via,
    before_sending,
    delivered,
    first_move,
    pass_on,
    put_off,
    quiet_until,
    refuse_notice,
    send_at,
)

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
NIGHT = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
"""22.30 WIB."""
MORNING = datetime(2026, 3, 21, 0, 0, tzinfo=UTC)
"""7.00 WIB of the next day."""
RULES = Rules()
READY = Reach(has_channel=True, has_address=True)
OPEN = Open(
    id=UUID(int=1), person="customer:1", channels=(Via.PUSH, Via.SMS, Via.EMAIL), via=Via.PUSH,
    attempts=0, urgency=Urgency.NOW, is_in_app=True,
)  # fmt: skip
NOTICE = Notice(
    id=UUID(int=1), to=Person("customer:1", "id"), matter="incident:7", step="begun",
    template="incident_begun", values={}, channels=(Via.IN_APP, Via.SMS), made_at=NOON,
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


def like(one: Open, **changes: object) -> Open:
    return msgspec.structs.replace(one, **changes)


@given(MOMENTS, st.integers(0, 23), st.integers(0, 23))
def test_quiet_hours_end_and_are_quiet_until_then(at: datetime, start: int, end: int) -> None:
    """Whatever the hours: a quiet moment waits less than a day, for a moment that is not quiet."""
    rules = Rules(quiet_from_hour=start, quiet_until_hour=end)
    until = quiet_until(at, rules)
    hour = at.astimezone(JAKARTA).hour
    quiet = {(start + passed) % 24 for passed in range((end - start) % 24)}
    assert (until is not None) == (hour in quiet)
    if until is not None:
        assert timedelta() < until - at <= timedelta(days=1)
        assert until.astimezone(JAKARTA).hour == end
        assert quiet_until(until, rules) is None
        assert quiet_until(until - timedelta(seconds=1), rules) == until


@given(MOMENTS, st.sampled_from(Urgency), st.sampled_from([Via.PUSH, Via.SMS, Via.EMAIL]))
def test_what_can_wait_wakes_nobody(at: datetime, urgency: Urgency, via: Via) -> None:
    then = send_at(urgency, via, at, RULES)
    if urgency is Urgency.NOW:
        assert then == at
    else:
        assert 7 <= then.astimezone(JAKARTA).hour < 21
        assert then >= at


def test_a_machine_is_never_asleep() -> None:
    assert send_at(Urgency.CAN_WAIT, Via.WEBHOOK, NIGHT, RULES) == NIGHT
    assert send_at(Urgency.CAN_WAIT, Via.SMS, NIGHT, RULES) == MORNING


def test_it_begins_with_the_first_way_or_stays_in_the_app() -> None:
    assert first_move(NOTICE, RULES).via is Via.SMS
    late = msgspec.structs.replace(NOTICE, made_at=NIGHT, urgency=Urgency.CAN_WAIT)
    assert first_move(late, RULES).due_at == MORNING
    inside = first_move(msgspec.structs.replace(NOTICE, channels=(Via.IN_APP,)), RULES)
    assert (inside.state, inside.via, inside.reason) == (State.IN_APP, None, "in the app only")


@pytest.mark.parametrize(
    ("reach", "state", "via", "reason"),
    [
        (READY, State.SENDING, Via.PUSH, ""),
        (Reach(has_channel=False, has_address=True), State.DUE, Via.SMS, "push: not configured"),
        (Reach(has_channel=True, has_address=False), State.DUE, Via.SMS, "push: no address"),
        (Reach(True, True, 3, NOON), State.SENDING, Via.PUSH, ""),
        (Reach(True, True, 4, NOON), State.HELD_BACK, Via.PUSH, "push: 4 within an hour already"),
    ],
)
def test_before_it_goes_out(reach: Reach, state: State, via: Via, reason: str) -> None:
    move = before_sending(OPEN, reach, now=NOON, rules=RULES)
    assert (move.state, move.via, move.reason) == (state, via, reason)


def test_whoever_has_no_app_waits_for_a_turn() -> None:
    """Nothing is dropped: it goes when the oldest of the hour is an hour old."""
    oldest = NOON - timedelta(minutes=50)
    move = before_sending(
        like(OPEN, is_in_app=False), Reach(True, True, 4, oldest), now=NOON, rules=RULES
    )
    assert (move.state, move.due_at) == (State.DUE, oldest + HOUR)


def test_at_night_what_can_wait_waits_and_costs_no_try() -> None:
    move = before_sending(like(OPEN, urgency=Urgency.CAN_WAIT), READY, now=NIGHT, rules=RULES)
    assert (move.state, move.due_at, move.attempts) == (State.DUE, MORNING, 0)


def test_tries_end_and_the_next_way_begins_anew() -> None:
    """Each pause is as long as the rules say; after the last there is no further one."""
    one, pauses = OPEN, []
    for _ in RULES.backoff_seconds:
        sending = before_sending(one, READY, now=NOON, rules=RULES)
        assert sending.state is State.SENDING
        one = like(one, attempts=sending.attempts, tried=True)
        move = put_off(one, "HTTP 503", now=NOON, rules=RULES)
        pauses.append((move.due_at - NOON).total_seconds())
    assert pauses[:-1] == list(RULES.backoff_seconds[:-1])
    assert (move.state, move.via, move.attempts) == (State.DUE, Via.SMS, 0)
    assert move.reason == "push: HTTP 503 (8 tries)"


def test_a_sender_that_dies_every_time_ends_too() -> None:
    """Tries nobody wrote the end of count like any other."""
    one = like(OPEN, attempts=len(RULES.backoff_seconds), tried=True)
    assert before_sending(one, READY, now=NOON, rules=RULES).via is Via.SMS


def test_a_provider_may_ask_for_a_longer_pause_and_not_for_ever() -> None:
    one = like(OPEN, attempts=1)
    for asked, pause in ((1, 10), (60, 60), (10**9, 7200)):
        move = put_off(one, "HTTP 429", now=NOON, rules=RULES, after_seconds=asked)
        assert (move.due_at - NOON).total_seconds() == pause


def test_the_end_of_all_ways_has_every_reason() -> None:
    last = like(OPEN, via=Via.EMAIL, tried=True, reason="push: no address; sms: HTTP 422")
    move = pass_on(last, "SMTP 550", now=NOON, rules=RULES)
    assert move.state is State.FAILED
    assert move.reason == "push: no address; sms: HTTP 422; email: SMTP 550"
    untried = like(last, tried=False)
    assert pass_on(untried, "no address", now=NOON, rules=RULES).state is State.IN_APP
    nowhere = like(untried, is_in_app=False)
    assert pass_on(nowhere, "no address", now=NOON, rules=RULES).state is State.FAILED


def test_the_next_way_keeps_the_quiet_hours_too() -> None:
    move = pass_on(like(OPEN, urgency=Urgency.CAN_WAIT), "gone", now=NIGHT, rules=RULES)
    assert (move.via, move.due_at) == (Via.SMS, MORNING)


def test_taken_is_the_end() -> None:
    move = delivered(like(OPEN, attempts=2), now=NOON)
    assert (move.state, move.via, move.attempts) == (State.DELIVERED, Via.PUSH, 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": Person("customer 1", "id")}, "to"),
        ({"to": Person("customer:1", "jv")}, "language"),
        ({"matter": "incident"}, "matter"),
        ({"step": "Begun again"}, "step"),
        ({"channels": ()}, "channels"),
        ({"made_at": datetime(2026, 1, 1)}, "made_at"),
    ],
)
def test_what_no_notice_may_lack(changes: dict[str, object], field: str) -> None:
    assert refuse_notice(NOTICE) is None
    refused = refuse_notice(msgspec.structs.replace(NOTICE, **changes))
    assert isinstance(refused, Refused)
    assert refused.field == field


def test_each_way_is_tried_once() -> None:
    again = (Via.SMS, Via.IN_APP, Via.EMAIL, Via.SMS)
    assert msgspec.structs.replace(NOTICE, channels=again).outside == (Via.SMS, Via.EMAIL)
