"""Our own merchants: paid at once or at the cut-off, less the discount, each bill once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from stories import ANA, BUDI, RUPIAH, account_of, balance, is_refused, pay, proved
from tangguh.app import Bank
from tangguh.core.order import CreditOrder, PaymentOrder, ToMerchant
from tangguh.core.outcome import Refusal
from tangguh.core.service import IN_QRIS, QRIS_ONUS
from tangguh.customers import merchants
from tangguh.customers.merchants import Merchant
from tangguh.ledger import chart
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.payments.merchant import takings
from tangguh.payments.merchant.bill import MakeBill
from tangguh.payments.merchant.mdr import mdr_minor
from tangguh.payments.payment import Decided, State

SMALL = "936009990000000002"
"""A shop of criteria UKE, paid at once; the next one is paid at the cut-off."""
AT_CUT_OFF = "936009990000000003"


async def shop_of(bank: Bank, pan: str) -> Merchant:
    found = await merchants.by_pan(bank.pool, bank.book_id, pan)
    assert found is not None
    return found


async def order(
    bank: Bank, shop: Merchant, minor: int, *, by: int = ANA, **more: str
) -> PaymentOrder:
    payee = ToMerchant(
        account_id=shop.credit_id,
        merchant_id=shop.merchant_id,
        nmid=shop.nmid,
        merchant_name=shop.name,
        merchant_city=shop.city,
        mdr_minor=mdr_minor(minor, shop.criteria, shop.category_code),
        bill=more.get("bill", ""),
    )
    return PaymentOrder(
        customer_id=by,
        idempotency_key=more.get("key", "s-1"),
        service=QRIS_ONUS,
        debtor=await account_of(bank, by),
        payee=payee,
        amount_minor=minor,
    )


async def test_the_merchant_gets_the_sum_less_its_discount(bank: Bank) -> None:
    """0.7 % of Rp 100.000 for a small merchant; the payer pays nothing on top."""
    shop = await shop_of(bank, SMALL)
    before = (await balance(bank, shop.account_id)).posted_minor
    paid = await pay(bank, await order(bank, shop, 100_000 * RUPIAH))
    assert (paid.state, paid.fee_minor) == (State.POSTED, 0)
    assert (await balance(bank, shop.account_id)).posted_minor == before + 99_300 * RUPIAH
    assert (await balance(bank, chart.MERCHANT_FEES)).posted_minor == 700 * RUPIAH
    await proved(bank)


async def test_what_waits_for_the_cut_off_is_seen_and_cannot_be_spent(bank: Bank) -> None:
    """By contract the money stands apart until the cut-off; no order can take it from there."""
    shop = await shop_of(bank, AT_CUT_OFF)
    assert shop.waiting_id
    await pay(bank, await order(bank, shop, 100_000 * RUPIAH))
    waiting = (await balance(bank, shop.waiting_id)).posted_minor
    assert waiting > 0
    spend = msgspec.structs.replace(
        await order(bank, shop, 10_000 * RUPIAH, key="s-2"),
        customer_id=shop.customer_id,
        debtor=shop.waiting_id,
    )
    assert (await pay(bank, spend)).refusal is Refusal.ACCOUNT_CLOSED
    await proved(bank)


async def test_two_payers_of_one_code_and_one_payment(bank: Bank) -> None:
    """The second is told that the bill is paid; nothing of theirs moved."""
    shop = await shop_of(bank, SMALL)
    until = bank.clock.now() + timedelta(minutes=15)
    await bank.desk.decide(MakeBill(shop.merchant_id, "INV-1", 25_000 * RUPIAH, until))
    first = await pay(bank, await order(bank, shop, 25_000 * RUPIAH, bill="INV-1"))
    second = await pay(bank, await order(bank, shop, 25_000 * RUPIAH, bill="INV-1", by=BUDI))
    assert (first.state, second.refusal) == (State.POSTED, Refusal.BILL_PAID)
    await proved(bank)


@pytest.mark.parametrize(
    ("bill", "minor", "minutes", "refusal"),
    [
        ("INV-2", 25_000, 16, Refusal.BILL_EXPIRED),
        ("INV-2", 24_999, 0, Refusal.QR_AMOUNT_DIFFERS),
        ("INV-9", 25_000, 0, Refusal.BILL_NOT_FOUND),
    ],
)
async def test_a_code_that_may_not_be_paid(
    bank: Bank, bill: str, minor: int, minutes: int, refusal: Refusal
) -> None:
    """Too late, another sum, a bill nobody wrote."""
    shop = await shop_of(bank, SMALL)
    until = bank.clock.now() + timedelta(minutes=15)
    await bank.desk.decide(MakeBill(shop.merchant_id, "INV-2", 25_000 * RUPIAH, until))
    bank.clock.advance(minutes * 60)  # type: ignore[attr-defined]
    paid = await pay(bank, await order(bank, shop, minor * RUPIAH, bill=bill))
    assert paid.refusal is refusal
    await proved(bank)


async def test_a_customer_of_another_bank_pays(bank: Bank) -> None:
    """The switch's word credits the merchant at once, once; today's takings count it."""
    shop = await shop_of(bank, SMALL)
    credit = CreditOrder(
        rail="qris",
        idempotency_key="qris:V1",
        service=IN_QRIS,
        creditor=shop.credit_id,
        amount_minor=50_000 * RUPIAH,
        sender_bank="93600998",
        mdr_minor=mdr_minor(50_000 * RUPIAH, shop.criteria, shop.category_code),
        merchant_id=shop.merchant_id,
    )
    for _ in range(2):
        said = await bank.desk.decide(ReceiveCredit(credit, bank.desk.rules, at_once=True))
        assert isinstance(said, Decided)
        assert said.payment.state is State.POSTED
    other = msgspec.structs.replace(credit, amount_minor=1)
    again = await bank.desk.decide(ReceiveCredit(other, bank.desk.rules, at_once=True))
    assert is_refused(again, Refusal.IDEMPOTENCY_KEY_REUSED)
    today = await takings.of_day(
        bank.pool, bank.book_id, shop.credit_id, said.payment.business_date
    )
    assert (today.payments, today.gross_minor, today.discount_minor) == (
        1,
        50_000 * RUPIAH,
        350 * RUPIAH,
    )
    await proved(bank)
