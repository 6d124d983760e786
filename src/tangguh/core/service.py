"""The services: what a customer can do, each with its rail, direction and names.

The one table that the app, the gates, the smoke run and the status page read.
An id is ``channel.operation.reach``.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Service(msgspec.Struct, frozen=True):
    """One thing a customer can do. ``direction`` is seen from the customer's account."""

    id: str
    rail: str
    direction: str
    name_id: str
    name_en: str


TRANSFER_ONUS: Final = "mobile.transfer.onus"
QRIS_OFFUS: Final = "mobile.qris.offus"

SERVICES: Final[dict[str, Service]] = {
    service.id: service
    for service in (
        Service(TRANSFER_ONUS, "onus", "out", "Transfer sesama", "In-bank transfer"),
        Service(QRIS_OFFUS, "qris", "out", "Bayar QRIS", "Pay with QRIS"),
    )
}
