"""Taxes by billing code of fifteen digits, which runs out on its day."""

from __future__ import annotations

from typing import Final

from tangguh.rails.billers.biller import Biller

TAX: Final = Biller(name="tax", title="Pajak", service_id="30001", customer_no=r"[0-9]{15}")
