"""Climbing: people, time, backlog, the fast lane, and the stories that named the rules."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from conftest import NOON
from tangguh.access.people import Role
from tangguh.core.errors import InvariantBroken
from tangguh.guard.closure import SignalClass
from tangguh.recovery.climb import abandon, begin, explain, payload_of, with_parked
from tangguh.recovery.ladder import advance
from tangguh.recovery.rungs import (
    CANARY,
    FAST_LANE,
    HELD,
    LADDER,
    OPEN_LOW,
    Pace,
    approvals_for,
    fastest_seconds,
    has_fast_lane,
)
from tangguh.recovery.verdict import Reading
from unit.recovery.scopes import (
    PEOPLE,
    all_good,
    at,
    bad,
    good,
    held,
    over,
    signed,
    up,
    with_bad,
    without,
)

IC, RAIL, RISK = Role.INCIDENT_COMMANDER, Role.RAIL_OWNER, Role.RISK_OFFICER
CISO, RECON = Role.CISO, Role.RECON_OWNER
MINUTE = timedelta(minutes=1)


def test_the_rungs_open_wider_and_never_narrower() -> None:
    """In both lanes the next rung lets in whoever the last one did."""
    for lane in (LADDER, FAST_LANE):
        shares = [rung.exposure.permille for rung in lane]
        assert shares == sorted(shares)
        assert [rung.number for rung in lane] == list(range(len(lane)))
        assert lane[0].exposure.is_closed
    canary = LADDER[CANARY].exposure
    assert (canary.permille, canary.staff_in, canary.amount_max_minor) == (1, True, 10_000_000)
    assert canary.limit_of(10**12) == 10_000_000
    assert LADDER[OPEN_LOW].exposure.limit_of(500) == 250
    assert LADDER[-1].exposure.limit_of(500) == 500


def test_the_fastest_honest_way_takes_an_hour() -> None:
    """From held until everybody is in at half limits, nothing skipped, everything right."""
    assert fastest_seconds(LADDER, OPEN_LOW) <= 80 * 60
    for pace in (Pace(), Pace(time_scale=0.01, sample_scale=0.02)):
        climb = held()
        looks = 0
        while climb.rung < OPEN_LOW:
            climb, looks = up(climb, pace).climb, looks + 1
        took = (climb.entered_at - NOON).total_seconds()
        assert took == pytest.approx(pace.seconds(fastest_seconds(LADDER, OPEN_LOW)))
        assert looks == OPEN_LOW


def test_the_whole_climb_ends_finished() -> None:
    climb = at(11)
    assert climb.entered_at < over(climb)
    last = up(climb)
    assert (last.what, last.climb.state) == ("finished", "finished")
    assert last.climb.is_open
    again = advance(last.climb, [], [], over(climb))
    assert (again.what, again.climb) == ("finished", last.climb)


# ---- who must agree --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        ("held", (), ()), ("explained", (IC,), (IC, RISK, CISO)), ("matched", (RECON,), (RECON,)),
        ("rehearsed", (), ()), ("canary", (IC, RAIL), (IC, RAIL)), ("one_percent", (), ()),
        ("five_percent", (), ()), ("quarter", (IC,), (IC,)), ("half", (IC, RISK), (IC, RISK)),
        ("open_low", (), ()), ("open", (IC, RISK), (IC, RISK)), ("watch", (), ()),
    ],
)  # fmt: skip
def test_who_agrees_to_which_rung(
    name: str, known: tuple[Role, ...], unknown: tuple[Role, ...]
) -> None:
    rung = next(one for one in LADDER if one.name == name)
    for signal_class in SignalClass:
        wanted = unknown if signal_class is SignalClass.CONTROL else known
        assert approvals_for(rung, signal_class, cause_known=True) == wanted
        assert approvals_for(rung, signal_class, cause_known=False) == unknown


@pytest.mark.parametrize("rung", [0, 1, 3, 6, 7, 9])
def test_an_approval_is_for_one_turn_one_closure_and_a_quarter_of_an_hour(rung: int) -> None:
    """Of another turn, another closure, too old or from the future it is no approval."""
    climb = at(rung)
    now = over(climb)
    yes = signed(climb, now)
    changes = (
        {"turn": climb.turn - 1}, {"turn": climb.turn + 1}, {"closure_id": "closure:2"},
        {"at": now - 15 * MINUTE}, {"at": now + MINUTE}, {"role": RAIL if rung != 3 else RECON},
    )  # fmt: skip
    for change in changes:
        void = [msgspec.structs.replace(yes[0], **change), *yes[1:]]
        step = advance(climb, all_good(), void, now)
        assert (step.what, step.climb.rung) == ("needs_people", rung)
        assert step.needs == (climb.roles_above[0],)
    assert advance(climb, all_good(), yes, now).what == "up"


def test_one_person_in_two_roles_counts_once() -> None:
    climb = at(3)
    now = over(climb)
    yes = [msgspec.structs.replace(one, staff_id="staff:1") for one in signed(climb, now)]
    assert advance(climb, all_good(), yes, now).needs == (RAIL,)


def test_approvals_are_used_up_by_the_rung_they_were_for() -> None:
    """Two rungs that need the same two people need them twice."""
    climb = at(7)
    now = over(climb)
    yes = signed(climb, now)
    after = advance(climb, all_good(), yes, now).climb
    assert after.rung == 8
    climb = at(9)
    climb = msgspec.structs.replace(climb, entered_at=now - timedelta(hours=1))
    assert advance(climb, all_good(), yes, now).what == "needs_people"


def test_an_approval_before_a_step_back_is_void_after_it() -> None:
    climb = at(6)
    now = over(climb)
    yes = signed(climb, now)
    back = advance(climb, with_bad("p99"), yes, now).climb
    back = advance(back, with_bad("p99"), yes, now).climb
    assert back.rung == 5
    again = up(back).climb
    assert again.rung == 6
    assert advance(again, all_good(), yes, over(again)).what == "needs_people"


def test_approvals_expire_sooner_in_a_rehearsal() -> None:
    pace = Pace(time_scale=0.1, sample_scale=0.1)
    climb = at(6)
    now = over(climb)
    yes = signed(climb, now - 2 * MINUTE)
    assert advance(climb, all_good(), yes, now).what == "up"
    hasty = advance(climb, all_good(), yes, now, pace=pace)
    assert hasty.what == "needs_people"
    assert hasty.pace == "rehearsal: time x0.1, samples x0.1"


# ---- the explanation -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "is_enough"),
    [
        ({}, False),
        ({"cause": "x"}, False),
        ({"cause": "x", "fix": "CHG-1"}, False),
        ({"cause": "x", "evidence": "e"}, False),
        ({"cause": "x", "fix": "CHG-1", "evidence": "e"}, True),
        ({"cause": "Unknown", "fix": "CHG-1", "evidence": "e"}, False),
        ({"cause": "unknown", "control": "two-man rule on the key"}, True),
        ({"control": "two-man rule on the key"}, True),
        ({"control": "  "}, False),
    ],
)
def test_what_explains_a_closure(said: dict[str, str], is_enough: bool) -> None:
    climb = explain(begin("closure:1", "s", SignalClass.INTEGRITY, NOON, salt="s"), **said)
    step = advance(climb, [], signed(climb, NOON, tuple(PEOPLE)), NOON)
    assert (step.what == "up") == is_enough
    assert climb.is_explained == is_enough


def test_an_unknown_cause_needs_three_people() -> None:
    climb = explain(held(), control="every outflow matched before it leaves")
    step = advance(climb, [], signed(climb, NOON, (IC,)), NOON)
    assert step.needs == (RISK, CISO)


def test_a_new_explanation_voids_what_was_agreed_to() -> None:
    climb = held()
    yes = signed(climb, NOON)
    other = explain(climb, cause="something else", fix="CHG-8", evidence="sha256:cd")
    assert payload_of(climb) != payload_of(other)
    assert advance(other, [], yes, NOON).what == "needs_people"


def test_what_climbs_already_is_not_explained_anew() -> None:
    with pytest.raises(InvariantBroken):
        explain(at(1), cause="x", fix="y", evidence="z")


# ---- the stories that named the rules ----------------------------------------------------------


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param([], id="no traffic at all"),
        pytest.param([*without("success"), Reading("success", float("nan"), 999)], id="not a number"),
        pytest.param([*without("success"), Reading("success", None)], id="no value"),
        pytest.param([*without("success"), Reading("success_rate", 1.0, 999)], id="renamed"),
        pytest.param([*without("success"), Reading("success", 1.0, 3, 1.0)], id="three payments"),
        pytest.param([*without("success"), Reading("success", 1.0, 999)], id="no control"),
    ],
)  # fmt: skip
def test_f72_a_gate_without_data_holds_feeds_and_pages(readings: list[Reading]) -> None:
    """Never a pass, for however long: synthetic payments at once, a person at a quarter hour."""
    climb = at(5)
    now = over(climb)
    for minutes, what in (
        (0, "feed_synthetic"),
        (14, "feed_synthetic"),
        (15, "page"),
        (600, "page"),
    ):
        step = advance(climb, readings, signed(climb, now), now + minutes * MINUTE)
        assert (step.what, step.climb.rung) == (what, 5)
        climb = step.climb
    assert advance(climb, all_good(), [], now + 601 * MINUTE).climb.blind_since is None


def test_f73_a_gate_that_turns_bad_while_people_are_awaited_pulls_back() -> None:
    """Flagger #1801: waiting for a yes is no reason not to look."""
    climb = at(7)
    now = over(climb)
    waiting = advance(climb, all_good(), [], now)
    assert (waiting.what, waiting.climb.waiting_since) == ("needs_people", now)
    once = advance(waiting.climb, with_bad("success"), [], now + MINUTE)
    assert (once.what, once.climb.rung) == ("stay", 7)
    twice = advance(once.climb, with_bad("success"), [], now + 2 * MINUTE)
    assert (twice.what, twice.climb.rung, twice.exposure.permille) == ("back", 6, 50)
    gone = advance(waiting.climb, with_bad("unmatched_outflow"), [], now + MINUTE)
    assert (gone.what, gone.exposure.is_closed) == ("to_held", True)


