"""What our machines can pay: whole banknotes of the one kind that is in their cassettes. Pure."""

from __future__ import annotations

from typing import Final

from tangguh.core.money import RUPIAH
from tangguh.core.outcome import Refusal, Refused

NOTE_MINOR: Final = 50_000 * RUPIAH
"""The smallest note in our cassettes."""


def refuse_notes(amount_minor: int) -> Refused | None:
    """Refuses ORDER_INVALID (``amount``): no number of banknotes makes this sum."""
    if amount_minor > 0 and amount_minor % NOTE_MINOR == 0:
        return None
    return Refused(
        Refusal.ORDER_INVALID, "amount", f"cash is a multiple of {NOTE_MINOR} minor units"
    )
