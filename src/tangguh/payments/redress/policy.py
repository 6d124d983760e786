"""When the bank gives money before it knows, and what it pays for being late. Pure.

India's harmonised turn-around time (RBI, 20 Sep 2019) is the model: outer limits, and a payment for
each day after them without anybody asking. The sums and times are the bank's own (ADR-0024).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from tangguh.core.money import RUPIAH
from tangguh.payments.payment import Payment, State


class RedressPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The clock of unanswered payments. Sums in minor units.

    ``advance_after_seconds``: an unanswered payment of at most ``advance_max_minor`` is advanced to
    its payer, who may have ``advances_per_account_max`` open, together ``advances_minor_max``.
    ``notice_seconds``: so long after we said so an advance is taken back when the payment turned
    out paid; an account that has nothing is tried again every ``retry_seconds``, and what it could
    not give ``write_off_days`` after the advance is the bank's loss.
    ``late_after_seconds``: from then on each started day costs the bank ``late_day_minor``, for at
    most ``late_days_max`` days.
    """

    advance_after_seconds: float = 15 * 60
    advance_max_minor: int = 1_000_000 * RUPIAH
    advances_per_account_max: int = 3
    advances_minor_max: int = 2_000_000 * RUPIAH
    notice_seconds: float = 3 * 24 * 3600
    write_off_days: int = 30
    retry_seconds: float = 3600.0
    late_after_seconds: float = 24 * 3600
    late_day_minor: int = 20_000 * RUPIAH
    late_days_max: int = 30
    round_seconds: float = 1.0
    per_round_max: int = 200

    def advance_due(self, payment: Payment) -> datetime:
        """When an unanswered payment becomes old enough for an advance."""
        return payment.accepted_at + timedelta(seconds=self.advance_after_seconds)

    def late_from(self, payment: Payment) -> datetime:
        """When the first day of lateness begins."""
        return payment.accepted_at + timedelta(seconds=self.late_after_seconds)

    def days_late(self, payment: Payment, now: datetime) -> int:
        """Days begun since the limit, while the payment is open; at most ``late_days_max``."""
        late = now - self.late_from(payment)
        if late < timedelta(0) or payment.state is not State.UNANSWERED:
            return 0
        return min(late.days + 1, self.late_days_max)