def test_f73_a_bad_gate_beats_a_yes_that_is_there() -> None:
    climb = at(7)
    now = over(climb)
    step = advance(climb, with_bad("success"), signed(climb, now), now)
    assert (step.what, step.climb.rung) == ("stay", 7)


@pytest.mark.parametrize("rung", range(4, 12))
def test_f75_one_unmatched_item_closes_the_scope_in_one_look(rung: int) -> None:
    """No vote, no second look; what was explained is doubted, and must be explained anew."""
    climb = at(rung)
    step = advance(climb, [bad("unmatched_outflow")], [], climb.entered_at)
    assert (step.what, step.climb.rung) == ("to_held", HELD)
    assert step.exposure.is_closed
    assert not step.climb.is_explained
    stays = advance(step.climb, all_good(), signed(step.climb, NOON, tuple(PEOPLE)), NOON)
    assert (stays.what, stays.climb.rung) == ("stay", HELD)


def test_a_fail_is_not_washed_away_by_missing_data() -> None:
    """Fail, unknown, fail is two fails in a row; fail, pass, fail is not."""
    climb = at(6)
    now = climb.entered_at + MINUTE
    once = advance(climb, with_bad("p99"), [], now).climb
    unknown = advance(once, without("p99"), [], now).climb
    assert advance(unknown, with_bad("p99"), [], now).what == "back"
    passed = advance(once, all_good(), [], now).climb
    assert advance(passed, with_bad("p99"), [], now).what == "stay"


