"""The merchant of ours behind an order: found in the book, never taken from the order. Pure."""

from __future__ import annotations

from tangguh.core.order import CreditOrder, PaymentOrder, ToMerchant
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers.terms import MERCHANTS, Merchant
from tangguh.ledger.book import Book
from tangguh.payments.merchant.mdr import DISCOUNTED, mdr_minor
from tangguh.payments.payment import Order
from tangguh.payments.rules import Rules


def merchant_of(order: Order) -> str:
    """The merchant an order names; empty when it pays no merchant of ours."""
    if isinstance(order, PaymentOrder):
        payee = order.payee
        return payee.merchant_id if isinstance(payee, ToMerchant) else ""
    return order.merchant_id if isinstance(order, CreditOrder) else ""


def is_own_sale(order: Order) -> bool:
    """Whether it was paid to a shop of ours by a customer of ours: no network knows of it."""
    return isinstance(order, PaymentOrder) and isinstance(order.payee, ToMerchant)


def shop_of(book: Book, order: Order) -> Merchant | None:
    """Its terms as the book has them; None when it names none, or one that is not there."""
    merchant_id = merchant_of(order)
    if not merchant_id or not book.is_loaded(MERCHANTS.name, merchant_id):
        return None
    return book.shelf(MERCHANTS).get(merchant_id)


def discount_of(rules: Rules, order: PaymentOrder | CreditOrder, shop: Merchant | None) -> int:
    """The discount in minor units by the tariff in force: from 0 to what is paid."""
    if shop is None or order.service not in DISCOUNTED:
        return 0
    spend = order.amount_minor + order.tip_minor
    return mdr_minor(spend, shop.criteria, shop.category_code, rules.discounts)


def refuse_shop(order: PaymentOrder | CreditOrder, shop: Merchant | None) -> Refused | None:
    """Refuses PAYEE_NOT_FOUND: no such merchant, or not the one (or the account) that was shown."""
    if not merchant_of(order):
        return None
    not_there = Refused(Refusal.PAYEE_NOT_FOUND, "to", "there is no such merchant at this bank")
    if shop is None:
        return not_there
    if isinstance(order, CreditOrder):
        return None if order.creditor == shop.credit_id else not_there
    payee = order.payee
    if not isinstance(payee, ToMerchant):
        return None
    shown = (payee.nmid, payee.merchant_name, payee.merchant_city)
    return None if shown == (shop.nmid, shop.name, shop.city) else not_there
