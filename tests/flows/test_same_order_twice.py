"""The same order more than once: double clicks, two devices, a key used for something else."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from paper import PaperRail
from stories import (
    BUDI,
    CITRA,
    RUPIAH,
    account_of,
    balance,
    count_of,
    give_back,
    only,
    pay,
    proved,
    refund,
    scan,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.order import ToAccount
from tangguh.core.outcome import Refusal, Refused, Unanswered
from tangguh.payments import flow
from tangguh.payments.payment import Decided


@pytest.mark.parametrize("make", [transfer, scan])
async def test_fifty_at_once_are_one_payment(bank: Bank, paper: PaperRail, make: Any) -> None:
    """Two clicks, or two devices with the same key: one payment, sent once, debited once."""
    order = await make(bank, 20_000 * RUPIAH)
    before = await balance(bank, order.debtor)
    answers = await asyncio.gather(*(flow.pay(bank.desk, order) for _ in range(50)))
    only([answer.payment.id for answer in answers if isinstance(answer, Decided)])
    assert all(isinstance(answer, Decided) for answer in answers)
    assert sum(not answer.repeated for answer in answers if isinstance(answer, Decided)) == 1
    assert await count_of(bank, "payments") == 1
    assert len(paper.asked) == (1 if make is scan else 0)
    after = await balance(bank, order.debtor)
    assert before.available_minor - after.available_minor == 20_000 * RUPIAH
    await proved(bank)


async def test_a_repeat_long_after_gets_the_first_answer(bank: Bank, paper: PaperRail) -> None:
    """Asked again the payment is shown as it stands now, and not sent again."""
    paper.will("send", Unanswered("timeout"))
    order = await scan(bank, 20_000 * RUPIAH)
    first = await pay(bank, order)
    again = await flow.pay(bank.desk, order)
    assert isinstance(again, Decided)
    assert (again.payment, again.repeated) == (first, True)
    assert len(paper.asked) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount_minor": 2}, "amount"),
        ({"tip_minor": 1}, "tip"),
        ({"note": "other"}, "note"),
        ({"payee": CITRA}, "to"),
        ({"debtor": BUDI}, "from_account"),
    ],
)
@pytest.mark.parametrize("first_was", ["posted", "refused"])
async def test_the_same_key_for_another_order(
    bank: Bank, first_was: str, change: dict[str, Any], field: str
) -> None:
    """It is refused naming the field that differs, also when the first order was refused."""
    amount = 10_000 * RUPIAH if first_was == "posted" else 95_000_000 * RUPIAH
    order = await transfer(bank, amount)
    first = await pay(bank, order)
    assert first.state == first_was
    if "payee" in change:
        change = {"payee": ToAccount(await account_of(bank, change["payee"]))}
    if "debtor" in change:
        change = {"debtor": await account_of(bank, change["debtor"])}
    other = msgspec.structs.replace(order, **change)
    answer = await flow.pay(bank.desk, other)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.field) == (Refusal.IDEMPOTENCY_KEY_REUSED, field)
    assert await count_of(bank, "payments") == 1
    assert (await pay(bank, order)).id == first.id, "the first order keeps its answer"
    await proved(bank)


async def test_a_key_belongs_to_one_customer(bank: Bank) -> None:
    """Two customers may make the same key without knowing of each other."""
    mine = await pay(bank, await transfer(bank, 1_000 * RUPIAH, key="same"))
    theirs = await pay(bank, await transfer(bank, 2_000 * RUPIAH, key="same", by=BUDI, to=CITRA))
    assert mine.id != theirs.id
    await proved(bank)


async def test_a_payments_key_cannot_become_a_refunds(bank: Bank) -> None:
    """One customer's keys are one list, whatever is ordered."""
    order = await transfer(bank, 10_000 * RUPIAH, key="k", by=BUDI, to=CITRA)
    received = await pay(bank, await transfer(bank, 10_000 * RUPIAH, key="t-9", to=BUDI))
    await pay(bank, order)
    answer = await flow.refund(bank.desk, give_back(received, 100, key="k", by=BUDI))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.field) == (Refusal.IDEMPOTENCY_KEY_REUSED, "kind")


async def test_the_same_refund_fifty_times_gives_back_once(bank: Bank) -> None:
    """A refund's key works as a payment's does."""
    received = await pay(bank, await transfer(bank, 10_000 * RUPIAH))
    order = give_back(received, 4_000 * RUPIAH, by=BUDI)
    answers = await asyncio.gather(*(flow.refund(bank.desk, order) for _ in range(50)))
    only([answer.payment.id for answer in answers if isinstance(answer, Decided)])
    other = msgspec.structs.replace(order, amount_minor=100)
    refused = await flow.refund(bank.desk, other)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == (Refusal.IDEMPOTENCY_KEY_REUSED, "amount")
    assert (await refund(bank, order)).amount_minor == 4_000 * RUPIAH
    await proved(bank)
