"""The order between scopes: what others lean on climbs first."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.errors import InvariantBroken
from tangguh.recovery.order import Part, Standing, order_of


def standing(name: str, part: Part, rail: str = "", *, is_open: bool = False) -> Standing:
    return Standing(closure_id=name, part=part, rail=rail, is_open=is_open)


def test_the_whole_bank_opens_part_by_part() -> None:
    """Each part waits for every part before it that is still closed."""
    closed = [standing(part.name, part) for part in reversed(Part)]
    order = order_of(closed)
    assert order.may == ("LEDGER",)
    for before, after in pairwise(Part):
        assert before.name in order.waits_for(after.name)
        assert after.name not in order.waits_for(before.name)


def test_refunds_come_before_new_payments() -> None:
    order = order_of([standing("pay", Part.QRIS, "qris"), standing("back", Part.REFUNDS, "qris")])
    assert (order.may, order.waits) == (("back",), {"pay": ("back",)})


def test_other_rails_do_not_wait() -> None:
    order = order_of([
        standing("keys", Part.KEYS, "iso8583"), standing("qris", Part.QRIS, "qris"),
        standing("cash", Part.ONUS_CASH, "iso8583"),
    ])  # fmt: skip
    assert order.may == ("keys", "qris")
    assert order.waits_for("cash") == ("keys",)


def test_what_is_open_again_holds_nobody_back() -> None:
    order = order_of(
        [standing("ledger", Part.LEDGER, is_open=True), standing("q", Part.QRIS, "qris")]
    )
    assert order.may == ("ledger", "q")


def test_a_closure_stands_in_it_once() -> None:
    with pytest.raises(InvariantBroken):
        order_of([standing("a", Part.QRIS), standing("a", Part.BULK)])


@given(
    st.lists(
        st.builds(
            standing, st.uuids().map(str), st.sampled_from(Part), st.sampled_from(["", "a", "b"]),
            is_open=st.booleans(),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_somebody_may_always_climb(standings: list[Standing]) -> None:
    """No two wait for each other, so the bank can always go on."""
    order = order_of(standings)
    assert bool(order.may) == bool(standings)
    assert {*order.may, *order.waits} == {one.closure_id for one in standings}
    assert not {*order.may} & {*order.waits}
