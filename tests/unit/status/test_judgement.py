"""How a component is judged: what is decided counts at once, what is seen must be seen again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.known import Tristate
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import ATM_CASH, QRIS_OFFUS, SERVICES, TOPUP, TRANSFER_BIFAST
from tangguh.guard.closure import Allowance, SignalClass, State
from tangguh.guard.scope import Cohort, Scope
from tangguh.status.component import (
    CHANNELS,
    COMPONENTS,
    GROUPS,
    ComponentState,
    Condition,
    Reach,
    Stage,
    Why,
    names_of,
    split,
    worst_of,
)
from tangguh.status.incident import kind_of
from tangguh.status.judgement import (
    Judged,
    Override,
    Shut,
    concerns,
    judge,
    people_needed,
    refuse_override,
    shown_now,
)
from tangguh.status.observation import RULES, Probe, Tally
from unit.guard.test_closure import closure
from unit.status.drafts import NOW, all_well

C = Condition
M = Condition.NOT_MEASURED
YES, NO, UNKNOWN = Tristate.YES, Tristate.NO, Tristate.UNKNOWN
GOOD = Tally(done=100)
SLOW = Tally(done=80, unanswered=20)
DEAD = Tally(done=10, unanswered=60, failed=30)
FEW = Tally(done=1, unanswered=5)
NONE = Tally()


def asked(*answers: Tristate, ours: bool = False, seconds: int = 5) -> Probe:
    """Questions so many seconds apart, the last of them now."""
    first = NOW - timedelta(seconds=seconds * (len(answers) - 1))
    probe = Probe(answer=answers[0], at=first, since=first, ours=ours)
    for number, answer in enumerate(answers[1:], start=1):
        probe = probe.then(answer, first + timedelta(seconds=seconds * number))
    return probe


def looks(
    component: str, *tallies: Tally, probe: Probe | None = None, minutes: float = 1
) -> list[Judged]:
    """One look a minute; whoever is asked by us gives the same answer all the time."""
    seen: list[Judged] = []
    for number, tally in enumerate(tallies):
        at = NOW + timedelta(minutes=number * minutes)
        probed = msgspec.structs.replace(probe, at=at) if probe else None
        seen.append(
            judge(component, tally=tally, now=at, probe=probed, before=seen[-1] if seen else None)
        )
    return seen


def conditions(judged: list[Judged]) -> list[Condition]:
    return [one.state.condition for one in judged]


def test_every_service_is_a_component_in_a_group_and_a_channel() -> None:
    assert set(COMPONENTS) == set(SERVICES)
    assert {one.group for one in COMPONENTS.values()} == set(GROUPS)
    assert {one.channel for one in COMPONENTS.values()} == set(CHANNELS)


def test_three_bad_looks_say_it_and_two_good_ones_take_it_back() -> None:
    seen = looks(TRANSFER_BIFAST, GOOD, SLOW, SLOW, SLOW, GOOD, GOOD)
    assert conditions(seen) == [*[C.OPERATIONAL] * 3, C.DEGRADED, C.DEGRADED, C.OPERATIONAL]
    assert seen[3].state.since == NOW + timedelta(minutes=3)
    assert seen[5].state.since == NOW + timedelta(minutes=5)
    assert seen[3].state.unanswered_permille == 200


def test_it_gets_as_bad_as_its_mildest_look() -> None:
    assert conditions(looks(TRANSFER_BIFAST, DEAD, SLOW, DEAD))[-1] is C.DEGRADED
    assert conditions(looks(TRANSFER_BIFAST, DEAD, DEAD, DEAD))[-1] is C.PARTNER_OUTAGE


def test_on_our_own_rail_nobody_else_is_blamed() -> None:
    assert conditions(looks(ATM_CASH, DEAD, DEAD, DEAD))[-1] is C.DOWN


def test_it_gets_better_only_as_far_as_its_worst_good_look() -> None:
    seen = looks(TRANSFER_BIFAST, DEAD, DEAD, DEAD, GOOD, SLOW, GOOD, GOOD)
    assert conditions(seen)[3:] == [C.PARTNER_OUTAGE, C.DEGRADED, C.DEGRADED, C.OPERATIONAL]


def test_few_payments_say_nothing_either_way() -> None:
    assert set(conditions(looks(TRANSFER_BIFAST, *[FEW] * 20))) == {M}
    seen = looks(TRANSFER_BIFAST, SLOW, SLOW, SLOW, *[NONE] * 14)
    assert set(conditions(seen)[2:]) == {C.DEGRADED}


def test_what_nobody_has_seen_for_a_quarter_of_an_hour_is_forgotten() -> None:
    seen = looks(TRANSFER_BIFAST, SLOW, SLOW, SLOW, *[NONE] * 15)
    assert conditions(seen)[-2:] == [C.DEGRADED, M]


def test_a_service_nobody_used_is_not_measured_and_nobody_calls_it_well() -> None:
    (seen,) = looks(TRANSFER_BIFAST, NONE)
    assert (seen.state.condition, seen.state.reach) == (M, Reach.UNKNOWN)
    assert seen.state.known_at is None
    assert split([seen.state]) == ((), ())
    assert kind_of(M) is None


def test_a_question_of_our_own_measures_what_nobody_used() -> None:
    seen = looks(TRANSFER_BIFAST, NONE, NONE, probe=asked(YES))
    assert conditions(seen) == [C.OPERATIONAL] * 2
    assert seen[0].state.known_at == NOW
    one_customer = Tally(done=1, done_at=NOW, last_at=NOW)
    assert conditions(looks(TRANSFER_BIFAST, one_customer)) == [C.OPERATIONAL]


def test_a_good_word_ends_when_nothing_supports_it_any_more() -> None:
    """A minute after the last fact nobody knows; what was bad stays bad for a quarter of an hour."""
    seen = looks(TRANSFER_BIFAST, GOOD, NONE, NONE, minutes=0.75)
    assert conditions(seen) == [C.OPERATIONAL, C.OPERATIONAL, M]


def test_five_tries_without_one_good_end_are_bad_however_few() -> None:
    lost = Tally(failed=9)
    assert conditions(looks(TRANSFER_BIFAST, lost, lost, lost)) == [M, M, C.PARTNER_OUTAGE]


@given(st.lists(st.sampled_from([GOOD, GOOD, SLOW, NONE]), max_size=40))
def test_a_bad_look_now_and_then_never_shows(tallies: list[Tally]) -> None:
    """Without three bad looks between two good ones the page is quiet."""
    bad = 0
    for judged, tally in zip(looks(TRANSFER_BIFAST, *tallies), tallies, strict=True):
        bad = 0 if tally is GOOD else bad + (tally is SLOW)
        if bad >= RULES.bad_looks:
            break
        assert judged.state.condition in {C.OPERATIONAL, M}


def look_once(tally: Tally, probe: Probe | None, **more: Any) -> ComponentState:
    return judge(TRANSFER_BIFAST, tally=tally, now=NOW, probe=probe, **more).state


def test_two_questions_without_an_answer_are_said_at_once_without_a_customer() -> None:
    assert look_once(NONE, asked(NO)).condition is M
    state = look_once(NONE, asked(YES, NO, NO))
    assert (state.condition, state.why, state.known_at) == (C.PARTNER_OUTAGE, Why.PROBE, NOW)
    assert look_once(NONE, asked(NO, NO, ours=True)).condition is C.DOWN


def test_two_questions_without_an_answer_outweigh_what_customers_saw_before_them() -> None:
    """The window holds two minutes of good payments: they were made before the network went."""
    before = Tally(done=100, done_at=NOW - timedelta(seconds=20))
    assert look_once(before, asked(YES, NO, NO, NO)).condition is C.PARTNER_OUTAGE
    served = Tally(done=100, done_at=NOW - timedelta(seconds=1))
    assert look_once(served, asked(YES, NO, NO, NO)).condition is C.OPERATIONAL


def test_an_old_answer_is_no_answer() -> None:
    for answers in ((YES,), (NO, NO)):
        later = NOW + timedelta(seconds=RULES.probe_seconds_max + 1)
        judged = judge(TRANSFER_BIFAST, tally=NONE, now=later, probe=asked(*answers))
        assert judged.state.condition is M


def test_without_our_own_book_nothing_works_whoever_else_answers() -> None:
    dead = asked(NO, NO, ours=True)
    for service in SERVICES:
        state = judge(service, tally=NONE, now=NOW, probe=asked(YES), book=dead).state
        assert (state.condition, state.reach) == (C.DOWN, Reach.NONE)


def test_the_run_of_good_answers_knows_which_trouble_it_ended() -> None:
    assert asked(YES, YES).over_since is None
    assert asked(YES, NO, YES).over_since is None
    assert asked(NO, NO, YES, YES).over_since == NOW - timedelta(seconds=5)


STAGE = Stage(number=1, last=7, since=NOW, permille=1)


@pytest.mark.parametrize(
    ("changes", "ticket", "condition", "reach"),
    [
        ({}, "", C.PROTECTIVE_RESTRICTION, Reach.NONE),
        ({"signal_class": SignalClass.ABUSE}, "", C.PROTECTIVE_RESTRICTION, Reach.NONE),
        ({"signal_class": SignalClass.CONTROL}, "", C.PROTECTIVE_RESTRICTION, Reach.NONE),
        ({"signal_class": SignalClass.HEALTH}, "", C.PARTNER_OUTAGE, Reach.NONE),
        ({"signal_class": SignalClass.HEALTH, "allowance": Allowance(per_minute=10)}, "",
         C.DEGRADED, Reach.PART),
        ({"allowance": Allowance(permille=10)}, "", C.PROTECTIVE_RESTRICTION, Reach.PART),
        ({"scope": Scope(rail="bifast", amount_from_minor=1000)}, "", C.PROTECTIVE_RESTRICTION,
         Reach.PART),
        ({"scope": Scope(rail="bifast", cohort=Cohort("s", 0, 10))}, "", C.PROTECTIVE_RESTRICTION,
         Reach.PART),
        ({}, "CHG-7", C.SCHEDULED_CHANGE, Reach.NONE),
        ({"allowance": Allowance()}, "", C.OPERATIONAL, Reach.ALL),
        ({"scope": Scope(account=1007)}, "", C.OPERATIONAL, Reach.ALL),
        ({"scope": Scope(rail="qris", direction="out")}, "", C.OPERATIONAL, Reach.ALL),
        ({"state": State.LIFTED}, "", C.OPERATIONAL, Reach.ALL),
    ],
)  # fmt: skip
def test_closures_count_at_once(
    changes: dict[str, object], ticket: str, condition: Condition, reach: Reach
) -> None:
    shut = Shut(closure=closure(**changes), ticket=ticket, stage=STAGE)
    state = judge(TRANSFER_BIFAST, tally=GOOD, now=NOW, closures=[shut]).state
    assert (state.condition, state.reach) == (condition, reach)
    assert (state.stage is None) == (condition is C.OPERATIONAL)
    assert bool(state.closure_ids) == (condition is not C.OPERATIONAL)


def test_a_health_closure_of_our_own_rail_is_ours() -> None:
    shut = Shut(closure=closure(scope=Scope(rail="onus"), signal_class=SignalClass.HEALTH))
    assert judge(ATM_CASH, tally=GOOD, now=NOW, closures=[shut]).state.condition is C.DOWN


def test_the_closure_that_lets_less_through_is_told() -> None:
    part = Shut(closure=closure(allowance=Allowance(permille=10)))
    whole = Shut(closure=closure(id=UUID(int=2)))
    state = judge(TRANSFER_BIFAST, tally=GOOD, now=NOW, closures=[part, whole]).state
    assert state.reach is Reach.NONE
    assert len(state.closure_ids) == 2


def test_a_closure_of_the_whole_bank_concerns_every_service() -> None:
    assert all(concerns(closure(scope=Scope()), one) for one in SERVICES.values())


def test_since_stays_while_a_closure_takes_the_place_of_another() -> None:
    first = judge(TRANSFER_BIFAST, tally=GOOD, now=NOW, closures=[Shut(closure=closure())])
    later = closure(id=UUID(int=2), made_at=NOW + timedelta(minutes=5))
    second = judge(
        TRANSFER_BIFAST, tally=GOOD, now=NOW + timedelta(minutes=5), closures=[Shut(closure=later)],
        before=first,
    )  # fmt: skip
    assert second.state.since == first.state.since == NOW
    over = judge(TRANSFER_BIFAST, tally=GOOD, now=NOW + timedelta(minutes=9), before=second)
    assert over.state.since == NOW + timedelta(minutes=9)


# ---- people ----------------------------------------------------------------------------------


def word(
    condition: Condition = C.DOWN, over: Condition = C.OPERATIONAL, **changes: object
) -> Override:
    whole = Override(
        component=TRANSFER_BIFAST, condition=condition, over=over, reason="seen at a branch",
        by=("staff:1", "staff:2"), at=NOW,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


@given(st.sampled_from(list(C)), st.sampled_from(list(C)))
def test_worse_takes_one_and_better_or_down_takes_two(shown: Condition, wanted: Condition) -> None:
    needed = people_needed(shown, wanted)
    is_down = wanted is C.DOWN and shown is not C.DOWN
    assert needed == (2 if is_down or wanted.rank < shown.rank else 1)
    alone = word(wanted, shown, until=NOW + timedelta(minutes=30), by=("staff:1",))
    refused = refuse_override(alone, shown, NOW)
    assert (refused is None) == (needed == 1)
    both = msgspec.structs.replace(alone, by=("staff:1", "staff:2"))
    assert refuse_override(both, shown, NOW) is None
    twice = msgspec.structs.replace(alone, by=("staff:1", "staff:1"))
    assert (refuse_override(twice, shown, NOW) is None) == (needed == 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"component": "mobile.horoscope.daily"}, "component"),
        ({"by": ()}, "by"),
        ({"until": NOW - timedelta(seconds=1)}, "until"),
        ({"condition": C.OPERATIONAL, "over": C.DOWN, "by": ("a", "b")}, "until"),
        ({"condition": C.OPERATIONAL, "over": C.DOWN, "by": ("a", "b"),
          "until": NOW + timedelta(hours=2)}, "until"),
    ],
)  # fmt: skip
def test_a_word_that_lacks_something_is_refused(changes: dict[str, object], field: str) -> None:
    refused = refuse_override(msgspec.structs.replace(word(), **changes), C.OPERATIONAL, NOW)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == (Refusal.ORDER_INVALID, field)


def state_with(override: Override, *closures: Shut, minutes: int = 0) -> ComponentState:
    at = NOW + timedelta(minutes=minutes)
    return judge(TRANSFER_BIFAST, tally=GOOD, now=at, closures=closures, override=override).state


def test_a_worse_word_stands_until_it_ends() -> None:
    told = word(C.DOWN, until=NOW + timedelta(minutes=10))
    state = state_with(told)
    assert (state.condition, state.reach, state.why) == (C.DOWN, Reach.NONE, Why.PEOPLE)
    assert state_with(told, minutes=10).condition is C.OPERATIONAL
    assert shown_now(C.OPERATIONAL, told, NOW) is C.DOWN
    assert shown_now(C.OPERATIONAL, told, NOW + timedelta(minutes=10)) is C.OPERATIONAL


def test_a_better_word_is_void_when_it_gets_worse_than_what_was_shown() -> None:
    partial = Shut(closure=closure(signal_class=SignalClass.HEALTH))
    told = word(
        C.OPERATIONAL, C.PARTNER_OUTAGE, by=("staff:1", "staff:2"), until=NOW + timedelta(hours=1)
    )
    assert state_with(told, partial).condition is C.OPERATIONAL
    assert state_with(told, Shut(closure=closure())).condition is C.PROTECTIVE_RESTRICTION


def test_a_worse_word_never_hides_a_worse_truth() -> None:
    assert state_with(word(C.DEGRADED), Shut(closure=closure())).condition is (
        C.PROTECTIVE_RESTRICTION
    )


# ---- words -----------------------------------------------------------------------------------


def test_a_whole_group_is_said_by_its_name() -> None:
    assert names_of(TOPUP.values(), "en") == ("Wallet top-up",)
    assert names_of([TOPUP["ovo"], QRIS_OFFUS], "id") == ("Bayar QRIS", "Isi OVO")
    assert names_of([], "id") == ()


def test_what_works_and_what_does_not() -> None:
    states = all_well()
    states[TRANSFER_BIFAST] = msgspec.structs.replace(states[TRANSFER_BIFAST], reach=Reach.PART)
    works, broken = split(states.values())
    assert broken == (TRANSFER_BIFAST,)
    assert len(works) == len(SERVICES) - 1


def test_the_worst_of_nothing_is_operational() -> None:
    assert worst_of([]) is C.OPERATIONAL
    assert worst_of([C.DEGRADED, C.DOWN, C.PARTNER_OUTAGE]) is C.DOWN
