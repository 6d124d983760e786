"""Our own merchants: paid at once or at the cut-off, less the discount, each bill once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from stories import (
    ANA,
    BUDI,
    RUPIAH,
    account_of,
    balance,
    give_back,
    is_refused,
    pay,
    proved,
    refund,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.order import CreditOrder, PaymentOrder, ToMerchant
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import IN_QRIS, QRIS_ONUS
from tangguh.customers import merchants
from tangguh.customers.terms import Merchant
from tangguh.ledger import chart
from tangguh.payments import flow
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.payments.merchant import takings
from tangguh.payments.merchant.bill import MakeBill
from tangguh.payments.payment import Decided, Payment, State
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.formats import NETWORKS
from tangguh.settlement.merchants.payout import pay_out

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
        merchant_id=shop.merchant_id,
        nmid=shop.nmid,
        merchant_name=shop.name,
        merchant_city=shop.city,
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


async def sold_and_paid_out(bank: Bank, shop: Merchant) -> Payment:
    """A sale of today, paid out at midnight; it is the next morning."""
    sale = await pay(bank, await order(bank, shop, 100_000 * RUPIAH))
    day = sale.business_date
    bank.clock.advance(20 * 3600)  # type: ignore[attr-defined]
    office = BackOffice(bank.desk, bank.pool, bank.book_id, bank.clock)
    cycles = len(NETWORKS["qris"].cut_offs)
    paid = await pay_out(office, day, cycles)
    assert [one.refused for one in paid if one.merchant_id == shop.merchant_id] == [None]
    return sale


async def test_a_sale_that_was_paid_out_is_refunded_from_the_shops_account(bank: Bank) -> None:
    """New sales wait for their own cut-off: they are not taken for an old one's refund."""
    shop = await shop_of(bank, AT_CUT_OFF)
    sale = await sold_and_paid_out(bank, shop)
    await pay(bank, await order(bank, shop, 300_000 * RUPIAH, key="s-2", by=BUDI))
    own = (await balance(bank, shop.account_id)).posted_minor
    waiting = (await balance(bank, shop.waiting_id)).posted_minor
    back = await refund(bank, give_back(sale, 40_000 * RUPIAH, by=shop.customer_id))
    assert (back.state, back.debtor) == (State.POSTED, shop.account_id)
    assert (await balance(bank, shop.account_id)).posted_minor == own - 40_000 * RUPIAH
    assert (await balance(bank, shop.waiting_id)).posted_minor == waiting
    await proved(bank)


async def test_a_sale_that_still_waits_is_refunded_from_what_waits(bank: Bank) -> None:
    shop = await shop_of(bank, AT_CUT_OFF)
    sale = await pay(bank, await order(bank, shop, 100_000 * RUPIAH))
    back = await refund(bank, give_back(sale, 40_000 * RUPIAH, by=shop.customer_id))
    assert back.debtor == shop.waiting_id
    await proved(bank)


async def test_a_shop_without_the_money_is_told_so_without_an_internal_number(bank: Bank) -> None:
    shop = await shop_of(bank, AT_CUT_OFF)
    sale = await sold_and_paid_out(bank, shop)
    everything = (await balance(bank, shop.account_id)).posted_minor
    out = await transfer(bank, everything, by=shop.customer_id, to=ANA)
    spent = msgspec.structs.replace(out, debtor=shop.account_id)
    assert (await pay(bank, spent)).state is State.POSTED
    said = await flow.refund(bank.desk, give_back(sale, 40_000 * RUPIAH, by=shop.customer_id))
    assert isinstance(said, Refused)
    assert said.code is Refusal.INSUFFICIENT_FUNDS
    assert not any(character.isdigit() for character in said.detail)


