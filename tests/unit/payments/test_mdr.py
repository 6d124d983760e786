"""The merchant discount table: each criterion, each exception, and how sen are rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.payments.merchant.mdr import UMI_FREE_MAX_MINOR, mdr_minor

RP1M = 1_000_000_00


@pytest.mark.parametrize(
    ("criteria", "category", "per_ten_thousand"),
    [
        ("UMI", "5499", 30),
        ("UKE", "5499", 70),
        ("UME", "5499", 70),
        ("UBE", "5499", 70),
        ("URE", "5499", 70),
        ("PSO", "5499", 40),
        ("BLU", "5499", 40),
        ("UKE", "8220", 60),
        ("UBE", "8299", 60),
        ("UKE", "5541", 40),
        ("UBE", "5542", 40),
        ("UMI", "8220", 30),
        ("UMI", "5541", 30),
        ("???", "5499", 70),
        ("", "", 70),
    ],
)
def test_the_rate(criteria: str, category: str, per_ten_thousand: int) -> None:
    assert mdr_minor(RP1M, criteria, category) == RP1M * per_ten_thousand // 10_000


def test_micro_merchants_pay_nothing_up_to_half_a_million() -> None:
    assert UMI_FREE_MAX_MINOR == 500_000_00
    assert mdr_minor(UMI_FREE_MAX_MINOR, "UMI", "5499") == 0
    assert mdr_minor(UMI_FREE_MAX_MINOR + 1, "UMI", "5499") == 1_500_00
    assert mdr_minor(UMI_FREE_MAX_MINOR, "UKE", "5499") == 3_500_00


@given(
    st.integers(0, 10_000_000_00),
    st.sampled_from(["UMI", "UKE", "UME", "UBE", "URE", "PSO", "BLU", ""]),
    st.sampled_from(["5499", "8220", "5541"]),
)
def test_never_rounded_up_and_never_above_the_highest_rate(
    minor: int, criteria: str, category: str
) -> None:
    discount = mdr_minor(minor, criteria, category)
    assert 0 <= discount * 10_000 <= minor * 70
    assert discount <= mdr_minor(minor + 10_000, criteria, category), "more paid, no less taken"
