"""Water: one bill a month, paid whole."""

from __future__ import annotations

from typing import Final

from tangguh.rails.billers.biller import Biller

WATER: Final = Biller(name="water", title="Air", service_id="20001", customer_no=r"[0-9]{6,10}")
