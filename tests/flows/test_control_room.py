"""The control room: closing is quick and small, opening is slow and signed by two."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from paper import PaperRail
from stories import RUPIAH, pay, proved, scan, transfer
from tangguh.access.approval import Change, ChangeState
from tangguh.access.people import Role, Staff
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Refusal, Refused, Unanswered
from tangguh.customers.crew import CREW, enrol_crew
from tangguh.guard.closure import Allowance, Closure, State
from tangguh.guard.rules import DEFAULT_RULES, Mode
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.payments.people.rules import ChangeRule
from tangguh.recovery.climb import Climb
from tangguh.work.control.room import CloseOrder

IC, RAIL, RISK, CISO, RECON, CARE = CREW
ORDER = CloseOrder(
    scope="rail=qris direction=out",
    reason="by_hand",
    cause="somebody saw something",
    message_id="QRIS ditutup sementara.",
    message_en="QRIS is closed for now.",
)


@pytest.fixture
async def crew(bank: Bank) -> AsyncIterator[dict[str, str]]:
    yield await enrol_crew(bank.staff)


async def close(bank: Bank, **changes: object) -> Closure:
    done = await bank.control.close(IC, msgspec.structs.replace(ORDER, **changes))
    assert isinstance(done, Closure), done
    return done


@pytest.mark.usefixtures("crew")
class TestClosing:
    async def test_one_person_closes_at_once(self, bank: Bank) -> None:
        one = await close(bank)
        assert one.state is State.CONTAINED
        assert one.made_by == IC.id
        refused = await pay(bank, await scan(bank, RUPIAH))
        assert refused.refusal is Refusal.PROTECTIVE_CLOSURE

    async def test_what_it_would_cost_is_said_before(self, bank: Bank, clock: HandClock) -> None:
        for number in range(3):
            await pay(bank, await scan(bank, 10_000 * RUPIAH, key=f"q{number}"))
        await pay(bank, await transfer(bank, 30_000 * RUPIAH, key="t"))
        seen = await bank.control.preview("rail=qris direction=out")
        assert not isinstance(seen, Refused)
        assert (seen.normal, seen.stopped, seen.permille, seen.value_permille) == (4, 3, 750, 500)
        assert seen.services == {"mobile.qris.offus": 3}
        assert seen.smaller
        assert (await bank.control.board()).closures == ()

    async def test_the_banks_own_probes_are_counted_apart(
        self, bank: Bank, paper: PaperRail
    ) -> None:
        """A rehearsal on the way back is nobody's payment: it is no share of what customers do."""
        await pay(bank, await scan(bank, 10_000 * RUPIAH))
        await pay(bank, await transfer(bank, 30_000 * RUPIAH, key="t"))
        probe = msgspec.structs.replace(
            await scan(bank, 100 * RUPIAH, key="probe-1"), customer_id=0, debtor=chart.PROBES
        )
        await pay(bank, probe)
        paper.will("send", Unanswered("timeout"))
        await pay(bank, msgspec.structs.replace(probe, idempotency_key="probe-2"))
        seen = await bank.control.preview("rail=qris direction=out")
        assert not isinstance(seen, Refused)
        assert (seen.normal, seen.stopped, seen.customers, seen.in_flight) == (2, 1, 1, 0)
        assert seen.services == {"mobile.qris.offus": 1}
        assert (seen.probes, seen.probes_in_flight) == (2, 1)
        assert len(bank.guardian.normal()) == 2

    async def test_the_whole_bank_takes_two(self, bank: Bank) -> None:
        asked = await bank.control.close(IC, msgspec.structs.replace(ORDER, scope="*"))
        assert isinstance(asked, Change)
        assert (await bank.control.board()).closures == ()
        for who in (
            RISK,
            Staff(id="staff:9", hr_id="9", roles=frozenset({Role.INCIDENT_COMMANDER})),
        ):
            done = await bank.control.approve(who, asked.id, asked.sha256)
            assert isinstance(done, Change), done
        (one,) = (await bank.control.board()).closures
        assert one.scope.is_whole_bank
        assert len(one.confirmed_by) == 3
        assert (await pay(bank, await transfer(bank, RUPIAH))).refusal is Refusal.PROTECTIVE_CLOSURE

    @pytest.mark.parametrize("scope", ["rail=nowhere", "colour=red", "amount=5-4"])
    async def test_a_scope_that_is_none_is_refused(self, bank: Bank, scope: str) -> None:
        done = await bank.control.close(IC, msgspec.structs.replace(ORDER, scope=scope))
        assert isinstance(done, Refused)
        assert done.field == "scope"

    async def test_who_has_no_part_closes_nothing(self, bank: Bank) -> None:
        nobody = Staff(id="staff:8", hr_id="8")
        done = await bank.control.close(nobody, ORDER)
        assert isinstance(done, Refused)
        assert done.code is Refusal.APPROVER_NOT_ALLOWED


