"""Virtual accounts of companies: closed, open or in parts, as each company chose."""

from __future__ import annotations

from typing import Final

from tangguh.rails.billers.biller import Biller

VIRTUAL_ACCOUNT: Final = Biller(
    name="va", title="Virtual account", service_id="88001", customer_no=r"[0-9]{6,20}"
)
