"""What a payment may be and what it costs: limits per transaction, day and month, fees. Pure.

Ceilings that regulators set are constants with their source; what the bank chooses are rows in the
database with their history (``tariff``). The smaller of the two is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core import service as names
from tangguh.core.money import IDR, MINOR_MAX, RUPIAH
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.payments.merchant.mdr import DEFAULT_DISCOUNTS, Discount
from tangguh.payments.redress.policy import RedressPolicy

QRIS_TRANSACTION_MAX_MINOR: Final = 10_000_000 * RUPIAH
"""Rule: Bank Indonesia, PADG 24/1/PADG/2022 (amending PADG 21/18/PADG/2019): Rp 10,000,000."""
BIFAST_TRANSACTION_MAX_MINOR: Final = 250_000_000 * RUPIAH
"""Rule: Bank Indonesia, PADG 23/25/PADG/2021 as amended: Rp 250,000,000 a transaction."""
BIFAST_FEE_MAX_MINOR: Final = 2_500 * RUPIAH
"""Rule: Bank Indonesia's ceiling for the fee a participant asks of its customer."""

TRANSACTION_CEILINGS: Final[Mapping[str, int]] = {
    names.QRIS_OFFUS: QRIS_TRANSACTION_MAX_MINOR,
    names.QRIS_ONUS: QRIS_TRANSACTION_MAX_MINOR,
    names.QRIS_CPM: QRIS_TRANSACTION_MAX_MINOR,
    names.QRIS_SERVER: QRIS_TRANSACTION_MAX_MINOR,
    names.QRIS_TOURIST: QRIS_TRANSACTION_MAX_MINOR,
    names.TRANSFER_BIFAST: BIFAST_TRANSACTION_MAX_MINOR,
}
FEE_CEILINGS: Final[Mapping[str, int]] = {
    names.TRANSFER_BIFAST: BIFAST_FEE_MAX_MINOR,
    # Rule: a merchant's customer is not charged for paying with QRIS (PADG 21/18/PADG/2019).
    names.QRIS_OFFUS: 0,
    names.QRIS_ONUS: 0,
    names.QRIS_CPM: 0,
    names.QRIS_SERVER: 0,
    names.QRIS_TOURIST: 0,
}


class Limit(msgspec.Struct, frozen=True):
    """Ceilings of one service (or channel) for one account, in minor units.

    Per day and per month by Jakarta date. ``balance_max_minor``: what an e-money purse that is
    topped up may hold afterwards. None: no such ceiling.
    """

    transaction_max_minor: int
    day_max_minor: int
    month_max_minor: int | None = None
    balance_max_minor: int | None = None


class Way(msgspec.Struct, frozen=True):
    """How a service is carried: its rail's name, and how long a send may take.

    ``naming`` makes the reference the network knows a payment by, from its number of the day on
    this rail, its instant and its order; None: the payment's own id is the reference.
    """

    rail: str
    settles_inside: bool
    send_timeout_seconds: float
    inquiry_delays_seconds: tuple[float, ...]
    naming: Callable[[int, datetime, PaymentOrder], str] | None = None


def _rupiah(transaction: int, day: int, month: int | None = None) -> Limit:
    return Limit(transaction * RUPIAH, day * RUPIAH, month * RUPIAH if month is not None else None)


_TOPUP: Final = Limit(20_000_000 * RUPIAH, 40_000_000 * RUPIAH, None, 20_000_000 * RUPIAH)
"""Rule: Bank Indonesia's e-money ceilings: Rp 20 million held when the holder is registered, Rp 2
million when not; Rp 40 million a month (PBI 23/6/PBI/2021, PADG 24/7/PADG/2022: from memory)."""
_UNREGISTERED: Final = Limit(2_000_000 * RUPIAH, 2_000_000 * RUPIAH, None, 2_000_000 * RUPIAH)

DEFAULT_LIMITS: Final[dict[str, Limit]] = {
    names.TRANSFER_ONUS: _rupiah(100_000_000, 200_000_000),
    names.TRANSFER_BIFAST: _rupiah(100_000_000, 250_000_000),
    names.TRANSFER_CARDS: _rupiah(25_000_000, 50_000_000),
    names.QRIS_OFFUS: Limit(QRIS_TRANSACTION_MAX_MINOR, 20_000_000 * RUPIAH),
    names.QRIS_ONUS: Limit(QRIS_TRANSACTION_MAX_MINOR, 20_000_000 * RUPIAH),
    names.QRIS_CPM: _rupiah(2_000_000, 10_000_000),
    **{service: _rupiah(10_000_000, 20_000_000) for service in names.TOPUP.values()},
    **{service: _rupiah(50_000_000, 100_000_000) for service in names.BILL.values()},
    names.TOPUP_CARD: Limit(
        2_000_000 * RUPIAH, 10_000_000 * RUPIAH, 20_000_000 * RUPIAH, 2_000_000 * RUPIAH
    ),
    names.TOPUP_SERVER: _TOPUP,
    names.TOPUP_TOURIST: _TOPUP,
    f"{names.TOPUP_TOURIST}/unregistered": _UNREGISTERED,
    names.SPEND_CARD: _rupiah(2_000_000, 100_000_000),
    names.QRIS_SERVER: _rupiah(10_000_000, 20_000_000, 40_000_000),
    names.QRIS_TOURIST: _rupiah(10_000_000, 20_000_000, 40_000_000),
    f"{names.QRIS_TOURIST}/unregistered": _rupiah(2_000_000, 2_000_000, 20_000_000),
    names.ATM_CASH: _rupiah(2_500_000, 10_000_000),
    names.ATM_CARDLESS: _rupiah(2_500_000, 5_000_000),
    names.ATM_ACQUIRER: _rupiah(2_500_000, 10_000_000_000),
    names.ATM_TRANSFER_ONUS: _rupiah(50_000_000, 50_000_000),
    names.ATM_TRANSFER_CARDS: _rupiah(25_000_000, 25_000_000),
    names.ATM_BILL: _rupiah(10_000_000, 20_000_000),
    names.CARD_CASH: _rupiah(2_500_000, 10_000_000),
}
"""What a new bank begins with; afterwards the rows in ``limit_rules`` say. ``service/tier`` is the
limit of accounts of that tier; a key that is a channel (``mobile``) is over all its services."""

