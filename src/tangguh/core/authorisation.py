"""No posting, no message: what the ledger signs before one message may leave the bank. Pure.

An authorisation covers one payment by the reference the network will see, its debtor, its creditor,
its amount and its rail, until an instant. Whoever lets messages out checks it against what the
message says, with the public key alone, and takes no reference twice (incident of 2025-03-29).
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tangguh.core.errors import Misconfigured
from tangguh.core.order import Payee, ToBank, ToBiller, ToCash, ToMerchant, ToQris, ToWallet

MISSING: Final = "missing"
BAD_SIGNATURE: Final = "bad signature"
EXPIRED: Final = "expired"
TOKEN_LENGTH_MAX: Final = 2_000
"""Far above any real one (200 to 300), so that nobody makes us decode megabytes."""
_SIGNATURE_BYTES: Final = 64


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of itself. ``amount_minor`` is what the payee gets, tip included."""

    reference: str
    rail: str
    debtor: int
    creditor: str
    amount_minor: int


class Authorisation(
    msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="tangguh.authorisation.1"
):
    """The ledger's leave for one message. ``signature`` covers everything else.

    The tag is part of what is signed, so that nothing else this key may sign one day is one.
    """

    reference: str
    rail: str
    debtor: int
    creditor: str
    amount_minor: int
    expires_at: datetime
    signature: bytes = b""

    @property
    def facts(self) -> Facts:
        """What a message must say to be covered."""
        return Facts(
            reference=self.reference,
            rail=self.rail,
            debtor=self.debtor,
            creditor=self.creditor,
            amount_minor=self.amount_minor,
        )

    def canonical(self) -> bytes:
        """One text for one content: what the signature covers."""
        return _ENCODER.encode(msgspec.structs.replace(self, signature=b""))

    def token(self) -> str:
        """As one HTTP header can carry it: base64url, no padding."""
        return base64.urlsafe_b64encode(_ENCODER.encode(self)).rstrip(b"=").decode()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Authorisation)


class AuthorisationKey:
    """The ledger's key. It signs here and nowhere else; only its public half leaves the bank."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key()

    @classmethod
    def fresh(cls) -> AuthorisationKey:
        """A key for the life of this process."""
        return cls(Ed25519PrivateKey.generate())

    def authorise(self, facts: Facts, expires_at: datetime) -> str:
        """The token for a message that says these facts, until then."""
        bare = Authorisation(
            reference=facts.reference,
            rail=facts.rail,
            debtor=facts.debtor,
            creditor=facts.creditor,
            amount_minor=facts.amount_minor,
            expires_at=expires_at.astimezone(UTC),
        )
        signature = self._key.sign(bare.canonical())
        return msgspec.structs.replace(bare, signature=signature).token()


def read(token: str) -> Authorisation | None:
    """What a token says, believed by nobody yet; None when it is no token."""
    if len(token) > TOKEN_LENGTH_MAX:
        return None
    try:
        written = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        found = _DECODER.decode(written)
    except (binascii.Error, ValueError, msgspec.MsgspecError, OverflowError):
        return None
    whole = found.expires_at.tzinfo is not None and len(found.signature) == _SIGNATURE_BYTES
    return found if whole else None


def verify(public_key: Ed25519PublicKey, token: str, facts: Facts, now: datetime) -> str | None:
    """None: the ledger allows exactly this message now. Else what is wrong with it first.

    ``missing``, ``bad signature``, the name of the first field that differs, or ``expired``.
    """
    if not token:
        return MISSING
    found = read(token)
    if found is None:
        return BAD_SIGNATURE
    try:
        public_key.verify(found.signature, found.canonical())
    except InvalidSignature:
        return BAD_SIGNATURE
    for name in Facts.__struct_fields__:
        if getattr(found, name) != getattr(facts, name):
            return name
    return EXPIRED if now >= found.expires_at else None


def creditor_of(payee: Payee) -> str:
    """The one text that stands for a payee in what is signed: who gets the money, and no more.

    Names and inquiries are left out: networks write them their own way.
    """
    parts: tuple[str, ...]
    match payee:
        case ToBank():
            parts = (payee.bank, payee.account)
        case ToQris():
            parts = (payee.merchant_pan,)
        case ToWallet():
            parts = (payee.wallet, payee.number)
        case ToBiller():
            parts = (payee.biller, payee.customer_no, payee.bill)
        case ToCash():
            parts = (payee.terminal,)
        case ToMerchant():
            parts = (payee.merchant_id,)
        case _:
            parts = (str(payee.account_id),)
    # Escaped, so that two payees never share one text by where they put a colon.
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)


def load_key(pem: bytes, where: str) -> AuthorisationKey:
    """The ledger's key from PEM. Raises Misconfigured, without a word of its content."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"no readable Ed25519 private key at {where}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"the private key at {where} is not Ed25519")
    return AuthorisationKey(key)


def load_public(pem: bytes, where: str) -> Ed25519PublicKey:
    """The public half from PEM. Raises Misconfigured."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise Misconfigured(f"no readable Ed25519 public key at {where}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"the public key at {where} is not Ed25519")
    return key
