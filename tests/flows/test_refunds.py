"""Money back after a payment was posted: never more than was paid, whoever asks and how often."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from paper import PaperRail
from stories import (
    ANA,
    BUDI,
    CITRA,
    RUPIAH,
    account_of,
    balance,
    count_of,
    give_back,
    is_refused,
    now_is,
    pay,
    proved,
    put_state,
    refund,
    scan,
    told,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.payments import flow
from tangguh.payments.payment import Decided, State


@pytest.mark.parametrize("make", [transfer, scan])
async def test_in_parts_until_all_is_back(bank: Bank, make: Any) -> None:
    """Two parts make the whole; then the payment is refunded and no sen more is given."""
    order = await make(bank, 10_000 * RUPIAH)
    before = await balance(bank, order.debtor)
    payment = await pay(bank, order)
    first = await refund(bank, give_back(payment, 4_000 * RUPIAH, key="r-1"))
    assert (first.state, first.original_id) == (State.POSTED, payment.id)
    assert (await now_is(bank, payment)).state is State.POSTED
    await refund(bank, give_back(payment, 6_000 * RUPIAH, key="r-2"))
    assert (await now_is(bank, payment)).state is State.REFUNDED
    answer = await flow.refund(bank.desk, give_back(payment, 1, key="r-3"))
    assert is_refused(answer, Refusal.REFUND_EXCEEDS_PAYMENT)
    assert (await balance(bank, order.debtor)).posted_minor == before.posted_minor
    await proved(bank)


@pytest.mark.parametrize("make", [transfer, scan])
async def test_two_hundred_at_once_of_sixty_percent(bank: Bank, make: Any) -> None:
    """Parallel refunds of 60 % of one payment: exactly one goes through."""
    payment = await pay(bank, await make(bank, 10_000 * RUPIAH))
    answers = await asyncio.gather(
        *(
            flow.refund(bank.desk, give_back(payment, 6_000 * RUPIAH, key=f"r-{number}"))
            for number in range(200)
        )
    )
    assert sum(isinstance(answer, Decided) for answer in answers) == 1
    assert sum(is_refused(one, Refusal.REFUND_EXCEEDS_PAYMENT) for one in answers) == 199
    assert (await now_is(bank, payment)).refunded_minor == 6_000 * RUPIAH
    await proved(bank)


async def test_while_refunds_are_under_way_their_sum_is_reserved(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """A refund nobody has answered yet counts against the payment as much as a finished one."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    paper.will("refund", Unanswered("timeout"))
    asked = await refund(bank, give_back(payment, 7_000 * RUPIAH))
    assert asked.state is State.UNANSWERED
    answer = await flow.refund(bank.desk, give_back(payment, 4_000 * RUPIAH, key="r-2"))
    assert is_refused(answer, Refusal.REFUND_EXCEEDS_PAYMENT)
    paper.will("inquire_refund", Declined(Refusal.PARTNER_DECLINED, "4037800"))
    clock.advance(3)
    await bank.resolver.round()
    assert (await now_is(bank, asked)).state is State.VOIDED
    assert (await now_is(bank, payment)).refunding_minor == 0
    assert "refund_called_off" in await told(bank, payment)
    paper.will("refund", Accepted("REF2"))
    assert (await refund(bank, give_back(payment, 4_000 * RUPIAH, key="r-2"))).state == "posted"
    await proved(bank)


@pytest.mark.parametrize("outcome", [Declined(Refusal.PARTNER_DECLINED, "4"), NotSent("refused")])
async def test_a_refund_the_network_will_not_take(
    bank: Bank, paper: PaperRail, outcome: Declined | NotSent
) -> None:
    """It is called off, and the payment can be refunded again."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    paper.will("refund", outcome)
    called_off = await refund(bank, give_back(payment, 10_000 * RUPIAH))
    assert called_off.state is State.VOIDED
    assert (await now_is(bank, payment)).refundable_minor == 10_000 * RUPIAH
    await proved(bank)


async def test_a_lost_refund_is_asked_for_again_under_its_own_reference(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """The network that never saw it gets the very same refund again."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    paper.will("refund", Unanswered("timeout"), Accepted("REF9"))
    asked = await refund(bank, give_back(payment, 2_500 * RUPIAH))
    clock.advance(3)
    await bank.resolver.round()
    assert (await now_is(bank, asked)).state is State.POSTED
    references = {reference for kind, reference in paper.asked if kind == "refund"}
    assert references == {asked.reference}
    await proved(bank)


