"""The switch's own door: its signatures agree with the standard's vectors, not with our code."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import HandClock
from tangguh.rails import signature
from tangguh.sim import snap

NOW = datetime(2025, 3, 29, 4, 0, tzinfo=UTC)
STAMP = "2025-03-29T11:00:00+07:00"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
MEMBER = snap.Member(
    client_id="client",
    client_secret="test-secret",
    partner_id="TGH",
    channel_id="95221",
    bank_key=KEY.public_key(),
    token_seconds=900,
)
BODY = (
    b'{"partnerReferenceNo":"2025032900000000000001","amount":{"value":"600000.00",'
    b'"currency":"IDR"},"beneficiaryAccountNo":"10108000002","sourceAccountNo":"10108000001",'
    b'"transactionDate":"2025-03-29T11:00:00+07:00"}'
)


class Visit:
    """A doorkeeper with a token given out, and the headers of a faultless call."""

    def __init__(self) -> None:
        self.clock = HandClock(NOW)
        self.keeper = snap.Doorkeeper(MEMBER, self.clock, Random(1))
        token = self.keeper.issue(token_headers(), b'{"grantType":"client_credentials"}')
        assert isinstance(token, str)
        self.headers = {
            "authorization": f"Bearer {token}",
            "x-timestamp": STAMP,
            "x-signature": snap.symmetric_signature(
                "test-secret", "POST", "/pay", token, BODY, STAMP
            ),
            "x-partner-id": "TGH",
            "x-external-id": "1",
            "channel-id": "95221",
        }

    def examine(self, **changes: Any) -> snap.Complaint | None:
        """Call with these headers changed; None takes one away."""
        changed = {name.replace("_", "-"): value for name, value in changes.items()}
        headers = {
            name: value for name, value in (self.headers | changed).items() if value is not None
        }
        return self.keeper.examine("POST", "/pay", headers, BODY)


def token_headers(text: str = f"client|{STAMP}", **changes: str) -> dict[str, str]:
    made = base64.b64encode(KEY.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()
    plain = {"x-timestamp": STAMP, "x-client-key": "client", "x-signature": made}
    return plain | {name.replace("_", "-"): value for name, value in changes.items()}


def test_golden_vectors() -> None:
    """The computed vectors of the standard come out of the switch's own code too."""
    assert snap.symmetric_signature(
        "test-secret", "POST", "/v1.0/transfer-intrabank", "test-token", BODY, STAMP
    ) == (
        "JLDogJblSjYV+ccNS59G6UWP5oNlgOBDk0/Erft5NvsffCJvaf5m3pFkqAHU04dFjJQYrA6gKW96EkvND2r9GQ=="
    )
    assert snap.symmetric_signature(
        "test-secret", "GET", "/v1.0/transfer-va/report", "test-token", b"", STAMP
    ) == (
        "jGhy8SgG/A9ocJ4FL3UCIqRDsY+N0tUQd5kAlGXlICc4PNiZxWN2897iWOmLvFBSxRTM/6VTlmGLLURM9jiQ1w=="
    )


WORDS = st.text(alphabet='{}[]":,\\ \n\tab1é\u2028', max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
)


@given(JSON, st.integers(0, 4), st.booleans())
def test_two_ways_to_minify_agree(value: object, indent: int, ascii_only: bool) -> None:
    """The bank's scanner and the switch's walk drop the same blanks from any JSON text."""
    body = json.dumps(value, indent=indent or None, ensure_ascii=ascii_only).encode()
    assert snap.squeeze(body) == signature.minify(body)
    assert json.loads(signature.minify(body)) == value


def test_faultless_call_passes() -> None:
    """Nothing to complain about."""
    assert Visit().examine() is None


@pytest.mark.parametrize(
    ("changes", "status", "case"),
    [
        ({"x_signature": "bm8="}, 401, "00"),
        ({"x_signature": None}, 400, "02"),
        ({"authorization": "Bearer forged"}, 401, "01"),
        ({"authorization": None}, 400, "02"),
        ({"x_timestamp": "2025-03-29T11:00:01+07:00"}, 401, "00"),
        ({"x_timestamp": "2025-03-29T11:05:01+07:00"}, 401, "00"),
        ({"x_timestamp": "2025-03-29T11:00:00"}, 400, "01"),
        ({"x_timestamp": "now"}, 400, "01"),
        ({"x_partner_id": "ABC"}, 401, "00"),
        ({"channel_id": "1"}, 401, "00"),
        ({"x_external_id": None}, 400, "01"),
        ({"x_external_id": "1a"}, 400, "01"),
        ({"x_external_id": "1" * 37}, 400, "01"),
    ],
)
def test_complaints(changes: Any, status: int, case: str) -> None:
    """Each fault has the standard's status and case."""
    complaint = Visit().examine(**changes)
    assert complaint is not None
    assert (complaint.status, complaint.case) == (status, case)


def test_token_runs_out() -> None:
    """A token serves to the end of its life and not a second longer."""
    visit = Visit()
    visit.clock.advance(299)
    assert visit.examine() is None
    visit.clock.advance(601)
    late = "2025-03-29T11:15:00+07:00"
    complaint = visit.examine(x_timestamp=late)
    assert complaint is not None
    assert (complaint.status, complaint.case) == (401, "01")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (token_headers("other|" + STAMP), b'{"grantType":"client_credentials"}', 401),
        (token_headers(x_client_key="other"), b'{"grantType":"client_credentials"}', 401),
        (token_headers(x_signature="no"), b'{"grantType":"client_credentials"}', 401),
        (token_headers(x_timestamp="no"), b'{"grantType":"client_credentials"}', 400),
        (token_headers(), b'{"grant_type":"client_credentials"}', 400),
        (token_headers(), b"", 400),
    ],
)
def test_no_token_for(headers: dict[str, str], body: bytes, status: int) -> None:
    """Whoever cannot sign as the bank, or asks in other words, gets none."""
    complaint = snap.Doorkeeper(MEMBER, HandClock(NOW), Random(1)).issue(headers, body)
    assert isinstance(complaint, snap.Complaint)
    assert complaint.status == status


def test_secret_is_not_shown() -> None:
    """A member's repr tells no secret."""
    assert "test-secret" not in repr(MEMBER)