def test_a_clock_set_back_hurries_nothing() -> None:
    climb = at(6)
    step = advance(climb, all_good(), signed(climb, NOON), climb.entered_at - timedelta(days=1))
    assert (step.what, step.climb.rung) == ("stay", 6)


@pytest.mark.parametrize("left", [1, 50_000, None])
def test_full_limits_wait_for_the_parked(left: int | None) -> None:
    climb = with_parked(at(9), left)
    now = over(climb)
    step = advance(climb, all_good(), signed(climb, now), now)
    assert (step.what, step.climb.rung) == ("stay", 9)
    assert advance(with_parked(climb, 0), all_good(), signed(climb, now), now).what == "up"


def test_the_watch_is_stricter() -> None:
    """What is good enough on the way up is not at the top."""
    reading = msgspec.structs.replace(good("queue_age"), value=20.0)
    readings = [*without("queue_age"), reading]
    assert advance(at(8), readings, [], NOON).climb.soft_fails == 0
    assert advance(at(11), readings, [], NOON).climb.soft_fails == 1


@pytest.mark.parametrize("rung", [0, 3, 4, 8, 11])
def test_a_climb_that_was_ended_is_no_success(rung: int) -> None:
    """Argo counts a terminated analysis as passed; here nobody is let in by it, ever."""
    ended = abandon(at(rung), NOON)
    step = advance(ended, all_good(), signed(ended, NOON, tuple(PEOPLE)), NOON + 999 * MINUTE)
    assert (step.what, step.climb.state) == ("stay", "abandoned")
    assert step.exposure.is_closed
    assert not step.climb.is_open
    with pytest.raises(InvariantBroken):
        abandon(ended, NOON)


