"""Two people make good for everybody an incident touched; one list, signed exactly, done once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest

from owner import as_owner
from paper import PaperRail
from stories import ANA, BUDI, RUPIAH, account_of, balance, give_back, now_is, pay, proved, scan
from tangguh.access.acts import ACTS, Act
from tangguh.access.people import Staff
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.outcome import Declined, Refusal, Refused, Unanswered
from tangguh.customers.crew import CREW, enrol_crew
from tangguh.disputes.case import About, Case, CaseState, Outcome
from tangguh.disputes.complaints import Complaint
from tangguh.disputes.paying import PayForCase
from tangguh.guard.closure import Closure, SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.payments import flow
from tangguh.payments.decide import Conclude
from tangguh.payments.gates.change import ChangeClosure, Close
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
    await as_owner(
        bank,
        "DELETE FROM affected_payments WHERE customer_id = $1 AND incident_id = $2",
        4,
        incident,
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


async def test_one_line_in_trouble_stops_no_other_and_is_made_good_later(
    bank: Bank, paper: PaperRail, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transient error ended the whole act until a restart: nobody else was paid or told."""
    incident, made = await trouble(bank, paper, clock)
    bulk, tries = bank.care.bulk, Counter[UUID]()
    whole = bulk._make_good

    async def twice_in_trouble(change: Any, wanted: Any, payment: Payment) -> None:
        tries[payment.id] += 1
        if payment.id == made[1].id and tries[payment.id] < 3:
            raise (StoreUnavailable if tries[payment.id] == 1 else RuntimeError)("gone")
        await whole(change, wanted, payment)

    monkeypatch.setattr(bulk, "_make_good", twice_in_trouble)
    change = await bulk.propose(COMMANDER, incident, MOST)
    assert not isinstance(change, Refused)
    await sign(bank, change.id, change.sha256)
    for seconds in (0, 1, 2, 4):
        for _ in range(200):
            await asyncio.sleep(0.001)
            if not bulk._going or (len(tries) == 4 and clock._sleepers):
                break
        clock.advance(seconds)
    await bulk.finish()
    assert tries[made[1].id] == 3
    for payment in made:
        assert (await now_is(bank, payment)).advanced_minor == 54_000 * RUPIAH
        assert len(await bank.care.complaints.store.of_payment(payment.id)) == 1
    assert await bulk.resume() == 0
    await proved(bank)


async def test_a_restart_goes_on_with_what_was_signed_and_with_nothing_else(
    bank: Bank, paper: PaperRail, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the incident touched since then is another list, which nobody has signed."""
    incident, made = await trouble(bank, paper, clock)
    bulk = bank.care.bulk
    change = await bulk.propose(COMMANDER, incident, MOST)
    assert not isinstance(change, Refused)
    monkeypatch.setattr(bulk, "_start", lambda *_: None)
    await sign(bank, change.id, change.sha256)
    paper.will("send", SILENT)
    later = await waits_too(bank)
    everything = await bank.care.bulk._affected.payments(incident)

    async def more(_incident: UUID) -> list[Payment]:
        return [*everything, later]

    anew = type(bank.care)(bank)
    monkeypatch.setattr(anew.bulk._affected, "payments", more)
    assert await anew.bulk.resume() == 1
    await anew.bulk.finish()
    assert (await now_is(bank, made[0])).advanced_minor == 54_000 * RUPIAH
    assert (await now_is(bank, later)).advanced_minor == 0


async def waits_too(bank: Bank) -> Payment:
    """One more payment that nobody answers, over another service."""
    order = await scan(bank, 9_000 * RUPIAH, key="late", by=5)
    board = await bank.control.board()
    for one in board.closures:
        await bank.desk.decide(
            ChangeClosure(closure_id=one.id, to=State.FALSE_POSITIVE, what="x", by=("staff:1",))
        )
    return await pay(bank, order)


# ---- the bank's own money goes to the case's own customer ----------------------------------------


async def paid_to(bank: Bank, case: Case, account: int, minor: int) -> object:
    """What comes of paying it, by two people who may."""
    change = await bank.care.payouts.propose(COMMANDER, case.id, account, minor, "our mistake")
    return change if isinstance(change, Refused) else await sign(bank, change.id, change.sha256)


async def test_two_people_cannot_pay_somebody_else_for_a_case(bank: Bank) -> None:
    """Rp 5,000,000,000 for one customer's case went to another customer's account."""
    case = await a_case(bank, None)
    theirs = await account_of(bank, BUDI)
    before = (await balance(bank, theirs)).posted_minor
    said = await paid_to(bank, case, theirs, 1_000 * RUPIAH)
    assert isinstance(said, Refused)
    assert said.code is Refusal.ACCOUNT_NOT_FOUND
    assert (await balance(bank, theirs)).posted_minor == before
    await proved(bank)


async def test_a_case_is_paid_within_the_acts_cap_and_what_the_payment_cost(bank: Bank) -> None:
    account = await account_of(bank, ANA)
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await a_case(bank, payment)
    most = ACTS[Act.CARE_PAY].most_minor
    assert most is not None
    for minor in (5_000_000_000 * RUPIAH, most + 1, 54_000 * RUPIAH + 1):
        said = await paid_to(bank, case, account, minor)
        assert isinstance(said, Refused), minor
        assert said.code is Refusal.AMOUNT_TOO_LARGE
        await no_open_change(bank)
    assert not isinstance(await paid_to(bank, case, account, 54_000 * RUPIAH), Refused)


async def no_open_change(bank: Bank) -> None:
    """Deny what was proposed and could not be done."""
    for change in await bank.control.changes():
        if change.state in {"pending", "approved"}:
            await bank.control.deny(RISK, change.id)


async def test_the_cap_is_judged_where_the_money_moves(bank: Bank) -> None:
    """Not only where it is proposed: the step that moves it asks again."""
    case, account = await a_case(bank, None), await account_of(bank, ANA)
    most = ACTS[Act.CARE_PAY].most_minor
    assert most is not None
    pay_it = PayForCase(case_id=case.id, account=account, amount_minor=most + 1, by="x")
    said = await bank.desk.decide(pay_it)
    assert isinstance(said, Refused)
    assert said.code is Refusal.AMOUNT_TOO_LARGE
    nowhere = msgspec.structs.replace(pay_it, case_id=UUID(int=1))
    assert isinstance(await bank.desk.decide(nowhere), Refused)


async def test_a_case_is_paid_once_and_another_sum_is_not_taken_for_the_first(bank: Bank) -> None:
    case, account = await a_case(bank, None), await account_of(bank, ANA)
    first = PayForCase(case_id=case.id, account=account, amount_minor=5_000, by="x")
    done = await bank.desk.decide(first)
    assert await bank.desk.decide(first) == done
    again = await bank.desk.decide(msgspec.structs.replace(first, amount_minor=6_000))
    assert isinstance(again, Refused)
    assert again.code is Refusal.WAY_BACK_TAKEN
    assert (await balance(bank, chart.COMPENSATIONS)).posted_minor == -5_000


async def test_a_case_that_is_over_is_not_paid(bank: Bank) -> None:
    case, account = await a_case(bank, None), await account_of(bank, ANA)
    await bank.care.complaints.answer(case.id, Outcome.REFUSED, "x", "staff:6")
    said = await paid_to(bank, case, account, 5_000)
    assert isinstance(said, Refused)
    assert said.code is Refusal.CASE_STEP_NOT_ALLOWED
