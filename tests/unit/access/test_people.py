"""Accounts and the persons behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.access.people import Role, Staff, are_in_one_line, are_one_person, lacking

IC, RISK, RAIL = Role.INCIDENT_COMMANDER, Role.RISK_OFFICER, Role.RAIL_OWNER


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ({}, {}, False),
        ({"hr_id": "HR-1"}, {"hr_id": "hr-1 "}, True),
        ({"hr_id": ""}, {"hr_id": ""}, True),
        ({"id": "staff:1"}, {"id": "staff:1"}, True),
    ],
)
def test_two_accounts_of_one_person(
    one: dict[str, object], other: dict[str, object], is_one: bool
) -> None:
    """The same number; an account without a person is everybody's."""
    first = Staff(**{"id": "staff:1", "hr_id": "HR-1", **one})
    second = Staff(**{"id": "staff:2", "hr_id": "HR-2", **other})
    assert are_one_person(first, second) == are_one_person(second, first) == is_one


@pytest.mark.parametrize(
    ("one", "other", "is_line"),
    [("", "", False), ("staff:2", "", True), ("", "staff:1", True), ("staff:9", "staff:9", True),
     ("staff:8", "staff:9", False)],
)  # fmt: skip
def test_reporting_lines(one: str, other: str, is_line: bool) -> None:
    first = Staff(id="staff:1", hr_id="1", reports_to=one)
    second = Staff(id="staff:2", hr_id="2", reports_to=other)
    assert are_in_one_line(first, second) == are_in_one_line(second, first) == is_line


def test_a_line_goes_all_the_way_up() -> None:
    """Through whoever stands between; a list that goes in a circle is no endless one."""
    clerk = Staff(id="staff:1", hr_id="1", reports_to="staff:2")
    head = Staff(id="staff:2", hr_id="2", reports_to="staff:3")
    chief = Staff(id="staff:3", hr_id="3")
    assert are_in_one_line(clerk, chief, (head,))
    assert are_in_one_line(chief, clerk, (head,))
    assert not are_in_one_line(clerk, chief)
    circle = Staff(id="staff:3", hr_id="3", reports_to="staff:1")
    other = Staff(id="staff:9", hr_id="9")
    assert not are_in_one_line(clerk, other, (head, circle))


def test_the_roles_are_filled_by_different_people() -> None:
    """Whoever holds two fills the one that nobody else can."""
    assert lacking((), {}) == ()
    assert lacking((IC, RISK), {"a": frozenset({IC, RISK})}) == (RISK,)
    held = {"a": frozenset({IC, RISK}), "b": frozenset({IC})}
    assert lacking((IC, RISK), held) == ()
    assert lacking((IC, RISK, RAIL), held) == (RAIL,)


@given(
    st.lists(st.sampled_from(Role), max_size=4),
    st.dictionaries(st.integers(0, 4).map(str), st.frozensets(st.sampled_from(Role))),
)
def test_fewer_people_than_roles_never_fill_them(
    required: list[Role], held: dict[str, frozenset[Role]]
) -> None:
    missing = lacking(required, held)
    assert len(missing) >= len(required) - len(held)
    assert all(role in required for role in missing)
    unheld = [role for role in required if not any(role in roles for roles in held.values())]
    assert set(unheld) <= set(missing)
