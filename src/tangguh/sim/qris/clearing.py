"""What the switch decides: payments, cancels and refunds, over its own books.

Each verb runs inside one transaction of the books and answers with a *case*: HTTP status and
two-digit case of the standard, such as ``20000`` or ``40408``. The same reference with the same
content gets its first answer again; with other content it is an inconsistent request (404/18).
A case the caller forces takes the place of success, never of a rule's own no.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.sim.qris.books import Books, PaymentRow, RefundRow, instant_text

SUCCESS: Final = "20000"
IN_PROGRESS: Final = "20200"
AMOUNT_LIMIT: Final = "40302"
MERCHANT_BLOCKED: Final = "40319"
INVALID_STATUS: Final = "40400"
NOT_FOUND: Final = "40401"
CANCELLED: Final = "40404"
INVALID_MERCHANT: Final = "40408"
INVALID_AMOUNT: Final = "40413"
INCONSISTENT: Final = "40418"
NOT_ALLOWED_NOW: Final = "40501"

AMOUNT_MINOR_MAX: Final = 10_000_000_00
"""Rp10.000.000 a transaction. Rule: Bank Indonesia, PADG 24/1/PADG/2022."""


class PaymentAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment request asks for. Amounts in minor units."""

    reference: str
    merchant_pan: str
    merchant_id: str
    nmid: str
    amount_minor: int
    tip_minor: int
    rrn: str
    terminal: str


class RefundAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What a refund request asks for. Amount in minor units."""

    reference: str
    payment_reference: str
    amount_minor: int


class Delay(msgspec.Struct, frozen=True):
    """A payment that stays pending for some seconds and then becomes ``paid`` or ``failed``."""

    seconds: float
    becomes: str


def pay(
    books: Books, ask: PaymentAsk, now: datetime, *, forced: str = "", delay: Delay | None = None
) -> tuple[str, PaymentRow]:
    """Pay a merchant once, and say the case and the row it rests on."""
    known = books.payment(ask.reference)
    if known is not None:
        return _repeated_case(known, ask), known
    case = _judge_payment(books, ask)
    if case == SUCCESS and forced:
        case = forced
    row = PaymentRow(
        reference=ask.reference,
        merchant_pan=ask.merchant_pan,
        merchant_id=ask.merchant_id,
        amount_minor=ask.amount_minor,
        tip_minor=ask.tip_minor,
        rrn=ask.rrn,
        terminal=ask.terminal,
        state="paid" if case == SUCCESS else "failed",
        response_case=case,
        made_at=instant_text(now),
    )
    if case == SUCCESS and delay is not None:
        case = IN_PROGRESS
        row = _pending(row, now, delay)
    return case, books.record(row)


def cancel(books: Books, reference: str, merchant_id: str, now: datetime) -> tuple[str, PaymentRow]:
    """Promise that a payment did not and will not happen; unknown ones get a tombstone."""
    known = books.payment(reference)
    if known is None:
        tombstone = PaymentRow(
            reference=reference,
            merchant_pan="",
            merchant_id=merchant_id,
            amount_minor=0,
            tip_minor=0,
            rrn="",
            terminal="",
            state="cancelled",
            response_case=CANCELLED,
            made_at=instant_text(now),
        )
        return SUCCESS, books.record(tombstone)
    return (NOT_ALLOWED_NOW if known.state in ("paid", "pending") else SUCCESS), known


def refund(
    books: Books, ask: RefundAsk, now: datetime, *, forced: str = ""
) -> tuple[str, RefundRow | None]:
    """Give back part or all of a paid payment, once. No row where there was nothing to refund."""
    known = books.refund(ask.reference)
    if known is not None:
        same = (known.payment_reference, known.amount_minor)
        asked = (ask.payment_reference, ask.amount_minor)
        return (known.response_case if same == asked else INCONSISTENT), known
    payment = books.payment(ask.payment_reference)
    if payment is None:
        return NOT_FOUND, None
    if payment.state != "paid":
        return INVALID_STATUS, None
    case = forced or SUCCESS
    if ask.amount_minor > payment.total_minor - payment.refunded_minor:
        case = INVALID_AMOUNT
    row = RefundRow(
        reference=ask.reference,
        payment_reference=ask.payment_reference,
        amount_minor=ask.amount_minor,
        state="paid" if case == SUCCESS else "failed",
        response_case=case,
        made_at=instant_text(now),
    )
    return case, books.record_refund(row, payment)


def status_of(payment: PaymentRow) -> str:
    """``latestTransactionStatus``: 00 success, 03 pending, 04 refunded, 05 cancelled, 06 failed."""
    if payment.state == "paid" and payment.refunded_minor == payment.total_minor:
        return "04"
    return {"paid": "00", "pending": "03", "cancelled": "05", "failed": "06"}[payment.state]


def _judge_payment(books: Books, ask: PaymentAsk) -> str:
    merchant = books.merchant(ask.merchant_pan)
    if merchant is None or merchant.merchant_id != ask.merchant_id:
        return INVALID_MERCHANT
    # A code whose parts name two merchants was tampered with.
    if ask.nmid and ask.nmid != merchant.nmid:
        return INVALID_MERCHANT
    if merchant.blocked:
        return MERCHANT_BLOCKED
    return AMOUNT_LIMIT if ask.amount_minor > AMOUNT_MINOR_MAX else SUCCESS


def _repeated_case(known: PaymentRow, ask: PaymentAsk) -> str:
    if known.state == "cancelled":
        return CANCELLED
    same = (known.merchant_pan, known.merchant_id, known.amount_minor, known.tip_minor)
    asked = (ask.merchant_pan, ask.merchant_id, ask.amount_minor, ask.tip_minor)
    return known.response_case if same == asked else INCONSISTENT


def _pending(row: PaymentRow, now: datetime, delay: Delay) -> PaymentRow:
    return msgspec.structs.replace(
        row,
        state="pending",
        response_case=IN_PROGRESS,
        concludes_at=instant_text(now + timedelta(seconds=delay.seconds)),
        becomes=delay.becomes,
    )
