"""Ana sends Budi money: both accounts are here, so one step is the whole story."""

from __future__ import annotations

from stories import BUDI, RUPIAH, account_of, balance, pay, proved, told, transfer
from tangguh.app import Bank
from tangguh.customers.store import accounts_of
from tangguh.payments import flow
from tangguh.payments.payment import Decided, State


async def test_money_sent_is_money_received(bank: Bank) -> None:
    """The debit and the credit are one posting, there when the answer is."""
    order = await transfer(bank, 125_000 * RUPIAH)
    mine = await balance(bank, order.debtor)
    theirs = await balance(bank, await account_of(bank, BUDI))
    payment = await pay(bank, order)
    assert payment.state is State.POSTED
    assert (await balance(bank, order.debtor)).posted_minor == mine.posted_minor - 12_500_000
    assert (await balance(bank, payment.creditor)).posted_minor == theirs.posted_minor + 12_500_000
    assert await told(bank, payment) == ["posted"]
    await proved(bank)


async def test_nothing_is_asked_of_any_network(bank: Bank, paper: object) -> None:
    """A transfer inside the bank leaves no trace on a rail."""
    await pay(bank, await transfer(bank, 1_000 * RUPIAH))
    assert bank.rails["qris"].asked == []  # type: ignore[attr-defined]


async def test_the_whole_balance_may_be_sent_and_not_one_sen_more(bank: Bank) -> None:
    """The floor of a customer's account is zero."""
    order = await transfer(bank, 1)
    everything = (await balance(bank, order.debtor)).available_minor
    too_much = await pay(bank, await transfer(bank, everything + 1, key="t-0"))
    assert (too_much.state, too_much.refusal) == (State.REFUSED, "insufficient_funds")
    done = await pay(bank, await transfer(bank, everything, key="t-1"))
    assert done.state is State.POSTED
    assert (await balance(bank, order.debtor)).available_minor == 0
    await proved(bank)


async def test_a_refused_payment_is_a_payment(bank: Bank) -> None:
    """A no is written down with its reason, and nothing is debited."""
    order = await transfer(bank, 90_000_000 * RUPIAH)
    before = await balance(bank, order.debtor)
    decided = await flow.pay(bank.desk, order)
    assert isinstance(decided, Decided)
    assert decided.payment.state is State.REFUSED
    assert decided.payment.refusal == "insufficient_funds"
    assert await balance(bank, order.debtor) == before
    assert await told(bank, decided.payment) == ["refused"]
    await proved(bank)


async def test_the_customers_own_list_agrees_with_the_book(bank: Bank) -> None:
    """What a customer is shown as available is posted minus held."""
    order = await transfer(bank, 50_000 * RUPIAH)
    await pay(bank, order)
    shown = (await accounts_of(bank.pool, bank.book_id, order.customer_id))[0]
    kept = await balance(bank, order.debtor)
    assert shown.available_minor == kept.available_minor == kept.posted_minor
