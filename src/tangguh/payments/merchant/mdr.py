"""The merchant discount rate: what a merchant of ours pays on a QRIS payment. Pure.

Source: Bank Indonesia's scheme as published in the press: micro merchants nothing up to Rp 500,000
(since 1 December 2024) and 0.3 % above; small, medium, large and regular 0.7 %; education 0.6 %;
fuel stations, public service obligation and agencies 0.4 % (later lowered: uncertain).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from tangguh.core.service import IN_QRIS, QRIS_ONUS, QRIS_SERVER, QRIS_TOURIST

if TYPE_CHECKING:
    from tangguh.payments.tariff import Change

UMI_FREE_MAX_MINOR: Final = 500_000_00
MICRO: Final = "UMI"
PER_TEN_THOUSAND_MAX: Final = 10_000
DISCOUNTED: Final = frozenset({QRIS_ONUS, QRIS_SERVER, QRIS_TOURIST, IN_QRIS})
"""The services on which a merchant of ours pays the discount."""
_EDUCATION: Final = ("8211", "8220", "8241", "8244", "8249", "8299")
_FUEL: Final = ("5541", "5542")


class Discount(msgspec.Struct, frozen=True):
    """A rate in parts of ten thousand, and up to which amount nothing is taken, in minor units."""

    per_ten_thousand: int
    free_max_minor: int = 0


DEFAULT_DISCOUNTS: Final[dict[str, Discount]] = {
    MICRO: Discount(30, UMI_FREE_MAX_MINOR),
    "UKE": Discount(70),
    "UME": Discount(70),
    "UBE": Discount(70),
    "URE": Discount(70),
    "PSO": Discount(40),
    "BLU": Discount(40),
    **{f"category/{code}": Discount(60) for code in _EDUCATION},
    **{f"category/{code}": Discount(40) for code in _FUEL},
}
"""What a new book begins with: by criteria, and by category for all but micro merchants."""


def mdr_minor(
    amount_minor: int,
    criteria: str,
    category_code: str,
    discounts: Mapping[str, Discount] = DEFAULT_DISCOUNTS,
) -> int:
    """The discount on one payment in minor units, rounded down to the sen; 0 to the amount."""
    rate = discounts.get(criteria) or discounts["URE"]
    if criteria != MICRO:
        rate = discounts.get(f"category/{category_code}", rate)
    if amount_minor <= rate.free_max_minor:
        return 0
    return amount_minor * rate.per_ten_thousand // PER_TEN_THOUSAND_MAX


def discounts_in_force(changes: Iterable[Change]) -> dict[str, Discount]:
    """The discounts after these changes, oldest first."""
    found = dict(DEFAULT_DISCOUNTS)
    for change in changes:
        if change.kind == "discount":
            found[change.name] = msgspec.json.decode(change.value, type=Discount)
    return found
