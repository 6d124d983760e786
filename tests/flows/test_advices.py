"""Advices tell of money that is gone already: they post, they may overdraw, and it shows."""

from __future__ import annotations

from stories import ANA, RUPIAH, account_of, balance, is_refused, pay, proved, put_state, transfer
from tangguh.app import Bank
from tangguh.core.client import Client
from tangguh.core.order import Origin, PaymentOrder, ToCash
from tangguh.core.outcome import Refusal
from tangguh.core.service import CARD_CASH
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.ledger.command import Post
from tangguh.payments.decide import Accept
from tangguh.payments.payment import Decided, Payment, State

SWITCH = Origin(client=Client.CARD_SWITCH)


async def advise(bank: Bank, amount_minor: int, key: str = "a-1") -> Payment:
    """Another bank's machine has paid out while we were away."""
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key=key,
        service=CARD_CASH,
        debtor=await account_of(bank, ANA),
        payee=ToCash(terminal="ATM99801", acquirer="998"),
        amount_minor=amount_minor,
    )
    decided = await bank.desk.decide(Accept(order, bank.desk.rules, forced=True, origin=SWITCH))
    assert isinstance(decided, Decided), decided
    return decided.payment


async def test_an_advice_takes_the_account_below_nothing(bank: Bank) -> None:
    """More was paid out than there was: it is posted, and what is missing is written down."""
    account = await account_of(bank, ANA)
    before = await balance(bank, account)
    paid = await advise(bank, before.posted_minor + 40_000 * RUPIAH)
    assert paid.state is State.POSTED
    after = await balance(bank, account)
    missing = 40_000 * RUPIAH + paid.fee_minor
    assert (after.posted_minor, after.overdrawn_minor) == (-missing, missing)
    await proved(bank)


async def test_nothing_else_can_be_spent_meanwhile(bank: Bank) -> None:
    """An overdraft by advice is no credit line."""
    account = await account_of(bank, ANA)
    await advise(bank, (await balance(bank, account)).posted_minor + 40_000 * RUPIAH)
    refused = await pay(bank, await transfer(bank, 1 * RUPIAH))
    assert refused.refusal is Refusal.INSUFFICIENT_FUNDS
    await proved(bank)


async def test_what_comes_in_makes_it_smaller_by_itself(bank: Bank) -> None:
    """A deposit fills the hole first; when it is full nothing is overdrawn any more."""
    account = await account_of(bank, ANA)
    await advise(bank, (await balance(bank, account)).posted_minor + 40_000 * RUPIAH)
    missing = (await balance(bank, account)).overdrawn_minor
    for part, left in ((missing - 1_00, 1_00), (5_00, 0)):
        entries = ((chart.VAULT, -part), (account, part))
        await bank.writer.decide(Post(bank.ids.next(), "opening", entries))
        assert (await balance(bank, account)).overdrawn_minor == left
    await proved(bank)


async def test_an_advice_told_twice_posts_once(bank: Bank) -> None:
    """The same advice again, and an advice with another sum under its name."""
    first = await advise(bank, 50_000 * RUPIAH)
    again = await advise(bank, 50_000 * RUPIAH)
    assert again.id == first.id
    order = first.order
    assert isinstance(order, PaymentOrder)
    other = PaymentOrder(
        customer_id=order.customer_id,
        idempotency_key=order.idempotency_key,
        service=order.service,
        debtor=order.debtor,
        payee=order.payee,
        amount_minor=order.amount_minor + 1,
    )
    said = await bank.desk.decide(Accept(other, bank.desk.rules, forced=True, origin=SWITCH))
    assert is_refused(said, Refusal.IDEMPOTENCY_KEY_REUSED)
    await proved(bank)


async def test_a_frozen_account_takes_an_advice_too(bank: Bank) -> None:
    """A freeze cannot call back notes that were paid out."""
    account = await account_of(bank, ANA)
    await put_state(bank, account, AccountState.FROZEN)
    assert (await advise(bank, 50_000 * RUPIAH)).state is State.POSTED
    await proved(bank)
