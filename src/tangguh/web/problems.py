"""One table: what went wrong → an RFC 9457 problem. Every refusal of the bank has its row.

``money`` tells what the reader wants to know first: not_moved, held, moved or unknown.
``retry`` tells what is safe: ``safe`` (change it, send anew), ``same_key`` (send the same again),
``after`` (the same, later), ``never``.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tangguh.core.outcome import Refusal, Refused

CONTENT_TYPE: Final = "application/problem+json"


MoneyWord = Annotated[
    str, Meta(extra_json_schema={"enum": ["not_moved", "held", "moved", "unknown"]})
]
RetryWord = Annotated[str, Meta(extra_json_schema={"enum": ["safe", "same_key", "after", "never"]})]


class Kind(msgspec.Struct, frozen=True):
    """A row: HTTP status, title, and what it says about money and retrying."""

    status: int
    title: str
    money: str = "not_moved"
    retry: str = "safe"


class Problem(msgspec.Struct, frozen=True, omit_defaults=False):
    """An RFC 9457 problem document with the bank's own members.

    ``code`` is stable for ever; ``field`` names the part of the request, if it is one;
    ``tries_left`` and ``until`` belong to wrong and locked PINs; ``retry_after_seconds`` to rates;
    ``attempt`` is sent with the code that was asked for.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str
    money: MoneyWord
    retry: RetryWord
    trace_id: str
    retry_after_seconds: int | None = None
    tries_left: int | None = None
    until: str | None = None
    attempt: str | None = None


