"""Ring 2: what lies on a settlement account is what is soon needed, and is brought back to that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.settlement.funding.exposure import (
    ExposureRules,
    Move,
    move_for,
    needs_of,
    wanted_minor,
)

RULES = ExposureRules(floor_minor=100, cap_minor=10_000)


@pytest.mark.parametrize(
    ("net", "horizon", "needs"),
    [
        ([], 2, []),
        ([5, 5, 5], 2, [10, 10, 5]),
        ([-5, 3, 3], 3, [1, 6, 3]),
        ([-5, -5], 2, [0, 0]),
        ([8, -8, 8], 3, [8, 0, 8]),
    ],
)
def test_what_each_minute_needed(net: list[int], horizon: int, needs: list[int]) -> None:
    """The peak of the running sum: money that comes in first need not lie there."""
    assert needs_of(net, horizon) == needs


@pytest.mark.parametrize(
    ("net", "wanted"),
    [
        ([], 100),
        ([1] * 60, 100),
        ([10] * 60, 375),
        ([-10] * 60, 100),
        ([10_000] * 60, 10_000),
        ([0] * 1_000 + [5_000], 100),
    ],
)
def test_what_should_lie_there(net: list[int], wanted: int) -> None:
    """Thirty minutes' worth and a quarter; floor and cap; one stray minute in a thousand is none."""
    rules = ExposureRules(floor_minor=100, cap_minor=10_000, horizon_minutes=30)
    if net and net[-1] == 5_000:
        rules = ExposureRules(floor_minor=100, cap_minor=10_000, horizon_minutes=1)
    assert wanted_minor(net, rules) == wanted


@pytest.mark.parametrize(
    ("balance", "reserved", "move"),
    [
        (1_000, 0, None),
        (750, 0, None),
        (749, 0, Move("fund", 251)),
        (1_250, 0, None),
        (1_251, 0, Move("sweep", 251)),
        (1_000, 400, Move("fund", 400)),
        (-50, 0, Move("fund", 1_050)),
    ],
)
def test_what_is_moved(balance: int, reserved: int, move: Move | None) -> None:
    """Nothing within the slack; to the middle when outside it."""
    assert move_for(balance, reserved, 1_000, RULES) == move


@given(
    net=st.lists(st.integers(-500, 500), max_size=120),
    balance=st.integers(-5_000, 20_000),
    reserved=st.integers(0, 3_000),
)
def test_after_a_move_nothing_is_to_be_moved(net: list[int], balance: int, reserved: int) -> None:
    """Within floor and cap always; one move is enough, and a sweep leaves what is reserved."""
    wanted = wanted_minor(net, RULES)
    assert RULES.floor_minor <= wanted <= RULES.cap_minor
    move = move_for(balance, reserved, wanted, RULES)
    if move is None:
        return
    assert move.amount_minor > 0
    after = balance + (move.amount_minor if move.kind == "fund" else -move.amount_minor)
    assert after - reserved == wanted
    assert move_for(after, reserved, wanted, RULES) is None