async def test_what_was_given_back_after_the_cut_off_is_not_paid_out_of_new_sales(
    bank: Bank,
) -> None:
    """A payout that waits for the network's file: an old sale goes back, a new one comes.

    The new sale waits for its own cut-off, whole, so that its payer gets it back whole.
    """
    shop = await shop_of(bank, AT_CUT_OFF)
    old = await pay(bank, await order(bank, shop, 100_000 * RUPIAH))
    day = old.business_date
    bank.clock.advance(20 * 3600)  # type: ignore[attr-defined]
    new = await pay(bank, await order(bank, shop, 300_000 * RUPIAH, key="s-2", by=BUDI))
    await refund(bank, give_back(old, 40_000 * RUPIAH, by=shop.customer_id))
    of_new = await refund(bank, give_back(new, 10_000 * RUPIAH, key="r-2", by=shop.customer_id))
    assert of_new.debtor == shop.waiting_id
    own = (await balance(bank, shop.account_id)).posted_minor
    office = BackOffice(bank.desk, bank.pool, bank.book_id, bank.clock)
    await pay_out(office, day, len(NETWORKS["qris"].cut_offs))
    left = new.amount_minor - new.discount_minor - 10_000 * RUPIAH
    assert (await balance(bank, shop.waiting_id)).posted_minor == left
    paid = old.amount_minor - old.discount_minor - 40_000 * RUPIAH
    assert (await balance(bank, shop.account_id)).posted_minor == own + paid
    await proved(bank)


async def test_cycles_that_are_paid_late_and_out_of_order_pay_each_sale_once(bank: Bank) -> None:
    """The later cycle's file came first: what it paid is not paid again out of newer sales."""
    shop = await shop_of(bank, AT_CUT_OFF)
    sales = []
    for number, hours in enumerate((20, 24, 0)):
        sales.append(await pay(bank, await order(bank, shop, 100_000 * RUPIAH, key=f"s-{number}")))
        bank.clock.advance(hours * 3600)  # type: ignore[attr-defined]
    newest = sales[2].amount_minor - sales[2].discount_minor
    office = BackOffice(bank.desk, bank.pool, bank.book_id, bank.clock)
    last = len(NETWORKS["qris"].cut_offs)
    for sale in (sales[1], sales[0], sales[1]):
        await pay_out(office, sale.business_date, last)
        assert (await balance(bank, shop.waiting_id)).posted_minor == newest
    await proved(bank)


async def test_a_bill_asked_for_again_is_the_same_bill(bank: Bank) -> None:
    """The answer was lost: the same number and sum, a minute later, is no other bill."""
    shop = await shop_of(bank, SMALL)
    asked = MakeBill(
        shop.merchant_id, "INV-3", 25_000 * RUPIAH, bank.clock.now() + timedelta(minutes=15)
    )
    made = await bank.desk.decide(asked)
    bank.clock.advance(60)  # type: ignore[attr-defined]
    later = msgspec.structs.replace(asked, expires_at=bank.clock.now() + timedelta(minutes=15))
    assert await bank.desk.decide(later) == made
    other = msgspec.structs.replace(later, amount_minor=1)
    assert is_refused(await bank.desk.decide(other), Refusal.IDEMPOTENCY_KEY_REUSED)
    await pay(bank, await order(bank, shop, 25_000 * RUPIAH, bill="INV-3"))
    assert is_refused(await bank.desk.decide(later), Refusal.BILL_PAID)
    await bank.desk.decide(msgspec.structs.replace(asked, bill_no="INV-4"))
    bank.clock.advance(16 * 60)  # type: ignore[attr-defined]
    again = MakeBill(
        shop.merchant_id, "INV-4", 25_000 * RUPIAH, bank.clock.now() + timedelta(minutes=15)
    )
    assert is_refused(await bank.desk.decide(again), Refusal.IDEMPOTENCY_KEY_REUSED)


@pytest.mark.parametrize("minor", [10_000_000 * RUPIAH + 1, 999_999_999_999_999])
async def test_no_bill_is_made_that_nobody_can_pay(bank: Bank, minor: int) -> None:
    """Above what one QRIS payment may be: said to the shop, not to its customer at the till."""
    shop = await shop_of(bank, SMALL)
    until = bank.clock.now() + timedelta(minutes=15)
    said = await bank.desk.decide(MakeBill(shop.merchant_id, "INV-5", minor, until))
    assert is_refused(said, Refusal.LIMIT_PER_TRANSACTION)
