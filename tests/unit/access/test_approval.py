"""Two people: nobody alone, nothing but what was shown, not later than a quarter of an hour."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from tangguh.access.approval import (
    BANK,
    Change,
    ChangeState,
    Rule,
    approve,
    canonical,
    deny,
    digest_of,
    propose,
    use,
)
from tangguh.access.break_glass import ALONE, Grant, Right, break_glass
from tangguh.access.people import Role, Staff, StaffState
from tangguh.core.outcome import Refusal, Refused

IC, RISK, RAIL = Role.INCIDENT_COMMANDER, Role.RISK_OFFICER, Role.RAIL_OWNER
PAYLOAD = {"service": "mobile.transfer.bifast", "transaction_max_minor": 5_000_000_00}
MINUTE = timedelta(minutes=1)


def person(number: int, *roles: Role, **more: object) -> Staff:
    keys = {"hr_id": f"HR-{number}", **more}
    return Staff(id=f"staff:{number}", roles=frozenset(roles), **keys)


ANI, BUDI, CITRA, DEWI = person(1, IC), person(2, RISK), person(3, IC, RISK), person(4, RAIL)


def change(rule: Rule | None = None, maker: Staff = ANI, **more: object) -> Change:
    made = propose(
        UUID(int=1), "limit", "mobile.transfer.bifast", PAYLOAD, maker=maker, now=NOON,
        rule=rule or Rule(), **more,
    )  # fmt: skip
    assert isinstance(made, Change)
    return made


def yes(one: Change, who: Staff, *more: Staff) -> Change:
    after = approve(one, who, one.sha256, NOON)
    assert isinstance(after, Change), after
    return yes(after, *more) if more else after


def code(answer: Change | Grant | Refused) -> Refusal:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_one_proposes_another_approves_and_it_is_used_once() -> None:
    approved = yes(change(), BUDI)
    assert approved.state is ChangeState.APPROVED
    used = use(approved, canonical(PAYLOAD), NOON + MINUTE)
    assert isinstance(used, Change)
    assert code(use(used, canonical(PAYLOAD), NOON + MINUTE)) is Refusal.CHANGE_ENDED
    assert code(use(change(), canonical(PAYLOAD), NOON)) is Refusal.CHANGE_ENDED


def test_the_hash_does_not_depend_on_how_the_payload_was_written_down() -> None:
    turned = dict(reversed(PAYLOAD.items()))
    assert canonical(turned) == canonical(PAYLOAD)
    assert digest_of("a", "b", b"{}") != digest_of("a", "c", b"{}") != digest_of("d", "c", b"{}")


def test_roles_are_filled_by_different_people() -> None:
    rule = Rule(roles=(IC, RISK))
    once = yes(change(rule, DEWI), CITRA)
    assert (once.state, once.lacking_roles) == (ChangeState.PENDING, (RISK,))
    assert yes(once, ANI).state is ChangeState.APPROVED
    assert code(approve(change(rule), DEWI, change(rule).sha256, NOON)) is (
        Refusal.APPROVER_NOT_ALLOWED
    )


def test_as_many_people_as_the_rule_asks() -> None:
    once = yes(change(Rule(people=2)), BUDI)
    assert once.state is ChangeState.PENDING
    assert code(approve(once, BUDI, once.sha256, NOON)) is Refusal.SAME_PERSON
    assert yes(once, CITRA).state is ChangeState.APPROVED
    with pytest.raises(ValueError, match="other person"):
        Rule(people=0)


@pytest.mark.parametrize(
    "approver",
    [
        pytest.param(ANI, id="the maker"),
        pytest.param(person(9, RISK, hr_id="hr-1"), id="the maker's number"),
    ],
)
def test_f62_nobody_approves_their_own_change_through_a_second_account(approver: Staff) -> None:
    one = change()
    assert code(approve(one, approver, one.sha256, NOON)) is Refusal.SAME_PERSON


def test_f62_two_accounts_of_one_person_are_not_two_approvers() -> None:
    twin = person(9, IC, hr_id="HR-2")
    once = yes(change(Rule(people=2)), BUDI)
    assert code(approve(once, twin, once.sha256, NOON)) is Refusal.SAME_PERSON


def test_f63_a_second_request_for_the_same_thing_is_refused() -> None:
    """FINERACT-2753. It may come when the first has ended, or about something else."""
    first = change()
    for known, is_refused in (
        (first, True),
        (yes(first, BUDI), True),
        (deny(first, ANI, NOON), False),
        (use(yes(first, BUDI), canonical(PAYLOAD), NOON), False),
    ):
        assert isinstance(known, Change)
        second = propose(
            UUID(int=2),
            "limit",
            first.subject,
            {},
            maker=BUDI,
            now=NOON,
            rule=Rule(),
            known=[known],
        )
        assert isinstance(second, Refused) == is_refused
        if isinstance(second, Refused):
            assert second.code is Refusal.CHANGE_ALREADY_PENDING
            assert "staff:1" in second.detail
    late = propose(
        UUID(int=2), "limit", first.subject, {}, maker=BUDI, now=NOON + 15 * MINUTE, rule=Rule(),
        known=[first],
    )  # fmt: skip
    assert isinstance(late, Change)
    other = propose(
        UUID(int=2), "limit", "atm.cash.onus", {}, maker=BUDI, now=NOON, rule=Rule(), known=[first]
    )
    assert isinstance(other, Change)


@pytest.mark.parametrize("right", Right)
def test_f64_the_glass_gives_a_quarter_of_an_hour_and_no_money(right: Right) -> None:
    """At 02:00, without a ticket; with a reason, written down; money still needs two."""
    answer = break_glass(UUID(int=7), ANI, right, " core hangs ", now=NOON)
    if right not in ALONE:
        assert code(answer) is Refusal.APPROVER_NOT_ALLOWED
        return
    assert isinstance(answer, Grant)
    assert answer.is_live(NOON)
    assert answer.is_live(NOON + 15 * MINUTE - timedelta(microseconds=1))
    assert not answer.is_live(NOON + 15 * MINUTE)
    assert not answer.is_live(NOON - MINUTE)
    act = answer.act()
    assert (act.actor, act.what) == ("staff:1", "glass.broken")
    assert right in act.detail
    assert "core hangs" in act.detail


def test_f64_money_rights_are_never_taken_alone() -> None:
    """Named one by one: a right that is added is not in the list until somebody puts it there."""
    assert set(Right) - ALONE == {
        Right.POST_MONEY, Right.REPAIR_BREAK, Right.RELEASE_PAYMENTS, Right.OPEN_SCOPE,
        Right.CHANGE_LIMIT, Right.CHANGE_STAFF,
    }  # fmt: skip
    frozen = person(1, state=StaffState.FROZEN)
    assert code(break_glass(UUID(int=7), frozen, Right.READ_LOGS, "x", now=NOON)) is (
        Refusal.APPROVER_NOT_ALLOWED
    )
    assert code(break_glass(UUID(int=7), ANI, Right.READ_LOGS, " ", now=NOON)) is (
        Refusal.ORDER_INVALID
    )


def test_another_payload_than_the_one_shown_is_refused() -> None:
    """Changed in the store after it was proposed, or between what was shown and what was signed."""
    one = change()
    other = canonical({**PAYLOAD, "transaction_max_minor": 1})
    tampered = msgspec.structs.replace(one, payload=other)
    assert code(approve(tampered, BUDI, one.sha256, NOON)) is Refusal.CHANGE_DIFFERS
    new_hash = digest_of(one.kind, one.subject, other)
    assert code(approve(one, BUDI, new_hash, NOON)) is Refusal.CHANGE_DIFFERS
    assert code(approve(tampered, BUDI, new_hash, NOON)) is Refusal.CHANGE_DIFFERS
    approved = yes(one, BUDI)
    assert code(use(approved, other, NOON)) is Refusal.CHANGE_DIFFERS
    swapped = msgspec.structs.replace(approved, payload=other)
    assert code(use(swapped, other, NOON)) is Refusal.CHANGE_DIFFERS
    renamed = msgspec.structs.replace(approved, subject="atm.cash.onus")
    assert code(use(renamed, canonical(PAYLOAD), NOON)) is Refusal.CHANGE_DIFFERS


@pytest.mark.parametrize("minutes", [15, 16, 9999, -1])
def test_a_change_lives_a_quarter_of_an_hour(minutes: int) -> None:
    one = change()
    later = NOON + minutes * MINUTE
    assert code(approve(one, BUDI, one.sha256, later)) is Refusal.CHANGE_EXPIRED
    assert code(use(yes(one, BUDI), canonical(PAYLOAD), later)) is Refusal.CHANGE_EXPIRED
    if minutes > 0:
        assert code(deny(one, ANI, later)) is Refusal.CHANGE_EXPIRED


@pytest.mark.parametrize("who", [ANI, CITRA])
def test_one_no_kills(who: Staff) -> None:
    """The maker's, or that of anybody who could have signed; also after the last yes."""
    for one in (change(Rule(roles=(RISK,))), yes(change(Rule(roles=(RISK,))), BUDI)):
        denied = deny(one, who, NOON)
        assert isinstance(denied, Change)
        assert denied.state is ChangeState.DENIED
        assert code(approve(denied, BUDI, denied.sha256, NOON)) is Refusal.CHANGE_ENDED
        assert code(use(denied, canonical(PAYLOAD), NOON)) is Refusal.CHANGE_ENDED
        assert code(deny(denied, who, NOON)) is Refusal.CHANGE_ENDED
    assert code(deny(change(Rule(roles=(RISK,))), DEWI, NOON)) is Refusal.APPROVER_NOT_ALLOWED


