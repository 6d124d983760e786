"""From what a customer typed or scanned to a PaymentOrder: pure, shared by API and pages."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.money import NotMoney, parse_decimal
from tangguh.core.order import PaymentOrder, ToAccount, ToMerchant, ToQris
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import (
    QRIS_OFFUS,
    QRIS_ONUS,
    QRIS_SERVER,
    QRIS_TOURIST,
    TRANSFER_ONUS,
)
from tangguh.customers.terms import Merchant
from tangguh.ledger import chart
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import Kind, QrisCode, TipKind, tip_due, to_payee

QRIS_OF_PRODUCT: Final = {"server": QRIS_SERVER, "touristpass": QRIS_TOURIST}


class Scanned(msgspec.Struct, frozen=True):
    """A QRIS code that may be paid, and its payload."""

    code: QrisCode
    payload: str


def scan(payload: str) -> Scanned | Refused:
    """Judge a scanned text. Refuses QR_INVALID naming the first broken rule.

    A QRIS Transfer code is recognised and refused: it pays a person, not a merchant, and this
    bank does not carry it yet.
    """
    reading = parse(payload)
    if reading.errors:
        first = reading.errors[0]
        return Refused(Refusal.QR_INVALID, "qr", f"{first.code}: {first.detail}")
    if reading.seen.kind is Kind.TRANSFER:
        return Refused(Refusal.QR_INVALID, "qr", "qris_transfer: this code is not a merchant's")
    if not reading.seen.accounts:
        return Refused(Refusal.QR_INVALID, "qr", "acquirer_missing: no domestic acquirer to pay")
    return Scanned(reading.seen, payload)


def qris_order(
    *,
    customer_id: int,
    key: str,
    debtor: int,
    payload: str,
    amount: str | None,
    tip: str | None,
    note: str,
) -> PaymentOrder | Refused:
    """An order to pay a merchant's code.

    Refuses QR_INVALID, QR_AMOUNT_DIFFERS (the code has another amount or tip than was typed),
    ORDER_INVALID (no amount anywhere), AMOUNT_TOO_LARGE.
    """
    scanned = scan(payload)
    if isinstance(scanned, Refused):
        return scanned
    code = scanned.code
    typed = _minor(amount, "amount")
    if isinstance(typed, Refused):
        return typed
    if code.amount_minor is not None and typed is not None and typed != code.amount_minor:
        return Refused(Refusal.QR_AMOUNT_DIFFERS, "amount", "the code has its own amount")
    amount_minor = code.amount_minor if code.amount_minor is not None else typed
    if amount_minor is None:
        return Refused(Refusal.ORDER_INVALID, "amount", "this code has no amount; say how much")
    tip_typed = _minor(tip, "tip")
    if isinstance(tip_typed, Refused):
        return tip_typed
    due = tip_due(code, amount_minor, tip_typed or 0)
    if tip_typed is not None and tip_typed != due:
        return Refused(Refusal.QR_AMOUNT_DIFFERS, "tip", f"the code's tip is {due} minor units")
    return PaymentOrder(
        customer_id=customer_id,
        idempotency_key=key,
        service=qris_service(debtor),
        debtor=debtor,
        payee=to_payee(code, payload),
        amount_minor=amount_minor,
        tip_minor=due,
        note=note,
    )


def shop_order(order: PaymentOrder, shop: Merchant) -> PaymentOrder:
    """The same order when the code is one of our own merchants': no switch between us.

    A payment from an e-money purse keeps its service; from an account it is on-us. Name, city and
    NMID are those the code showed: where they are not the merchant's own, the book refuses.
    """
    payee = order.payee
    if not isinstance(payee, ToQris):
        return order
    seen = parse(payee.payload).seen
    ours = ToMerchant(
        merchant_id=shop.merchant_id,
        nmid=payee.nmid,
        merchant_name=payee.merchant_name,
        merchant_city=payee.merchant_city,
        payload=payee.payload,
        criteria=shop.criteria,
        terminal=payee.terminal,
        bill=seen.additional.bill_number if seen.kind is Kind.DYNAMIC else "",
    )
    service = QRIS_ONUS if order.service == QRIS_OFFUS else order.service
    return msgspec.structs.replace(order, payee=ours, service=service)


def qris_service(debtor: int) -> str:
    """By what a merchant's code is paid from this account: an account, or an e-money purse."""
    return QRIS_OF_PRODUCT.get(chart.product_of(debtor), QRIS_OFFUS)


def transfer_order(
    *, customer_id: int, key: str, debtor: int, creditor: int, amount: str, note: str
) -> PaymentOrder | Refused:
    """An order to move money to another account of this bank. Refuses AMOUNT_TOO_LARGE."""
    minor = _minor(amount, "amount")
    if isinstance(minor, Refused):
        return minor
    return PaymentOrder(
        customer_id=customer_id,
        idempotency_key=key,
        service=TRANSFER_ONUS,
        debtor=debtor,
        payee=ToAccount(creditor),
        amount_minor=minor or 0,
        note=note,
    )


def asks_for_amount(code: QrisCode) -> bool:
    """Whether the payer must type the amount."""
    return code.amount_minor is None


def asks_for_tip(code: QrisCode) -> bool:
    """Whether the payer may add a tip of their own."""
    return code.tip.kind is TipKind.PROMPT


def _minor(text: str | None, field: str) -> int | Refused | None:
    if text is None or text == "":
        return None
    try:
        return parse_decimal(text)
    except NotMoney as fault:
        return Refused(Refusal.ORDER_INVALID, field, str(fault))
