"""What the gateway says in the hub's place: this message was not forwarded, for certain. Pure.

It is signed and names the very bytes it is about: "not forwarded" releases a customer's money, so
nobody else on the line may say it, and it may not be kept and said again of another message.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.rails import signature

NOT_FORWARDED: Final = 421
"""The HTTP status of it; any other than this and the hub's own says nothing for certain."""
HEADER: Final = "X-Tangguh-Authorisation"


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was turned back: which one, and the field and the rule it failed.

    ``number`` is its BizMsgIdr, ``reference`` the EndToEndId of a transfer, ``digest`` the SHA-256
    of the bytes that were posted.
    """

    digest: str
    field: str
    rule: str
    detail: str = ""
    number: str = ""
    reference: str = ""
    forwarded: bool = False


class _Sealed(msgspec.Struct, frozen=True):
    said: Turned
    signature: str


_DECODER: Final = msgspec.json.Decoder(_Sealed)


def digest_of(body: bytes) -> str:
    """Which bytes a Turned is about."""
    return hashlib.sha256(body).hexdigest()


def sealed(turned: Turned, key: RSAPrivateKey) -> bytes:
    """The body that says so."""
    made = signature.sign_asymmetric(key, msgspec.json.encode(turned))
    return msgspec.json.encode(_Sealed(turned, made))


def read(body: bytes, key: RSAPublicKey, posted: bytes) -> Turned | None:
    """What it says of the bytes we posted; None when it does not count."""
    try:
        found = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    said = found.said
    if said.forwarded or said.digest != digest_of(posted):
        return None
    covered = msgspec.json.encode(said)
    return said if signature.verify_asymmetric(key, covered, found.signature) else None
