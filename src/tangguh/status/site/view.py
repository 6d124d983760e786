"""What the page is made from: the bank's last word, its age, the stories and days remembered. Pure.

Nothing here asks the bank anything: with the bank dead all of it is still there, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.clock import business_date
from tangguh.status.component import Condition, Reach, worst_of
from tangguh.status.incident import IncidentState
from tangguh.status.snapshot import PublicComponent, PublicIncident, PublicStatus

UNREACHABLE: Final = "unreachable"
UNKNOWN: Final = "unknown"
DAYS: Final = 90
OPEN_SHOWN: Final = 5
"""So many open incidents are told on the first page; the others are linked."""
RECENT_SHOWN: Final = 5


class Silence(StrEnum):
    """Whether the bank answers: it does, not for some seconds, not for so long that it is down."""

    NONE = "none"
    SHORT = "short"
    DOWN = "down"


class Day(msgspec.Struct, frozen=True):
    """One Jakarta day of one component: seconds by condition, or ``unreachable``."""

    day: date
    seconds: dict[str, int]

    @property
    def worst(self) -> str:
        """The worst of the day; ``unreachable`` when nothing else is known, ``unknown``: no data.

        A service is not blamed for a bank that could not be reached: that is told by itself.
        """
        seen = [Condition(one) for one, spent in self.seconds.items() if one != UNREACHABLE]
        bad = [one for one in seen if self.seconds[one] > 0 and one is not Condition.OPERATIONAL]
        if bad:
            return str(worst_of(bad))
        if self.seconds.get(UNREACHABLE, 0) > 0:
            return UNREACHABLE
        return str(Condition.OPERATIONAL) if any(self.seconds.values()) else UNKNOWN


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown. ``status`` None: nothing was ever heard.

    ``silent_since``: since when the bank gives nothing new. ``stories``: every incident remembered.
    ``days`` by component, oldest first. ``public_url``: where the page is found, for feeds.
    """

    now: datetime
    status: PublicStatus | None
    silence: Silence = Silence.NONE
    silent_since: datetime | None = None
    stories: tuple[PublicIncident, ...] = ()
    days: Mapping[str, Sequence[Day]] = {}
    public_url: str = ""
    refresh_seconds: int = 60

    @property
    def components(self) -> tuple[PublicComponent, ...]:
        """Every component as last heard."""
        return () if self.status is None else self.status.components

    @property
    def overall(self) -> str:
        """The one word for the whole bank: the worst of its components, or that it is away."""
        if self.status is None or self.silence is not Silence.NONE:
            return UNREACHABLE
        return str(worst_of(one.condition for one in self.components))

    @property
    def good(self) -> int:
        """How many components work fully."""
        return sum(one.condition is Condition.OPERATIONAL for one in self.components)

    def reaching(self, reach: Reach) -> tuple[PublicComponent, ...]:
        """The components that can be used so far."""
        return tuple(one for one in self.components if one.reach is reach)

    @property
    def ongoing(self) -> tuple[PublicIncident, ...]:
        """Incidents whose service is not restored or whose money is open: the late ones first."""
        found = [one for one in self.stories if one.state.owes_word]
        restored = IncidentState.SERVICE_RESTORED
        found.sort(key=lambda one: (one.state is restored, not one.major, one.begun_at))
        return tuple(found)

    @property
    def past(self) -> tuple[PublicIncident, ...]:
        """Incidents that are closed, the newest first."""
        found = [one for one in self.stories if not one.state.owes_word]
        return tuple(sorted(found, key=lambda one: (one.begun_at, one.id), reverse=True))

    @property
    def next_word_at(self) -> datetime | None:
        """The earliest word that is owed."""
        due = [one.next_update_at for one in self.ongoing]
        return min((one for one in due if one is not None), default=None)


def filled(days: Sequence[Day], now: datetime) -> tuple[Day, ...]:
    """The last ninety days up to today, those without a row as days without data."""
    known = {one.day: one for one in days}
    today = business_date(now)
    wanted = (today - timedelta(days=DAYS - 1 - number) for number in range(DAYS))
    return tuple(known.get(one, Day(one, {})) for one in wanted)


def good_share(days: Sequence[Day]) -> int | None:
    """Basis points of the known time that was operational, rounded down; None: nothing is known."""
    good = known = 0
    for one in days:
        for condition, spent in one.seconds.items():
            if condition != UNREACHABLE:
                known += spent
                good += spent if condition == Condition.OPERATIONAL else 0
    return good * 10_000 // known if known else None
