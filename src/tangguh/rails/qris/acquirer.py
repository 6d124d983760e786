"""The switch's requests to us as a merchant's bank, and as the bank of a customer who shows a code.

SNAP 50 (a customer elsewhere pays a merchant of ours), 51 (what became of it), 60 (a merchant
elsewhere scanned our customer's code). Signed like the switch's notices. Pure: it reads and writes;
what is decided is the caller's. Our own design where the standard describes only the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tangguh.core.outcome import Refusal
from tangguh.rails.qris import notice
from tangguh.rails.qris.fields import DIGITS, NAME, NoticeRefused, Wants
from tangguh.rails.snap import Endpoint
from tangguh.rails.snap_agreed import NOTHING, Agreed

PAY_MERCHANT: Final = Endpoint("50", "/v1.0/qr/qr-mpm-payment")
QUERY_MERCHANT: Final = Endpoint("51", "/v1.0/qr/qr-mpm-query")
PAY_BY_CODE: Final = Endpoint("60", "/v1.0/qr/qr-cpm-payment")

_CASES: Final[dict[Refusal, str]] = {
    Refusal.PAYEE_NOT_FOUND: "40408",
    Refusal.PAYEE_ACCOUNT_CLOSED: "40408",
    Refusal.BILL_NOT_FOUND: "40412",
    Refusal.BILL_PAID: "40414",
    Refusal.BILL_EXPIRED: "40419",
    Refusal.QR_AMOUNT_DIFFERS: "40413",
    Refusal.INSUFFICIENT_FUNDS: "40314",
    Refusal.LIMIT_PER_TRANSACTION: "40302",
    Refusal.LIMIT_PER_DAY: "40323",
    Refusal.LIMIT_PER_MONTH: "40323",
    Refusal.IDEMPOTENCY_KEY_REUSED: "40418",
    Refusal.AMOUNT_NOT_POSITIVE: "40413",
}


MESSAGES: Final[dict[str, str]] = {
    "20000": "Successful",
    "40000": "Bad Request",
    "40300": "Transaction Expired",
    "40302": "Exceeds Transaction Amount Limit",
    "40305": "Do Not Honor",
    "40314": "Insufficient Funds",
    "40323": "Exceeds Amount Limit Of The Day Or Month",
    "40401": "Transaction Not Found",
    "40408": "Invalid Merchant",
    "40412": "Invalid Bill",
    "40413": "Invalid Amount",
    "40414": "Paid Bill",
    "40418": "Inconsistent Request",
    "40419": "Bill Expired",
    "40900": "Conflict: this X-EXTERNAL-ID named another request today",
    "50001": "Internal Server Error",
}
"""What each case is called: the standard's words, so that a person at the other side knows why."""


class MerchantPaid(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of another bank pays a merchant of ours. Amounts in minor units."""

    reference: str
    merchant_pan: str
    merchant_id: str
    amount_minor: int
    tip_minor: int
    issuer: str
    bill: str
    rrn: str


class CodeScanned(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant elsewhere scanned a code of our customer. ``token`` is the one-time token."""

    reference: str
    token: str
    merchant_pan: str
    merchant_id: str
    merchant_name: str
    merchant_city: str
    nmid: str
    amount_minor: int


def verified(
    endpoint: Endpoint,
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: RSAPublicKey,
    now: datetime,
    agreed: Agreed = NOTHING,
) -> dict[str, Any] | NoticeRefused:
    """The body's fields once the switch's signature fits. Codes belong to this endpoint."""
    found = notice.open_signed(
        "POST", endpoint.path, headers, body, key=key, now=now, agreed=agreed
    )
    return _of(endpoint, found) if isinstance(found, NoticeRefused) else found


def judge_headers(
    endpoint: Endpoint,
    headers: Mapping[str, str],
    key: RSAPublicKey,
    now: datetime,
    agreed: Agreed = NOTHING,
) -> NoticeRefused | None:
    """What is wrong with a request that the body need not be read for. Lower-case names."""
    found = notice.judge_headers(headers, key, now, agreed)
    return _of(endpoint, found) if found is not None else None


def _of(endpoint: Endpoint, found: NoticeRefused) -> NoticeRefused:
    code = found.response_code[:3] + endpoint.service + found.response_code[5:]
    return msgspec.structs.replace(found, response_code=code)


def merchant_paid(fields: Mapping[str, Any]) -> MerchantPaid | NoticeRefused:
    """Read a payment to a merchant of ours."""
    wants = Wants(fields, PAY_MERCHANT.service)
    found = MerchantPaid(
        reference=wants.text("partnerReferenceNo", NAME, must=True),
        amount_minor=wants.minor("amount", must=True),
        merchant_id=wants.text("merchantId", NAME, must=True),
        merchant_pan=wants.text("merchantPan", DIGITS, must=True, inner=True),
        tip_minor=wants.minor("feeAmount"),
        issuer=wants.text("issuerNns", NAME, inner=True),
        bill=wants.text("billNo", inner=True),
        rrn=wants.text("rrn", NAME, inner=True),
    )
    return wants.refused or found


def code_scanned(fields: Mapping[str, Any]) -> CodeScanned | NoticeRefused:
    """Read a payment by a customer's code."""
    wants = Wants(fields, PAY_BY_CODE.service)
    found = CodeScanned(
        reference=wants.text("partnerReferenceNo", NAME, must=True),
        token=wants.text("token", must=True, inner=True),
        amount_minor=wants.minor("amount", must=True),
        merchant_pan=wants.text("merchantPan", DIGITS, must=True, inner=True),
        merchant_id=wants.text("merchantId", NAME),
        merchant_name=wants.text("merchantName", inner=True),
        merchant_city=wants.text("merchantCity", inner=True),
        nmid=wants.text("nmid", NAME, inner=True),
    )
    return wants.refused or found


def asked_about(fields: Mapping[str, Any]) -> str | NoticeRefused:
    """The reference a query asks about."""
    wants = Wants(fields, QUERY_MERCHANT.service)
    reference = wants.text("originalPartnerReferenceNo", must=True)
    return wants.refused or reference


def answer(endpoint: Endpoint, case: str, fields: Mapping[str, Any]) -> tuple[int, bytes]:
    """HTTP status and body of an answer; ``case`` is status and case, such as 40408."""
    code = case[:3] + endpoint.service + case[3:]
    message = MESSAGES.get(case, "Do Not Honor")
    body = {"responseCode": code, "responseMessage": message, **fields}
    return int(case[:3]), msgspec.json.encode(body)


def case_of(refusal: Refusal) -> str:
    """Our refusal as SNAP says it; 403/05 (do not honour) where it has no word for it."""
    return _CASES.get(refusal, "40305")
