"""SNAP's signatures: what text is signed, how, and how it is verified.

Source: ASPI's SNAP developer site, security; the vectors in tests/unit/rails/test_snap.py include
one from a live partner. Keys come in, signatures go out; nothing is logged, since every argument is
or covers a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.core.clock import JAKARTA
from tangguh.core.errors import Misconfigured

_BLANKS: Final = b" \t\r\n"
_PIECE_BYTES: Final = 64 * 1024
_HIDDEN_BACKSLASH, _HIDDEN_QUOTE = b"\xfe", b"\xff"
"""Bytes that no UTF-8 text has: they stand for escapes while quotes are counted."""


def minify(body: bytes) -> bytes:
    """The JSON text without blanks outside strings; nothing else about it changes.

    Linear, with a small constant: a body is minified before anybody is believed. What is not UTF-8
    is no JSON and comes back as it is.
    """
    if b'"' not in body:
        return body.translate(None, _BLANKS)
    return _minified(body)[0] if _is_utf8(body) else body


def _minified(body: bytes) -> tuple[bytes, bool]:
    """The body without blanks outside strings, and whether it ends inside one."""
    hidden = body.replace(b"\\\\", _HIDDEN_BACKSLASH).replace(b'\\"', _HIDDEN_QUOTE)
    pieces = hidden.split(b'"')
    pieces[::2] = [piece.translate(None, _BLANKS) for piece in pieces[::2]]
    whole = b'"'.join(pieces)
    shown = whole.replace(_HIDDEN_QUOTE, b'\\"').replace(_HIDDEN_BACKSLASH, b"\\\\")
    return shown, len(pieces) % 2 == 0


def body_digest(body: bytes) -> str:
    """Lower-case hex SHA-256 of the minified body.

    Large bodies go piece by piece, so that a thread doing it lets others in between.
    """
    if len(body) <= _PIECE_BYTES:
        return hashlib.sha256(minify(body)).hexdigest()
    if not body.isascii() and not _is_utf8(body):
        return hashlib.sha256(body).hexdigest()
    digest, is_inside, start = hashlib.sha256(), False, 0
    while start < len(body):
        end = start + _PIECE_BYTES
        piece = body[start:end]
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2 and end < len(body):
            end += 1  # an escape is not cut in two
            piece = body[start:end]
        opened = b'"' if is_inside else b""
        kept, is_inside = _minified(opened + piece)
        digest.update(kept[len(opened) :])
        start = end
    return digest.hexdigest()


def _is_utf8(body: bytes) -> bool:
    return _HIDDEN_BACKSLASH not in body and _HIDDEN_QUOTE not in body


def timestamp_of(instant: datetime) -> str:
    """X-TIMESTAMP: ``yyyy-MM-ddTHH:mm:ss+07:00``."""
    return instant.astimezone(JAKARTA).isoformat(timespec="seconds")


def read_timestamp(text: str) -> datetime | None:
    """The instant of an X-TIMESTAMP; None when it is not one. Z and milliseconds are met too."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def text_of_token_request(client_id: str, timestamp: str) -> bytes:
    """What the asymmetric signature of a B2B token request covers."""
    return f"{client_id}|{timestamp}".encode()


def text_of_call(method: str, path: str, token: str | None, body: bytes, timestamp: str) -> bytes:
    """What X-SIGNATURE covers. Without a token it is the text of the asymmetric form.

    ``path`` includes the query and no host. An empty body hashes the empty string.
    """
    digest = body_digest(body)
    bearer = [] if token is None else [token]
    return ":".join([method, path, *bearer, digest, timestamp]).encode()


def sign_symmetric(secret: str, text: bytes) -> str:
    """base64 of HMAC-SHA512, the signature of every call that carries a token."""
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha512")).decode()


def verify_symmetric(secret: str, text: bytes, signature: str) -> bool:
    """Compare in constant time, so that timing tells a forger nothing."""
    given = signature.encode("utf-8", "replace")
    return hmac.compare_digest(sign_symmetric(secret, text).encode(), given)


def sign_asymmetric(key: RSAPrivateKey, text: bytes) -> str:
    """base64 of SHA256withRSA (PKCS #1 v1.5)."""
    return base64.b64encode(key.sign(text, PKCS1v15(), hashes.SHA256())).decode()


def may_be_asymmetric(key: RSAPublicKey, signature: str) -> bool:
    """Whether this has the length of the key's signatures: judged before the body is read."""
    return len(signature) == 4 * -(-key.key_size // 24)


def verify_asymmetric(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether the key's owner signed exactly this text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def load_private_key(path: Path) -> RSAPrivateKey:
    """Read an unencrypted RSA key in PEM. Raises Misconfigured, without a word of its content."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"no readable RSA private key at {path}") from error
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(f"the private key at {path} is not RSA")
    return key


def load_public_key(path: Path) -> RSAPublicKey:
    """Read an RSA public key in PEM. Raises Misconfigured."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"no readable RSA public key at {path}") from error
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured(f"the public key at {path} is not RSA")
    return key
