"""The merchant discount rate: what a merchant of ours pays on a QRIS payment. Pure.

Source: Bank Indonesia's scheme as published in the press: micro merchants nothing up to Rp 500,000
(since 1 December 2024) and 0.3 % above; small, medium, large and regular 0.7 %; education 0.6 %;
fuel stations, public service obligation and agencies 0.4 % (later lowered: uncertain).
"""

from __future__ import annotations

from typing import Final

UMI_FREE_MAX_MINOR: Final = 500_000_00
_PER_TEN_THOUSAND: Final = {
    "UMI": 30,
    "UKE": 70,
    "UME": 70,
    "UBE": 70,
    "URE": 70,
    "PSO": 40,
    "BLU": 40,
}
_EDUCATION: Final = frozenset({"8211", "8220", "8241", "8244", "8249", "8299"})
_FUEL: Final = frozenset({"5541", "5542"})
_EDUCATION_RATE: Final = 60
_FUEL_RATE: Final = 40


def mdr_minor(amount_minor: int, criteria: str, category_code: str) -> int:
    """The discount on one payment in minor units, rounded down to the sen."""
    if criteria == "UMI" and amount_minor <= UMI_FREE_MAX_MINOR:
        return 0
    rate = _PER_TEN_THOUSAND.get(criteria, _PER_TEN_THOUSAND["URE"])
    if criteria != "UMI" and category_code in _EDUCATION:
        rate = _EDUCATION_RATE
    if criteria != "UMI" and category_code in _FUEL:
        rate = _FUEL_RATE
    return amount_minor * rate // 10_000
