"""GoPay. A status call makes sense ten minutes after the send (Midtrans, SNAP guide)."""

from __future__ import annotations

from typing import Final

from tangguh.rails.ewallet.wallet import Wallet

GOPAY: Final = Wallet(
    name="gopay",
    title="GoPay",
    amount_min_minor=10_000_00,
    amount_max_minor=20_000_000_00,
    patience_seconds=600.0,
)
