"""DANA. Its paths end in ``.htm`` (seen in public client code)."""

from __future__ import annotations

from typing import Final

from tangguh.rails.ewallet.wallet import Wallet

DANA: Final = Wallet(
    name="dana",
    title="DANA",
    suffix=".htm",
    amount_min_minor=10_000_00,
    amount_max_minor=20_000_000_00,
)
