"""What a wallet is to the rail: where it differs from the others, and nothing else. Pure."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tangguh.core.outcome import Declined, Refusal

_PHONE: Final = re.compile(r"62[0-9]{8,13}")


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet. Amounts in minor units; ``suffix`` is added to SNAP's paths.

    ``step_minor``: top-ups are whole multiples of it. ``patience_seconds``: how long after the
    send a status call makes sense. Sources in each wallet's own file; what a contract decides is
    ours to set there.
    """

    name: str
    title: str
    suffix: str = ""
    amount_min_minor: int
    amount_max_minor: int
    step_minor: int = 100
    patience_seconds: float = 0.0

    def refuse(self, number: str, amount_minor: int) -> Declined | None:
        """What this wallet would not take anyway: a number that is none, an amount out of range."""
        if not _PHONE.fullmatch(number):
            return Declined(Refusal.WALLET_NOT_FOUND, "number")
        if not self.amount_min_minor <= amount_minor <= self.amount_max_minor:
            return Declined(Refusal.PARTNER_LIMIT, "amount")
        if amount_minor % self.step_minor:
            return Declined(Refusal.PARTNER_LIMIT, "amount")
        return None
