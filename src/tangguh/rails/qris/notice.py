"""The switch's own word on a payment, sent to us: qr-mpm-notify (52), read and verified.

Signed with the asymmetric X-SIGNATURE over ``METHOD:path:sha256(minified body):timestamp`` and the
switch's key (our design: the symmetric form would need a token that we issue). Pure. It cannot know
what was asked, nor whether it was told before: the caller compares the amount with the payment's
and keeps ``external_id`` unique per day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tangguh.core.outcome import Outcome
from tangguh.rails import signature
from tangguh.rails.qris import codes
from tangguh.rails.qris.fields import NoticeRefused, object_of
from tangguh.rails.snap import Endpoint
from tangguh.rails.snap_agreed import NOTHING, Agreed
from tangguh.rails.snap_amount import minor_of

NOTIFY: Final = Endpoint("52", "/v1.0/qr/qr-mpm-notify")
CLOCK_SKEW_MAX: Final = timedelta(minutes=5)
_REFERENCE_LENGTH_MAX: Final = 64
_EXTERNAL_ID_LENGTH_MAX: Final = 36


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A verified notice: which payment, and what became of it.

    ``amount_minor`` is what the switch says was paid, None when it does not say.
    """

    reference: str
    outcome: Outcome
    amount_minor: int | None
    external_id: str


def read_notice(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: RSAPublicKey,
    now: datetime,
    agreed: Agreed = NOTHING,
) -> Notice | NoticeRefused:
    """Verify and read one notice. The signature is checked before a byte of the body is parsed.

    ``path`` is the path and query as requested; header names in any case.
    """
    fields = open_signed(method, path, headers, body, key=key, now=now, agreed=agreed)
    if isinstance(fields, NoticeRefused):
        return fields
    external_id = next(value for name, value in headers.items() if name.lower() == "x-external-id")
    return _read_fields(fields, external_id)


def open_signed(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: RSAPublicKey,
    now: datetime,
    agreed: Agreed = NOTHING,
) -> dict[str, Any] | NoticeRefused:
    """The fields of anything the switch signed. The signature is checked before the body."""
    known = {name.lower(): value for name, value in headers.items()}
    if refused := judge_headers(known, key, now, agreed):
        return refused
    text = signature.text_of_call(method, path, None, body, known["x-timestamp"])
    if not signature.verify_asymmetric(key, text, known["x-signature"]):
        return NoticeRefused("4015200", "X-SIGNATURE", "not made by the switch's key")
    return object_of(body, NOTIFY.service)


def judge_headers(
    headers: Mapping[str, str], key: RSAPublicKey, now: datetime, agreed: Agreed = NOTHING
) -> NoticeRefused | None:
    """What is wrong with a request that the body need not be read for. Lower-case names.

    ``agreed``: what the caller says of itself.
    """
    if found := agreed.amiss(headers):
        if found.is_missing:
            return NoticeRefused("4005202", found.name, "is mandatory")
        return NoticeRefused("4015200", found.name, "is not the switch's")
    for name in ("X-TIMESTAMP", "X-SIGNATURE", "X-EXTERNAL-ID"):
        if not headers.get(name.lower()):
            return NoticeRefused("4005202", name, "is mandatory")
    said_at = signature.read_timestamp(headers["x-timestamp"])
    if said_at is None:
        return NoticeRefused("4005201", "X-TIMESTAMP", "is not an ISO 8601 instant with its zone")
    if abs(now - said_at) > CLOCK_SKEW_MAX:
        return NoticeRefused("4015200", "X-TIMESTAMP", "is more than five minutes from our clock")
    external_id = headers["x-external-id"]
    if not (external_id.isascii() and external_id.isdigit()):
        return NoticeRefused("4005201", "X-EXTERNAL-ID", "is not numeric")
    if len(external_id) > _EXTERNAL_ID_LENGTH_MAX:
        return NoticeRefused("4005201", "X-EXTERNAL-ID", "is longer than 36 digits")
    if not signature.may_be_asymmetric(key, headers["x-signature"]):
        return NoticeRefused("4015200", "X-SIGNATURE", "not made by the switch's key")
    return None


def _read_fields(fields: dict[str, Any], external_id: str) -> Notice | NoticeRefused:
    for name in ("originalReferenceNo", "originalPartnerReferenceNo", "latestTransactionStatus"):
        value = fields.get(name)
        if value is None or value == "":
            return NoticeRefused("4005202", name, "is mandatory")
        if not isinstance(value, str) or len(value) > _REFERENCE_LENGTH_MAX:
            return NoticeRefused("4005201", name, "is text of at most 64 characters")
    amount_minor = minor_of(fields["amount"]) if "amount" in fields else None
    if "amount" in fields and amount_minor is None:
        return NoticeRefused("4005201", "amount", "is not an amount of rupiah")
    outcome = codes.outcome_of_status(
        fields["latestTransactionStatus"], reference=fields["originalReferenceNo"]
    )
    return Notice(
        reference=fields["originalPartnerReferenceNo"],
        outcome=outcome,
        amount_minor=amount_minor,
        external_id=external_id,
    )
