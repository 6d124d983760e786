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
import re
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.core.clock import JAKARTA
from tangguh.core.errors import Misconfigured

_BLANKS_OR_STRING = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*"?)|[ \t\r\n]+', re.DOTALL)
"""A JSON string, closed or not, or blanks outside one. Optional closing quote keeps it linear."""


def minify(body: bytes) -> bytes:
    """The JSON text without blanks outside strings; nothing else about it changes."""
    return _BLANKS_OR_STRING.sub(rb"\1", body)


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
    digest = hashlib.sha256(minify(body)).hexdigest()
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
