"""What was shown, sealed: the reviewed order and the hidden token of every form. Pure.

A browser has no key of its own, so the session's signing key seals what the bank put on the
screen. What comes back changed, or from another session, is not opened: what is paid is what was
shown (E19). The seal also carries the idempotency key, so a double click asks for one payment.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.order import Payee

_FORM: Final = b"tangguh form"
_SLIP: Final = b"tangguh slip\n"


class QrisSlip(msgspec.Struct, frozen=True, kw_only=True, tag="qris"):
    """A reviewed QRIS payment. Amounts in minor units."""

    key: str
    debtor: int
    payload: str
    amount_minor: int
    tip_minor: int
    fee_minor: int
    note: str = ""

    @property
    def total_minor(self) -> int:
        """What the account is debited."""
        return self.amount_minor + self.tip_minor + self.fee_minor


class TransferSlip(msgspec.Struct, frozen=True, kw_only=True, tag="transfer"):
    """A reviewed transfer inside the bank, with the name that was shown."""

    key: str
    debtor: int
    creditor: int
    creditor_name: str
    amount_minor: int
    fee_minor: int
    note: str = ""

    @property
    def total_minor(self) -> int:
        """What the account is debited."""
        return self.amount_minor + self.fee_minor


class PayeeSlip(msgspec.Struct, frozen=True, kw_only=True, tag="payee"):
    """A reviewed payment to somebody a network named. Amounts in minor units.

    ``lines`` are what the network said beside the name, as (name, value).
    """

    key: str
    debtor: int
    service: str
    payee: Payee
    name: str
    lines: tuple[tuple[str, str], ...] = ()
    amount_minor: int
    fee_minor: int
    note: str = ""

    @property
    def total_minor(self) -> int:
        """What the account is debited."""
        return self.amount_minor + self.fee_minor


class RefundSlip(msgspec.Struct, frozen=True, kw_only=True, tag="refund"):
    """A reviewed refund of a payment that was received."""

    key: str
    payment_id: UUID
    amount_minor: int
    reason: str = ""


class Recipient(msgspec.Struct, frozen=True, tag="recipient"):
    """An account whose name has been looked up."""

    account_id: int
    name: str


Slip = QrisSlip | TransferSlip | PayeeSlip | RefundSlip
Sealed = Slip | Recipient

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Sealed).decode


def seal(signing_key: bytes, slip: Sealed) -> str:
    """The slip and its seal as one word for a form or an address."""
    body = _encode(slip)
    return f"{_text(body)}.{_text(_mac(signing_key, body))}"


def unseal(signing_key: bytes, text: str) -> Sealed | None:
    """The slip, or None when one character of it was changed or it is another session's."""
    written, _, mac = text.partition(".")
    body = _bytes(written)
    given = _bytes(mac)
    if body is None or given is None or not hmac.compare_digest(given, _mac(signing_key, body)):
        return None
    try:
        opened: Sealed = _decode(body)
        return opened
    except msgspec.DecodeError:
        return None


def form_token(signing_key: bytes) -> str:
    """What every form of a session carries; no other site can know it."""
    return _text(hmac.digest(signing_key, _FORM, "sha256"))


def is_form_token(signing_key: bytes, given: str) -> bool:
    """Whether a form is this session's own, in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), form_token(signing_key).encode())


def _mac(signing_key: bytes, body: bytes) -> bytes:
    return hmac.digest(signing_key, _SLIP + body, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(
            text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        return None