def test_the_suspected_group_has_no_say() -> None:
    """Neither yes nor no, nor may it propose."""
    insider = person(9, RISK, group="switch operations")
    one = change(suspected_group="switch operations")
    assert code(approve(one, insider, one.sha256, NOON)) is Refusal.APPROVER_NOT_ALLOWED
    assert code(deny(one, insider, NOON)) is Refusal.APPROVER_NOT_ALLOWED
    proposed = propose(
        UUID(int=1), "limit", "x", {}, maker=insider, now=NOON, rule=Rule(),
        suspected_group="switch operations",
    )  # fmt: skip
    assert code(proposed) is Refusal.APPROVER_NOT_ALLOWED
    assert yes(change(suspected_group="other"), insider).state is ChangeState.APPROVED


def test_a_reporting_line_is_one_voice_where_the_rule_says_so() -> None:
    """Superior and report, or two reports of one superior."""
    rule = Rule(people=2, other_lines=True)
    beside, chief = person(6, reports_to="staff:7"), person(7)
    one = change(rule, maker=person(5, reports_to="staff:7"))
    for who in (beside, chief):
        assert code(approve(one, who, one.sha256, NOON)) is Refusal.APPROVER_NOT_ALLOWED
    assert yes(change(maker=person(5, reports_to="staff:7")), chief).state is ChangeState.APPROVED
    assert yes(one, BUDI, CITRA).state is ChangeState.APPROVED


