"""The bodies the QRIS switch reads, in its own reading of SNAP."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tangguh.sim.message import Amount, Reference


class PaymentMore(msgspec.Struct, frozen=True, rename="camel"):
    """``additionalInfo`` of a payment: which merchant, said in the code's own terms."""

    merchant_pan: Annotated[str, msgspec.Meta(min_length=1, max_length=19)]
    nmid: str = ""
    terminal_id: str = ""
    rrn: str = ""


class PaymentBody(msgspec.Struct, frozen=True, rename="camel"):
    """qr-mpm-payment (50)."""

    partner_reference_no: Reference
    merchant_id: Reference
    amount: Amount
    additional_info: PaymentMore
    fee_amount: Amount | None = None


class OriginalBody(msgspec.Struct, frozen=True, rename="camel"):
    """qr-mpm-query (51) and qr-mpm-cancel (77)."""

    original_partner_reference_no: Reference
    merchant_id: str = ""
    service_code: Literal["", "47", "50"] = ""


class RefundBody(msgspec.Struct, frozen=True, rename="camel"):
    """qr-mpm-refund (78)."""

    original_partner_reference_no: Reference
    partner_refund_no: Reference
    refund_amount: Amount
    merchant_id: str = ""
    reason: str = ""