@pytest.mark.usefixtures("crew")
class TestSigning:
    async def test_its_maker_does_not_confirm_it(self, bank: Bank) -> None:
        one = await close(bank)
        alone = await bank.control.confirm(IC, one.id)
        assert isinstance(alone, Refused)
        asked = await bank.control.confirm(RAIL, one.id)
        assert isinstance(asked, Change)
        again = await bank.control.approve(RAIL, asked.id, asked.sha256)
        assert isinstance(again, Refused)
        done = await bank.control.approve(RISK, asked.id, asked.sha256)
        assert isinstance(done, Change)
        assert done.state is ChangeState.APPROVED
        assert (await bank.control.board()).closures[0].state is State.CONFIRMED

    async def test_another_payload_than_shown_is_refused(self, bank: Bank) -> None:
        one = await close(bank)
        asked = await bank.control.declare_wrong(RAIL, one.id, "it was a test")
        assert isinstance(asked, Change)
        done = await bank.control.approve(RISK, asked.id, "0" * 64)
        assert isinstance(done, Refused)
        assert done.code is Refusal.CHANGE_DIFFERS
        assert len((await bank.control.board()).closures) == 1

    async def test_a_false_positive_is_lifted_when_a_second_agrees(self, bank: Bank) -> None:
        """F77."""
        one = await close(bank)
        asked = await bank.control.declare_wrong(RAIL, one.id, "it was a test")
        assert isinstance(asked, Change)
        await bank.control.approve(RISK, asked.id, asked.sha256)
        assert (await bank.control.board()).closures == ()
        assert (await pay(bank, await scan(bank, RUPIAH))).refusal is None
        await proved(bank)

    async def test_one_person_with_two_accounts_is_frozen_in_both(self, bank: Bank) -> None:
        """F62: the second account shares the HR number of the first."""
        twin = Staff(id="staff:7", hr_id=RAIL.hr_id, roles=frozenset({Role.RISK_OFFICER}))
        await bank.staff.add(twin)
        one = await close(bank)
        asked = await bank.control.declare_wrong(RAIL, one.id, "let it go")
        assert isinstance(asked, Change)
        done = await bank.control.approve(twin, asked.id, asked.sha256)
        assert isinstance(done, Refused)
        assert done.code is Refusal.SAME_PERSON
        frozen = {who.id for who in await bank.staff.everyone() if not who.is_active}
        assert frozen == {RAIL.id, twin.id}
        assert len((await bank.control.board()).closures) == 1
        late = await bank.control.approve(RISK, asked.id, asked.sha256)
        assert isinstance(late, Refused)

    async def test_one_at_a_time(self, bank: Bank) -> None:
        """F63: a second proposal of the same thing is refused with the first one's name."""
        one = await close(bank)
        first = await bank.control.declare_wrong(RAIL, one.id, "a")
        second = await bank.control.declare_wrong(RECON, one.id, "b")
        assert isinstance(first, Change)
        assert isinstance(second, Refused)
        assert str(first.id) in second.detail

    async def test_one_step_wider_with_a_second_person(self, bank: Bank) -> None:
        one = await close(bank, scope="rail=qris direction=out channel=mobile")
        far = await bank.control.widen(IC, one.id, "direction=out")
        assert isinstance(far, Refused)
        asked = await bank.control.widen(IC, one.id, "rail=qris direction=out")
        assert isinstance(asked, Change)
        await bank.control.approve(RISK, asked.id, asked.sha256)
        (wide,) = (await bank.control.board()).closures
        assert str(wide.scope) == "rail=qris direction=out"
        assert wide.replaces == one.id

    async def test_a_no_kills_it(self, bank: Bank) -> None:
        one = await close(bank)
        asked = await bank.control.declare_wrong(RAIL, one.id, "a")
        assert isinstance(asked, Change)
        await bank.control.deny(RISK, asked.id)
        done = await bank.control.approve(RISK, asked.id, asked.sha256)
        assert isinstance(done, Refused)

    async def test_a_closure_of_money_is_not_narrowed_by_one(self, bank: Bank) -> None:
        one = await close(bank)
        done = await bank.control.narrow(IC, one.id, ("rail=qris direction=out account=1",))
        assert isinstance(done, Refused)

    async def test_only_the_incident_commander_begins_the_way_back(self, bank: Bank) -> None:
        one = await close(bank)
        assert isinstance(await bank.control.start(RAIL, one.id, {"control": "x"}), Refused)
        begun = await bank.control.start(IC, one.id, {"control": "double checks"})
        assert isinstance(begun, Climb)
        back = await bank.control.back(RECON, one.id, "customers call")
        assert isinstance(back, Climb)


