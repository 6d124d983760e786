"""Our own no as a response code (DE39), for terminals and for the switch. Pure.

Source: the published list in ``domain`` terms of ISO 8583:1987 and Indonesian practice (88 bill
paid). A refusal that is not named here is 05, do not honour: it tells nothing to whoever probes.
"""

from __future__ import annotations

from typing import Final

from tangguh.core.outcome import Refusal
from tangguh.payments.incoming.forbid import is_forbidden
from tangguh.payments.payment import Payment, State, code_of_network

APPROVED: Final = "00"
INVALID: Final = "12"
INVALID_AMOUNT: Final = "13"
NO_SUCH_CARD: Final = "14"
LATE: Final = "68"
NO_RECORD: Final = "25"
FORMAT: Final = "30"
LOST_CARD: Final = "41"
EXPIRED_CARD: Final = "54"
WRONG_PIN: Final = "55"
NOT_PERMITTED: Final = "57"
BLOCKED_CARD: Final = "62"
PIN_TRIES: Final = "75"
NOT_ITS_ACCOUNT: Final = "77"
NO_ROUTE: Final = "92"
INOPERATIVE: Final = "91"
TOO_LATE: Final = "21"
MALFUNCTION: Final = "96"
DO_NOT_HONOUR: Final = "05"
DUPLICATE: Final = "94"

OF_DIFFERENCE: Final = {"amount": INVALID_AMOUNT, "currency": INVALID}
"""Of a reversal that differs from its original in that; else it is of something we have not."""

_OF_REFUSAL: Final[dict[Refusal, str]] = {
    Refusal.INSUFFICIENT_FUNDS: "51",
    Refusal.LIMIT_PER_TRANSACTION: "61",
    Refusal.LIMIT_PER_DAY: "61",
    Refusal.LIMIT_PER_MONTH: "61",
    Refusal.PARTNER_LIMIT: "61",
    Refusal.AMOUNT_NOT_POSITIVE: INVALID_AMOUNT,
    Refusal.AMOUNT_TOO_LARGE: INVALID_AMOUNT,
    Refusal.ACCOUNT_NOT_FOUND: "78",
    Refusal.PAYEE_NOT_FOUND: "76",
    Refusal.PAYEE_ACCOUNT_CLOSED: "76",
    Refusal.ACCOUNTS_MUST_BE_DIFFERENT: "76",
    Refusal.ACCOUNT_CLOSED: BLOCKED_CARD,
    Refusal.SERVICE_CLOSED: NOT_PERMITTED,
    Refusal.PROTECTIVE_CLOSURE: NOT_PERMITTED,
    Refusal.PROTECTIVE_LIMIT: "61",
    Refusal.IDEMPOTENCY_KEY_REUSED: DUPLICATE,
    Refusal.HOLD_ALREADY_VOIDED: NO_SUCH_CARD,
    Refusal.CURRENCY_NOT_SUPPORTED: INVALID,
    Refusal.BILL_NOT_FOUND: NO_RECORD,
    Refusal.BILL_PAID: "88",
    Refusal.BILL_EXPIRED: "88",
    Refusal.PARTNER_UNREACHABLE: INOPERATIVE,
    Refusal.FAR_ACCOUNT_NOT_FOUND: "76",
    Refusal.PAYEE_INACTIVE: "76",
    Refusal.NEVER_ARRIVED: INOPERATIVE,
}


def code_of_refusal(refusal: Refusal) -> str:
    """The response code of a refusal."""
    return _OF_REFUSAL.get(refusal, DO_NOT_HONOUR)


_SAID_AS_IT_IS: Final = (
    "01 02 03 04 07 12 13 14 15 30 34 36 37 38 39 41 43"
    " 51 52 53 54 55 57 58 59 61 62 65 75 78 91 92"
)
_PASSED_ON: Final = frozenset(_SAID_AS_IT_IS.split(" "))
"""What an issuer's no may say at our machine as it was said: each has a screen of its own."""


def code_of_issuer(payment: Payment) -> str:
    """The response code of another bank's card at our machine: the issuer's own, where it has one.

    A code that our machines do not know is 05.
    """
    said = code_of_network(payment)
    if payment.state is State.VOIDED and said:
        return said if said in _PASSED_ON else DO_NOT_HONOUR
    return code_of_payment(payment)


def code_of_payment(payment: Payment) -> str:
    """The response code of a payment as it stands; an open one is late, never approved.

    Nor is one of which anything went back: whoever asks again would pay it out again.
    """
    if payment.state in {State.POSTED, State.REFUNDED}:
        gone_back = payment.refunded_minor or payment.refunding_minor
        return DUPLICATE if gone_back else APPROVED
    if is_forbidden(payment):
        return DUPLICATE
    if payment.refusal is not None:
        return code_of_refusal(payment.refusal)
    return LATE
