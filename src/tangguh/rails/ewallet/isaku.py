"""iSaku. Top-ups in whole thousands of rupiah (our assumption, to be set by the contract)."""

from __future__ import annotations

from typing import Final

from tangguh.rails.ewallet.wallet import Wallet

ISAKU: Final = Wallet(
    name="isaku",
    title="iSaku",
    amount_min_minor=10_000_00,
    amount_max_minor=5_000_000_00,
    step_minor=1_000_00,
)