OF_REFUSAL: Final[dict[Refusal, Kind]] = {
    Refusal.IDEMPOTENCY_KEY_REUSED: Kind(409, "The key was used for another order", retry="never"),
    Refusal.ORDER_INVALID: Kind(422, "The order cannot be carried out as written"),
    Refusal.AMOUNT_NOT_POSITIVE: Kind(422, "The amount must be above zero"),
    Refusal.AMOUNT_TOO_LARGE: Kind(422, "The amount is too large"),
    Refusal.CURRENCY_NOT_SUPPORTED: Kind(422, "This currency is not supported"),
    Refusal.QR_INVALID: Kind(422, "The QR code is not a valid QRIS code"),
    Refusal.QR_AMOUNT_DIFFERS: Kind(422, "The amount differs from the QR code's"),
    Refusal.ACCOUNT_NOT_FOUND: Kind(404, "There is no such account of yours"),
    Refusal.PAYEE_NOT_FOUND: Kind(404, "The payee was not found"),
    Refusal.ACCOUNTS_MUST_BE_DIFFERENT: Kind(422, "Both accounts are the same"),
    Refusal.ACCOUNT_CLOSED: Kind(403, "The account may not be debited"),
    Refusal.PAYEE_ACCOUNT_CLOSED: Kind(422, "The payee's account is closed"),
    Refusal.PAYMENT_NOT_FOUND: Kind(404, "There is no such payment"),
    Refusal.HOLD_NOT_FOUND: Kind(404, "There is no such hold"),
    Refusal.POSTING_NOT_FOUND: Kind(404, "There is no such posting"),
    Refusal.SERVICE_CLOSED: Kind(503, "This service is closed for now", retry="after"),
    Refusal.PROTECTIVE_CLOSURE: Kind(
        503, "This service is closed for protection for now", retry="after"
    ),
    Refusal.PROTECTIVE_LIMIT: Kind(
        422, "This service is open in part for now; this is above what it lets through"
    ),
    Refusal.CLOSURE_NOT_FOUND: Kind(404, "There is no such closure in force"),
    Refusal.GATE_STEP_NOT_ALLOWED: Kind(409, "The gate cannot be moved so"),
    Refusal.HOLD_ALREADY_POSTED: Kind(409, "The hold was posted", "moved", "never"),
    Refusal.HOLD_ALREADY_VOIDED: Kind(409, "The hold was voided", retry="never"),
    Refusal.HOLD_ALREADY_EXPIRED: Kind(409, "The hold expired", retry="never"),
    Refusal.HOLD_NOT_YET_EXPIRED: Kind(409, "The hold's time is not over", retry="after"),
    Refusal.POST_EXCEEDS_HOLD: Kind(422, "More than was held"),
    Refusal.POSTING_ALREADY_REVERSED: Kind(409, "It was reversed before", retry="never"),
    Refusal.POSTING_IS_A_REVERSAL: Kind(409, "A reversal cannot be reversed", retry="never"),
    Refusal.PURSE_EXPIRED: Kind(403, "The e-money has expired", retry="never"),
    Refusal.PAYMENT_NOT_REFUNDABLE: Kind(409, "This payment cannot be refunded", retry="never"),
    Refusal.WAY_BACK_TAKEN: Kind(409, "Its money is on another way back", retry="never"),
    Refusal.REFUND_EXCEEDS_PAYMENT: Kind(422, "More than can still be refunded"),
    Refusal.ADVANCE_NOT_POSSIBLE: Kind(409, "The bank cannot advance it"),
    Refusal.CHANGE_NOT_FOUND: Kind(404, "There is no such change"),
    Refusal.CHANGE_ALREADY_PENDING: Kind(409, "Such a change is proposed already"),
    Refusal.CHANGE_ENDED: Kind(409, "The change has ended", retry="never"),
    Refusal.CHANGE_EXPIRED: Kind(409, "The change's time is over", retry="never"),
    Refusal.CHANGE_DIFFERS: Kind(409, "The change is not the one that was shown", retry="never"),
    Refusal.APPROVER_NOT_ALLOWED: Kind(403, "You may not sign this change", retry="never"),
    Refusal.SAME_PERSON: Kind(403, "Another person must sign this change", retry="never"),
    Refusal.CASE_NOT_FOUND: Kind(404, "There is no such case"),
    Refusal.CASE_STEP_NOT_ALLOWED: Kind(409, "The case cannot be moved so"),
    Refusal.EVIDENCE_REFUSED: Kind(422, "This file cannot be taken as evidence"),
    Refusal.TWO_PEOPLE_NEEDED: Kind(403, "Two people must stand behind this"),
    Refusal.INCIDENT_NOT_FOUND: Kind(404, "There is no such incident"),
    Refusal.INCIDENT_STEP_NOT_ALLOWED: Kind(409, "The incident cannot be moved so"),
    Refusal.MONEY_STILL_OPEN: Kind(409, "A customer's money is still open", retry="after"),
    Refusal.NEXT_WORD_MISSING: Kind(422, "The next word needs its time"),
    Refusal.TICKET_MISSING: Kind(422, "Only a change with a ticket may be called one"),
    Refusal.TEXT_NOT_ALLOWED: Kind(422, "The text may not be published as written"),
    Refusal.LIMIT_PER_TRANSACTION: Kind(422, "Above the limit per payment"),
    Refusal.LIMIT_PER_DAY: Kind(422, "Above what is left of today's limit"),
    Refusal.LIMIT_PER_MONTH: Kind(422, "Above what is left of this month's limit"),
    Refusal.PURSE_LIMIT: Kind(422, "The e-money may not hold so much"),
    Refusal.INSUFFICIENT_FUNDS: Kind(422, "The available balance is too small"),
    Refusal.BALANCE_OUT_OF_RANGE: Kind(422, "The balance would become too large"),
    Refusal.PARTNER_DECLINED: Kind(422, "The other bank or network declined"),
    Refusal.PARTNER_LIMIT: Kind(422, "Above the network's limit"),
    Refusal.MERCHANT_NOT_FOUND: Kind(422, "The network does not know this merchant"),
    Refusal.MERCHANT_BLOCKED: Kind(422, "The network has blocked this merchant"),
    Refusal.BILL_NOT_FOUND: Kind(422, "There is no such bill"),
    Refusal.BILL_PAID: Kind(422, "The bill is paid already"),
    Refusal.BILL_EXPIRED: Kind(422, "The bill has expired"),
    Refusal.PARTNER_FLOAT: Kind(503, "Top-ups to this partner are used up for now"),
    Refusal.PARTNER_UNREACHABLE: Kind(503, "The network could not be reached"),
    Refusal.FAR_ACCOUNT_NOT_FOUND: Kind(422, "The other bank has no such account"),
    Refusal.ALIAS_NOT_FOUND: Kind(422, "No account is registered for this alias"),
    Refusal.WALLET_NOT_FOUND: Kind(422, "The wallet knows no such number"),
    Refusal.EMONEY_NOT_FOUND: Kind(404, "There is no such e-money"),
    Refusal.PAYEE_INACTIVE: Kind(422, "The payee cannot receive money now"),
    Refusal.NEVER_ARRIVED: Kind(503, "The network never received it"),
    Refusal.NOT_CARRIED_OUT: Kind(503, "The network did not carry it out"),
}

