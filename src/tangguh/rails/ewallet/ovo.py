"""OVO. Nothing of it differs but its limits, which the contract sets."""

from __future__ import annotations

from typing import Final

from tangguh.rails.ewallet.wallet import Wallet

OVO: Final = Wallet(
    name="ovo", title="OVO", amount_min_minor=10_000_00, amount_max_minor=20_000_000_00
)
