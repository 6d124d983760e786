"""The proof of tariff and creditors finds money made by a client's word, written as it once was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

import msgspec
import pytest

from conftest import QUICK
from owner import as_owner
from paper import PaperRail, paper_rails
from stories import ANA, BUDI, RUPIAH, account_of, count_of, pay, proved, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import PaymentOrder, ToCash, ToMerchant
from tangguh.core.service import ATM_CASH, QRIS_ONUS, QRIS_SERVER, QRIS_TOURIST, SERVICES
from tangguh.customers import merchants
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Entry
from tangguh.payments.merchant.mdr import DISCOUNTED, Discount
from tangguh.payments.payment import Payment, State
from tangguh.payments.plans import order_key
from tangguh.payments.proof import TARIFF_PROOF
from tangguh.payments.record import record
from tangguh.payments.terms.creditors import MAY_CREDIT
from tangguh.payments.terms.discount import ChangeDiscount

SMALL = "936009990000000002"


class Written(msgspec.Struct, frozen=True):
    """A payment and its posting exactly as somebody wants them: nothing is judged."""

    names_keys_at_once: ClassVar[bool] = True

    order: PaymentOrder
    creditor: int
    entries: tuple[Entry, ...]
    fee_minor: int = 0

    def keys(self, book: Book) -> Iterable[Key]:
        key = order_key(self.order.customer_id, self.order.idempotency_key)
        return [("order_keys", key), *(("accounts", one) for one, _ in self.entries)]

    def decide(self, book: Book) -> Payment:
        order = self.order
        payment = Payment(
            id=book.ids.next(),
            kind="payment",
            customer_id=order.customer_id,
            service=order.service,
            rail=SERVICES[order.service].rail,
            state=State.HELD,
            debtor=order.debtor,
            creditor=self.creditor,
            amount_minor=order.amount_minor,
            tip_minor=0,
            fee_minor=self.fee_minor,
            currency=order.currency,
            order=order,
            business_date=book.today,
            accepted_at=book.now,
        )
        book.post(payment.id, "payment", self.entries, forced=True)
        done = payment.to(State.POSTED, book.now, network_reference=payment.reference)
        return record(book, done, "posted").payment


async def broken(bank: Bank) -> set[str]:
    """The invariants that do not hold."""
    return {one.name for one in (await bank.prove()).invariants if not one.holds}


async def forged_sale(bank: Bank, creditor: int, discount: int) -> Written:
    """What was posted for a sealed "merchant" of the sender's own: amount one rupiah."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, SMALL)
    assert shop is not None
    debtor = await account_of(bank, ANA)
    payee = ToMerchant(
        merchant_id=shop.merchant_id, nmid=shop.nmid, merchant_name="x", merchant_city="x"
    )
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key="forged",
        service=QRIS_ONUS,
        debtor=debtor,
        payee=payee,
        amount_minor=1_00,
    )
    entries = ((debtor, -1_00), (creditor, 1_00 - discount), (chart.MERCHANT_FEES, discount))
    return Written(order, creditor, tuple(one for one in entries if one[1]))


@pytest.mark.parametrize("discount", [-1_000_000_000_00, 5_000_000_00])
async def test_a_forged_discount_breaks_the_proof(bank: Bank, discount: int) -> None:
    """Negative, it makes money; larger than the sum, it empties whoever stands as the merchant."""
    await proved(bank)
    await bank.writer.decide(await forged_sale(bank, await account_of(bank, BUDI), discount))
    assert await broken(bank) >= {
        "discounts_follow_the_tariff",
        "merchants_are_paid_where_their_terms_say",
        "a_payee_gets_the_sum_less_the_discount",
    }


@pytest.mark.parametrize("account_id", [chart.EQUITY, chart.FEES, chart.RESERVE, chart.SUSPENSE])
async def test_a_forged_creditor_breaks_the_proof(bank: Bank, account_id: int) -> None:
    """An account of the bank's own, credited as a merchant or as a machine's notes."""
    await bank.writer.decide(await forged_sale(bank, account_id, 0))
    assert "creditors_are_of_a_kind_the_service_may_credit" in await broken(bank)
    assert "merchants_are_paid_where_their_terms_say" in await broken(bank)


async def test_a_forged_vault_breaks_the_proof(bank: Bank) -> None:
    """Cash "from" the bank's equity."""
    debtor = await account_of(bank, ANA)
    payee = ToCash(terminal="ATM00001", acquirer="999", vault=chart.EQUITY)
    order = PaymentOrder(
        customer_id=ANA, idempotency_key="v", service=ATM_CASH, debtor=debtor, payee=payee,
        amount_minor=50_000_00,
    )  # fmt: skip
    entries = ((debtor, -50_000_00), (chart.EQUITY, 50_000_00))
    await bank.writer.decide(Written(order, chart.EQUITY, entries))
    assert "creditors_are_of_a_kind_the_service_may_credit" in await broken(bank)


