"""Whose account may be debited, who may be paid, and what is no payment at all."""

from __future__ import annotations

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
    now_is,
    pay,
    proved,
    put_state,
    refused_by,
    scan,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import ToAccount
from tangguh.core.outcome import Accepted, Refusal, Unanswered
from tangguh.core.service import QRIS_OFFUS
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.payments.payment import State


async def test_anothers_account_looks_like_none(bank: Bank) -> None:
    """Paying from somebody else's account and from no account are the same answer."""
    theirs = await pay(
        bank, await transfer(bank, 1_000, key="a", debtor=await account_of(bank, BUDI), to=CITRA)
    )
    nobodys = await pay(bank, await transfer(bank, 1_000, key="b", debtor=19_999_999_999))
    for payment in (theirs, nobodys):
        assert payment.refusal is Refusal.ACCOUNT_NOT_FOUND
    assert (theirs.refusal_field, theirs.refusal_detail) == (
        nobodys.refusal_field,
        nobodys.refusal_detail,
    )
    await proved(bank)


@pytest.mark.parametrize("own", [chart.VAULT, chart.SETTLEMENT_QRIS, chart.FEES, 19_999_999_999])
async def test_the_banks_own_accounts_are_nobodys_payee(bank: Bank, own: int) -> None:
    """A customer can pay customers; the bank's accounts and unknown numbers are not found."""
    answer = await refused_by(bank, await transfer(bank, 1_000, payee=ToAccount(own)))
    assert answer is Refusal.PAYEE_NOT_FOUND


@pytest.mark.parametrize("own", [chart.VAULT, chart.SUSPENSE])
async def test_the_banks_own_accounts_are_nobodys_purse(bank: Bank, own: int) -> None:
    """Not even for a customer id that does not exist can a bank account be debited by an order."""
    order = await transfer(bank, 1_000, debtor=own)
    assert await refused_by(bank, order) is Refusal.ACCOUNT_NOT_FOUND


@pytest.mark.parametrize("state", [AccountState.FROZEN, AccountState.CLOSED])
@pytest.mark.parametrize("make", [transfer, scan])
async def test_a_frozen_or_closed_account_pays_nothing(
    bank: Bank, state: AccountState, make: Any
) -> None:
    """Neither gives money, by any rail."""
    await put_state(bank, await account_of(bank, ANA), state)
    assert await refused_by(bank, await make(bank, 1_000)) is Refusal.ACCOUNT_CLOSED
    await proved(bank)


async def test_a_frozen_account_still_receives(bank: Bank) -> None:
    """Frozen takes money in; closed does not."""
    theirs = await account_of(bank, BUDI)
    await put_state(bank, theirs, AccountState.FROZEN)
    assert await refused_by(bank, await transfer(bank, 1_000, key="a")) is None
    await put_state(bank, theirs, AccountState.CLOSED)
    answer = await refused_by(bank, await transfer(bank, 1_000, key="b"))
    assert answer is Refusal.PAYEE_ACCOUNT_CLOSED
    await proved(bank)


@pytest.mark.parametrize("state", [AccountState.FROZEN, AccountState.CLOSED])
async def test_an_account_frozen_while_its_money_is_under_way(
    bank: Bank, clock: HandClock, paper: PaperRail, state: AccountState
) -> None:
    """What the network has paid is booked, although the account was shut meanwhile."""
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    await put_state(bank, payment.debtor, state)
    paper.will("inquire", Accepted("RRN1"))
    clock.advance(3)
    await bank.resolver.round()
    assert (await now_is(bank, payment)).state is State.POSTED
    await proved(bank)


async def test_to_oneself(bank: Bank) -> None:
    """From an account to the same account is no transfer."""
    own = await account_of(bank, ANA)
    answer = await refused_by(bank, await transfer(bank, 1_000, payee=ToAccount(own)))
    assert answer is Refusal.ACCOUNTS_MUST_BE_DIFFERENT


@pytest.mark.parametrize("make", [transfer, scan])
@pytest.mark.parametrize("amount", [0, -1, -(10**12)])
async def test_zero_and_less(bank: Bank, make: Any, amount: int) -> None:
    """An amount is at least one sen: a negative one would be a way to take."""
    order = await make(bank, amount)
    before = await balance(bank, order.debtor)
    assert await refused_by(bank, order) is Refusal.AMOUNT_NOT_POSITIVE
    assert await balance(bank, order.debtor) == before


async def test_a_negative_tip(bank: Bank) -> None:
    """A tip cannot make a payment smaller."""
    answer = await refused_by(bank, await scan(bank, 1_000, tip_minor=-1))
    assert answer is Refusal.AMOUNT_NOT_POSITIVE


async def test_another_currency(bank: Bank) -> None:
    """The book keeps rupiah only."""
    answer = await refused_by(bank, await transfer(bank, 1_000, currency="USD"))
    assert answer is Refusal.CURRENCY_NOT_SUPPORTED


async def test_a_service_that_cannot_pay_this_payee(bank: Bank) -> None:
    """An account is not paid by QRIS, nor anything by a service that does not exist."""
    wrong = await refused_by(bank, await transfer(bank, 1_000, key="a", service=QRIS_OFFUS))
    unknown = await refused_by(bank, await transfer(bank, 1_000, key="b", service="mobile.magic"))
    assert (wrong, unknown) == (Refusal.ORDER_INVALID, Refusal.ORDER_INVALID)


async def test_a_sum_larger_than_the_book_can_write(bank: Bank) -> None:
    """It is refused like any other, and the writer goes on."""
    for number, amount in enumerate((10**18, 2**63, 2**70)):
        answer = await refused_by(bank, await transfer(bank, amount, key=f"k-{number}"))
        assert answer is Refusal.AMOUNT_TOO_LARGE
    assert await refused_by(bank, await transfer(bank, 1_000, key="after")) is None
    await proved(bank)
