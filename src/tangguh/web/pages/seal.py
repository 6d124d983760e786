"""What was shown, sealed: the reviewed order and the hidden token of every form. Pure.

A key that never leaves the bank seals what it put on the screen. What comes back changed, or from
another session, is not opened: what is paid is what was shown (E19). The seal also carries the
idempotency key, so a double click asks for one payment.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

import msgspec

from tangguh.access.sealing import Purpose, Seals
from tangguh.access.session import Session
from tangguh.core.order import Payee


class QrisSlip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="qris"):
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


class TransferSlip(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="transfer"
):
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


class PayeeSlip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="payee"):
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


class RefundSlip(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="refund"
):
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


def seal(seals: Seals, session: Session, slip: Sealed) -> str:
    """The slip and its seal as one word for a form or an address of this session."""
    return seals.seal(Purpose.REVIEW, session.token_sha256, _encode(slip))


def unseal(seals: Seals, session: Session, text: str) -> Sealed | None:
    """The slip, or None when one character of it was changed or it is another session's."""
    body = seals.unseal(Purpose.REVIEW, session.token_sha256, text)
    if body is None:
        return None
    try:
        opened: Sealed = _decode(body)
        return opened
    except msgspec.DecodeError:
        return None


def form_token(seals: Seals, session: Session) -> str:
    """What every form of a session carries; no other site can know it."""
    return seals.mac(Purpose.FORM, session.token_sha256, b"").hex()


def is_form_token(seals: Seals, session: Session, given: str) -> bool:
    """Whether a form is this session's own, in constant time."""
    expected = form_token(seals, session)
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