@pytest.mark.parametrize(
    ("fee", "earned", "third"),
    [(1_000_00, 1_000_00, 0), (0, -1_000_00, 0), (0, 0, 7_00)],
    ids=["a fee nobody set", "a fee paid out", "a third account"],
)
async def test_a_transfer_with_more_than_its_fee_breaks_the_proof(
    bank: Bank, fee: int, earned: int, third: int
) -> None:
    """A fee the tariff does not have, a fee taken back out, and a share for the bank's reserve."""
    order = await transfer(bank, 10_000 * RUPIAH)
    creditor = await account_of(bank, BUDI)
    credit = 10_000 * RUPIAH + fee - earned - third
    entries = (
        (order.debtor, -(10_000 * RUPIAH + fee)),
        (creditor, credit),
        (chart.FEES, earned),
        (chart.RESERVE, third),
    )
    written = Written(order, creditor, tuple(one for one in entries if one[1]), fee)
    await bank.writer.decide(written)
    expected = "an_order_moves_nothing_of_the_banks_own_but_its_fee" if third else (
        "fees_follow_the_tariff"
    )  # fmt: skip
    assert expected in await broken(bank)


async def test_a_merchant_changed_behind_the_book_breaks_the_proof(bank: Bank) -> None:
    """Its number, its account or its criteria, by SQL: the rows say one thing and its terms another."""
    await as_owner(bank, "UPDATE merchants SET pan = '9360099999' WHERE pan = $1", SMALL)
    assert await broken(bank) == {"sealed_rows_are_as_the_chain_left_them"}
    await as_owner(bank, "UPDATE merchants SET criteria = 'UMI' WHERE criteria <> 'UMI'")
    assert await broken(bank) > {"merchants_are_paid_where_their_terms_say"}


async def test_payments_before_a_change_keep_their_discount(bank: Bank) -> None:
    """A new rate counts from its instant: what was sold before is proved by the old one."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, SMALL)
    assert shop is not None
    payee = ToMerchant(
        merchant_id=shop.merchant_id,
        nmid=shop.nmid,
        merchant_name=shop.name,
        merchant_city=shop.city,
    )
    order = PaymentOrder(
        customer_id=ANA, idempotency_key="d-1", service=QRIS_ONUS, payee=payee,
        debtor=await account_of(bank, ANA), amount_minor=100_000 * RUPIAH,
    )  # fmt: skip
    assert (await pay(bank, order)).discount_minor == 700 * RUPIAH
    bank.clock.advance(60)  # type: ignore[attr-defined]
    await bank.writer.decide(
        ChangeDiscount(name="UKE", discount=Discount(30), changed_by="a", approved_by="b",
                       reason="lowered")
    )  # fmt: skip
    await bank.read_tariff()
    bank.clock.advance(60)  # type: ignore[attr-defined]
    second = msgspec.structs.replace(order, idempotency_key="d-2")
    assert (await pay(bank, second)).discount_minor == 300 * RUPIAH
    await proved(bank)


async def test_merchants_of_before_get_their_terms_at_the_next_start(
    bank: Bank, dsn: str, clock: HandClock
) -> None:
    """A book from before terms and opening rows were kept: written once, from the beginning."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, SMALL)
    assert shop is not None
    old = msgspec.structs.replace(shop, merchant_id="OLD1", nmid="ID1", pan="9360099912345678901")
    values = msgspec.structs.astuple(old)
    await as_owner(
        bank, "INSERT INTO merchants (book_id, merchant_id, account_id, waiting_id, customer_id, nmid, "
        "pan, name, city, postal_code, category_code, criteria) "
        "VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", *values
    )  # fmt: skip
    assert "merchants_are_paid_where_their_terms_say" in await broken(bank)
    rows = await count_of(bank, "tariff_changes")
    await bank.close()
    for _ in range(2):
        again = await Bank.open(QUICK, dsn, rails=paper_rails(PaperRail()), clock=clock)
        assert await count_of(again, "merchant_terms") == await count_of(again, "merchants")
        assert await count_of(again, "tariff_changes") == rows
        await proved(again)
        await again.close()


def test_the_proofs_list_of_creditors_is_the_codes() -> None:
    """Service by service, kind by kind; every service that moves money is in both."""
    text = TARIFF_PROOF["creditors_are_of_a_kind_the_service_may_credit"]
    inside = text[text.index("VALUES") : text.index("SELECT p.payment_id")]
    said = {
        (service, kind, int(account_id))
        for service, kind, account_id in re.findall(r"\('([\w.]+)', '(\w+)', (\d+)\)", inside)
    }
    purse_or_switch = {QRIS_SERVER, QRIS_TOURIST}
    expected = {
        (service, str(kind), chart.SETTLEMENT_QRIS if service in purse_or_switch and
         kind == "settlement" else may.account_id)
        for service, may in MAY_CREDIT.items()
        for kind in may.kinds
    }  # fmt: skip
    assert said == expected
    moving = {name for name, one in SERVICES.items() if one.direction != "none"}
    assert set(MAY_CREDIT) == moving
    assert moving >= DISCOUNTED
