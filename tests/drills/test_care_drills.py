"""Money that comes back, and what people complain of, rehearsed against real processes."""

from __future__ import annotations

import pytest

from drills.test_guard_drills import passed

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_late_success_leaves_everybody_with_their_own_money(seed: int) -> None:
    """Advances come back, and what was declined and paid is a break and nobody's debit."""
    measures = passed("late-success-after-refund", 2, seed)["measures"]
    assert measures["repaid_in_the_same_step"] > 0
    assert measures["taken_back_after_notice"] > 0
    assert measures["money_free_seconds_max"] <= 5.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_way_it_comes_back_it_comes_back_once(seed: int) -> None:
    """And what a network gave back beyond that is a break with an owner."""
    report = passed("refund-and-chargeback", 2, seed)
    assert report["measures"]["overtaken"] > 0
    assert report["measures"]["bank_died"] >= 6


def test_a_flood_of_complaints_loses_none_and_fails_no_payment() -> None:
    """At the pace of five thousand in ten minutes, poisoned files among them."""
    measures = passed("complaint-flood", 300)["measures"]
    assert measures["files_kept"] > 0
    assert measures["files_refused"] > 0
