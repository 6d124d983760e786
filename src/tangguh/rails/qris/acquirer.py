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

from tangguh.core.money import MINOR_MAX
from tangguh.core.outcome import Refusal
from tangguh.rails.qris import notice
from tangguh.rails.qris.notice import NoticeRefused
from tangguh.rails.snap import Endpoint
from tangguh.rails.snap_amount import minor_of

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
) -> dict[str, Any] | NoticeRefused:
    """The body's fields once the switch's signature fits. Codes belong to this endpoint."""
    found = notice.open_signed("POST", endpoint.path, headers, body, key=key, now=now)
    return _of(endpoint, found) if isinstance(found, NoticeRefused) else found


def judge_headers(
    endpoint: Endpoint, headers: Mapping[str, str], key: RSAPublicKey, now: datetime
) -> NoticeRefused | None:
    """What is wrong with a request that the body need not be read for. Lower-case names."""
    found = notice.judge_headers(headers, key, now)
    return _of(endpoint, found) if found is not None else None


def _of(endpoint: Endpoint, found: NoticeRefused) -> NoticeRefused:
    code = found.response_code[:3] + endpoint.service + found.response_code[5:]
    return msgspec.structs.replace(found, response_code=code)


def merchant_paid(fields: Mapping[str, Any]) -> MerchantPaid | NoticeRefused:
    """Read a payment to a merchant of ours."""
    more = _inner(fields)
    amount = minor_of(fields.get("amount"))
    tip = minor_of(fields.get("feeAmount")) if "feeAmount" in fields else 0
    reference = _text(fields, "partnerReferenceNo")
    if not reference or amount is None or tip is None or amount + tip > MINOR_MAX:
        field = "amount" if reference else "partnerReferenceNo"
        return NoticeRefused("4005001", field, "is missing or malformed")
    return MerchantPaid(
        reference=reference,
        merchant_pan=_text(more, "merchantPan"),
        merchant_id=_text(fields, "merchantId"),
        amount_minor=amount,
        tip_minor=tip,
        issuer=_text(more, "issuerNns"),
        bill=_text(more, "billNo"),
        rrn=_text(more, "rrn"),
    )


def code_scanned(fields: Mapping[str, Any]) -> CodeScanned | NoticeRefused:
    """Read a payment by a customer's code."""
    more = _inner(fields)
    amount = minor_of(fields.get("amount"))
    reference, token = _text(fields, "partnerReferenceNo"), _text(more, "token")
    if not reference or not token or amount is None:
        field = "amount" if reference and token else "token" if reference else "partnerReferenceNo"
        return NoticeRefused("4006001", field, "is missing or malformed")
    return CodeScanned(
        reference=reference,
        token=token,
        merchant_pan=_text(more, "merchantPan"),
        merchant_id=_text(fields, "merchantId"),
        merchant_name=_text(more, "merchantName"),
        merchant_city=_text(more, "merchantCity"),
        nmid=_text(more, "nmid"),
        amount_minor=amount,
    )


def answer(endpoint: Endpoint, case: str, fields: Mapping[str, Any]) -> tuple[int, bytes]:
    """HTTP status and body of an answer; ``case`` is status and case, such as 40408."""
    code = case[:3] + endpoint.service + case[3:]
    message = "Successful" if case == "20000" else "Refused"
    body = {"responseCode": code, "responseMessage": message, **fields}
    return int(case[:3]), msgspec.json.encode(body)


def case_of(refusal: Refusal) -> str:
    """Our refusal as SNAP says it; 403/05 (do not honour) where it has no word for it."""
    return _CASES.get(refusal, "40305")


def _inner(fields: Mapping[str, Any]) -> dict[str, Any]:
    more = fields.get("additionalInfo")
    return more if isinstance(more, dict) else {}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and len(value) <= 64 else ""
