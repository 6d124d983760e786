"""What the page is made from: the bank's last word, its age, the stories and days remembered. Pure.

Nothing here asks the bank anything: with the bank dead all of it is still there, and says so. Each
fact is as old as the bank says it is, and as long ago as the bank was heard: a fresh word about old
facts is an old word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.clock import business_date
from tangguh.status.component import Condition, Reach, Why, worst_of
from tangguh.status.incident import IncidentState
from tangguh.status.snapshot import Assurance, PublicComponent, PublicIncident, PublicStatus

UNREACHABLE: Final = "unreachable"
UNKNOWN: Final = "unknown"
DAYS: Final = 90
OPEN_SHOWN: Final = 5
"""So many open incidents are told on the first page; the others are linked."""
RECENT_SHOWN: Final = 5


class Silence(StrEnum):
    """Whether the bank answers and knows: it does; not for some seconds; not for so long that it is
    down; it answers and has not looked at its own services.
    """

    NONE = "none"
    SHORT = "short"
    BLIND = "blind"
    DOWN = "down"


NOT_KNOWN: Final = frozenset({UNREACHABLE, UNKNOWN, str(Condition.NOT_MEASURED)})
"""Conditions of which nobody knows whether they were good or bad."""
LOOK_AGE_MAX: Final = timedelta(seconds=15)
"""The bank looks every five seconds; older than this, it no longer does."""
READ_AGE_MAX: Final = timedelta(seconds=20)
"""Closures and incidents read from the book longer ago than this are of the past."""
FACT_AGE_MAX: Final = timedelta(minutes=4)
"""A good word about a service rests on a fact no older: the window of outcomes, and some."""


class Day(msgspec.Struct, frozen=True):
    """One Jakarta day of one component: seconds by condition, or by why there is none.

    ``by``: of the seconds of which a condition is known, by what it was judged by (``Why``).
    """

    day: date
    seconds: dict[str, int]
    by: dict[str, int] = {}

    @property
    def worst(self) -> str:
        """The worst of the day. Good only when it was measured for the greater part.

        Else why it was not: ``unreachable``, ``unknown`` or not measured; no row at all is
        ``unknown``. A service is not blamed for a bank that could not be reached: that is told by
        itself.
        """
        spent = {one: seconds for one, seconds in self.seconds.items() if seconds > 0}
        bad = [Condition(one) for one in spent if one not in NOT_KNOWN | {Condition.OPERATIONAL}]
        if bad:
            return str(worst_of(bad))
        if UNREACHABLE in spent:
            return UNREACHABLE
        good = spent.pop(Condition.OPERATIONAL, 0)
        if not spent:
            return str(Condition.OPERATIONAL) if good else UNKNOWN
        if good > sum(spent.values()):
            return str(Condition.OPERATIONAL)
        return max(spent, key=lambda one: (spent[one], one))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is shown. ``status`` None: nothing was ever heard.

    ``silent_since``: since when the bank gives nothing new; ``heard_ago``: how long ago its word
    came, by a clock that never jumps. ``stories``: every incident remembered.
    ``days`` by component, oldest first. ``public_url``: where the page is found, for feeds.
    """

    now: datetime
    status: PublicStatus | None
    silence: Silence = Silence.NONE
    silent_since: datetime | None = None
    heard_ago: timedelta = timedelta()
    stories: tuple[PublicIncident, ...] = ()
    days: Mapping[str, Sequence[Day]] = {}
    public_url: str = ""
    refresh_seconds: int = 20

    @property
    def components(self) -> tuple[PublicComponent, ...]:
        """Every component as last heard; what was good and is not known any more says so."""
        if self.status is None:
            return ()
        return tuple(
            _not_measured(one)
            if one.condition is Condition.OPERATIONAL and not self._is_of_now(one.known_at)
            else one
            for one in self.status.components
        )

    def age(self, known_at: datetime) -> timedelta:
        """How old a fact of the bank is: by its own clock, and since it was heard."""
        assert self.status is not None
        return self.status.made_at - known_at + self.heard_ago

    @property
    def unread_since(self) -> datetime | None:
        """Since when closures and incidents are not read any more; None: they are, or all is."""
        status = self.status
        if status is None or self.silence is not Silence.NONE:
            return None
        if status.read_at is None:
            return status.made_at
        return status.read_at if self.age(status.read_at) > READ_AGE_MAX else None

    @property
    def assurance(self) -> Assurance:
        """What may be said of the money: the bank's word, and only while it is of now."""
        if self.status is None or self.silence is not Silence.NONE or self.unread_since:
            return Assurance()
        return self.status.assurance

    def _is_of_now(self, known_at: datetime | None) -> bool:
        return known_at is not None and self.age(known_at) <= FACT_AGE_MAX

    @property
    def overall(self) -> str:
        """The one word for the whole bank: the worst of its components, or that it is away."""
        if self.silence is Silence.BLIND:
            return UNKNOWN
        if self.status is None or self.silence is not Silence.NONE:
            return UNREACHABLE
        return str(worst_of(one.condition for one in self.components))

    @property
    def good(self) -> int:
        """How many components work fully."""
        return sum(one.condition is Condition.OPERATIONAL for one in self.components)

    @property
    def unmeasured(self) -> int:
        """Of how many components nothing is known."""
        return sum(one.condition is Condition.NOT_MEASURED for one in self.components)

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
            if condition not in NOT_KNOWN:
                known += spent
                good += spent if condition == Condition.OPERATIONAL else 0
    return good * 10_000 // known if known else None


class Way(StrEnum):
    """How a figure of the ninety days was measured, as readers are told it."""

    PAYMENTS = "payments"
    CHECKS = "checks"
    DECISIONS = "decisions"
    NOT_KEPT = "not_kept"


_WAYS: Final = {
    Why.OUTCOMES: Way.PAYMENTS,
    Why.PROBE: Way.CHECKS,
    Why.PROTECTION: Way.DECISIONS,
    Why.PARTNER: Way.DECISIONS,
    Why.CHANGE: Way.DECISIONS,
    Why.PEOPLE: Way.DECISIONS,
}


def measured_by(days: Sequence[Day]) -> dict[Way, int]:
    """Basis points of the known time by how it was measured, each rounded down; zeros left out.

    Days from before this was written down are NOT_KEPT. Empty: nothing is known.
    """
    spent = dict.fromkeys(Way, 0)
    for one in days:
        known = sum(seconds for name, seconds in one.seconds.items() if name not in NOT_KNOWN)
        for why, seconds in one.by.items():
            counted = min(seconds, known)  # rounding: never more than there was
            spent[_WAYS[Why(why)]] += counted
            known -= counted
        spent[Way.NOT_KEPT] += known if not one.by else 0
    total = sum(spent.values())
    return {way: seconds * 10_000 // total for way, seconds in spent.items() if seconds}


def unmeasured_seconds(days: Sequence[Day]) -> int:
    """For how long nobody knew how it was, while this page was there to ask."""
    return sum(s for one in days for name, s in one.seconds.items() if name in NOT_KNOWN)


def _not_measured(one: PublicComponent) -> PublicComponent:
    return msgspec.structs.replace(one, condition=Condition.NOT_MEASURED, reach=Reach.UNKNOWN)


def looked_lately(status: PublicStatus, heard_ago: timedelta) -> bool:
    """Whether the bank had judged its components lately when it spoke, and spoke lately."""
    looked_at = status.looked_at
    return looked_at is not None and status.made_at - looked_at + heard_ago <= LOOK_AGE_MAX
