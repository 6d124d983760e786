"""What the bank shows and must know again, sealed with keys that never leave it. Pure.

One root key, and from it one key for each purpose (HKDF-SHA256, RFC 5869), so that a seal of one
kind opens nothing of another. A seal also binds the session it was shown to. It says that the bank
wrote this and nothing more: what is paid is decided from the bank's own rows (ADR-0027).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tangguh.core.errors import Misconfigured

KEY_BYTES: Final = 32


class Purpose(StrEnum):
    """What a key is for. The value is part of its derivation and never reused."""

    INQUIRY = "inquiry"
    REVIEW = "review"
    FORM = "form"
    STRANGER = "stranger"
    CODE = "code"


class Seals:
    """Makes and opens seals; the root key is kept nowhere but here."""

    def __init__(self, root: bytes) -> None:
        self._keys = {purpose: _derived(root, purpose) for purpose in Purpose}

    def key(self, purpose: Purpose) -> bytes:
        """The key of one purpose, for use inside the bank only."""
        return self._keys[purpose]

    def seal(self, purpose: Purpose, session: bytes, body: bytes) -> str:
        """The body and its seal as one word. ``session`` names whom it is shown to."""
        return f"{_text(body)}.{_text(self.mac(purpose, session, body))}"

    def unseal(self, purpose: Purpose, session: bytes, text: str) -> bytes | None:
        """The body; None when a character was changed, or it is for another session or purpose."""
        written, _, mac = text.partition(".")
        body, given = _bytes(written), _bytes(mac)
        if body is None or given is None:
            return None
        return body if hmac.compare_digest(given, self.mac(purpose, session, body)) else None

    def mac(self, purpose: Purpose, session: bytes, body: bytes) -> bytes:
        """HMAC-SHA256 over the session's length, the session and the body."""
        text = len(session).to_bytes(2) + session + body
        return hmac.digest(self._keys[purpose], text, "sha256")


def seals_of(key_hex: str) -> Seals:
    """The seals under a root key in hex; empty: a key for the life of this process.

    Raises Misconfigured when it is not exactly 32 bytes.
    """
    if not key_hex:
        return Seals(secrets.token_bytes(KEY_BYTES))
    try:
        root = bytes.fromhex(key_hex)
    except ValueError as fault:
        raise Misconfigured("web.sealing_key: is not hex") from fault
    if len(root) != KEY_BYTES:
        raise Misconfigured(f"web.sealing_key: is {KEY_BYTES} bytes in hex")
    return Seals(root)


def _derived(root: bytes, purpose: Purpose) -> bytes:
    info = f"tangguh seal {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # One spelling only: the last letter has bits that no byte takes.
    return raw if _text(raw) == text else None
