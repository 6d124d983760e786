"""Notices of the switch: who may tell us, and what a notice says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.rails import signature
from tangguh.rails.qris.notice import NOTIFY, Notice, NoticeRefused, read_notice

NOW = datetime(2025, 3, 29, 4, 0, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PAID = {
    "originalReferenceNo": "Q1",
    "originalPartnerReferenceNo": "TGH1",
    "latestTransactionStatus": "00",
    "amount": {"value": "600000.00", "currency": "IDR"},
}


def told(
    fields: Any = None,
    *,
    body: bytes | None = None,
    said_at: datetime = NOW,
    path: str = NOTIFY.path,
    **headers: str | None,
) -> Notice | NoticeRefused:
    """Read a notice signed as the switch would, then changed as the test says."""
    content = body if body is not None else json.dumps(fields or PAID, indent=1).encode()
    timestamp = signature.timestamp_of(said_at)
    text = signature.text_of_call("POST", NOTIFY.path, None, content, timestamp)
    sent: dict[str, str | None] = {
        "X-Timestamp": timestamp,
        "X-Signature": signature.sign_asymmetric(KEY, text),
        "X-External-Id": "12345",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    known = {name: value for name, value in sent.items() if value is not None}
    return read_notice("POST", path, known, content, key=KEY.public_key(), now=NOW)


def test_paid() -> None:
    """Reference, outcome, amount and the id to remember come out."""
    assert told() == Notice(
        reference="TGH1", outcome=Accepted("Q1"), amount_minor=600_000_00, external_id="12345"
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("06", Declined(Refusal.PARTNER_DECLINED)),
        ("03", Unanswered("in progress")),
        ("07", Unanswered("not_found")),
        ("99", Unanswered("unknown transaction status")),
    ],
)
def test_other_news(status: str, outcome: object) -> None:
    """The status is read as in a query."""
    notice = told({**PAID, "latestTransactionStatus": status})
    assert isinstance(notice, Notice)
    assert notice.outcome == outcome


def test_without_amount() -> None:
    """A notice that says no amount is read; the caller has nothing to compare."""
    fields = {name: value for name, value in PAID.items() if name != "amount"}
    notice = told(fields)
    assert isinstance(notice, Notice)
    assert notice.amount_minor is None


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"X_Signature": "bm8="}, "4015200", "X-SIGNATURE"),
        ({"X_Signature": None}, "4005202", "X-SIGNATURE"),
        ({"X_Timestamp": None}, "4005202", "X-TIMESTAMP"),
        ({"X_Timestamp": "yesterday"}, "4005201", "X-TIMESTAMP"),
        ({"X_Timestamp": "2025-03-29T11:00:01+07:00"}, "4015200", "X-SIGNATURE"),
        ({"X_External_Id": None}, "4005202", "X-EXTERNAL-ID"),
        ({"X_External_Id": "12a"}, "4005201", "X-EXTERNAL-ID"),
        ({"X_External_Id": "1" * 37}, "4005201", "X-EXTERNAL-ID"),
        ({"path": "/v1.0/other"}, "4015200", "X-SIGNATURE"),
        ({"body": b"[1]"}, "4005200", "body"),
        ({"body": b"{"}, "4005200", "body"),
    ],
)
def test_who_may_not_tell_us(changes: Any, code: str, field: str) -> None:
    """Each fault of the envelope is named by its field."""
    refused = told(**changes)
    assert isinstance(refused, NoticeRefused)
    assert (refused.response_code, refused.field) == (code, field)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_old_and_future_news(seconds: int) -> None:
    """A well-signed notice from more than five minutes away is refused; at five it is not."""
    refused = told(said_at=NOW + timedelta(seconds=seconds))
    assert isinstance(refused, NoticeRefused)
    assert refused.field == "X-TIMESTAMP"
    edge = timedelta(seconds=seconds - (1 if seconds > 0 else -1))
    assert isinstance(told(said_at=NOW + edge), Notice)


def test_another_key() -> None:
    """A notice signed by anybody else is refused before its body is read."""
    content = b"not even JSON"
    text = signature.text_of_call("POST", NOTIFY.path, None, content, "2025-03-29T11:00:00+07:00")
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    headers = {
        "X-TIMESTAMP": "2025-03-29T11:00:00+07:00",
        "X-SIGNATURE": signature.sign_asymmetric(stranger, text),
        "X-EXTERNAL-ID": "1",
    }
    refused = read_notice("POST", NOTIFY.path, headers, content, key=KEY.public_key(), now=NOW)
    assert isinstance(refused, NoticeRefused)
    assert refused.field == "X-SIGNATURE"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("originalReferenceNo", None, "4005202"),
        ("originalPartnerReferenceNo", "", "4005202"),
        ("originalPartnerReferenceNo", "x" * 65, "4005201"),
        ("latestTransactionStatus", 0, "4005201"),
        ("amount", "600000", "4005201"),
        ("amount", {"value": "1.00", "currency": "USD"}, "4005201"),
    ],
)
def test_fields(field: str, value: object, code: str) -> None:
    """The first bad field is named."""
    refused = told({**PAID, field: value})
    assert isinstance(refused, NoticeRefused)
    assert (refused.response_code, refused.field) == (code, field)
