"""Signals that are not payments: counted by name and key, with a threshold each. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.bounded import Recent
from tangguh.guard.closure import SignalClass

_KEYS_MAX: Final = 10_000


class Threshold(msgspec.Struct, frozen=True):
    """So many within so many seconds make a signal of this class."""

    name: str
    count: int
    seconds: int
    signal_class: SignalClass


THRESHOLDS: Final[dict[str, Threshold]] = {
    one.name: one
    for one in (
        Threshold("login.failed", 30, 60, SignalClass.ABUSE),
        Threshold("staff.denied", 3, 600, SignalClass.CONTROL),
        Threshold("glass.broken", 1, 1, SignalClass.CONTROL),
        Threshold("clock.offset", 1, 1, SignalClass.CONTROL),
        Threshold("message.unauthorised", 1, 1, SignalClass.INTEGRITY),
        Threshold("mark.broken", 1, 1, SignalClass.INTEGRITY),
        Threshold("row.differs", 1, 1, SignalClass.INTEGRITY),
        Threshold("chain.broken", 1, 1, SignalClass.INTEGRITY),
        Threshold("row.unreadable", 1, 1, SignalClass.INTEGRITY),
        Threshold("store.unsafe", 1, 1, SignalClass.INTEGRITY),
        Threshold("pulse.blind", 1, 1, SignalClass.INTEGRITY),
    )
}


_SAID_AGE_MAX: Final = timedelta(seconds=max(one.seconds for one in THRESHOLDS.values()))


class Tally:
    """Counts of the last while; ``add`` says when a threshold is reached, once per window."""

    def __init__(self) -> None:
        self._times: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()
        self._said: Recent[tuple[str, str], datetime] = Recent(_KEYS_MAX, _SAID_AGE_MAX)

    def add(self, name: str, key: str, now: datetime) -> Threshold | None:
        """Count one; the threshold when this one reaches it."""
        threshold = THRESHOLDS[name]
        place = (name, key)
        times = self._times.setdefault(place, deque(maxlen=threshold.count))
        self._times.move_to_end(place)
        if len(self._times) > _KEYS_MAX:
            self._times.popitem(last=False)
        times.append(now)
        span = timedelta(seconds=threshold.seconds)
        if len(times) < threshold.count or now - times[0] > span:
            return None
        said = self._said.get(place, now)
        if said is not None and now - said <= span:
            return None
        self._said.keep(place, now, now)
        return threshold
