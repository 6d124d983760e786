"""Customers' stories of money that comes back by itself, once, on a clock."""

from __future__ import annotations

import random
from datetime import timedelta

import msgspec
import pytest

from paper import PaperRail
from stories import (
    ANA,
    RUPIAH,
    account_of,
    balance,
    give_back,
    is_refused,
    now_is,
    pay,
    proved,
    put_state,
    refund,
    scan,
    told,
)
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import RefundOrder
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused, Unanswered
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.payments import flow
from tangguh.payments.decide import Conclude
from tangguh.payments.payment import Payment, State
from tangguh.payments.redress.advance import GiveAdvance
from tangguh.payments.redress.clock import redress_of
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.payments.redress.rows import Advance
from tangguh.payments.refund import AcceptRefund

SILENT = Unanswered("timeout")
POLICY = RedressPolicy()
NO = Declined(Refusal.PARTNER_DECLINED, "4034705")


async def silent(bank: Bank, paper: PaperRail, amount_minor: int, key: str = "q-1") -> Payment:
    """A QRIS payment nobody has answered."""
    paper.will("send", SILENT)
    payment = await pay(bank, await scan(bank, amount_minor, key=key))
    assert payment.state is State.UNANSWERED
    return payment


async def somebody_rich(bank: Bank) -> int:
    """A customer who has at least five million rupiah."""
    for number in range(1, 30):
        has = await balance(bank, await account_of(bank, number))
        if has.posted_minor >= 5_000_000 * RUPIAH:
            return number
    raise AssertionError("the demo has nobody rich")


async def after(bank: Bank, clock: HandClock, seconds: float) -> int:
    """So much later, one round of the clock of money back."""
    clock.advance(seconds)
    return await bank.redress.round()


def claim(payment: Payment, key: str = "c-1") -> RefundOrder:
    return msgspec.structs.replace(give_back(payment, payment.to_payee_minor, key=key), claims=True)


def returned(payment: Payment, key: str = "ret-1") -> RefundOrder:
    return msgspec.structs.replace(
        give_back(payment, payment.to_payee_minor, key=key), returned_as=key
    )


