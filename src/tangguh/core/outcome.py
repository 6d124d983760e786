"""The two kinds of answer: what a rail says (Outcome) and our own no (Refusal).

A rail's answer is one of four values. "Don't know" is a value of its own and is never folded into
"no" (ADR-0006). A Refusal is a value too: returned, never raised, with a code that is never
renamed and never reused (ADR-0009 lists the dead ones).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Accepted(msgspec.Struct, frozen=True, tag="accepted", gc=False):
    """The network says the payee has it. ``reference`` is the network's own, kept as given.

    ``receipt`` is what the payer gets for it, such as the digits of a power token.
    """

    reference: str
    receipt: str = ""


class Declined(msgspec.Struct, frozen=True, tag="declined", gc=False):
    """The network says no, for certain: nothing moved there and nothing will.

    ``code`` is the network's own code as given (for SNAP the 7-digit responseCode).
    """

    reason: Refusal
    code: str = ""


class NotSent(msgspec.Struct, frozen=True, tag="not_sent", gc=False):
    """The request certainly never left us. Only ``rails.link`` may judge so."""

    why: str


class Unanswered(msgspec.Struct, frozen=True, tag="unanswered", gc=False):
    """Nobody knows. The money stays held until the resolver finds the truth."""

    why: str


Outcome = Accepted | Declined | NotSent | Unanswered


class Refusal(StrEnum):
    """Our own no, in order of precedence: the first that applies is the one given.

    The value is the stable code that leaves the house (API, audit, metrics).
    """

    # the request itself
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    ORDER_INVALID = "order_invalid"
    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    AMOUNT_TOO_LARGE = "amount_too_large"
    CURRENCY_NOT_SUPPORTED = "currency_not_supported"
    QR_INVALID = "qr_invalid"
    QR_AMOUNT_DIFFERS = "qr_amount_differs"
    # who and what
    ACCOUNT_NOT_FOUND = "account_not_found"
    PAYEE_NOT_FOUND = "payee_not_found"
    ACCOUNTS_MUST_BE_DIFFERENT = "accounts_must_be_different"
    ACCOUNT_CLOSED = "account_closed"
    PAYEE_ACCOUNT_CLOSED = "payee_account_closed"
    PAYMENT_NOT_FOUND = "payment_not_found"
    HOLD_NOT_FOUND = "hold_not_found"
    POSTING_NOT_FOUND = "posting_not_found"
    # what may be done now
    SERVICE_CLOSED = "service_closed"
    PROTECTIVE_CLOSURE = "protective_closure"
    PROTECTIVE_LIMIT = "protective_limit"
    CLOSURE_NOT_FOUND = "closure_not_found"
    GATE_STEP_NOT_ALLOWED = "gate_step_not_allowed"
    HOLD_ALREADY_POSTED = "hold_already_posted"
    HOLD_ALREADY_VOIDED = "hold_already_voided"
    HOLD_ALREADY_EXPIRED = "hold_already_expired"
    HOLD_NOT_YET_EXPIRED = "hold_not_yet_expired"
    POST_EXCEEDS_HOLD = "post_exceeds_hold"
    POSTING_ALREADY_REVERSED = "posting_already_reversed"
    POSTING_IS_A_REVERSAL = "posting_is_a_reversal"
    PURSE_EXPIRED = "purse_expired"
    PAYMENT_NOT_REFUNDABLE = "payment_not_refundable"
    WAY_BACK_TAKEN = "way_back_taken"
    REFUND_EXCEEDS_PAYMENT = "refund_exceeds_payment"
    ADVANCE_NOT_POSSIBLE = "advance_not_possible"
    CHANGE_NOT_FOUND = "change_not_found"
    CHANGE_ALREADY_PENDING = "change_already_pending"
    CHANGE_ENDED = "change_ended"
    CHANGE_EXPIRED = "change_expired"
    CHANGE_DIFFERS = "change_differs"
    APPROVER_NOT_ALLOWED = "approver_not_allowed"
    SAME_PERSON = "same_person"
    CASE_NOT_FOUND = "case_not_found"
    CASE_STEP_NOT_ALLOWED = "case_step_not_allowed"
    EVIDENCE_REFUSED = "evidence_refused"
    TWO_PEOPLE_NEEDED = "two_people_needed"
    INCIDENT_NOT_FOUND = "incident_not_found"
    INCIDENT_STEP_NOT_ALLOWED = "incident_step_not_allowed"
    MONEY_STILL_OPEN = "money_still_open"
    NEXT_WORD_MISSING = "next_word_missing"
    TICKET_MISSING = "ticket_missing"
    TEXT_NOT_ALLOWED = "text_not_allowed"
    # how much
    LIMIT_PER_TRANSACTION = "limit_per_transaction"
    LIMIT_PER_DAY = "limit_per_day"
    LIMIT_PER_MONTH = "limit_per_month"
    PURSE_LIMIT = "purse_limit"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    BALANCE_OUT_OF_RANGE = "balance_out_of_range"
    # what the network said
    PARTNER_DECLINED = "partner_declined"
    PARTNER_LIMIT = "partner_limit"
    MERCHANT_NOT_FOUND = "merchant_not_found"
    MERCHANT_BLOCKED = "merchant_blocked"
    BILL_NOT_FOUND = "bill_not_found"
    BILL_PAID = "bill_paid"
    BILL_EXPIRED = "bill_expired"
    PARTNER_FLOAT = "partner_float"
    PARTNER_UNREACHABLE = "partner_unreachable"
    FAR_ACCOUNT_NOT_FOUND = "far_account_not_found"
    ALIAS_NOT_FOUND = "alias_not_found"
    WALLET_NOT_FOUND = "wallet_not_found"
    EMONEY_NOT_FOUND = "emoney_not_found"
    PAYEE_INACTIVE = "payee_inactive"
    NEVER_ARRIVED = "never_arrived"
    NOT_CARRIED_OUT = "not_carried_out"


class Refused(msgspec.Struct, frozen=True, tag="refused", gc=False):
    """A Refusal with what the reader needs: the field it is about and the rule, in English."""

    code: Refusal
    field: str = ""
    detail: str = ""
