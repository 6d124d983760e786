"""The table of acts: each act with each set of people, and only its own combination passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from conftest import NOON
from tangguh.access import acts
from tangguh.access.acts import ACTS, Act, Kind, Needs
from tangguh.access.approval import (
    BANK,
    EXPIRES_SECONDS,
    Change,
    ChangeState,
    Rule,
    approve,
    propose,
    use,
)
from tangguh.access.break_glass import ALONE, Right, break_glass
from tangguh.access.people import Role, Staff, StaffState
from tangguh.core.outcome import Refusal, Refused

IC, RAIL, RISK = Role.INCIDENT_COMMANDER, Role.RAIL_OWNER, Role.RISK_OFFICER
BY_ROLE: Final = {
    role: Staff(id=f"staff:{number}", hr_id=f"hr-{number}", roles=frozenset({role}))
    for number, role in enumerate(Role, start=1)
}


def another(role: Role, number: int, **changes: Any) -> Staff:
    """A further person of a role."""
    made = Staff(id=f"staff:{number}", hr_id=f"hr-{number}", roles=frozenset({role}))
    return msgspec.structs.replace(made, **changes)


NOBODY: Final = Staff(id="staff:50", hr_id="hr-50")
SECOND: Final = {role: another(role, 60 + number) for number, role in enumerate(Role)}
FROZEN: Final = {
    role: another(role, 70 + number, state=StaffState.FROZEN) for number, role in enumerate(Role)
}
TWINS: Final = [  # other accounts of the incident commander, by number
    another(RISK, 80, hr_id=BY_ROLE[IC].hr_id.upper()),
    another(RISK, 81, hr_id=f" {BY_ROLE[IC].hr_id} "),
]
BELOW: Final = another(RISK, 84, reports_to=BY_ROLE[IC].id)
PEOPLE: Final = [*BY_ROLE.values(), *SECOND.values(), *FROZEN.values(), *TWINS, BELOW, NOBODY]
EVERYONE: Final = tuple(PEOPLE)
SIGNED: Final = [act for act, needs in ACTS.items() if needs.rule is not None]
FIRST_OF_ITS_KIND: Final = {
    (tuple(sorted(needs.makers)), str(needs.rule)): act
    for act, needs in reversed(list(ACTS.items()))
}
"""Acts that take the same people are tried with every two once."""
BY_ONE: Final = [act for act, needs in ACTS.items() if not needs.is_signed]


def proposed(act: Act, maker: Staff) -> Change | Refused:
    """As the book proposes it: begun by whoever may, with the table's own rule."""
    rule = acts.rule_of(act)
    if isinstance(rule, Refused):
        return rule
    if refused := acts.refuse_begin(act, maker):
        return refused
    return propose(UUID(int=1), str(act), "s", {"a": 1}, maker=maker, now=NOON, rule=rule)


def done(act: Act, maker: Staff, signers: Iterable[Staff], seconds: float = 1.0) -> bool:
    """Whether the act is done when these sign what this one proposed."""
    change = proposed(act, maker)
    if isinstance(change, Refused):
        return False
    now = NOON + timedelta(seconds=seconds)
    for who in signers:
        voted = approve(change, who, change.sha256, now, everyone=EVERYONE)
        if not isinstance(voted, Refused):
            change = voted
    used = acts.refuse_carry(change) or use(change, change.payload, now)
    return not isinstance(used, Refused)


def one_human(first: Staff, second: Staff) -> bool:
    """By the cast alone: accounts of the incident commander are one person."""
    commander = {BY_ROLE[IC].id, *(twin.id for twin in TWINS)}
    return first.id == second.id or {first.id, second.id} <= commander


def expected(needs: Needs, maker: Staff, signers: Sequence[Staff]) -> bool:
    """An oracle of its own: written out from the rule, without the code that judges it."""
    assert needs.rule is not None
    if not maker.is_active or not maker.roles & needs.makers:
        return False
    said: list[Staff] = []
    for who in signers:
        is_fit = who.is_active and bool(who.roles & set(needs.rule.roles))
        others = [maker, *said]
        is_apart = not any(one_human(who, one) for one in others)
        above = {BELOW.id: BY_ROLE[IC].id}
        in_line = any(above.get(who.id) == one.id or above.get(one.id) == who.id for one in others)
        # The change is approved, and takes no further vote, once its rule is met.
        is_met = len(said) >= needs.rule.people and _fills(needs.rule.roles, said)
        if is_fit and is_apart and not in_line and not is_met:
            said.append(who)
    return len(said) >= needs.rule.people and _fills(needs.rule.roles, said)


def _fills(roles: Sequence[Role], people: Sequence[Staff]) -> bool:
    return any(
        all(role in who.roles for role, who in zip(roles, chosen, strict=True))
        for chosen in permutations(people, len(roles))
    )


