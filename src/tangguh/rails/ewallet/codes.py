"""What a wallet's answers mean for an inquiry, a top-up and its status: the one table. Pure.

Source: ASPI's SNAP developer site, services 37, 38 and 39. There is no cancel of a top-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.snap import DECLINES, Answer, Endpoint, read
from tangguh.rails.snap_partner import NOT_FOUND

INQUIRY: Final = Endpoint("37", "/v1.0/emoney/account-inquiry")
TOPUP: Final = Endpoint("38", "/v1.0/emoney/topup")
STATUS: Final = Endpoint("39", "/v1.0/emoney/topup-status")

_NOT_FOUND: Final = "40401"

WALLET_DECLINES: Final[Mapping[str, Refusal]] = {
    **DECLINES,
    "40307": Refusal.PAYEE_INACTIVE,  # blocked
    "40309": Refusal.PAYEE_INACTIVE,  # dormant
    "40314": Refusal.PARTNER_FLOAT,  # our deposit with the wallet is used up
    "40316": Refusal.PAYEE_INACTIVE,  # suspended
    "40318": Refusal.PAYEE_INACTIVE,
    "40411": Refusal.WALLET_NOT_FOUND,
}


def outcome_of_topup(answer: Answer) -> Outcome:
    """emoney/topup (38). An inconsistent request (404/18) is Unanswered: the status decides."""
    return read(answer, "referenceNo", WALLET_DECLINES)


def outcome_of_status(answer: Answer) -> Outcome:
    """emoney/topup-status (39). A refused question is no word on the top-up."""
    if answer.case == _NOT_FOUND:
        return Unanswered(NOT_FOUND)
    if answer.case != "20000":
        return Unanswered(f"status answered {answer.code}")
    match answer.text("latestTransactionStatus"):
        case "00":
            return Accepted(answer.text("originalReferenceNo"))
        case "04" | "05" | "06":  # refunded to us, cancelled, failed
            return Declined(Refusal.PARTNER_DECLINED, answer.code)
        case "01" | "02" | "03":
            return Unanswered("in progress")
        case "07":
            return Unanswered(NOT_FOUND)
        case _:
            return Unanswered("unknown transaction status")
