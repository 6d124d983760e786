"""Addresses, as people and browsers give them: each in one spelling, or refused. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tangguh.core.numbers import phone
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.text import seen
from tangguh.notices.notice import Via

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
URL_MAX: Final = 1_000
_POINT_BYTES: Final = 65
_SECRET_BYTES: Final = 16


class PushKeys(msgspec.Struct, frozen=True):
    """A browser's public point and its secret, base64url (RFC 8291 §3.2)."""

    p256dh: str
    auth: str


class PushAddress(msgspec.Struct, frozen=True):
    """What a browser gives when somebody agrees to web push (W3C Push API)."""

    endpoint: str
    keys: PushKeys


def address_of(via: Via, given: str) -> str | Refused:
    """An address in the one spelling it is kept in. Refuses ORDER_INVALID for what is none."""
    text = seen(given).strip()
    kept: str | None = None
    match via:
        case Via.EMAIL:
            kept = _email(text)
        case Via.SMS:
            kept = _phone(text)
        case Via.WEBHOOK:
            kept = text if _is_url(text) else None
        case Via.PUSH:
            kept = _push(text)
        case Via.IN_APP:
            kept = None
    return kept or Refused(Refusal.ORDER_INVALID, "address", f"it is no address for {via}")


def _email(text: str) -> str | None:
    """The part before the @ keeps its capitals: only its own server knows what they mean."""
    if not _EMAIL.fullmatch(text):
        return None
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"


def _phone(text: str) -> str | None:
    """Digits with the country's code first: ``0811…`` is Indonesian."""
    return phone(text) or None


def _is_url(text: str) -> bool:
    """An http(s) address without a user. Where it leads is judged when it is called."""
    if len(text) > URL_MAX or not text.isascii() or re.search(r"[\x00-\x20\x7f\\]", text):
        return False
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and has_host and "@" not in parts.netloc


def _push(text: str) -> str | None:
    try:
        given = msgspec.json.decode(text.encode(), type=PushAddress)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    point, secret = _bytes_of(given.keys.p256dh), _bytes_of(given.keys.auth)
    if len(point) != _POINT_BYTES or point[0] != 4 or len(secret) != _SECRET_BYTES:
        return None
    if not _is_url(given.endpoint):
        return None
    return msgspec.json.encode(given).decode()


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
