from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.workdays import (
    add_workdays,
    end_of_workday,
    holiday_of,
    is_known,
    is_workday,
    workdays_between,
)

DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 1))


def test_five_working_days_after_the_incident_end_on_14_april() -> None:
    """29 Mar 2025 is a Saturday and a holiday; banks work again from 8 April."""
    assert add_workdays(date(2025, 3, 29), 5) == date(2025, 4, 14)
    assert holiday_of(date(2025, 4, 7)) == "Eid al-Fitr Joint Holiday"


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 3, 27), True),
        (date(2025, 3, 28), False),  # joint holiday
        (date(2025, 3, 29), False),  # Saturday, and Nyepi
        (date(2025, 4, 7), False),
        (date(2025, 4, 8), True),
        (date(2026, 8, 17), False),  # independence
    ],
)
def test_which_days_banks_work(day: date, works: bool) -> None:
    assert is_workday(day) is works


def test_a_deadline_is_the_last_second_of_its_day_in_jakarta() -> None:
    late = datetime(2025, 4, 8, 17, 30, tzinfo=UTC)  # already the 9th in Jakarta
    assert end_of_workday(late, 1) == datetime(2025, 4, 10, 16, 59, 59, tzinfo=UTC)


def test_a_year_without_decreed_joint_holidays_says_so() -> None:
    assert is_known(2025)
    assert not is_known(2090)


@given(DAYS, st.integers(0, 30))
def test_adding_and_counting_agree(day: date, count: int) -> None:
    later = add_workdays(day, count)
    assert workdays_between(day, later) == count
    assert workdays_between(later, day) == -count
    assert count == 0 or is_workday(later)