async def test_a_repeat_that_could_not_be_sent_does_not_call_the_refund_off(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """The first request may still arrive, so what it reserved stays reserved."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    paper.will("refund", Unanswered("timeout"), NotSent("connection refused"))
    asked = await refund(bank, give_back(payment, 10_000 * RUPIAH))
    clock.advance(3)
    await bank.resolver.round()
    assert (await now_is(bank, asked)).state is State.UNANSWERED
    answer = await flow.refund(bank.desk, give_back(payment, 10_000 * RUPIAH, key="r-2"))
    assert is_refused(answer, Refusal.REFUND_EXCEEDS_PAYMENT)


async def test_more_than_was_paid(bank: Bank) -> None:
    """One sen more than the payment is refused, saying how much could be given back."""
    payment = await pay(bank, await transfer(bank, 10_000 * RUPIAH))
    answer = await flow.refund(bank.desk, give_back(payment, 10_000 * RUPIAH + 1))
    assert is_refused(answer, Refusal.REFUND_EXCEEDS_PAYMENT)
    assert "1000000 minor units" in answer.detail  # type: ignore[union-attr]


async def test_when_the_payee_has_spent_it(bank: Bank) -> None:
    """There is nothing to give back from; once there is, the same request works."""
    payment = await pay(bank, await transfer(bank, 10_000 * RUPIAH))
    theirs = (await balance(bank, payment.creditor)).available_minor
    await pay(bank, await transfer(bank, theirs - 100, key="spend", by=BUDI, to=CITRA))
    order = give_back(payment, 10_000 * RUPIAH, by=BUDI)
    answer = await flow.refund(bank.desk, order)
    assert is_refused(answer, Refusal.INSUFFICIENT_FUNDS)
    assert (await now_is(bank, payment)).refunded_minor == 0
    await pay(bank, await transfer(bank, 20_000 * RUPIAH, key="more"))
    assert (await refund(bank, order)).state is State.POSTED
    await proved(bank)


async def test_only_the_payee_may_give_back(bank: Bank) -> None:
    """To the payer and to strangers the payment is not theirs to refund: it looks like none."""
    payment = await pay(bank, await transfer(bank, 10_000 * RUPIAH))
    for somebody in (ANA, CITRA):
        answer = await flow.refund(bank.desk, give_back(payment, 100, by=somebody))
        assert is_refused(answer, Refusal.PAYMENT_NOT_FOUND)
    assert (await refund(bank, give_back(payment, 100, by=BUDI))).state is State.POSTED


@pytest.mark.parametrize("amount", [0, -1])
async def test_nothing_or_less(bank: Bank, amount: int) -> None:
    """A refund moves at least one sen, in one direction."""
    payment = await pay(bank, await transfer(bank, 10_000 * RUPIAH))
    answer = await flow.refund(bank.desk, give_back(payment, amount))
    assert is_refused(answer, Refusal.AMOUNT_NOT_POSITIVE)


async def test_what_was_not_posted_cannot_be_refunded(bank: Bank, paper: PaperRail) -> None:
    """Open, refused and voided payments give nothing back, nor does a refund itself."""
    paper.will("send", Unanswered("timeout"), Declined(Refusal.PARTNER_DECLINED), Accepted("R"))
    open_still = await pay(bank, await scan(bank, 1_000 * RUPIAH, key="a"))
    voided = await pay(bank, await scan(bank, 1_000 * RUPIAH, key="b"))
    never = await pay(bank, await transfer(bank, 99_000_000 * RUPIAH, key="c"))
    paid = await pay(bank, await scan(bank, 1_000 * RUPIAH, key="d"))
    given = await refund(bank, give_back(paid, 100, key="e"))
    for number, payment in enumerate((open_still, voided, never, given)):
        answer = await flow.refund(bank.desk, give_back(payment, 100, key=f"f-{number}"))
        assert is_refused(answer, Refusal.PAYMENT_NOT_REFUNDABLE), payment.state
    await proved(bank)


async def test_a_refund_for_a_closed_account_waits_in_suspense(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """The network gave it back, the account is gone: the money is kept, with whose it is."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    paper.will("refund", Unanswered("timeout"))
    asked = await refund(bank, give_back(payment, 10_000 * RUPIAH))
    await put_state(bank, await account_of(bank, ANA), AccountState.CLOSED)
    paper.will("inquire_refund", Accepted("REF1"))
    clock.advance(3)
    await bank.resolver.round()
    assert (await now_is(bank, asked)).state is State.POSTED
    assert (await balance(bank, chart.SUSPENSE)).posted_minor == 10_000 * RUPIAH
    assert (await now_is(bank, payment)).state is State.REFUNDED
    notes = await bank.pool.fetch("SELECT note FROM postings WHERE kind = 'refund'")
    assert [row["note"] for row in notes] == [f"for account {payment.debtor}"]
    await proved(bank)


async def test_a_refund_interrupted_before_it_was_sent_is_sent(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """Its promise is in its own row: the resolver carries it to its end."""
    from tangguh.payments.refund import AcceptRefund

    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    accepted = await bank.desk.decide(AcceptRefund(give_back(payment, 100), bank.rules))
    assert isinstance(accepted, Decided)
    assert accepted.payment.state is State.HELD
    clock.advance(21)
    await bank.resolver.round()
    assert (await now_is(bank, accepted.payment)).state is State.POSTED
    assert await count_of(bank, "payments") == 2
    await proved(bank)