@pytest.mark.parametrize("act", SIGNED)
def test_a_signed_act_is_done_by_its_own_people_and_by_nobody_else(act: Act) -> None:
    """Every maker with nobody, with each one, and with each two, in order."""
    needs, passed = ACTS[act], 0
    pairs = act in FIRST_OF_ITS_KIND.values()
    two = [tuple(BY_ROLE[role] for role in needs.rule.roles)] if needs.rule else []
    for maker in PEOPLE:
        sets: list[tuple[Staff, ...]] = [(), *((one,) for one in PEOPLE)]
        sets += [(one, one) for one in PEOPLE]
        if maker.is_active and maker.roles & needs.makers:
            sets += list(permutations(PEOPLE, 2)) if pairs else two
        for signers in sets:
            was, wanted = done(act, maker, signers), expected(needs, maker, signers)
            assert was == wanted, (act, maker.id, [one.id for one in signers])
            passed += was
    assert passed, "nobody at all can do it"


@pytest.mark.parametrize("act", SIGNED)
def test_nobody_does_a_signed_act_alone(act: Act) -> None:
    for who in PEOPLE:
        refused = acts.refuse_alone(act, who)
        assert refused is not None
        assert refused.code is Refusal.TWO_PEOPLE_NEEDED
        assert not done(act, who, (who, who))


@pytest.mark.parametrize("act", BY_ONE)
def test_an_act_of_one_is_for_its_roles_only(act: Act) -> None:
    for who in PEOPLE:
        may = who.is_active and bool(who.roles & ACTS[act].makers)
        assert (acts.refuse_alone(act, who) is None) == may
        assert isinstance(acts.rule_of(act), Refused)


@pytest.mark.parametrize("act", SIGNED)
def test_a_signature_is_too_late_after_its_time_and_void_under_another_rule(act: Act) -> None:
    needs = ACTS[act]
    assert needs.rule is not None
    maker = next(one for one in SECOND.values() if one.roles & needs.makers and not
                 one.roles & {*needs.rule.roles})  # fmt: skip
    signers = [BY_ROLE[role] for role in needs.rule.roles]
    assert done(act, maker, signers)
    assert not done(act, maker, signers, seconds=EXPIRES_SECONDS)
    change = proposed(act, maker)
    assert isinstance(change, Change)
    weaker = msgspec.structs.replace(change, rule=Rule(), state=ChangeState.APPROVED)
    refused = acts.refuse_carry(weaker)
    assert refused is not None
    assert refused.code is Refusal.CHANGE_DIFFERS


def test_a_broken_glass_signs_nothing() -> None:
    """What one person takes in an emergency opens, pays and sets nothing, for nobody."""
    for right in Right:
        grant = break_glass(UUID(int=1), BY_ROLE[IC], right, "fire", now=NOON)
        assert isinstance(grant, Refused) == (right not in ALONE)
    for act, needs in ACTS.items():
        if needs.kind in {Kind.OPENS, Kind.PAYS}:
            assert needs.is_signed, act
            assert act not in {str(right) for right in ALONE}


def test_every_act_has_its_row_and_what_opens_or_pays_takes_two() -> None:
    assert set(ACTS) == set(Act)
    for act, needs in ACTS.items():
        if needs.kind in {Kind.OPENS, Kind.PAYS}:
            assert needs.is_signed, act
        if needs.rule is not None:
            assert needs.rule.other_lines, act
            assert needs.makers, act


def test_only_the_bank_proposes_a_rung() -> None:
    assert acts.refuse_begin(Act.LADDER_CLIMB, BANK) is None
    for who in PEOPLE:
        assert acts.refuse_begin(Act.LADDER_CLIMB, who) is not None
    assert isinstance(acts.rule_of(Act.LADDER_CLIMB), Refused)


def test_what_is_no_act_is_neither_proposed_nor_done() -> None:
    assert isinstance(acts.rule_of("gate.everything"), Refused)
    change = proposed(Act.GATE_NARROW, BY_ROLE[IC])
    assert isinstance(change, Change)
    strange = msgspec.structs.replace(change, kind="gate.everything")
    assert acts.refuse_carry(strange) is not None


def test_an_act_pays_at_most_its_cap() -> None:
    most = ACTS[Act.CARE_PAY].most_minor
    assert most is not None
    for minor, code in ((0, Refusal.AMOUNT_NOT_POSITIVE), (-1, Refusal.AMOUNT_NOT_POSITIVE),
                        (most + 1, Refusal.AMOUNT_TOO_LARGE)):  # fmt: skip
        refused = acts.refuse_amount(Act.CARE_PAY, minor)
        assert refused is not None
        assert refused.code is code
    assert acts.refuse_amount(Act.CARE_PAY, most) is None
