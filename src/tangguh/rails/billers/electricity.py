"""Electricity: postpaid bills of one or several months, and prepaid tokens of twenty digits.

The forms are the public ones (customer number of twelve digits, meter number of eleven, fixed
nominals); the service numbers are invented for the simulator and belong to the contract.
"""

from __future__ import annotations

from typing import Final

from tangguh.rails.billers.biller import Biller

POSTPAID: Final = Biller(
    name="electricity", title="Listrik pascabayar", service_id="10001", customer_no=r"[0-9]{12}"
)
PREPAID: Final = Biller(
    name="prepaid",
    title="Token listrik",
    service_id="10002",
    customer_no=r"[0-9]{11,12}",
    nominals_minor=(
        20_000_00,
        50_000_00,
        100_000_00,
        200_000_00,
        500_000_00,
        1_000_000_00,
    ),
    gives_token=True,
)