DEFAULT_FEES: Final[dict[str, int]] = {
    names.TRANSFER_BIFAST: 2_500 * RUPIAH,
    names.TRANSFER_CARDS: 6_500 * RUPIAH,
    names.ATM_TRANSFER_CARDS: 6_500 * RUPIAH,
    names.CARD_CASH: 7_500 * RUPIAH,
    **dict.fromkeys(names.TOPUP.values(), 1000 * RUPIAH),
    names.BILL["electricity"]: 2_500 * RUPIAH,
    names.BILL["prepaid"]: 2_500 * RUPIAH,
    names.BILL["water"]: 2_500 * RUPIAH,
    names.ATM_BILL: 2_500 * RUPIAH,
}
"""In minor units, per service; what is not named is free."""


Covering = tuple[tuple[str, Limit], ...]
"""Names of limits (a service's, a channel's) and the limits."""


class Rules(msgspec.Struct, frozen=True):
    """Everything a decision needs that is not in the book.

    ``limits`` and ``fees_minor`` by service, ``service/tier``, and (limits only) by channel.
    ``redress``: when the bank advances money and what it pays for being late. ``discounts``: what
    merchants of ours pay.
    """

    ways: dict[str, Way]
    limits: dict[str, Limit]
    fees_minor: dict[str, int]
    redress: RedressPolicy = RedressPolicy()
    discounts: Mapping[str, Discount] = msgspec.field(default_factory=lambda: DEFAULT_DISCOUNTS)
    _covering: dict[tuple[str, str], Covering] = msgspec.field(default_factory=dict)
    """What was looked up of ``limits``; begun anew with every set of rules."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "_covering", {})

    def settles_inside(self, service: str) -> bool:
        """Whether a payment of this service ends in the step that accepts it."""
        way = self.ways.get(service)
        return way is not None and way.settles_inside

    def fee_of(self, service: str, tier: str = "") -> int:
        """The bank's own fee in minor units."""
        if tier:
            fee = self.fees_minor.get(f"{service}/{tier}")
            if fee is not None:
                return fee
        return self.fees_minor.get(service, 0)

    def limit_of(self, name: str, tier: str = "") -> Limit | None:
        """The limit of a service or channel for accounts of a tier; None when there is none."""
        limit = self.limits.get(f"{name}/{tier}") if tier else None
        return limit if limit is not None else self.limits.get(name)

    def covering(self, service: str, tier: str = "") -> Covering:
        """Every limit a payment of this service counts against: its own, and its channel's."""
        found = self._covering.get((service, tier))
        if found is None:
            names = (service, service.partition(".")[0])
            both = ((name, self.limit_of(name, tier)) for name in names)
            found = tuple((name, limit) for name, limit in both if limit is not None)
            if found:
                self._covering[service, tier] = found
        return found


def within_ceilings(limits: Mapping[str, Limit]) -> dict[str, Limit]:
    """The limits, none above what a regulator allows for its service."""
    bounded = {}
    for name, limit in limits.items():
        ceiling = TRANSACTION_CEILINGS.get(name.partition("/")[0])
        if ceiling is not None and limit.transaction_max_minor > ceiling:
            limit = msgspec.structs.replace(limit, transaction_max_minor=ceiling)
        bounded[name] = limit
    return bounded


def part_of(limit: Limit, percent: int) -> Limit:
    """So much of a limit on payments; what a purse may hold stays what it is."""
    month = limit.month_max_minor
    return msgspec.structs.replace(
        limit,
        transaction_max_minor=limit.transaction_max_minor * percent // 100,
        day_max_minor=limit.day_max_minor * percent // 100,
        month_max_minor=month * percent // 100 if month is not None else None,
    )


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


def refuse_limit(
    limit: Limit, spend_minor: int, used_today_minor: int, used_this_month_minor: int = 0
) -> Refused | None:
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
    if limit.month_max_minor is not None:
        left = limit.month_max_minor - used_this_month_minor
        if spend_minor > left:
            return Refused(
                Refusal.LIMIT_PER_MONTH, "amount", f"{max(left, 0)} minor units are left this month"
            )
    return None


def next_inquiry_at(way: Way, accepted_at: datetime, attempts: int, now: datetime) -> datetime:
    """When to ask the network next: the schedule counts from the send, its last delay repeats."""
    delays = way.inquiry_delays_seconds or (way.send_timeout_seconds,)
    if attempts >= len(delays):
        return now + timedelta(seconds=delays[-1])
    return max(now, accepted_at + timedelta(seconds=delays[attempts]))
