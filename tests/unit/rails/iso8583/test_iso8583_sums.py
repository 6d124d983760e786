"""What a reversal says of money, against its original: a sum is never read in a guessed currency."""

from __future__ import annotations

import msgspec
import pytest

from tangguh.core.money import Money
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.inbound.money import SumsSaid, differing_sum

RUPIAH, DOLLARS = "360", "840"
CHARGED, NOTHING = Money(160_000_000), Money(0)
ABROAD = f"{10_000:012d}{DOLLARS}"
"""Of the original: USD 100.00 came out, Rp1.600.000 was charged."""
WHOLE = SumsSaid(
    paid_out=f"{10_000:012d}", unit=DOLLARS, settled="", settled_unit="", billed="", billed_unit="",
    replaced="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({}, ""),
        ({"unit": ""}, ""),
        ({"replaced": f"{6_000:012d}"}, ""),
        ({"replaced": f"{6_000:012d}", "unit": ""}, "currency"),
        ({"unit": RUPIAH}, "currency"),
    ],
)
def test_what_came_out_abroad_is_said_in_the_money_it_came_out_in(
    changes: dict[str, str], differs: str
) -> None:
    """Sixty of a hundred dollars are not sixty rupiah because DE49 was left out."""
    said = msgspec.structs.replace(WHOLE, **changes)
    assert differing_sum(said, CHARGED, NOTHING, ABROAD, Dialect()) == differs


def test_a_billed_sum_without_its_currency_says_no_more_than_one_that_is_left_out() -> None:
    """DE6 without DE51: the account's own money, as DE4 without DE49 is the original's."""
    minor = f"{160_000_000:012d}"
    said = msgspec.structs.replace(WHOLE, paid_out=minor, unit=RUPIAH, billed=minor)
    assert differing_sum(said, CHARGED, NOTHING, "", Dialect()) == ""
