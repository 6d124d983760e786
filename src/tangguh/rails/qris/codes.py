"""What the QRIS switch's answers mean for a payment, a reversal and a refund: the one table.

Source: ASPI's SNAP developer site, response codes and services 50, 51, 77 and 78. What it leaves
open is our own design, to be agreed with a real switch before use: a cancel that succeeds also
forbids a payment that arrives later under its reference; a query takes the payment's service code,
lists ``refundHistory``, and repeats the first answer's code in
``additionalInfo.previousResponseCode``. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.snap import DECLINES, INCONSISTENT, Answer, Endpoint, read
from tangguh.rails.snap_amount import minor_of

PAYMENT: Final = Endpoint("50", "/v1.0/qr/qr-mpm-payment")
QUERY: Final = Endpoint("51", "/v1.0/qr/qr-mpm-query")
CANCEL: Final = Endpoint("77", "/v1.0/qr/qr-mpm-cancel")
REFUND: Final = Endpoint("78", "/v1.0/qr/qr-mpm-refund")

NOT_FOUND: Final = "not_found"
"""Why an inquiry is Unanswered when the network does not know the payment (yet)."""

_TRANSACTION_NOT_FOUND: Final = "40401"
_TRANSACTION_CANCELLED: Final = "40404"

PAYMENT_DECLINES: Final[Mapping[str, Refusal]] = {
    **DECLINES,
    "40411": Refusal.MERCHANT_NOT_FOUND,  # the account a QRIS payment names is the merchant's
    "40417": Refusal.MERCHANT_NOT_FOUND,  # the terminal belongs to no merchant
}
REFUND_DECLINES: Final[Mapping[str, Refusal]] = {
    **DECLINES,
    "40400": Refusal.PAYMENT_NOT_REFUNDABLE,
    "40401": Refusal.PAYMENT_NOT_REFUNDABLE,
    "40404": Refusal.PAYMENT_NOT_REFUNDABLE,
    "40413": Refusal.REFUND_EXCEEDS_PAYMENT,
    "40501": Refusal.PAYMENT_NOT_REFUNDABLE,
}


def outcome_of_payment(answer: Answer) -> Outcome:
    """qr-mpm-payment (50). An inconsistent request (404/18) is Unanswered: the query decides."""
    return read(answer, "referenceNo", PAYMENT_DECLINES)


def outcome_of_query(answer: Answer) -> Outcome:
    """qr-mpm-query (51): what became of the payment. A refused query is no word on the payment."""
    if answer.case == _TRANSACTION_NOT_FOUND:
        return Unanswered(NOT_FOUND)
    if answer.case != "20000":
        return Unanswered(f"query answered {answer.code}")
    return outcome_of_status(
        answer.text("latestTransactionStatus"),
        reference=answer.text("originalReferenceNo"),
        first_code=_first_code(answer.fields),
    )


def outcome_of_status(status: str, *, reference: str, first_code: str = "") -> Outcome:
    """A ``latestTransactionStatus`` as an outcome.

    ``first_code`` is the 7-digit code of the payment's own answer where the network repeats it.
    """
    match status:
        case "00" | "04":  # 04: paid, and refunded since; the refund has a story of its own
            return Accepted(reference)
        case "05" | "06":  # cancelled, failed
            case = first_code[:3] + first_code[5:]
            return Declined(PAYMENT_DECLINES.get(case, Refusal.PARTNER_DECLINED), first_code)
        case "01" | "02" | "03":  # initiated, paying, pending
            return Unanswered("in progress")
        case "07":
            return Unanswered(NOT_FOUND)
        case _:
            return Unanswered("unknown transaction status")


def outcome_of_cancel(answer: Answer) -> Outcome:
    """qr-mpm-cancel (77). Declined: not paid and never will be. Anything else: ask the query.

    The standard calls an inconsistent void a success (404/18); here it would promise that nothing
    was paid on the word of a switch that knows another payment, so it is Unanswered.
    """
    if answer.case in ("20000", _TRANSACTION_CANCELLED):
        return Declined(Refusal.NOT_CARRIED_OUT, answer.code)
    if answer.case == _TRANSACTION_NOT_FOUND:
        return Unanswered(NOT_FOUND)
    return Unanswered(f"cancel answered {answer.code}")


def outcome_of_refund(answer: Answer) -> Outcome:
    """qr-mpm-refund (78).

    The standard calls an inconsistent refund a success (404/18), but the amount given back may then
    be another than ours: Unanswered, and the refund history decides.
    """
    if answer.case == INCONSISTENT:
        return Unanswered("inconsistent request")
    return read(answer, "refundNo", REFUND_DECLINES)


def outcome_of_refund_query(answer: Answer, refund_reference: str, amount_minor: int) -> Outcome:
    """What became of one refund, from the refund history in a query of its payment."""
    if answer.case == _TRANSACTION_NOT_FOUND:
        return Unanswered(NOT_FOUND)
    if answer.case != "20000":
        return Unanswered(f"query answered {answer.code}")
    history = answer.fields.get("refundHistory")
    for refund in history if isinstance(history, list) else []:
        if isinstance(refund, dict) and refund.get("partnerRefundNo") == refund_reference:
            return _outcome_of_refund_line(refund, amount_minor)
    return Unanswered(NOT_FOUND)


def _outcome_of_refund_line(refund: dict[str, Any], amount_minor: int) -> Outcome:
    reference = refund.get("refundNo")
    outcome = outcome_of_status(
        str(refund.get("refundStatus", "")),
        reference=reference if isinstance(reference, str) else "",
    )
    if isinstance(outcome, Accepted) and minor_of(refund.get("refundAmount")) != amount_minor:
        return Unanswered("refund amount differs")
    return outcome


def _first_code(fields: dict[str, Any]) -> str:
    more = fields.get("additionalInfo")
    code = more.get("previousResponseCode") if isinstance(more, dict) else None
    return code if isinstance(code, str) and len(code) == 7 else ""
