"""The ladder's signatures come from the two-person rule, and from nowhere else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from conftest import NOON
from tangguh.access.approval import Change, approve, deny
from tangguh.access.people import Role, Staff
from tangguh.core.outcome import Refusal, Refused
from tangguh.recovery.climb import Climb
from tangguh.recovery.consent import approvals_of, ask
from tangguh.recovery.ladder import advance
from tangguh.recovery.rungs import SignalClass
from unit.recovery.scopes import PEOPLE, all_good, at, held, over, with_bad

STAFF = {
    role: Staff(id=name, hr_id=f"HR-{name}", roles=frozenset({role}))
    for role, name in PEOPLE.items()
}


def asked(climb: Climb, number: int = 1) -> Change:
    change = ask(climb, UUID(int=number), over(climb))
    assert isinstance(change, Change)
    return change


def signed(change: Change, *roles: Role) -> Change:
    for role in roles or change.rule.roles:
        after = approve(change, STAFF[role], change.sha256, change.made_at)
        assert isinstance(after, Change), after
        change = after
    return change


@pytest.mark.parametrize("signal_class", [SignalClass.INTEGRITY, SignalClass.CONTROL])
@pytest.mark.parametrize("rung", range(11))
def test_every_rung_is_entered_with_what_was_signed_for_it(
    rung: int, signal_class: SignalClass
) -> None:
    """Or with nothing, where nobody must sign."""
    climb = at(rung, signal_class)
    now = over(climb)
    change = ask(climb, UUID(int=1), now)
    if change is None:
        assert advance(climb, all_good(), [], now).what == "up"
        return
    assert isinstance(change, Change)
    assert approvals_of(climb, [change]) == ()
    whole = signed(change)
    step = advance(climb, all_good(), approvals_of(climb, [whole]), now)
    assert (step.what, step.climb.rung) == ("up", rung + 1)
    assert approvals_of(step.climb, [whole]) == ()


def test_half_a_consent_is_none_and_a_no_takes_it_back() -> None:
    climb = at(8 - 1)
    half = signed(asked(climb), Role.INCIDENT_COMMANDER)
    assert approvals_of(climb, [half]) == ()
    whole = signed(half, Role.RISK_OFFICER)
    assert len(approvals_of(climb, [whole])) == 2
    denied = deny(whole, STAFF[Role.INCIDENT_COMMANDER], whole.made_at)
    assert isinstance(denied, Change)
    assert approvals_of(climb, [denied]) == ()


def test_what_was_signed_for_another_turn_class_or_closure_is_nothing() -> None:
    climb = at(3)
    whole = signed(asked(climb))
    assert len(approvals_of(climb, [whole])) == 2
    for change in ({"turn": climb.turn + 1}, {"closure_id": "closure:2"},
                   {"signal_class": SignalClass.CONTROL}, {"cause": "else"}):  # fmt: skip
        assert approvals_of(msgspec.structs.replace(climb, **change), [whole]) == ()


def test_one_question_at_a_time_and_a_new_one_after_a_fall() -> None:
    """F63 for the ladder: the second question for one turn is refused, for a new turn it is not."""
    climb = at(6)
    now = over(climb)
    first = asked(climb)
    again = ask(climb, UUID(int=2), now, known=[first])
    assert isinstance(again, Refused)
    assert again.code is Refusal.CHANGE_ALREADY_PENDING
    late = ask(climb, UUID(int=2), now + timedelta(minutes=15), known=[first])
    assert isinstance(late, Change)
    fallen = advance(climb, with_bad("chain_break"), [], now).climb
    assert isinstance(ask(fallen, UUID(int=3), now, known=[first]), Change)


def test_the_suspected_group_and_one_reporting_line_do_not_sign() -> None:
    climb = msgspec.structs.replace(held(SignalClass.CONTROL), suspected_group="switch")
    change = asked(climb)
    insider = msgspec.structs.replace(STAFF[Role.CISO], group="switch")
    assert isinstance(approve(change, insider, change.sha256, NOON), Refused)
    signed_once = signed(change, Role.RISK_OFFICER)
    below = msgspec.structs.replace(STAFF[Role.CISO], reports_to=STAFF[Role.RISK_OFFICER].id)
    assert isinstance(approve(signed_once, below, change.sha256, NOON), Refused)
