"""The switch's counter: a request's fields in, an answer out, the books changed between.

Called inside one transaction of the books, after the doorkeeper let the caller in. A fault may
force a no or turn the answer against the books; everything else is the rules of ``clearing``.
"""

from __future__ import annotations

from typing import Any, Final

from tangguh.core.clock import Clock
from tangguh.sim.faults import AnyFault, Decline, Lie, Pending
from tangguh.sim.message import Said, amount_of, read_body, refused
from tangguh.sim.qris import clearing
from tangguh.sim.qris.bodies import OriginalBody, PaymentBody, RefundBody
from tangguh.sim.qris.books import Books, PaymentRow, RefundRow
from tangguh.sim.snap import Complaint, timestamp_of

PAYMENT: Final = "50"
QUERY: Final = "51"
CANCEL: Final = "77"
REFUND: Final = "78"

_ANY_NO: Final = "40305"


class Counter:
    """Serves the four services of a payment's life."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock

    def pay(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        """qr-mpm-payment (50)."""
        body = read_body(PaymentBody, fields)
        if isinstance(body, Complaint):
            return refused(PAYMENT, body)
        if body.amount.minor <= 0:
            return refused(PAYMENT, Complaint(400, "01", "Invalid Field Format amount.value"))
        now = self._clock.now()
        ask = _payment_ask(body)
        case, row = clearing.pay(self._books, ask, now, forced=_forced(fault), delay=_delay(fault))
        told = {
            "referenceNo": reference_no(row),
            "partnerReferenceNo": ask.reference,
            "transactionDate": timestamp_of(now),
            "amount": amount_of(ask.amount_minor),
            "feeAmount": amount_of(ask.tip_minor),
            "additionalInfo": {"rrn": row.rrn},
        }
        return Said(PAYMENT, _told(case, fault), told)

    def query(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        """qr-mpm-query (51)."""
        body = read_body(OriginalBody, fields)
        if isinstance(body, Complaint):
            return refused(QUERY, body)
        if isinstance(fault, Decline):
            return Said(QUERY, fault.case, {})
        reference = body.original_partner_reference_no
        payment = self._books.payment(reference)
        if payment is None:
            return Said(QUERY, clearing.NOT_FOUND, {"originalPartnerReferenceNo": reference})
        refunds = self._books.refunds_of(reference)
        return Said(QUERY, clearing.SUCCESS, _story(payment, refunds))

    def cancel(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        """qr-mpm-cancel (77)."""
        body = read_body(OriginalBody, fields)
        if isinstance(body, Complaint):
            return refused(CANCEL, body)
        if isinstance(fault, Decline):
            return Said(CANCEL, fault.case, {})
        now = self._clock.now()
        reference = body.original_partner_reference_no
        case, row = clearing.cancel(self._books, reference, body.merchant_id, now)
        told = {
            "originalPartnerReferenceNo": row.reference,
            "originalReferenceNo": reference_no(row),
            "cancelTime": timestamp_of(now),
        }
        return Said(CANCEL, case, told)

    def refund(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        """qr-mpm-refund (78)."""
        body = read_body(RefundBody, fields)
        if isinstance(body, Complaint):
            return refused(REFUND, body)
        if body.refund_amount.minor <= 0:
            return refused(REFUND, Complaint(400, "01", "Invalid Field Format refundAmount.value"))
        now = self._clock.now()
        ask = clearing.RefundAsk(
            reference=body.partner_refund_no,
            payment_reference=body.original_partner_reference_no,
            amount_minor=body.refund_amount.minor,
        )
        case, row = clearing.refund(self._books, ask, now, forced=_forced(fault))
        told = {
            "originalPartnerReferenceNo": ask.payment_reference,
            "partnerRefundNo": ask.reference,
            "refundNo": _refund_no(row) if row is not None else "",
            "refundAmount": amount_of(ask.amount_minor),
            "refundTime": timestamp_of(now),
        }
        return Said(REFUND, _told(case, fault), told)


def reference_no(payment: PaymentRow) -> str:
    """The switch's own number of a payment."""
    return f"Q{payment.number:015d}"


def _refund_no(refund: RefundRow) -> str:
    return f"R{refund.number:015d}"


def _payment_ask(body: PaymentBody) -> clearing.PaymentAsk:
    return clearing.PaymentAsk(
        reference=body.partner_reference_no,
        merchant_pan=body.additional_info.merchant_pan,
        merchant_id=body.merchant_id,
        nmid=body.additional_info.nmid,
        amount_minor=body.amount.minor,
        tip_minor=body.fee_amount.minor if body.fee_amount is not None else 0,
        rrn=body.additional_info.rrn,
        terminal=body.additional_info.terminal_id,
    )


def _story(payment: PaymentRow, refunds: list[RefundRow]) -> dict[str, Any]:
    case = payment.response_case
    told: dict[str, Any] = {
        "originalReferenceNo": reference_no(payment),
        "originalPartnerReferenceNo": payment.reference,
        "serviceCode": PAYMENT,
        "latestTransactionStatus": clearing.status_of(payment),
        "transactionStatusDesc": payment.state,
        "refundHistory": [_refund_line(refund) for refund in refunds],
        "additionalInfo": {"previousResponseCode": case[:3] + PAYMENT + case[3:]},
    }
    if payment.merchant_pan:  # a tombstone knows neither amount nor terminal
        told["amount"] = amount_of(payment.amount_minor)
        told["feeAmount"] = amount_of(payment.tip_minor)
        told["terminalId"] = payment.terminal
        told["paidTime"] = payment.made_at
    return told


def _refund_line(refund: RefundRow) -> dict[str, Any]:
    return {
        "partnerRefundNo": refund.reference,
        "refundNo": _refund_no(refund),
        "refundAmount": amount_of(refund.amount_minor),
        "refundStatus": "00" if refund.state == "paid" else "06",
        "refundTime": refund.made_at,
    }


def _forced(fault: AnyFault | None) -> str:
    match fault:
        case Decline(case=case):
            return case
        case Lie(books="failed"):
            return _ANY_NO
        case _:
            return ""


def _delay(fault: AnyFault | None) -> clearing.Delay | None:
    match fault:
        case Pending(seconds=seconds, becomes=becomes):
            return clearing.Delay(seconds, becomes)
        case _:
            return None


def _told(case: str, fault: AnyFault | None) -> str:
    """What the answer says, which a lie turns around."""
    match fault:
        case Lie(books="failed"):
            return clearing.SUCCESS
        case Lie(books="paid"):
            return _ANY_NO
        case _:
            return case
