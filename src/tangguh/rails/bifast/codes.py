"""What BI-FAST's statuses and reasons mean for a payment: the one table. Pure.

Source: the status reasons seen in public BI-FAST middleware, and our own judgement of which of them
are certain. A reason that is not here is Unanswered: the status request decides. ``alarm`` names
who must look, beside the payment's own end: ``security``, ``treasury``, ``case``.
"""

from __future__ import annotations

import re
from typing import Final

from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.bifast.status import Reject, StatusReport

NOT_FOUND: Final = "not_found"
"""Why an inquiry is Unanswered when the hub does not know the payment (yet)."""
IN_PROGRESS: Final = "in progress"
DUPLICATE: Final = "duplicate"
"""Why a send is Unanswered when the hub has seen its EndToEndId: look the first one up."""

ACCEPTED: Final = frozenset({"ACTC", "ACSP", "ACSC"})
SETTLED: Final = "ACSC"
REJECTED: Final = "RJCT"
OTHER: Final = "OTHR"
MIDDLEWARE: Final = "KSTS"
SUCCESS: Final = "U000"
STORED: Final = "U002"
"""Success, kept in the hub's store: the credit will follow."""
ORIGINAL_NOT_FOUND: Final = "U106"
ALREADY_SEEN: Final = "U149"

_DECLINED: Final = Refusal.PARTNER_DECLINED
DECLINES: Final[dict[str, Refusal]] = {
    "U101": Refusal.FAR_ACCOUNT_NOT_FOUND,  # account not found
    "U102": Refusal.PAYEE_INACTIVE,  # account inactive
    "U104": _DECLINED,  # not of this scheme
    "U110": _DECLINED,  # not accepted
    "U111": Refusal.PARTNER_LIMIT,  # below the minimum
    "U112": Refusal.PARTNER_LIMIT,  # above the maximum
    "U114": Refusal.FAR_ACCOUNT_NOT_FOUND,  # check digit
    "U119": _DECLINED,  # session
    "U124": Refusal.FAR_ACCOUNT_NOT_FOUND,  # bank code unknown
    "U128": Refusal.PARTNER_UNREACHABLE,  # sending bank not active
    "U129": Refusal.PARTNER_UNREACHABLE,  # receiving bank not available
    **dict.fromkeys(("U155", "U156", "U157"), _DECLINED),  # fraud, sanction, money laundering
    "U181": Refusal.PARTNER_LIMIT,  # limit in stand-in
    "U182": Refusal.FAR_ACCOUNT_NOT_FOUND,  # account in stand-in
    **dict.fromkeys(("U183", "U184", "U185", "U188", "U189"), _DECLINED),
    **{f"U{number}": _DECLINED for number in range(191, 204)},  # liquidity of this bank
    "U194": Refusal.PARTNER_LIMIT,  # our settlement account has not enough for it
    **dict.fromkeys(("U206", "U214", "U215"), _DECLINED),  # settlement or clearing says no
    "U804": Refusal.ALIAS_NOT_FOUND,  # no such proxy
    "U805": Refusal.PAYEE_INACTIVE,  # proxy suspended
    **dict.fromkeys(("U806", "U807", "U808", "U811", "U814", "U815"), _DECLINED),
    "K003": Refusal.ORDER_INVALID,  # a middleware's own validation, before the hub
    "K004": Refusal.PARTNER_LIMIT,  # a middleware's own limit, before the hub
}
UNKNOWN: Final = frozenset(
    {"U162", "U163", "U172", "U173", "U186", "U187", "U205", "U900", "U901", "U902", "U904"}
    | {"U990", "U992", "U993", "U999", "K000", "K001", "K005", "K006", "K010"}
)
"""Reasons that are known and say nothing for certain; kept apart from those nobody has seen."""

_CODE: Final = re.compile(r"[UK]\d{3}")


def outcome_of_transfer(report: StatusReport, reference: str) -> Outcome:
    """The hub's answer to a credit transfer. ``reference`` is what Accepted shall carry."""
    if report.status in ACCEPTED:
        if report.reason not in ("", SUCCESS, STORED):
            return Unanswered(f"accepted with {_shown(report.reason)}")
        return Accepted(reference)
    if report.status in (REJECTED, MIDDLEWARE):
        return outcome_of_reason(report.reason)
    if report.status == OTHER:
        return _outcome_of_original(report)
    return Unanswered("unknown transaction status")


def outcome_of_settlement(report: StatusReport, reference: str) -> Outcome:
    """A settlement notice, or the answer about an incoming transfer: only ACSC is money."""
    if report.status in ACCEPTED and report.status != SETTLED:
        return Unanswered(IN_PROGRESS)
    return outcome_of_transfer(report, reference)


def outcome_of_reject(reject: Reject) -> Outcome:
    """An admi.002 in place of an answer: certain only where its reason is in the table."""
    return outcome_of_reason(reject.reason)


def outcome_of_reason(reason: str) -> Outcome:
    """A no with its reason."""
    if reason in DECLINES:
        return Declined(DECLINES[reason], reason)
    if reason == ALREADY_SEEN:
        return Unanswered(DUPLICATE)
    if reason == "K000":
        return Unanswered(IN_PROGRESS)
    return Unanswered(f"rejected with {_shown(reason)}")


def alarm_of(reason: str) -> str:
    """Who must look at this besides the payment's own end; empty: nobody."""
    if reason == "U999":
        return "security"
    if reason in ("U155", "U156", "U157"):
        return "case"
    if _CODE.fullmatch(reason) and "U191" <= reason <= "U203":
        return "treasury"
    return ""


def code_of(refusal: Refusal) -> str:
    """The reason we give the hub when we do not take a transfer."""
    return _OURS.get(refusal, "U110")


_OURS: Final = {
    Refusal.ACCOUNT_NOT_FOUND: "U101",
    Refusal.PAYEE_NOT_FOUND: "U101",
    Refusal.ACCOUNT_CLOSED: "U102",
    Refusal.PAYEE_ACCOUNT_CLOSED: "U102",
    Refusal.SERVICE_CLOSED: "U129",
    Refusal.PROTECTIVE_CLOSURE: "U129",
    Refusal.PROTECTIVE_LIMIT: "U112",
    Refusal.LIMIT_PER_TRANSACTION: "U112",
    Refusal.LIMIT_PER_DAY: "U112",
    Refusal.BALANCE_OUT_OF_RANGE: "U112",
    Refusal.AMOUNT_TOO_LARGE: "U112",
    Refusal.AMOUNT_NOT_POSITIVE: "U111",
    Refusal.IDEMPOTENCY_KEY_REUSED: ALREADY_SEEN,
}


def _outcome_of_original(report: StatusReport) -> Outcome:
    """OTHR: what the hub says about the original of a status request."""
    match report.reason:
        case "U106":
            return Unanswered(NOT_FOUND)
        case "U107":
            code = report.detail if report.detail in DECLINES else report.reason
            return Declined(DECLINES.get(code, _DECLINED), code)
        case "U108":
            return Unanswered(IN_PROGRESS)
        case _:
            return Unanswered(f"answered {_shown(report.reason)}")


def _shown(reason: str) -> str:
    """A reason as it may stand in our own words: a code, or nothing of theirs."""
    return reason if _CODE.fullmatch(reason) else "an unknown reason"
