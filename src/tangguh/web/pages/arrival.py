"""What a payment has become once it is done, by who was paid: each has its own sentence. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

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
from tangguh.core.service import BILL, SPEND_CARD, TOPUP_CARD
from tangguh.payments.payment import Payment


class Arrival(StrEnum):
    """Where the money is once it has arrived; the name of the sentence in ``state.posted``."""

    ACCOUNT = "account"
    FAR_ACCOUNT = "far_account"
    MERCHANT = "merchant"
    FAR_MERCHANT = "far_merchant"
    WALLET = "wallet"
    BILL = "bill"
    POWER_CODE = "power_code"
    CASH = "cash"
    PURSE = "purse"
    CHIP = "chip"
    CHIP_SPENT = "chip_spent"


def arrival_of(payment: Payment) -> Arrival:
    """What became of the money of a payment; of a refund or credit: it is in an account."""
    order = payment.order
    if not isinstance(order, PaymentOrder):
        return Arrival.ACCOUNT
    if payment.service == SPEND_CARD:
        return Arrival.CHIP_SPENT
    match order.payee:
        case ToAccount():
            return Arrival.ACCOUNT
        case ToMerchant():
            return Arrival.MERCHANT
        case ToQris():
            return Arrival.FAR_MERCHANT
        case ToBank():
            return Arrival.FAR_ACCOUNT
        case ToWallet():
            return Arrival.WALLET
        case ToBiller():
            return Arrival.POWER_CODE if payment.service == BILL["prepaid"] else Arrival.BILL
        case ToCash():
            return Arrival.CASH
        case ToPurse():
            return Arrival.CHIP if payment.service == TOPUP_CARD else Arrival.PURSE
        case _:
            assert_never(order.payee)
