"""Where a payment's money goes: the account that is credited, and the entries of its posting. Pure.

E-money: a purse is a memorandum beside the product's float. Money that enters a purse goes to the
float, and the purse rises by the same sum against the product's memo account; money that leaves
does the reverse. So the float equals the purses at every posting (ADR-0013).
"""

from __future__ import annotations

from typing import assert_never

from tangguh.core.order import (
    CreditOrder,
    PaymentOrder,
    RefundOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.core.service import SERVICES
from tangguh.ledger import chart
from tangguh.ledger.posting import Entry
from tangguh.payments.payment import Order, Payment


def creditor_of(order: PaymentOrder) -> int | None:
    """The account that is credited: the payee's own, or what stands between us and the network.

    None when the order's service cannot pay such a payee.
    """
    service = SERVICES.get(order.service)
    if service is None or service.direction != "out":
        return None
    match order.payee:
        case ToAccount(account_id):
            return account_id if service.rail == "onus" else None
        case ToMerchant(account_id=account_id):
            return account_id if ".qris." in service.id or service.rail == "emoney" else None
        case ToPurse(account_id=account_id):
            fits = chart.product_of(account_id) == service.partner and ".topup." in service.id
            return account_id if fits else None
        case ToQris():
            return chart.SETTLEMENT_QRIS if ".qris." in service.id else None
        case ToBank():
            banks = service.rail in {"bifast", "iso8583"}
            return chart.SETTLEMENT_OF_RAIL[service.rail] if banks else None
        case ToWallet(wallet=wallet):
            return chart.PARTNER_OF_WALLET.get(wallet) if wallet == service.partner else None
        case ToBiller(biller=biller):
            same = biller == service.partner
            return chart.SETTLEMENT_OF_BILLER.get(biller) if same else None
        case ToCash(vault=vault):
            return vault or chart.SETTLEMENT_CARDS
        case _:
            assert_never(order.payee)


def mdr_of(order: Order) -> int:
    """The merchant discount in minor units: taken from what the merchant gets, never added."""
    match order:
        case PaymentOrder(payee=ToMerchant(mdr_minor=mdr)):
            return mdr
        case CreditOrder(mdr_minor=mdr):
            return mdr
        case _:
            return 0


def parts_of(payment: Payment) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The entries but the debtor's own: what it pays for, and what balances beside it.

    The first add up to the payment's total; the second to zero.
    """
    paid_for = _credits(payment)
    product = chart.product_of(payment.debtor)
    if product:
        total = payment.total_minor
        memo, pool = chart.MEMO_OF_PRODUCT[product], chart.FLOAT_OF_PRODUCT[product]
        return ((memo, total),), ((pool, -total), *paid_for)
    product = chart.product_of(payment.creditor)
    if product:
        got = payment.to_payee_minor
        memo, pool = chart.MEMO_OF_PRODUCT[product], chart.FLOAT_OF_PRODUCT[product]
        return ((pool, got), *paid_for[1:]), ((memo, -got), (payment.creditor, got))
    return paid_for, ()


def entries_of(payment: Payment) -> tuple[Entry, ...]:
    """The payment as entries, debtor first."""
    paid_for, also = parts_of(payment)
    return ((payment.debtor, -payment.total_minor), *paid_for, *also)


def _credits(payment: Payment) -> tuple[Entry, ...]:
    mdr = 0 if isinstance(payment.order, RefundOrder) else mdr_of(payment.order)
    entries = [(payment.creditor, payment.to_payee_minor - mdr)]
    if mdr:
        entries.append((chart.MERCHANT_FEES, mdr))
    if payment.fee_minor:
        entries.append((chart.FEES, payment.fee_minor))
    return tuple(entries)
