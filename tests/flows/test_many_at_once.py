"""Two people make good for everybody an incident touched; one list, signed exactly, done once."""

from __future__ import annotations

from uuid import UUID

import pytest

from paper import PaperRail
from stories import ANA, RUPIAH, account_of, balance, give_back, now_is, pay, proved, scan
from tangguh.access.people import Staff
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Declined, Refusal, Refused, Unanswered
from tangguh.customers.crew import CREW, enrol_crew
from tangguh.disputes.case import About, Case, CaseState, Outcome
from tangguh.disputes.complaints import Complaint
from tangguh.guard.closure import Closure, SignalClass
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.payments import flow
from tangguh.payments.decide import Conclude
from tangguh.payments.gates.change import Close
from tangguh.payments.payment import Payment

COMMANDER, _, RISK, *_ = CREW
SILENT = Unanswered("timeout")
MOST = 1_000_000 * RUPIAH


@pytest.fixture(autouse=True)
async def crew(bank: Bank) -> None:
    await enrol_crew(bank.staff)


async def trouble(bank: Bank, paper: PaperRail, clock: HandClock) -> tuple[UUID, list[Payment]]:
    """Four people's payments without an answer, and the incident of it."""
    paper.will("send", SILENT)
    made = [
        await pay(bank, await scan(bank, 54_000 * RUPIAH, key=f"q-{by}", by=by))
        for by in (1, 2, 3, 4)
    ]
    closure = bank.guardian.draft(
        scope=Scope(rail="qris", direction="out"),
        signal_class=SignalClass.INTEGRITY,
        reason="unmatched_outflow",
        cause="x",
        evidence="{}",
        made_by="watch",
        message=("x", "x"),
    )
    assert isinstance(await bank.desk.decide(Close(closure=closure)), Closure)
    clock.advance(12)
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    (incident,) = bank.care.incidents.open
    return incident.id, made


async def sign(bank: Bank, change_id: UUID, sha256: str, by: Staff = RISK) -> object:
    return await bank.control.approve(by, change_id, sha256)


async def test_two_people_open_pay_and_tell_for_everybody_touched(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    incident, made = await trouble(bank, paper, clock)
    bulk = bank.care.bulk
    seen = await bulk.preview(incident, MOST)
    assert not isinstance(seen, Refused)
    assert (seen.payments, seen.people, seen.advances) == (4, 4, 4)
    change = await bulk.propose(COMMANDER, incident, MOST)
    assert not isinstance(change, Refused)
    assert (await now_is(bank, made[0])).advanced_minor == 0
    assert not isinstance(await sign(bank, change.id, change.sha256), Refused)
    await bulk.finish()
    for payment in made:
        assert (await now_is(bank, payment)).advanced_minor == 54_000 * RUPIAH
        (case,) = await bank.care.complaints.store.of_payment(payment.id)
        assert (case.channel, case.incident_id, case.state) == ("bank", incident, CaseState.WAITING)
        titles = [one.title for one in await bank.care.notices.inbox(payment.customer_id)]
        assert "Kabar tentang pembayaran Anda" in titles or "Word on your payments" in titles
    again = await sign(bank, change.id, change.sha256)
    assert isinstance(again, Refused)
    await proved(bank)


async def test_a_list_that_is_no_longer_the_one_that_was_shown_is_asked_for_again(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    incident, _ = await trouble(bank, paper, clock)
    bulk = bank.care.bulk
    change = await bulk.propose(COMMANDER, incident, MOST)
    assert not isinstance(change, Refused)
    await bank.pool.fetch(
        "DELETE FROM affected_payments WHERE customer_id = $1 AND incident_id = $2", 4, incident
    )
    said = await sign(bank, change.id, change.sha256)
    assert isinstance(said, Refused)
    assert said.code is Refusal.CHANGE_DIFFERS


async def test_what_was_begun_is_finished_by_the_next_process(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    incident, made = await trouble(bank, paper, clock)
    bulk = bank.care.bulk
    change = await bulk.propose(COMMANDER, incident, MOST)
    assert not isinstance(change, Refused)
    await sign(bank, change.id, change.sha256)
    for task in list(bulk._going):
        task.cancel()
    await bulk.finish()
    anew = type(bank.care)(bank)
    assert await anew.bulk.resume() == 1
    await anew.bulk.finish()
    assert await anew.bulk.resume() == 0
    for payment in made:
        assert (await now_is(bank, payment)).advanced_minor == 54_000 * RUPIAH
        assert len(await bank.care.complaints.store.of_payment(payment.id)) == 1
    await bank.desk.decide(
        Conclude(made[0].id, Declined(Refusal.PARTNER_DECLINED, "x"), bank.desk.rules)
    )
    await proved(bank)


async def a_case(bank: Bank, payment: Payment | None) -> Case:
    case = await bank.care.complaints.open(
        Complaint(
            case_id=UUID(int=77),
            customer_id=ANA,
            about=About.NOT_MINE if payment else About.OTHER,
            text="x",
            channel="app",
            payment_id=payment.id if payment else None,
        )
    )
    assert isinstance(case, Case)
    return case


async def test_the_banks_own_money_for_a_case_takes_two_and_is_paid_once(bank: Bank) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case, account = await a_case(bank, payment), await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    payouts = bank.care.payouts
    change = await payouts.propose(COMMANDER, case.id, account, 54_000 * RUPIAH, "our mistake")
    assert not isinstance(change, Refused)
    alone = await sign(bank, change.id, change.sha256, COMMANDER)
    assert isinstance(alone, Refused)
    assert not isinstance(await sign(bank, change.id, change.sha256), Refused)
    assert (await balance(bank, account)).posted_minor == before + 54_000 * RUPIAH
    assert (await balance(bank, chart.COMPENSATIONS)).posted_minor == -54_000 * RUPIAH
    found = await bank.care.complaints.store.find(case.id)
    assert found is not None
    assert found.outcome is Outcome.PAID_BY_BANK
    late = await flow.refund(bank.desk, give_back(payment, 54_000 * RUPIAH))
    assert isinstance(late, Refused)
    assert late.code is Refusal.WAY_BACK_TAKEN
    await proved(bank)


async def test_what_came_back_is_not_paid_again_by_people(bank: Bank) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case, account = await a_case(bank, payment), await account_of(bank, ANA)
    payouts = bank.care.payouts
    change = await payouts.propose(COMMANDER, case.id, account, 54_000 * RUPIAH, "our mistake")
    assert not isinstance(change, Refused)
    await flow.refund(bank.desk, give_back(payment, 54_000 * RUPIAH))
    said = await sign(bank, change.id, change.sha256)
    assert isinstance(said, Refused)
    assert said.code is Refusal.WAY_BACK_TAKEN
