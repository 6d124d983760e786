"""Settlement cycles: a Jakarta day is cut without gap or overlap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import JAKARTA
from tangguh.core.cycle import cycle_of, cycles_of

DAY = date(2026, 3, 20)
TWO = ("12:00", "24:00")


@st.composite
def cut_offs(draw: st.DrawFn) -> tuple[str, ...]:
    """Rising times of day that end with midnight."""
    minutes = sorted(draw(st.sets(st.integers(1, 24 * 60 - 1), max_size=8)))
    return (*(f"{at // 60:02d}:{at % 60:02d}" for at in minutes), "24:00")


def test_two_cycles_of_a_day() -> None:
    first, second = cycles_of(DAY, TWO)
    assert (first.day, first.number, second.number) == (DAY, 1, 2)
    assert first.starts_at == datetime(2026, 3, 19, 17, tzinfo=UTC)
    assert first.ends_at == second.starts_at == datetime(2026, 3, 20, 5, tzinfo=UTC)
    assert second.ends_at == datetime(2026, 3, 20, 17, tzinfo=UTC)


def test_the_cut_off_itself_belongs_to_the_next() -> None:
    noon = datetime(2026, 3, 20, 12, tzinfo=JAKARTA)
    assert cycle_of(noon - timedelta(microseconds=1), TWO).number == 1
    assert cycle_of(noon, TWO).number == 2
    midnight = datetime(2026, 3, 21, tzinfo=JAKARTA)
    assert (cycle_of(midnight, TWO).day, cycle_of(midnight, TWO).number) == (date(2026, 3, 21), 1)


@given(cut_offs(), st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_a_days_cycles_fill_the_day(offs: tuple[str, ...], day: date) -> None:
    found = cycles_of(day, offs)
    assert [one.number for one in found] == list(range(1, len(offs) + 1))
    assert found[-1].ends_at - found[0].starts_at == timedelta(days=1)
    assert found[0].starts_at == datetime(day.year, day.month, day.day, tzinfo=JAKARTA)
    for one, following in pairwise(found):
        assert one.ends_at == following.starts_at
        assert one.starts_at < one.ends_at


@given(cut_offs(), st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))
def test_every_instant_has_one_cycle(offs: tuple[str, ...], naive: datetime) -> None:
    instant = naive.replace(tzinfo=UTC)
    found = cycle_of(instant, offs)
    assert found.starts_at <= instant < found.ends_at
    holding = [one for one in cycles_of(found.day, offs) if one.starts_at <= instant < one.ends_at]
    assert holding == [found]


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("12:00",),
        ("24:00", "12:00"),
        ("12:00", "12:00", "24:00"),
        ("12:60", "24:00"),
        ("noon", "24:00"),
        ("-1:00", "24:00"),
        ("12", "24:00"),
        ("24:00", "25:00"),
    ],
)
def test_what_is_no_day(wrong: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="cut-off"):
        cycles_of(DAY, wrong)