OF_REQUEST: Final[dict[str, Kind]] = {
    "json_invalid": Kind(400, "The body is not valid JSON"),
    "body_invalid": Kind(422, "The body does not have the right shape"),
    "header_invalid": Kind(422, "A header is missing or malformed"),
    "parameter_invalid": Kind(422, "A parameter is malformed"),
    "body_too_large": Kind(413, "The body is too large"),
    "body_too_slow": Kind(408, "The body did not come in time"),
    "body_unfinished": Kind(400, "The body ended before it was whole"),
    "content_type_wrong": Kind(415, "The body must be application/json"),
    "not_logged_in": Kind(401, "Log in first"),
    "session_ended": Kind(401, "The session has ended; log in again"),
    "pin_wrong": Kind(401, "The number or the PIN is wrong"),
    "code_needed": Kind(401, "A new device: send the code that went to the customer's address"),
    "code_wrong": Kind(401, "The code is wrong or no longer valid"),
    "pin_locked": Kind(403, "Too many wrong PINs; open again by itself", retry="after"),
    "signature_missing": Kind(401, "The order is not signed"),
    "signature_wrong": Kind(401, "The signature does not fit the order"),
    "signature_expired": Kind(401, "The signature is too old or the device's clock is wrong"),
    "not_found": Kind(404, "There is nothing here"),
    "method_not_allowed": Kind(405, "This cannot be done here"),
    "not_acceptable": Kind(406, "The answer is application/json"),
    "rate_limited": Kind(429, "Too many requests", retry="after"),
    "overloaded": Kind(503, "The bank has too much to do right now", retry="after"),
    "unavailable": Kind(503, "The book cannot be reached", retry="same_key"),
    "ambiguous": Kind(503, "Not known yet; ask again with the same key", "unknown", "same_key"),
    "unfinished": Kind(503, "The answer took too long", "unknown", "same_key"),
    "internal": Kind(500, "Our mistake", "unknown", "same_key"),
}


AGAIN_SECONDS: Final[dict[str, int]] = {"unavailable": 2, "ambiguous": 2, "unfinished": 2}
"""When to ask again after what passes by itself: the book is back within seconds."""


def problem(code: str, detail: str = "", field: str = "", trace_id: str = "") -> Problem:
    """The problem of a request or refusal code."""
    kind = OF_REQUEST.get(code) or OF_REFUSAL[Refusal(code)]
    return Problem(
        f"/problems/{code}",
        kind.title,
        kind.status,
        code,
        detail,
        field,
        kind.money,
        kind.retry,
        trace_id,
        AGAIN_SECONDS.get(code),
    )


def of_refused(refused: Refused, trace_id: str = "") -> Problem:
    """The problem of a refusal the bank gave."""
    return problem(refused.code, refused.detail, refused.field, trace_id)


class Trouble(Exception):
    """A request that cannot be served, with the problem to answer. Raised only inside web."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.code)
        self.problem = found


def trouble(code: str, detail: str = "", field: str = "") -> Trouble:
    """A Trouble of one of the codes above."""
    return Trouble(problem(code, detail, field))