async def test_after_a_quarter_of_an_hour_the_bank_advances_the_money(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    before = await balance(bank, await account_of(bank, ANA))
    payment = await silent(bank, paper, 54_000 * RUPIAH)
    assert await after(bank, clock, 14 * 60) == 0
    assert await after(bank, clock, 60) == 1
    has = await balance(bank, before.account_id)
    assert has.available_minor == before.available_minor
    assert (await now_is(bank, payment)).advanced_minor == 54_000 * RUPIAH
    assert await after(bank, clock, 60) == 0
    assert (await told(bank, payment))[-1] == "advanced"
    await proved(bank)


async def test_the_payment_did_not_happen_and_the_advance_goes_back_in_the_same_step(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    before = await balance(bank, await account_of(bank, ANA))
    payment = await silent(bank, paper, 54_000 * RUPIAH)
    await after(bank, clock, 15 * 60)
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
    has = await balance(bank, before.account_id)
    assert (has.posted_minor, has.held_minor) == (before.posted_minor, before.held_minor)
    found = await now_is(bank, payment)
    assert (found.state, found.advanced_minor) == (State.VOIDED, 0)
    assert (await balance(bank, chart.ADVANCES)).posted_minor == 0
    await proved(bank)


async def test_who_spent_the_advance_still_gives_it_back_when_the_hold_is_free(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    purse = await account_of(bank, ANA)
    has = await balance(bank, purse)
    most = min(has.available_minor, 900_000 * RUPIAH)
    payment = await silent(bank, paper, most)
    await after(bank, clock, 15 * 60)
    left = (await balance(bank, purse)).available_minor
    paper.will("send", Accepted("RRN"))
    for number, part in enumerate(parts(left)):
        await pay(bank, await scan(bank, part, key=f"spent-{number}"))
    await put_state(bank, purse, AccountState.FROZEN)
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
    assert (await now_is(bank, payment)).advanced_minor == 0
    assert (await balance(bank, purse)).available_minor >= 0
    await proved(bank)


def parts(minor: int) -> list[int]:
    """A sum in pieces that one QRIS payment may be."""
    most = 5_000_000 * RUPIAH
    return [most] * (minor // most) + ([minor % most] if minor % most else [])


async def test_late_success_takes_the_advance_back_after_telling(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    before = await balance(bank, await account_of(bank, ANA))
    payment = await silent(bank, paper, 54_000 * RUPIAH)
    await after(bank, clock, 15 * 60)
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN"), bank.desk.rules))
    found = (await redress_of(bank.pool, bank.book_id, [payment.id]))[payment.id]
    assert found.advance is Advance.OWED
    assert found.take_back_at == clock.now() + timedelta(seconds=POLICY.notice_seconds)
    assert await after(bank, clock, POLICY.notice_seconds - 1) == 0
    assert await after(bank, clock, 1) == 1
    has = await balance(bank, before.account_id)
    assert has.posted_minor == before.posted_minor - 54_000 * RUPIAH
    assert (await balance(bank, chart.ADVANCES)).posted_minor == 0
    await proved(bank)


async def test_an_account_with_nothing_is_never_drawn_below_zero_and_the_bank_bears_the_rest(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    purse = await account_of(bank, ANA)
    payment = await silent(bank, paper, 300_000 * RUPIAH)
    await after(bank, clock, 15 * 60)
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN"), bank.desk.rules))
    paper.will("send", Accepted("RRN"))
    keep = 100_000 * RUPIAH
    for number, part in enumerate(parts((await balance(bank, purse)).available_minor - keep)):
        await pay(bank, await scan(bank, part, key=f"spent-{number}"))
    assert await after(bank, clock, POLICY.notice_seconds) == 1
    assert (await balance(bank, purse)).available_minor == 0
    assert (await now_is(bank, payment)).advanced_minor == 200_000 * RUPIAH
    assert await after(bank, clock, POLICY.write_off_days * 24 * 3600) == 1
    assert (await now_is(bank, payment)).advanced_minor == 0
    assert (await balance(bank, chart.LOSSES)).posted_minor == -200_000 * RUPIAH
    await proved(bank)


async def test_an_advance_that_comes_back_as_a_refund_is_repaid_at_once(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    before = await balance(bank, await account_of(bank, ANA))
    payment = await silent(bank, paper, 54_000 * RUPIAH)
    await after(bank, clock, 15 * 60)
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN"), bank.desk.rules))
    await refund(bank, give_back(payment, 54_000 * RUPIAH))
    has = await balance(bank, before.account_id)
    assert has.posted_minor == before.posted_minor
    assert (await now_is(bank, payment)).advanced_minor == 0
    assert await after(bank, clock, POLICY.notice_seconds) == 0
    await proved(bank)


@pytest.mark.parametrize(
    ("amounts", "advanced"),
    [
        ([1_000_001], 0),
        ([1_000_000], 1),
        ([900_000, 900_000, 900_000], 2),
        ([50_000] * 4, 3),
    ],
)
async def test_only_small_sums_and_few_of_them_are_advanced(
    bank: Bank, paper: PaperRail, clock: HandClock, amounts: list[int], advanced: int
) -> None:
    rich = await somebody_rich(bank)
    paper.will("send", SILENT)
    for number, amount in enumerate(amounts):
        await pay(bank, await scan(bank, amount * RUPIAH, key=f"k-{number}", by=rich))
    await after(bank, clock, 15 * 60)
    assert (
        -(await balance(bank, chart.ADVANCES)).posted_minor
        == sum(sorted(amounts[:advanced])) * RUPIAH
    )
    assert await after(bank, clock, 60) == 0
    await proved(bank)


async def test_a_frozen_account_gets_no_advance_and_the_reason_is_kept(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    payment = await silent(bank, paper, 54_000 * RUPIAH)
    await put_state(bank, payment.debtor, AccountState.FROZEN)
    assert await after(bank, clock, 15 * 60) == 0
    found = (await redress_of(bank.pool, bank.book_id, [payment.id]))[payment.id]
    assert (found.advance, found.why_not) == (Advance.REFUSED, "the account is frozen")


async def test_each_day_late_is_paid_for_once_without_asking(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """A sum too large for an advance: the customer waits, so the bank pays for it."""
    rich = await somebody_rich(bank)
    paper.will("send", SILENT)
    payment = await pay(bank, await scan(bank, 2_000_000 * RUPIAH, by=rich))
    before = await balance(bank, payment.debtor)
    assert await after(bank, clock, 24 * 3600 - 1) == 0
    assert await after(bank, clock, 1) == 1
    assert await after(bank, clock, 3600) == 0
    assert await after(bank, clock, 2 * 24 * 3600) == 1
    has = await balance(bank, payment.debtor)
    assert has.posted_minor - before.posted_minor == 3 * POLICY.late_day_minor
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
    assert await after(bank, clock, 24 * 3600) == 0
    await proved(bank)


async def test_nobody_is_paid_for_waiting_while_they_have_the_advance(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    await silent(bank, paper, 54_000 * RUPIAH)
    await after(bank, clock, 15 * 60)
    assert await after(bank, clock, 3 * 24 * 3600) == 0
    assert (await balance(bank, chart.COMPENSATIONS)).posted_minor == 0


async def test_a_return_overtakes_the_chargeback_that_is_open(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """Elsewhere both were paid; here the claim is called off in the step that books the return."""
    before = await balance(bank, await account_of(bank, ANA))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    paper.will("refund", SILENT)
    paper.will("inquire_refund", SILENT)
    claimed = await refund(bank, claim(payment))
    assert claimed.is_open
    back = await bank.desk.decide(AcceptRefund(returned(payment), bank.desk.rules))
    assert not isinstance(back, Refused)
    await bank.desk.decide(Conclude(back.payment.id, Accepted("R"), bank.desk.rules))
    late = await bank.desk.decide(Conclude(claimed.id, Accepted("C"), bank.desk.rules))
    assert not isinstance(late, Refused)
    assert (await now_is(bank, claimed)).state is State.VOIDED
    assert (await told(bank, claimed))[-1] == "contradicted"
    assert (await now_is(bank, payment)).state is State.REFUNDED
    assert (await balance(bank, before.account_id)).posted_minor == before.posted_minor
    found = (await redress_of(bank.pool, bank.book_id, [payment.id]))[payment.id]
    assert (found.came_back_by, found.chargeback) == ("return", None)
    await proved(bank)


async def test_the_ways_exclude_each_other(bank: Bank, paper: PaperRail) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    paper.will("refund", SILENT)
    await refund(bank, claim(payment))
    merchants = await flow.refund(bank.desk, give_back(payment, 1_000, key="r-2"))
    again = await flow.refund(bank.desk, claim(payment, key="c-2"))
    assert is_refused(merchants, Refusal.WAY_BACK_TAKEN)
    assert is_refused(again, Refusal.WAY_BACK_TAKEN)
    await proved(bank)


async def test_a_refund_under_way_keeps_the_chargeback_out(bank: Bank, paper: PaperRail) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    paper.will("refund", SILENT)
    await refund(bank, give_back(payment, 54_000 * RUPIAH))
    assert is_refused(await flow.refund(bank.desk, claim(payment)), Refusal.WAY_BACK_TAKEN)
    await proved(bank)


async def test_what_came_back_whole_comes_back_by_no_other_way(bank: Bank) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    await refund(bank, give_back(payment, 54_000 * RUPIAH))
    for order in (claim(payment), returned(payment), give_back(payment, 1, key="r-9")):
        said = await bank.desk.decide(AcceptRefund(order, bank.desk.rules))
        assert isinstance(said, Refused)
        assert said.code is Refusal.REFUND_EXCEEDS_PAYMENT
        assert "it came back by refund" in said.detail


async def test_a_chargeback_that_is_lost_leaves_the_payment_as_it_was(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """The bank advanced the disputed sum; when the claim is lost, the advance stays until told."""
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    give = GiveAdvance(payment_id=payment.id, policy=POLICY, by="case:1", disputed=True)
    await bank.desk.decide(give)
    paper.will("refund", NO)
    lost = await refund(bank, claim(payment))
    assert lost.state is State.VOIDED
    found = await now_is(bank, payment)
    assert (found.state, found.refunding_minor) == (State.POSTED, 0)
    assert found.advanced_minor == 54_000 * RUPIAH
    one = (await redress_of(bank.pool, bank.book_id, [payment.id]))[payment.id]
    assert (one.advance, one.chargeback, one.came_back_by) == (Advance.OWED, None, "")
    await proved(bank)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_comes_in_whatever_order_nobody_is_paid_twice(
    bank: Bank, paper: PaperRail, clock: HandClock, seed: int
) -> None:
    """Voids, late successes, advances, refunds, returns and claims over each other; books prove."""
    source = random.Random(seed)
    purse = await account_of(bank, ANA)
    before = await balance(bank, purse)
    made: list[Payment] = []
    for number in range(6):
        paper.will("send", source.choice((SILENT, SILENT, Accepted(f"R{number}"))))
        amount = source.randrange(1, 40) * 1_000 * RUPIAH
        made.append(await pay(bank, await scan(bank, amount, key=f"k-{number}")))
    open_refunds: list[Payment] = []
    for step in range(60):
        payment = source.choice(made)
        match source.randrange(7):
            case 0:
                await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
            case 1:
                await bank.desk.decide(Conclude(payment.id, Accepted("L"), bank.desk.rules))
            case 2:
                await after(bank, clock, source.choice((60, 900, 90_000, 300_000)))
            case 3:
                give = GiveAdvance(payment_id=payment.id, policy=POLICY, disputed=True)
                await bank.desk.decide(give)
            case 4 | 5:
                make = source.choice((claim, returned))
                said = await bank.desk.decide(
                    AcceptRefund(make(payment, f"b-{step}"), bank.desk.rules)
                )
                if not isinstance(said, Refused):
                    open_refunds.append(said.payment)
            case _:
                for one in open_refunds:
                    outcome = source.choice((NO, Accepted("B")))
                    await bank.desk.decide(Conclude(one.id, outcome, bank.desk.rules))
                open_refunds.clear()
    await proved(bank)
    spent = 0
    for payment in made:
        found = await now_is(bank, payment)
        arrived = found.state in {State.POSTED, State.REFUNDED}
        spent += found.total_minor * arrived - found.refunded_minor - found.advanced_minor
    late = -(await balance(bank, chart.COMPENSATIONS)).posted_minor
    has = await balance(bank, purse)
    assert has.posted_minor == before.posted_minor - spent + late
