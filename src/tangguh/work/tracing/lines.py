"""Payments and cases as lines of a list, masked. Pure."""

from __future__ import annotations

from datetime import datetime

from tangguh.core.money import format_decimal
from tangguh.core.order import (
    CreditOrder,
    Payee,
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
from tangguh.disputes.case import Case
from tangguh.payments.payment import Payment
from tangguh.rails.banks import name_of_bank
from tangguh.work.tracing import masks
from tangguh.work.tracing.shapes import CaseLine, Line


def short_reference(payment: Payment) -> str:
    """What a person reads out over the phone: twelve characters of the id, in groups of four."""
    text = payment.id.hex[-12:].upper()
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def line_of(payment: Payment, found_as: str = "") -> Line:
    """One payment as a line."""
    return Line(
        id=payment.id,
        short_reference=short_reference(payment),
        kind=payment.kind,
        service=payment.service,
        rail=payment.rail,
        state=payment.state,
        to_payee=format_decimal(payment.to_payee_minor),
        fee=format_decimal(payment.fee_minor),
        total=format_decimal(payment.total_minor),
        from_account=masks.account(payment.debtor),
        to=to_whom(payment),
        customer_id=payment.customer_id,
        accepted_at=payment.accepted_at,
        concluded_at=payment.concluded_at,
        found_as=found_as,
    )


def to_whom(payment: Payment) -> str:
    """Who gets it, by kind, masked name and the end of the number."""
    order = payment.order
    if isinstance(order, PaymentOrder):
        return _payee(order.payee)
    return masks.account(payment.creditor)


def from_whom(payment: Payment) -> str:
    """Who pays, masked: of money that came in, the sender as its network named them."""
    order = payment.order
    if isinstance(order, CreditOrder):
        bank = name_of_bank(order.sender_bank) if order.sender_bank else payment.rail
        tail = f" {masks.number(order.sender_account)}" if order.sender_account else ""
        return f"{masks.name(order.sender_name)} at {bank}{tail}".strip()
    return masks.account(payment.debtor)


def _payee(payee: Payee) -> str:
    match payee:
        case ToAccount(account_id):
            return f"account {masks.account(account_id)}"
        case ToQris() | ToMerchant():
            return f"merchant {payee.merchant_name}, {payee.merchant_city} ({payee.nmid})"
        case ToBank():
            number = masks.number(payee.account or payee.proxy)
            return f"{masks.name(payee.name)} at {name_of_bank(payee.bank)} {number}".strip()
        case ToWallet():
            return f"{payee.wallet} {masks.number(payee.number)} {masks.name(payee.name)}".strip()
        case ToBiller():
            return f"{payee.biller} {masks.number(payee.customer_no)} {masks.name(payee.name)}"
        case ToCash():
            return f"cash at {payee.terminal}, {name_of_bank(payee.acquirer)} {payee.card}".strip()
        case ToPurse():
            return f"e-money {payee.product} {masks.number(payee.number)}"


def case_line(case: Case) -> CaseLine:
    """One complaint as a line."""
    return CaseLine(
        id=case.id,
        number=case.number,
        about=case.about,
        state=case.state,
        channel=case.channel,
        opened_at=case.opened_at,
        act_by=case.act_by,
        due_at=case.due_at,
        outcome=case.outcome or "",
        why=case.why,
        owner=case.owner,
    )


def is_late(case: Case, now: datetime) -> bool:
    """Whether somebody should have acted on it by now."""
    return case.is_open and now > case.act_by
