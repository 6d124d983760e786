"""Settlement cycles: the stretches of a Jakarta day that networks net and settle together. Pure.

A network's cut-offs are times of day in Jakarta, rising, such as ("12:00", "24:00"): cycle 1 ends
at noon, cycle 2 at midnight. A day always ends with a cut-off at 24:00.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import msgspec

from tangguh.core.clock import JAKARTA


class Cycle(msgspec.Struct, frozen=True):
    """One cycle of one day: number from 1, and the instants from which and before which it runs."""

    day: date
    number: int
    starts_at: datetime
    ends_at: datetime


def cycles_of(day: date, cut_offs: tuple[str, ...]) -> tuple[Cycle, ...]:
    """The day's cycles in order. ValueError when the cut-offs do not rise to 24:00."""
    minutes = [_minutes(text) for text in cut_offs]
    if not minutes or minutes != sorted(set(minutes)) or minutes[-1] != 24 * 60:
        raise ValueError("cut-offs rise and end with 24:00")
    midnight = datetime.combine(day, time(), JAKARTA)
    begins = [0, *minutes[:-1]]
    return tuple(
        Cycle(day, number, midnight + timedelta(minutes=begin), midnight + timedelta(minutes=end))
        for number, (begin, end) in enumerate(zip(begins, minutes, strict=True), start=1)
    )


def cycle_of(instant: datetime, cut_offs: tuple[str, ...]) -> Cycle:
    """The cycle an instant falls into; one at the very cut-off belongs to the next."""
    day = instant.astimezone(JAKARTA).date()
    return next(one for one in cycles_of(day, cut_offs) if instant < one.ends_at)


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
        raise ValueError(f"a cut-off is HH:MM, not {text!r}")
    return int(hours) * 60 + int(minutes)
