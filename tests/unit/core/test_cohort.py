"""Cohorts are nested, even and stable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.cohort import is_let_in, place_of

SALTS, CUSTOMERS = st.text(max_size=20), st.integers(0, 2**62)


@given(SALTS, CUSTOMERS, st.integers(0, 1000), st.integers(0, 1000))
def test_who_is_let_in_stays_in_when_more_are(salt: str, who: int, one: int, two: int) -> None:
    few, many = sorted((one, two))
    assert not is_let_in(salt, who, few) or is_let_in(salt, who, many)


@given(SALTS, CUSTOMERS)
def test_nobody_at_nought_everybody_at_a_thousand(salt: str, who: int) -> None:
    assert not is_let_in(salt, who, 0)
    assert is_let_in(salt, who, 1000)


def test_a_permille_is_about_a_permille() -> None:
    """And another closure begins with other customers."""
    for permille in (1, 10, 50, 250, 500):
        share = sum(is_let_in("salt", one, permille) for one in range(100_000)) / 100_000
        assert abs(share - permille / 1000) < 0.004
    first = {one for one in range(100_000) if is_let_in("one", one, 10)}
    second = {one for one in range(100_000) if is_let_in("two", one, 10)}
    assert len(first & second) < 50


def test_a_place_never_changes() -> None:
    """Known values: a new version of the bank must not shuffle who is in."""
    assert [place_of("closure-1", one) for one in (1, 2, 3, 17)] == [847, 378, 440, 624]
