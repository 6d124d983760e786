"""School fees: may be paid in parts, down to what the school asks at least."""

from __future__ import annotations

from typing import Final

from tangguh.rails.billers.biller import Biller

SCHOOL: Final = Biller(
    name="school", title="Biaya sekolah", service_id="40001", customer_no=r"[0-9]{8,12}"
)
