"""A reversal compared with what it undoes: the one function that says what of it differs. Pure.

Elements that a network may write anew are not compared (DE7, DE11, DE37, account types in DE3); one
that is left out says nothing. Source: ISO 8583:1987, reversals repeat their original's elements.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.money import Money
from tangguh.core.order import CreditOrder, PaymentOrder, ToAccount, ToBank, ToCash
from tangguh.core.service import (
    ATM_ACQUIRER,
    ATM_BILL,
    ATM_CARDLESS,
    ATM_CASH,
    ATM_TRANSFER_CARDS,
    ATM_TRANSFER_ONUS,
    CARD_CASH,
    IN_CARDS,
)
from tangguh.payments.payment import Payment
from tangguh.rails.iso8583 import required
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.inbound.address import is_same_account
from tangguh.rails.iso8583.inbound.asked import ReversalAsked
from tangguh.rails.iso8583.inbound.money import differing_sum
from tangguh.rails.iso8583.message import masked_pan

BY_CARD: Final = frozenset(
    {ATM_ACQUIRER, ATM_BILL, ATM_CASH, ATM_TRANSFER_CARDS, ATM_TRANSFER_ONUS, CARD_CASH}
)
"""Services that a card asks for."""
_KIND_OF: Final = {
    ATM_ACQUIRER: required.CASH,
    ATM_BILL: required.BILL,
    ATM_CARDLESS: required.CARDLESS,
    ATM_CASH: required.CASH,
    ATM_TRANSFER_CARDS: required.TRANSFER,
    ATM_TRANSFER_ONUS: required.TRANSFER,
    CARD_CASH: required.CASH,
    IN_CARDS: required.TRANSFER,
}


def differing(asked: ReversalAsked, payment: Payment, dialect: Dialect) -> str:
    """What a reversal names otherwise than its original has it; empty when nothing.

    One of kind, terminal, merchant, card, payer, payee, currency, amount.
    """
    if _KIND_OF.get(payment.service) != asked.kind:
        return "kind"
    order = payment.order
    if what := _differing_end(asked, order):
        return what
    paid_out = ""
    if isinstance(order, PaymentOrder) and isinstance(order.payee, ToCash):
        if what := _differing_place(asked, order.payee):
            return what
        if order.payee.merchant is msgspec.UNSET:
            # It is older than what is kept of other money: only what was charged is known.
            paid_out = _as_said(asked)
        elif order.payee.paid_out is not msgspec.UNSET:
            paid_out = order.payee.paid_out
    charged = Money(payment.to_payee_minor)
    return differing_sum(asked.sums, charged, asked.dispensed, paid_out, dialect)


def _differing_place(asked: ReversalAsked, payee: ToCash) -> str:
    if payee.terminal and asked.terminal != payee.terminal:
        return "terminal"
    if asked.merchant and payee.merchant not in {msgspec.UNSET, "", asked.merchant}:
        return "merchant"
    if asked.pan and payee.card and payee.card != masked_pan(asked.pan):
        return "card"
    return ""


def _differing_end(asked: ReversalAsked, order: object) -> str:
    """Of a transfer: the account it came from, or went to."""
    payer = payee = ""
    if isinstance(order, CreditOrder):
        payer, payee = order.sender_account, str(order.creditor)
    elif isinstance(order, PaymentOrder):
        payer = str(order.debtor) if order.service in BY_CARD - {ATM_ACQUIRER} else ""
        if isinstance(order.payee, ToBank):
            payee = order.payee.account
        elif isinstance(order.payee, ToAccount):
            payee = str(order.payee.account_id)
    if payer and not is_same_account(asked.payer, payer):
        return "payer"
    return "payee" if payee and not is_same_account(asked.payee, payee) else ""


def _as_said(asked: ReversalAsked) -> str:
    sums = asked.sums
    return "" if sums.unit in {"", "360"} else f"{sums.paid_out}{sums.unit}"
