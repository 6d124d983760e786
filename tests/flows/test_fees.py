"""A payment with a fee: the debtor pays it, the bank earns it, and no refund gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from paper import PaperRail
from stories import RUPIAH, balance, give_back, is_refused, now_is, pay, proved, refund, scan
from stories import transfer as send
from tangguh.app import Bank
from tangguh.core.outcome import Declined, Refusal
from tangguh.core.service import SERVICES
from tangguh.ledger import chart
from tangguh.payments import flow
from tangguh.payments.payment import State
from tangguh.payments.terms.opening import OpenTariff, opening_rows

FEE = 2_500 * RUPIAH


@pytest.fixture
async def charging(bank: Bank) -> Bank:
    """The bank, with a fee on everything, as if it had been opened so."""
    fees = dict.fromkeys(SERVICES, FEE)
    await bank.writer.decide(OpenTariff(opening_rows(fees.items(), ())))
    await bank.read_tariff()
    return bank


@pytest.mark.parametrize("make", [send, scan])
async def test_the_fee_is_the_banks(charging: Bank, make: Any) -> None:
    """The debtor pays amount and fee; the payee gets the amount, the fee account the fee."""
    order = await make(charging, 10_000 * RUPIAH)
    before = await balance(charging, order.debtor)
    payment = await pay(charging, order)
    assert (payment.state, payment.fee_minor) == (State.POSTED, FEE)
    after = await balance(charging, order.debtor)
    assert before.posted_minor - after.posted_minor == 10_000 * RUPIAH + FEE
    assert (await balance(charging, chart.FEES)).posted_minor == FEE
    await proved(charging)


@pytest.mark.parametrize("make", [send, scan])
async def test_the_fee_is_not_refunded(charging: Bank, make: Any) -> None:
    """All that can be given back is what the payee got."""
    payment = await pay(charging, await make(charging, 10_000 * RUPIAH))
    answer = await flow.refund(charging.desk, give_back(payment, 10_000 * RUPIAH + 1))
    assert is_refused(answer, Refusal.REFUND_EXCEEDS_PAYMENT)
    await refund(charging, give_back(payment, 10_000 * RUPIAH))
    assert (await now_is(charging, payment)).state is State.REFUNDED
    assert (await balance(charging, chart.FEES)).posted_minor == FEE
    await proved(charging)


async def test_the_fee_of_a_payment_that_failed_is_not_taken(
    charging: Bank, paper: PaperRail
) -> None:
    """A void gives back amount and fee together."""
    paper.will("send", Declined(Refusal.PARTNER_DECLINED))
    order = await scan(charging, 10_000 * RUPIAH)
    before = await balance(charging, order.debtor)
    await pay(charging, order)
    assert (await balance(charging, order.debtor)).available_minor == before.available_minor
    assert (await balance(charging, chart.FEES)).posted_minor == 0
    await proved(charging)


async def test_enough_for_the_amount_but_not_for_the_fee(charging: Bank) -> None:
    """The fee is part of what must be covered."""
    order = await send(charging, 1)
    everything = (await balance(charging, order.debtor)).available_minor
    payment = await pay(charging, await send(charging, everything, key="all"))
    assert payment.refusal is Refusal.INSUFFICIENT_FUNDS
    fits = await pay(charging, await send(charging, everything - FEE, key="less"))
    assert fits.state is State.POSTED
    await proved(charging)
