"""A QRIS payment nobody answered: the money stays held until the truth is found."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from paper import PaperRail
from stories import RUPIAH, balance, now_is, pay, proved, scan, told
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.payments.decide import Accept
from tangguh.payments.payment import NEXT_WORD_SECONDS, Payment, State, next_word_at


@pytest.fixture
async def unanswered(bank: Bank, paper: PaperRail) -> Payment:
    """A payment whose send got no reply."""
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 30_000 * RUPIAH))
    assert payment.state is State.UNANSWERED
    return payment


async def look(bank: Bank, clock: HandClock, seconds: float = 3.0) -> None:
    """Let some time pass and the resolver look once."""
    clock.advance(seconds)
    await bank.resolver.round()


async def test_held_and_told(bank: Bank, clock: HandClock, unanswered: Payment) -> None:
    """The sum is held, nothing is booked, and the customer knows when the next word comes."""
    account = await balance(bank, unanswered.debtor)
    assert account.held_minor == 30_000 * RUPIAH
    word = next_word_at(unanswered, clock.now())
    assert word is not None
    assert (word - clock.now()).total_seconds() == NEXT_WORD_SECONDS
    clock.advance(NEXT_WORD_SECONDS + 1)
    later = next_word_at(unanswered, clock.now())
    assert later is not None
    assert later > word
    await proved(bank)


async def test_found_paid(
    bank: Bank, clock: HandClock, paper: PaperRail, unanswered: Payment
) -> None:
    """The network had paid: the money is posted, once."""
    paper.will("inquire", Accepted("RRN77"))
    await look(bank, clock)
    found = await now_is(bank, unanswered)
    assert (found.state, found.network_reference) == (State.POSTED, "RRN77")
    assert (await balance(bank, found.debtor)).held_minor == 0
    await look(bank, clock, 3600)
    assert paper.asked == [("send", found.reference), ("inquire", found.reference)]
    await proved(bank)


async def test_found_failed(
    bank: Bank, clock: HandClock, paper: PaperRail, unanswered: Payment
) -> None:
    """The network had declined: the money is back and the reason is kept."""
    paper.will("inquire", Declined(Refusal.MERCHANT_BLOCKED, "4035101"))
    before = await balance(bank, unanswered.debtor)
    await look(bank, clock)
    found = await now_is(bank, unanswered)
    assert (found.state, found.refusal) == (State.VOIDED, Refusal.MERCHANT_BLOCKED)
    after = await balance(bank, found.debtor)
    assert after.available_minor == before.available_minor + 30_000 * RUPIAH
    await proved(bank)


async def test_never_seen_is_cancelled_before_the_money_is_freed(
    bank: Bank, clock: HandClock, paper: PaperRail, unanswered: Payment
) -> None:
    """A network that does not know it may still get it, so first it must agree to cancel."""
    paper.will("inquire", Unanswered("not_found"))
    paper.will("reverse", Unanswered("silent"), Declined(Refusal.PARTNER_DECLINED, "2007700"))
    await look(bank, clock)
    assert (await now_is(bank, unanswered)).state is State.UNANSWERED
    await look(bank, clock, 10)
    assert (await now_is(bank, unanswered)).state is State.VOIDED
    assert (await balance(bank, unanswered.debtor)).held_minor == 0
    assert [kind for kind, _ in paper.asked] == [
        "send", "inquire", "reverse", "inquire", "reverse",
    ]  # fmt: skip
    await proved(bank)


async def test_too_late_to_cancel(
    bank: Bank, clock: HandClock, paper: PaperRail, unanswered: Payment
) -> None:
    """A cancel answered with "it was paid" posts the payment."""
    paper.will("reverse", Accepted("RRN88"))
    await look(bank, clock)
    assert (await now_is(bank, unanswered)).state is State.POSTED
    await proved(bank)


async def test_a_question_that_could_not_be_asked_frees_nothing(
    bank: Bank, clock: HandClock, paper: PaperRail, unanswered: Payment
) -> None:
    """NotSent about an inquiry or a cancel says nothing about the payment itself."""
    paper.will("inquire", NotSent("connection refused"))
    await look(bank, clock)
    assert (await now_is(bank, unanswered)).state is State.UNANSWERED
    paper.will("inquire", Unanswered("not_found"))
    paper.will("reverse", NotSent("connection refused"))
    await look(bank, clock, 60)
    assert (await now_is(bank, unanswered)).state is State.UNANSWERED
    await proved(bank)


async def test_asked_by_the_rails_own_schedule(
    bank: Bank, clock: HandClock, paper: PaperRail, unanswered: Payment
) -> None:
    """The inquiries follow the delays from the send, then the last one for ever."""
    paper.will("inquire", Unanswered("in progress"))
    asked_at: list[float] = []
    began = clock.monotonic()
    for _ in range(150):
        clock.advance(1)
        if await bank.resolver.round():
            asked_at.append(clock.monotonic() - began)
    assert asked_at == [3, 10, 30, 60, 120]


async def test_held_after_a_crash_counts_as_unanswered(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """A payment whose sender died after the hold is asked about, never sent again."""
    order = await scan(bank, 12_000 * RUPIAH)
    decided = await bank.desk.decide(Accept(order, bank.rules))
    payment = decided.payment  # type: ignore[union-attr]
    assert payment.state is State.HELD
    await look(bank, clock, 19)
    assert paper.asked == [], "its send may still be under way"
    paper.will("inquire", Accepted("RRN99"))
    await look(bank, clock, 2)
    found = await now_is(bank, payment)
    assert found.state is State.POSTED
    assert [kind for kind, _ in paper.asked] == ["inquire"]
    assert await told(bank, found) == ["held", "posted"]
    await proved(bank)


async def test_one_broken_rail_answer_does_not_stop_the_others(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """A rail that raises on one payment leaves that one open and lets the rest be found."""
    paper.will("send", Unanswered("timeout"))
    first = await pay(bank, await scan(bank, 1_000 * RUPIAH, key="a"))
    second = await pay(bank, await scan(bank, 2_000 * RUPIAH, key="b", by=2))

    def breaks() -> Accepted:
        raise ValueError("a bug in a rail")

    paper.will("inquire", breaks, Accepted("RRN2"))
    await look(bank, clock)
    states = {(await now_is(bank, one)).state for one in (first, second)}
    assert states == {State.UNANSWERED, State.POSTED}
    paper.will("inquire", Accepted("RRN1"))
    await look(bank, clock, 60)
    assert (await now_is(bank, first)).state is State.POSTED
    assert (await now_is(bank, second)).state is State.POSTED


async def test_the_resolver_and_the_walk_together_conclude_once(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """A reply that comes while the resolver asks is the same payment's same end."""
    paper.gate = asyncio.Event()
    walk = asyncio.create_task(pay(bank, await scan(bank, 5_000 * RUPIAH)))
    while not await bank.pool.fetch("SELECT 1 FROM payments"):
        await asyncio.sleep(0)
    clock.advance(30)
    paper.will("inquire", Accepted("RRN5"))
    await bank.resolver.round()
    paper.gate.set()
    payment = await walk
    assert payment.state is State.POSTED
    assert await told(bank, payment) == ["held", "posted"]
    assert msgspec.structs.asdict(await now_is(bank, payment)) == msgspec.structs.asdict(payment)
    await proved(bank)