def test_a_frozen_account_and_the_bank_itself_sign_nothing() -> None:
    frozen = person(9, RISK, state=StaffState.FROZEN)
    one = change()
    assert code(approve(one, frozen, one.sha256, NOON)) is Refusal.APPROVER_NOT_ALLOWED
    assert code(approve(one, BANK, one.sha256, NOON)) is Refusal.APPROVER_NOT_ALLOWED
    proposed = change(Rule(roles=(IC, RISK)), maker=BANK)
    assert yes(proposed, ANI, BUDI).state is ChangeState.APPROVED


ACCOUNTS = st.builds(
    Staff,
    id=st.integers(1, 6).map("staff:{}".format),
    hr_id=st.integers(1, 3).map("HR-{}".format),
    roles=st.frozensets(st.sampled_from([IC, RISK, RAIL])),
    group=st.sampled_from(["", "ops"]),
)


@given(
    st.lists(ACCOUNTS, max_size=8),
    st.integers(1, 3),
    st.lists(st.sampled_from([IC, RISK, RAIL]), max_size=3, unique=True),
)
def test_fewer_people_than_asked_never_approve(
    signers: list[Staff], people: int, roles: list[Role]
) -> None:
    """In no order, with no accounts: persons, not accounts, are counted, and the maker is none."""
    maker = Staff(id="staff:9", hr_id="HR-1")
    made = change(Rule(people=people, roles=tuple(roles)), maker=maker)
    for signer in signers:
        after = approve(made, signer, made.sha256, NOON, everyone=signers)
        made = after if isinstance(after, Change) else made
    persons = {one.hr_id for one in signers} - {"HR-1"}
    if len(persons) < max(people, len(roles)):
        assert made.state is ChangeState.PENDING
    if made.state is ChangeState.APPROVED:
        voters = [vote.by for vote in made.votes]
        assert len({one.hr_id for one in voters}) == len(voters) >= max(people, len(roles))
        assert all(any(role in one.roles for one in voters) for role in roles)