@pytest.mark.usefixtures("crew")
async def test_a_rule_that_stops_too_much_waits_for_a_second_person(
    bank: Bank, clock: HandClock
) -> None:
    """F65: the typo is proposed, not put in force."""
    for number in range(8):
        await pay(bank, await transfer(bank, RUPIAH, key=f"t{number}"))
        clock.advance(2)
    typo = next(rule for rule in DEFAULT_RULES if rule.id == "account-velocity")
    typo = msgspec.structs.replace(typo, threshold=2)
    asked = await bank.control.set_rule(IC, typo, "tuning")
    assert isinstance(asked, Change)
    assert next(r for r in bank.guardian.rules if r.id == typo.id).threshold == 120
    await bank.control.approve(RISK, asked.id, asked.sha256)
    assert next(r for r in bank.guardian.rules if r.id == typo.id).threshold == 2
    await proved(bank)


LESS = [
    {"mode": Mode.OFF}, {"mode": Mode.SHADOW}, {"threshold": 121}, {"sample_min": 2},
    {"ttl_seconds": 1}, {"where": Scope(service="mobile.transfer.onus")}, {"window_seconds": 1},
    {"allowance": Allowance(per_minute=10_000)}, {"by": ("device",)},
]  # fmt: skip


@pytest.mark.usefixtures("crew")
@pytest.mark.parametrize("less", LESS)
async def test_one_person_cannot_make_a_live_rule_act_less(
    bank: Bank, less: dict[str, object]
) -> None:
    """Off, in shadow, later, for less long, or about something else: two sign."""
    rule = next(rule for rule in DEFAULT_RULES if rule.id == "account-velocity")
    weaker = msgspec.structs.replace(rule, **less)
    asked = await bank.control.set_rule(CISO, weaker, "noise")
    assert isinstance(asked, Change)
    assert next(r for r in bank.guardian.rules if r.id == rule.id) == rule
    direct = ChangeRule(
        rule=weaker, test=await bank.control.test_rule(weaker), changed_by=CISO.id,
        reason="noise", was=rule,
    )  # fmt: skip
    refused = await bank.desk.decide(direct)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.APPROVER_NOT_ALLOWED
    assert not isinstance(await bank.control.approve(RISK, asked.id, asked.sha256), Refused)
    assert next(r for r in bank.guardian.rules if r.id == rule.id) == weaker


@pytest.mark.usefixtures("crew")
async def test_one_person_makes_a_rule_act_sooner_and_says_it_better(bank: Bank) -> None:
    rule = next(rule for rule in DEFAULT_RULES if rule.id == "account-velocity")
    sooner = msgspec.structs.replace(rule, threshold=100, cause="said better")
    assert await bank.control.set_rule(CISO, sooner, "tighter") == sooner


@pytest.mark.usefixtures("crew")
async def test_a_second_account_does_not_confirm_what_the_first_has_closed(bank: Bank) -> None:
    one = await close(bank, scope="rail=qris direction=out account=7")
    twin = Staff(id="staff:70", hr_id=IC.hr_id, roles=frozenset({Role.RAIL_OWNER}))
    await bank.staff.add(twin)
    refused = await bank.control.confirm(twin, one.id)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.SAME_PERSON
    assert isinstance(await bank.control.confirm(RAIL, one.id), Closure)


async def test_who_answers_complaints_answers_for_no_gate(bank: Bank) -> None:
    """Reading what customers write is not a right to close a gate or to change a rule."""
    no = await bank.control.close(CARE, ORDER)
    assert isinstance(no, Refused)
    rule = bank.guardian.rules[0]
    assert isinstance(await bank.control.set_rule(CARE, rule, "x"), Refused)
    assert CARE.answers_complaints
    assert not RAIL.answers_complaints


def test_the_crew_are_six_people() -> None:
    assert len({who.hr_id for who in CREW}) == len(Role) == 6
