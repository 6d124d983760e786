"""Scopes are sets of orders: covering, including, and steps of one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.service import SERVICES
from tangguh.guard.scope import (
    Cohort,
    Facts,
    Scope,
    implied,
    is_one_step_wider,
    narrower,
    problem_of,
    scope_of,
    text_of,
    wider,
)

WORDS = st.sampled_from(["", "a", "b"])
BANDS = st.sampled_from([(0, None), (0, 100), (100, None), (100, 200), (50, 150)])


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    service = SERVICES[draw(st.sampled_from(sorted(SERVICES)))]
    return Facts(
        service=service.id,
        rail=service.rail,
        direction=service.direction,
        channel=service.channel,
        partner=service.partner or draw(WORDS),
        customer_id=draw(st.integers(1, 2000)),
        account=draw(st.integers(0, 3)),
        payee=draw(WORDS),
        terminal=draw(WORDS),
        device=draw(WORDS),
        version=draw(WORDS),
        amount_minor=draw(st.integers(0, 300)),
    )


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    service = draw(st.sampled_from(["", *sorted(SERVICES)[:6]]))
    known = SERVICES.get(service)
    first, end = draw(BANDS)
    cohort = draw(
        st.sampled_from([None, Cohort("s", 0, 10), Cohort("s", 0, 500), Cohort("t", 0, 500)])
    )
    return Scope(
        service=service,
        rail=draw(st.sampled_from(["", known.rail if known else "bifast"])),
        direction=draw(st.sampled_from(["", known.direction if known else "out"])),
        channel=draw(st.sampled_from(["", known.channel if known else "mobile"])),
        partner="" if known else draw(WORDS),
        cohort=cohort,
        account=draw(st.integers(0, 2)),
        payee=draw(WORDS),
        device=draw(WORDS),
        version=draw(WORDS),
        amount_from_minor=first,
        amount_to_minor=end,
    )


@given(scopes(), scopes(), facts())
def test_including_is_covering_all_the_other_covers(one: Scope, other: Scope, order: Facts) -> None:
    if one.includes(other) and other.covers(order):
        assert one.covers(order)


@given(scopes(), facts())
def test_what_a_service_stands_for_covers_the_same_orders(scope: Scope, order: Facts) -> None:
    assert implied(scope).covers(order) == scope.covers(order)


@given(scopes(), facts())
def test_a_step_wider_covers_more_and_never_the_whole_bank(scope: Scope, order: Facts) -> None:
    for step in wider(scope):
        assert step.includes(scope)
        assert not step.is_whole_bank
        if scope.covers(order):
            assert step.covers(order)


@given(scopes(), st.lists(facts(), max_size=5))
def test_a_step_narrower_stays_inside_and_names_one_thing_more(
    scope: Scope, seen: list[Facts]
) -> None:
    for step in narrower(scope, seen):
        assert scope.includes(step)
        assert any(step.covers(order) for order in seen)
        assert set(step.names) - set(scope.names)


@given(scopes())
def test_two_steps_are_not_one(scope: Scope) -> None:
    """Nothing ever goes up more than one step at a time."""
    near = set(wider(scope))
    far = {further for step in near for further in wider(step)} - near
    assert not any(is_one_step_wider(scope, step) for step in far if step != scope)


@given(scopes())
def test_text_and_scope_are_the_same(scope: Scope) -> None:
    assert scope_of(text_of(scope)) == scope


@given(scopes())
def test_a_scope_survives_the_wire(scope: Scope) -> None:
    assert msgspec.json.decode(msgspec.json.encode(scope), type=Scope) == scope


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("rail=bi-fast", "rail"),
        ("direction=up", "direction"),
        ("service=mobile.qris", "service"),
        ("amount=200-100", "band"),
        ("cohort=s:5-5", "cohort"),
        ("colour=red", "colour"),
        ("account=12a", "account"),
        ("rail=", "rail"),
    ],
)
def test_what_no_scope_can_be_is_said(text: str, about: str) -> None:
    found = scope_of(text)
    assert isinstance(found, str)
    assert about in found


def test_the_incident_is_one_rail_in_one_direction() -> None:
    """Closing BI-FAST outgoing touches nothing that comes in and no other rail."""
    scope = scope_of("rail=bifast direction=out")
    assert isinstance(scope, Scope)
    assert scope.is_one_way_of_a_rail
    assert problem_of(scope) == ""
    hit = {
        service.id
        for service in SERVICES.values()
        if scope.covers(
            Facts(
                service=service.id,
                rail=service.rail,
                direction=service.direction,
                channel=service.channel,
            )
        )
    }
    assert hit == {"mobile.transfer.bifast"}
