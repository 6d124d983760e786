"""Where a payment's money goes: the account that is credited, and the entries of its posting. Pure.

E-money: a purse is a memorandum beside the product's float. Money that enters a purse goes to the
float, and the purse rises by the same sum against the product's memo account; money that leaves
does the reverse. So the float equals the purses at every posting (ADR-0013).
"""

from __future__ import annotations

from typing import Final, assert_never

from tangguh.core.order import (
    PaymentOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.core.service import (
    ATM_ACQUIRER,
    ATM_CARDLESS,
    ATM_CASH,
    ATM_TRANSFER_CARDS,
    ATM_TRANSFER_ONUS,
    CARD_CASH,
    QRIS_CPM,
    QRIS_OFFUS,
    QRIS_ONUS,
    QRIS_SERVER,
    QRIS_TOURIST,
    SERVICES,
    SPEND_CARD,
    TRANSFER_BIFAST,
    TRANSFER_CARDS,
    TRANSFER_ONUS,
)
from tangguh.customers.terms import Merchant
from tangguh.ledger import chart
from tangguh.ledger.posting import Entry
from tangguh.payments.payment import Payment

_TRANSFERS_ONUS: Final = frozenset({TRANSFER_ONUS, ATM_TRANSFER_ONUS})
_TO_BANKS: Final = frozenset({TRANSFER_BIFAST, TRANSFER_CARDS, ATM_TRANSFER_CARDS})
_TO_SHOPS: Final = frozenset({QRIS_ONUS, QRIS_SERVER, QRIS_TOURIST, SPEND_CARD})
_BY_SWITCH: Final = frozenset({QRIS_OFFUS, QRIS_CPM, QRIS_SERVER, QRIS_TOURIST})
_FROM_CASSETTES: Final = frozenset({ATM_CASH, ATM_CARDLESS, ATM_ACQUIRER})


def creditor_of(order: PaymentOrder, shop: Merchant | None = None) -> int | None:
    """The account that is credited: the payee's own, or what stands between us and the network.

    ``shop`` is the merchant of ours the order names, as the book has it. None when the order's
    service cannot pay such a payee.
    """
    service = SERVICES.get(order.service)
    if service is None or service.direction != "out":
        return None
    match order.payee:
        case ToAccount(account_id):
            return account_id if service.id in _TRANSFERS_ONUS else None
        case ToMerchant():
            return shop.credit_id if shop is not None and service.id in _TO_SHOPS else None
        case ToPurse(account_id=account_id):
            fits = chart.product_of(account_id) == service.partner and ".topup." in service.id
            return account_id if fits else None
        case ToQris():
            return chart.SETTLEMENT_QRIS if service.id in _BY_SWITCH else None
        case ToBank():
            fits = service.id in _TO_BANKS
            return chart.SETTLEMENT_OF_RAIL[service.rail] if fits else None
        case ToWallet(wallet=wallet):
            return chart.PARTNER_OF_WALLET.get(wallet) if wallet == service.partner else None
        case ToBiller(biller=biller):
            same = biller == service.partner
            return chart.SETTLEMENT_OF_BILLER.get(biller) if same else None
        case ToCash(vault=vault):
            if service.id == CARD_CASH:
                return None if vault else chart.SETTLEMENT_CARDS
            return vault if service.id in _FROM_CASSETTES and chart.is_cassette(vault) else None
        case _:
            assert_never(order.payee)


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
    discount = payment.discount_minor
    entries = [(payment.creditor, payment.to_payee_minor - discount)]
    if discount:
        entries.append((chart.MERCHANT_FEES, discount))
    if payment.fee_minor:
        entries.append((chart.FEES, payment.fee_minor))
    return tuple(entries)
