"""What a payment may be and what it costs: limits per transaction and per day, fees. Pure.

Ceilings that regulators set are constants with their source; what the bank chooses is a setting.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.money import IDR, MINOR_MAX
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS, TRANSFER_ONUS

QRIS_TRANSACTION_MAX_MINOR: Final = 10_000_000_00
"""Rule: Bank Indonesia, PADG 24/1/PADG/2022 (amending PADG 21/18/PADG/2019): Rp 10,000,000."""


class Limit(msgspec.Struct, frozen=True):
    """Ceilings of one service for one account, in minor units; per day by Jakarta date."""

    transaction_max_minor: int
    day_max_minor: int


class Way(msgspec.Struct, frozen=True):
    """How a service is carried: its rail's name, and how long a send may take."""

    rail: str
    settles_inside: bool
    send_timeout_seconds: float
    inquiry_delays_seconds: tuple[float, ...]


DEFAULT_LIMITS: Final[dict[str, Limit]] = {
    TRANSFER_ONUS: Limit(100_000_000_00, 200_000_000_00),
    QRIS_OFFUS: Limit(QRIS_TRANSACTION_MAX_MINOR, 20_000_000_00),
}


class Rules(msgspec.Struct, frozen=True):
    """Everything a decision needs that is not in the book. ``fees_minor``: fixed, per service."""

    ways: dict[str, Way]
    limits: dict[str, Limit]
    fees_minor: dict[str, int]

    def settles_inside(self, service: str) -> bool:
        """Whether a payment of this service ends in the step that accepts it."""
        way = self.ways.get(service)
        return way is not None and way.settles_inside


def refuse_unwritable(amount_minor: int, tip_minor: int) -> Refused | None:
    """What cannot even be written down as a refused payment: less than nothing, more than all."""
    if amount_minor < 0:
        return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "an amount is at least one sen")
    if tip_minor < 0:
        return Refused(Refusal.AMOUNT_NOT_POSITIVE, "tip", "a tip is not negative")
    if amount_minor + tip_minor > MINOR_MAX:
        return Refused(Refusal.AMOUNT_TOO_LARGE, "amount", "no book can hold so much")
    return None


def refuse_amount(amount_minor: int, currency: str) -> Refused | None:
    """What cannot be paid whoever asks."""
    if currency != IDR:
        return Refused(Refusal.CURRENCY_NOT_SUPPORTED, "currency", f"this book keeps {IDR} only")
    if amount_minor <= 0:
        return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "an amount is at least one sen")
    return None


def refuse_limit(limit: Limit, spend_minor: int, used_today_minor: int) -> Refused | None:
    """What is above the service's ceilings. ``spend_minor`` is amount and tip, without the fee."""
    if spend_minor > limit.transaction_max_minor:
        return Refused(
            Refusal.LIMIT_PER_TRANSACTION,
            "amount",
            f"one payment may be at most {limit.transaction_max_minor} minor units",
        )
    left = limit.day_max_minor - used_today_minor
    if spend_minor > left:
        return Refused(
            Refusal.LIMIT_PER_DAY, "amount", f"{max(left, 0)} minor units are left today"
        )
    return None


def next_inquiry_at(way: Way, accepted_at: datetime, attempts: int, now: datetime) -> datetime:
    """When to ask the network next: the schedule counts from the send, its last delay repeats."""
    delays = way.inquiry_delays_seconds or (way.send_timeout_seconds,)
    if attempts >= len(delays):
        return now + timedelta(seconds=delays[-1])
    return max(now, accepted_at + timedelta(seconds=delays[attempts]))
