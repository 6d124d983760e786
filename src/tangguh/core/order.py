"""PaymentOrder: what the customer asked for, before anybody decided anything.

An order names one payee. How the money gets there is the rail's business; the order only carries
what was on the screen when the customer said yes.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from tangguh.core.money import IDR


class ToAccount(msgspec.Struct, frozen=True, tag="account"):
    """A payee with an account at this bank."""

    account_id: int


class ToQris(msgspec.Struct, frozen=True, tag="qris"):
    """A merchant behind a QRIS code, as read from the payload that was scanned.

    ``payload`` is the whole text as scanned (<= 512 characters); the rest are its facts.
    """

    payload: str
    merchant_pan: str
    merchant_id: str
    nmid: str
    acquirer: str
    merchant_name: str
    merchant_city: str
    category_code: str
    criteria: str = ""
    terminal: str = ""


Payee = ToAccount | ToQris


class PaymentOrder(msgspec.Struct, frozen=True, kw_only=True, tag="payment"):
    """One wish of one customer. Amounts in minor units (sen).

    ``amount_minor`` goes to the payee; ``tip_minor`` is added by a QRIS code or the customer and
    goes to the payee too. The bank's own fee is not part of the order: it is decided in the book.
    """

    customer_id: int
    idempotency_key: str
    service: str
    debtor: int
    payee: Payee
    amount_minor: int
    tip_minor: int = 0
    currency: str = IDR
    note: str = ""


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True, tag="refund"):
    """A wish to give back part or all of a payment that was posted. Amount in minor units."""

    requested_by: int
    idempotency_key: str
    payment_id: UUID
    amount_minor: int
    reason: str = ""
