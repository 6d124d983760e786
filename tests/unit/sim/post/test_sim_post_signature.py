"""The gateway's signatures: written apart from the bank's, and the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conftest import NOON
from tangguh.notices.signature import is_signed, signed
from tangguh.sim.post.signature import judge, sign

BODY = b'{"id":"1"}'


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_each_side_believes_the_other() -> None:
    assert judge("secret", lower(signed("secret", BODY, NOON)), BODY, NOON) == ""
    assert is_signed("secret", sign("secret", BODY, NOON), BODY, NOON)


def test_a_signature_is_the_hmac_of_stamp_and_body() -> None:
    """Reckoned apart: printf '1773982800.{"id":"1"}' | openssl dgst -sha256 -hmac secret."""
    assert sign("secret", BODY, NOON) == {
        "X-Timestamp": "1773982800",
        "X-Signature": "sha256=70f5bd4cb115b27e73123ba805c5c1f2b815bf667ae7406e87b5682847347db3",
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"x-signature": ""}, "X-Signature does not fit"),
        ({"x-signature": "sha256=" + "0" * 64}, "X-Signature does not fit"),
        ({"x-signature": "sha256=ü"}, "X-Signature does not fit"),
        ({"x-timestamp": ""}, "X-Timestamp is no number of seconds"),
        ({"x-timestamp": "-1773982800"}, "X-Timestamp is no number of seconds"),
        ({"x-timestamp": "1" * 13}, "X-Timestamp is no number of seconds"),
        ({"x-timestamp": "1773982801"}, "X-Signature does not fit"),
    ],
)
def test_what_does_not_prove_its_sender_is_said(changes: dict[str, str], why: str) -> None:
    assert judge("secret", lower(signed("secret", BODY, NOON)) | changes, BODY, NOON) == why


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_or_early_stamp_is_refused(seconds: int) -> None:
    headers = lower(signed("secret", BODY, NOON))
    why = judge("secret", headers, BODY, NOON + timedelta(seconds=seconds))
    assert why == "X-Timestamp is not of the last five minutes"


def test_another_body_or_secret_is_refused() -> None:
    headers = lower(signed("secret", BODY, NOON))
    assert judge("secret", headers, BODY + b" ", NOON) == "X-Signature does not fit"
    assert judge("another", headers, BODY, NOON) == "X-Signature does not fit"
