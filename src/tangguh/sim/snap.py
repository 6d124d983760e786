"""The switch's door: SNAP tokens, signatures and replay protection, as the network checks them.

Written apart from the bank's own signature code on purpose: a network that borrowed it could not
find the bank's mistakes. Tokens live in memory, so a restart of the switch invalidates them all.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from random import Random
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tangguh.core.clock import Clock

WIB: Final = timezone(timedelta(hours=7))
CLOCK_SKEW_MAX: Final = timedelta(minutes=5)
_QUOTE, _BACKSLASH = b'"\\'
_BLANKS: Final = frozenset(b" \t\r\n")


class Complaint(msgspec.Struct, frozen=True):
    """Why the door stays shut: HTTP status, two-digit case, and the words of the standard."""

    status: int
    case: str
    message: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """The one bank that may call, its secret and its public key."""

    client_id: str
    client_secret: str
    partner_id: str
    channel_id: str
    bank_key: rsa.RSAPublicKey
    token_seconds: int
    asymmetric: bool = False

    def __repr__(self) -> str:
        return f"Member(partner_id={self.partner_id!r}, ...)"


class Doorkeeper:
    """Issues tokens and examines every call before anybody reads what it wants."""

    def __init__(self, member: Member, clock: Clock, random: Random) -> None:
        self._member = member
        self._clock = clock
        self._random = random
        self._tokens: dict[str, float] = {}

    def issue(self, headers: Mapping[str, str], body: bytes) -> str | Complaint:
        """A fresh token for whoever signs as the bank (service 73)."""
        timestamp = headers.get("x-timestamp", "")
        if complaint := self._judge_timestamp(timestamp):
            return complaint
        if headers.get("x-client-key") != self._member.client_id:
            return Complaint(401, "00", "Unauthorized. [Unknown Client]")
        signed = f"{self._member.client_id}|{timestamp}".encode()
        if not _signed_by(self._member.bank_key, signed, headers.get("x-signature", "")):
            return Complaint(401, "00", "Unauthorized. [Signature]")
        if read_object(body).get("grantType") != "client_credentials":
            return Complaint(400, "01", "Invalid Field Format grantType")
        return self._fresh_token()

    def examine(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Complaint | None:
        """What is wrong with a call, or None. The external id's uniqueness is the books' matter."""
        if complaint := self._judge_headers(headers):
            return complaint
        if self._member.asymmetric:
            text = f"{method}:{target}:{body_hash(body)}:{headers['x-timestamp']}"
            if _signed_by(self._member.bank_key, text.encode(), headers["x-signature"]):
                return None
            return Complaint(401, "00", "Unauthorized. [Signature]")
        token = headers["authorization"].removeprefix("Bearer ")
        if self._tokens.get(token, 0.0) <= self._clock.monotonic():
            return Complaint(401, "01", "Invalid Token (B2B)")
        expected = symmetric_signature(
            self._member.client_secret, method, target, token, body, headers["x-timestamp"]
        )
        if not hmac.compare_digest(expected.encode(), headers["x-signature"].encode()):
            return Complaint(401, "00", "Unauthorized. [Signature]")
        return None

    def _judge_headers(self, headers: Mapping[str, str]) -> Complaint | None:
        needed = ("x-timestamp", "x-signature", "x-partner-id", "channel-id")
        for name in needed if self._member.asymmetric else ("authorization", *needed):
            if not headers.get(name):
                return Complaint(400, "02", f"Invalid Mandatory Field {name.upper()}")
        external_id = headers.get("x-external-id", "")
        if not (external_id.isascii() and external_id.isdigit() and len(external_id) <= 36):
            return Complaint(400, "01", "Invalid Field Format X-EXTERNAL-ID")
        if headers["x-partner-id"] != self._member.partner_id:
            return Complaint(401, "00", "Unauthorized. [Unknown Partner]")
        if headers["channel-id"] != self._member.channel_id:
            return Complaint(401, "00", "Unauthorized. [Unknown Channel]")
        return self._judge_timestamp(headers["x-timestamp"])

    def _judge_timestamp(self, text: str) -> Complaint | None:
        try:
            said = datetime.fromisoformat(text)
        except ValueError:
            return Complaint(400, "01", "Invalid Field Format X-TIMESTAMP")
        if said.tzinfo is None:
            return Complaint(400, "01", "Invalid Field Format X-TIMESTAMP")
        if abs(self._clock.now() - said) > CLOCK_SKEW_MAX:
            return Complaint(401, "00", "Unauthorized. [Timestamp]")
        return None

    def _fresh_token(self) -> str:
        now = self._clock.monotonic()
        self._tokens = {text: end for text, end in self._tokens.items() if end > now}
        token = f"{self._random.getrandbits(256):064x}"
        self._tokens[token] = now + self._member.token_seconds
        return token


def symmetric_signature(
    secret: str, method: str, target: str, token: str, body: bytes, timestamp: str
) -> str:
    """HMAC-SHA512 in base64 over ``METHOD:target:token:hash:timestamp``."""
    text = f"{method}:{target}:{token}:{body_hash(body)}:{timestamp}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha512").digest()).decode()


def asymmetric_signature(
    key: rsa.RSAPrivateKey, method: str, target: str, body: bytes, timestamp: str
) -> str:
    """SHA256withRSA in base64 over ``METHOD:target:hash:timestamp``, for our own notices."""
    text = f"{method}:{target}:{body_hash(body)}:{timestamp}"
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


def body_hash(body: bytes) -> str:
    """Lower-case hex SHA-256 of the body without blanks outside strings."""
    return sha256(squeeze(body)).hexdigest()


def squeeze(body: bytes) -> bytes:
    """Drop blanks outside JSON strings, one byte after the other."""
    kept = bytearray()
    in_string = escaped = False
    for byte in body:
        if not in_string and byte in _BLANKS:
            continue
        kept.append(byte)
        if in_string and not escaped and byte == _BACKSLASH:
            escaped = True
            continue
        if byte == _QUOTE and not escaped:
            in_string = not in_string
        escaped = False
    return bytes(kept)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty one when it is anything else."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def timestamp_of(instant: datetime) -> str:
    """``yyyy-MM-ddTHH:mm:ss+07:00``."""
    return instant.astimezone(WIB).strftime("%Y-%m-%dT%H:%M:%S+07:00")


def _signed_by(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature), text, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