def test_a_scope_that_waits_for_another_prepares_and_lets_nobody_in() -> None:
    climb = at(3)
    now = over(climb)
    step = advance(climb, all_good(), signed(climb, now), now, waits_for=("closure:0",))
    assert (step.what, step.why) == ("stay", "waits for closure:0")
    inside = at(5)
    now = over(inside)
    assert advance(inside, all_good(), [], now, waits_for=("closure:0",)).what == "up"


# ---- the fast lane ---------------------------------------------------------------------------


@pytest.mark.parametrize("signal_class", SignalClass)
@pytest.mark.parametrize("collateral", [0, 50, 51, 1000, -1])
def test_only_health_with_little_collateral_has_a_fast_lane(
    signal_class: SignalClass, collateral: int
) -> None:
    is_fast = signal_class is SignalClass.HEALTH and 0 <= collateral <= 50
    assert has_fast_lane(signal_class, collateral) == is_fast
    assert held(signal_class, collateral=collateral).fast == is_fast


def test_the_fast_lane_needs_minutes_and_nobody() -> None:
    climb = held(SignalClass.HEALTH, collateral=10)
    shares = []
    while climb.state == "climbing":
        step = advance(climb, all_good(), [], over(climb))
        shares.append((step.exposure.permille, step.exposure.payments_max))
        climb = step.climb
    assert shares == [(100, 10), (100, None), (500, None), (1000, None), (1000, None)]
    assert climb.state == "finished"
    assert climb.entered_at - NOON == 4 * MINUTE


def test_the_fast_lane_opens_nothing_without_data() -> None:
    climb = held(SignalClass.HEALTH, collateral=10)
    step = advance(climb, [], [], over(climb) + 60 * MINUTE)
    assert (step.what, step.climb.rung) == ("feed_synthetic", 0)


def test_the_fast_lane_is_lost_by_a_miss_of_integrity() -> None:
    """What looked like a slow partner was money: class A from now on, and people."""
    for rung in range(5):
        climb = at(rung, SignalClass.HEALTH, collateral=10)
        after = advance(climb, with_bad("double_outcome"), [], NOON).climb
        assert (after.fast, after.signal_class, after.rung) == (False, SignalClass.INTEGRITY, 0)


def test_the_fast_lane_is_lost_by_two_step_backs() -> None:
    climb = at(2, SignalClass.HEALTH, collateral=10)
    for _ in range(4):
        climb = advance(climb, with_bad("success"), [], NOON).climb
    assert (climb.fast, climb.rung, climb.signal_class) == (False, 0, SignalClass.HEALTH)


# ---- counters begin anew ---------------------------------------------------------------------


def test_after_a_step_back_the_first_fail_is_a_first_fail() -> None:
    climb = at(6)
    for _ in range(2):
        climb = advance(climb, with_bad("p99"), [], climb.entered_at).climb
    assert (climb.rung, climb.soft_fails, climb.step_backs) == (5, 0, 1)
    assert advance(climb, with_bad("p99"), [], climb.entered_at).climb.rung == 5


def test_a_new_rung_is_not_blind_for_the_one_before() -> None:
    """The page's quarter of an hour counts on each rung."""
    climb = advance(at(6), without("p99"), [], NOON).climb
    assert climb.blind_since == NOON
    for _ in range(2):
        climb = advance(climb, with_bad("p99"), [], NOON + 20 * MINUTE).climb
    assert (climb.rung, climb.blind_since) == (5, None)


def test_a_fall_to_held_forgives_the_step_backs() -> None:
    climb = at(6)
    for _ in range(2):
        climb = advance(climb, with_bad("p99"), [], NOON).climb
    assert advance(climb, with_bad("chain_break"), [], NOON).climb.step_backs == 0


def test_what_was_measured_on_the_rung_before_counts_for_nothing() -> None:
    """The large sample of a small cohort says nothing of the larger one."""
    climb = at(5)
    now = over(climb)
    early = climb.entered_at - MINUTE
    old = [msgspec.structs.replace(one, since=early) for one in all_good()]
    assert advance(climb, old, [], now).what == "feed_synthetic"
    fresh = [msgspec.structs.replace(one, since=climb.entered_at) for one in all_good()]
    assert advance(climb, fresh, [], now).what == "up"


def test_a_class_that_is_raised_voids_what_was_signed() -> None:
    climb = held(SignalClass.ABUSE)
    yes = signed(climb, NOON)
    raised = advance(climb, with_bad("chain_break"), yes, NOON).climb
    assert raised.signal_class is SignalClass.INTEGRITY
    assert payload_of(raised) != payload_of(climb)
    assert advance(raised, all_good(), yes, NOON).what == "needs_people"
