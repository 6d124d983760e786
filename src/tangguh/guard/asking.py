"""A question with its asker's signature: who reads a statement or a snapshot says who it is. Pure.

Ed25519 over the method, the path with its query as sent and the instant. What is old is refused, so
that a question somebody overheard is worth a minute at most.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

WATCH: Final = "X-Watch"
"""Headers of the watch's questions to a hub."""
EDGE: Final = "X-Edge"
"""Headers of a gateway's questions to the bank."""
_AGE_SECONDS_MAX: Final = 60.0


def signed(who: str, path: str, now: datetime, key: Ed25519PrivateKey) -> dict[str, str]:
    """The headers of a GET of this path; ``who`` is WATCH or EDGE."""
    at = now.isoformat()
    made = base64.b64encode(key.sign(_text_of(path, at))).decode()
    return {f"{who}-Timestamp": at, f"{who}-Signature": made}


def refuse(
    who: str, path: str, headers: Mapping[str, str], now: datetime, key: Ed25519PublicKey
) -> str:
    """Why the question is not answered; empty: it is who it says it is, and new."""
    written = headers.get(f"{who}-Timestamp", "")
    try:
        age = abs((now - datetime.fromisoformat(written)).total_seconds())
        made = base64.b64decode(headers.get(f"{who}-Signature", ""), validate=True)
        key.verify(made, _text_of(path, written))
    except InvalidSignature:
        return "not signed by whom it should be"
    except (binascii.Error, ValueError, TypeError):
        return "no signature"
    return "too old" if age > _AGE_SECONDS_MAX else ""


def _text_of(path: str, timestamp: str) -> bytes:
    return f"GET\n{path}\n{timestamp}".encode()
