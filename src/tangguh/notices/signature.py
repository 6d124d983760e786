"""HMAC-SHA256 over a timestamp and a body: what the bank signs, and what it is answered. Pure.

Header ``X-Timestamp`` holds seconds since 1970, ``X-Signature`` is ``sha256=`` and the hex of the
HMAC over ``timestamp + "." + body``. Secrets and tokens that belong to one address or subscription
are made from one key, so that they need not be kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.json_once import load_once
from tangguh.core.outcome import Refusal, Refused

AGE_SECONDS_MAX: Final = 300
_TOKEN_BYTES: Final = 16
_REFERENCE_MAX: Final = 200


def signed(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that prove who sent a body, and when."""
    stamp = str(int(now.timestamp()))
    return {"X-Timestamp": stamp, "X-Signature": _signature(secret, stamp, body)}


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether headers prove a body, and are of the last five minutes. Names in any case."""
    given = {name.lower(): value for name, value in headers.items()}
    stamp = given.get("x-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(int(stamp) - now.timestamp()) > AGE_SECONDS_MAX:
        return False
    theirs = given.get("x-signature", "").encode(errors="replace")
    return hmac.compare_digest(theirs, _signature(secret, stamp, body).encode())


def token_of(key: str, purpose: str, subject: str) -> str:
    """A secret for one purpose and subject, 128 bits, base64url: the same whenever it is asked."""
    made = hmac.digest(key.encode(), f"{purpose}:{subject}".encode(), "sha256")
    return base64.urlsafe_b64encode(made[:_TOKEN_BYTES]).decode().rstrip("=")


def hash_of(token: str) -> bytes:
    """How a token is kept: as its SHA-256."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


class Arrival(StrEnum):
    """What a gateway knows of a message it took."""

    ARRIVED = "arrived"
    UNDER_WAY = "under_way"
    LOST = "lost"


class Receipt(msgspec.Struct, frozen=True):
    """A gateway's later word on one SMS: its own reference, and what became of it."""

    reference: str
    arrival: Arrival
    why: str = ""


_ARRIVALS: Final = {
    "delivered": Arrival.ARRIVED,
    "queued": Arrival.UNDER_WAY,
    "sent": Arrival.UNDER_WAY,
    "undelivered": Arrival.LOST,
    "failed": Arrival.LOST,
    "rejected": Arrival.LOST,
    "expired": Arrival.LOST,
}


def receipt_of(
    headers: Mapping[str, str], body: bytes, secret: str, now: datetime
) -> Receipt | Refused:
    """A gateway's callback, ``{"id", "status", "why"}``. Refuses ORDER_INVALID: not signed by the
    gateway within five minutes, or not understood (a status we do not know is never taken as yes).
    """
    if not is_signed(secret, headers, body, now):
        return Refused(Refusal.ORDER_INVALID, "signature", "it is not the gateway's, or too old")
    try:
        said = load_once(body)
        reference, status = said["id"], said["status"]
        why = str(said.get("why", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Refused(Refusal.ORDER_INVALID, "body", "it has no id and status")
    is_one = isinstance(reference, str) and 0 < len(reference) <= _REFERENCE_MAX
    if not is_one or not reference.isprintable():
        return Refused(Refusal.ORDER_INVALID, "id", "it is no reference")
    arrival = _ARRIVALS.get(status) if isinstance(status, str) else None
    if arrival is None:
        return Refused(Refusal.ORDER_INVALID, "status", "it is not one we know")
    return Receipt(reference, arrival, why[:_REFERENCE_MAX])


def _signature(secret: str, stamp: str, body: bytes) -> str:
    made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={made.hexdigest()}"
