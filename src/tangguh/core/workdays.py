"""Working days of Indonesian banks, and deadlines counted in them. Pure.

A working day is Monday to Friday and neither a national holiday nor a joint holiday (cuti bersama),
which banks keep too. The calendar comes from the ``holidays`` library; a year it does not know yet
has its weekends only, and ``is_known`` says so. Deadlines are told as dates, never as "3 days".
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import holidays

from tangguh.core.clock import JAKARTA

_SATURDAY: Final = 5
_LAST_SECOND: Final = time(23, 59, 59)


@lru_cache(maxsize=32)
def _holidays_of(year: int) -> dict[date, str]:
    found = holidays.country_holidays("ID", years=year, categories=("public", "government"))
    return dict(found.items())


def holiday_of(day: date) -> str:
    """What is kept that day; empty for a day that is no holiday."""
    return _holidays_of(day.year).get(day, "")


def is_known(year: int) -> bool:
    """Whether the year's joint holidays are decreed, which is when the calendar has one."""
    return any("Joint" in name for name in _holidays_of(year).values())


def is_workday(day: date) -> bool:
    """Whether banks work that day."""
    return day.weekday() < _SATURDAY and not holiday_of(day)


def add_workdays(day: date, count: int) -> date:
    """The date ``count`` working days after ``day``, which is itself not counted."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def workdays_between(start: date, end: date) -> int:
    """How many working days lie after ``start`` up to and with ``end``; negative if past."""
    if end < start:
        return -workdays_between(end, start)
    days = (end - start).days
    return sum(is_workday(start + timedelta(days=number)) for number in range(1, days + 1))


def end_of_workday(start: datetime, count: int) -> datetime:
    """The last second, by Jakarta's clock, of the day ``count`` working days after an instant."""
    last = add_workdays(start.astimezone(JAKARTA).date(), count)
    return datetime.combine(last, _LAST_SECOND, tzinfo=JAKARTA).astimezone(start.tzinfo)
