"""What is known before the PIN: the decision itself, with nothing of it kept."""

from __future__ import annotations

import msgspec
import pytest

from paper import PaperRail
from stories import (
    ANA,
    BUDI,
    RUPIAH,
    balance,
    count_of,
    give_back,
    pay,
    proved,
    put_state,
    scan,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.order import PaymentOrder, ToAccount
from tangguh.core.outcome import Refusal
from tangguh.customers.demo import purse_of
from tangguh.ledger.account import AccountState
from tangguh.payments import flow
from tangguh.payments.decide import Accept
from tangguh.payments.payment import State
from tangguh.payments.preview import Foreseen, Preview
from tangguh.payments.refund import AcceptRefund


async def foreseen(bank: Bank, order: PaymentOrder) -> Foreseen:
    return await bank.desk.decide(Preview(Accept(order, bank.desk.rules)))


async def orders(bank: Bank) -> dict[str, PaymentOrder]:
    """One that goes well, and one for each thing that stands in the way."""
    fine = await transfer(bank, 10_000 * RUPIAH, key="fine")
    purse = purse_of("touristpass", 1, 0).account_id
    await put_state(bank, (await transfer(bank, 1, to=3)).payee.account_id, AccountState.CLOSED)
    return {
        "fine": fine,
        "too much": await transfer(bank, 10**12 * RUPIAH, key="much"),
        "nothing": await transfer(bank, 0, key="zero"),
        "to oneself": msgspec.structs.replace(
            fine, idempotency_key="self", payee=ToAccount(fine.debtor)
        ),
        "nobody": msgspec.structs.replace(
            fine, idempotency_key="none", payee=ToAccount(19_999_999_999)
        ),
        "a closed account": await transfer(bank, 1_000 * RUPIAH, key="closed", to=3),
        "from the pass": msgspec.structs.replace(fine, idempotency_key="pass", debtor=purse),
        "a code": await scan(bank, 20_000 * RUPIAH, key="scan"),
    }


async def test_what_is_foreseen_is_what_is_decided_and_nothing_is_written(bank: Bank) -> None:
    for name, order in (await orders(bank)).items():
        before = await count_of(bank, "payments"), await count_of(bank, "batches")
        held = await balance(bank, order.debtor) if name != "from the pass" else None
        said = await foreseen(bank, order)
        assert (await count_of(bank, "payments"), await count_of(bank, "batches")) == before
        if held is not None:
            assert await balance(bank, order.debtor) == held
        decided = await flow.pay(bank.desk, order)
        code = decided.code if hasattr(decided, "code") else decided.payment.refusal
        assert (said.refused.code if said.refused else None) == code, name
    await proved(bank)


async def test_a_preview_beside_real_orders_changes_none_of_them(bank: Bank) -> None:
    """Decided in one batch with others: its traces are not theirs."""
    one = await transfer(bank, 10_000 * RUPIAH, key="a")
    two = await transfer(bank, 20_000 * RUPIAH, key="b", by=BUDI, to=ANA)
    rules = bank.desk.rules
    answers = await bank.writer.submit(
        [Accept(one, rules), Preview(Accept(two, rules)), Accept(two, rules)]
    )
    assert answers[1] == Foreseen()
    assert [answers[0].payment.state, answers[2].payment.state] == [State.POSTED, State.POSTED]
    await proved(bank)


@pytest.mark.parametrize("minor", [40_000 * RUPIAH, 400_000 * RUPIAH])
async def test_a_refund_is_foreseen(bank: Bank, paper: PaperRail, minor: int) -> None:
    payment = await pay(bank, await transfer(bank, 50_000 * RUPIAH))
    order = give_back(payment, minor, by=BUDI)
    said = await bank.desk.decide(Preview(AcceptRefund(order, bank.desk.rules)))
    too_much = minor > payment.to_payee_minor
    assert (said.refused is not None) == too_much
    if said.refused is not None:
        assert said.refused.code is Refusal.REFUND_EXCEEDS_PAYMENT
    assert (await balance(bank, payment.creditor)).posted_minor > 0
    assert await count_of(bank, "payments") == 1
