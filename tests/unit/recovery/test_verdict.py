"""Gates: every metric at its edge, and everything that is not a measurement is inconclusive."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from tangguh.recovery.rungs import Pace
from tangguh.recovery.verdict import (
    METRICS,
    OPTIONAL,
    SOFT,
    ZERO_TOLERANCE,
    Kind,
    Reading,
    Verdict,
    judge,
    judge_all,
)
from unit.recovery.scopes import bad, good

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("metric", "passes", "fails", "tight_fails"),
    [
        ("unmatched_outflow", 0, 1, 1),
        ("double_outcome", 0, 1, 1),
        ("negative_balance", 0, 1, 1),
        ("chain_break", 0, 1, 1),
        ("wrong_payee", 0, 1, 1),
        ("success", 0.997, 0.9969, 0.9984),
        ("unanswered", 0.002, 0.0021, 0.0011),
        ("p99", 2.0, 2.01, 1.51),
        ("queue_age", 30, 31, 16),
        ("shed", 0.01, 0.011, 0.006),
        ("partner_declines", 0.02, 0.021, 0.016),
        ("complaints", 2, 2.1, 1.6),
        ("status_age", 30, 31, 16),
        ("notices", 0.99, 0.989, 0.994),
    ],
)
def test_each_metric_at_its_edge(
    metric: str, passes: float, fails: float, tight_fails: float
) -> None:
    """The last value that passes, the first that fails, and the first that fails in the watch."""
    baseline = 0.01 if metric == "partner_declines" else 1.0

    def verdict(value: float, *, tight: bool = False) -> Verdict:
        reading = Reading(metric, value, 500, control=1.0, baseline=baseline)
        return judge(metric, reading, sample_min=500, tight=tight).verdict

    assert verdict(passes) is Verdict.PASS
    assert verdict(fails) is Verdict.FAIL
    assert verdict(tight_fails, tight=True) is Verdict.FAIL


def test_success_has_a_floor_below_any_control() -> None:
    """A control cohort that is as bad does not excuse it."""
    reading = Reading("success", 0.994, 500, control=0.990)
    assert judge("success", reading).verdict is Verdict.FAIL


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [None, NAN, -INF, -1.0])
def test_what_is_no_number_is_inconclusive(metric: str, value: float | None) -> None:
    reading = msgspec.structs.replace(good(metric), value=value)
    assert judge(metric, reading).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_another_name_or_too_few_is_inconclusive(metric: str) -> None:
    assert judge(metric, None).verdict is Verdict.INCONCLUSIVE
    assert judge(metric, good("shed" if metric != "shed" else "p99")).verdict is (
        Verdict.INCONCLUSIVE
    )
    few = msgspec.structs.replace(good(metric), sample=199)
    assert judge(metric, few, sample_min=200).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("metric", [n for n, one in METRICS.items() if one.baseline_times])
@pytest.mark.parametrize("baseline", [None, NAN, INF, -1.0])
def test_no_baseline_is_inconclusive(metric: str, baseline: float | None) -> None:
    reading = msgspec.structs.replace(good(metric), baseline=baseline)
    assert judge(metric, reading).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("control", [None, NAN, -1.0])
def test_no_control_is_inconclusive(control: float | None) -> None:
    reading = msgspec.structs.replace(good("success"), control=control)
    assert judge("success", reading).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("metric", sorted(ZERO_TOLERANCE))
@pytest.mark.parametrize("value", [1.0, INF])
def test_one_miss_of_integrity_fails_whatever_the_sample(metric: str, value: float) -> None:
    """Also when it was counted from before the rung was entered."""
    reading = Reading(metric, value, 0, since=NOON - timedelta(days=1))
    judgement = judge_all((), [reading], sample_min=1000, since=NOON)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.failed(Kind.ZERO)


def test_a_renamed_metric_never_passes() -> None:
    """Under the new name it is unknown, under the old one it is missing."""
    readings = [good(one) for one in METRICS if one != "success"]
    judgement = judge_all(SOFT, [*readings, Reading("success_rate", 1.0, 999)])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "success: no reading" in judgement.why
    assert "success_rate: no metric has this name" in judgement.why


def test_of_two_readings_the_worse_counts() -> None:
    for pair in ([good("shed"), bad("shed")], [bad("shed"), good("shed")]):
        assert judge_all({"shed"}, pair).verdict is Verdict.FAIL


def test_optional_metrics_are_judged_when_they_are_given() -> None:
    """Also when what is given is nothing."""
    base = [good(one) for one in SOFT]
    assert judge_all(SOFT, base, also=OPTIONAL).verdict is Verdict.PASS
    assert judge_all(SOFT, [*base, bad("notices")], also=OPTIONAL).verdict is Verdict.FAIL
    empty = Reading("notices", None)
    assert judge_all(SOFT, [*base, empty], also=OPTIONAL).verdict is Verdict.INCONCLUSIVE


def test_a_reading_from_before_the_rung_says_nothing_of_it() -> None:
    old = msgspec.structs.replace(good("shed"), since=NOON - timedelta(seconds=1))
    assert judge_all({"shed"}, [old], since=NOON).verdict is Verdict.INCONCLUSIVE
    fresh = msgspec.structs.replace(old, since=NOON)
    assert judge_all({"shed"}, [fresh], since=NOON).verdict is Verdict.PASS


def test_nothing_judged_is_no_pass() -> None:
    assert judge_all((), ()).verdict is Verdict.INCONCLUSIVE


def test_a_rehearsals_pace_makes_samples_smaller_but_never_none() -> None:
    few = msgspec.structs.replace(good("rehearsal_wrong"), sample=2)
    required = {"rehearsal_wrong"}
    assert judge_all(required, [few]).verdict is Verdict.INCONCLUSIVE
    assert judge_all(required, [few], pace=Pace(sample_scale=0.01)).verdict is Verdict.PASS
    none = msgspec.structs.replace(few, sample=0)
    assert judge_all(required, [none], pace=Pace(sample_scale=1e-9)).verdict is (
        Verdict.INCONCLUSIVE
    )


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, NAN, INF])
def test_a_pace_cannot_stretch_or_stop_time(scale: float) -> None:
    with pytest.raises(ValueError, match="pace"):
        Pace(time_scale=scale)
    with pytest.raises(ValueError, match="pace"):
        Pace(sample_scale=scale)


NUMBERS = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(-2, 3)


@given(st.sampled_from(sorted(METRICS)), NUMBERS, st.integers(-1, 300), NUMBERS, NUMBERS)
def test_a_pass_always_rests_on_a_whole_measurement(
    metric: str, value: float | None, sample: int, control: float | None, baseline: float | None
) -> None:
    """Whatever the numbers are, a pass means that everything the rule looks at was there."""
    judged = judge(metric, Reading(metric, value, sample, control, baseline), sample_min=200)
    if judged.verdict is not Verdict.PASS:
        return
    rule = METRICS[metric]
    needed = [value]
    needed += [control] if rule.control_under is not None else []
    needed += [baseline] if rule.baseline_times is not None else []
    assert sample >= 200
    assert all(one is not None and 0 <= one < INF for one in needed)
