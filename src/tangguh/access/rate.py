"""How often somebody may ask, and how long they wait after guessing wrong; per key, in memory.

Rule of the house: every limit has a unit. Both are per process, so the real ceiling is the setting
times the number of processes. Of too many keys the one unheard of longest is forgotten, never all:
else whoever brings enough keys would free everybody, themselves first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from tangguh.core.clock import Clock

_KEYS_MAX: Final = 100_000


class Rate:
    """At most ``burst`` at once and ``per_minute`` over time, for each key."""

    def __init__(
        self, clock: Clock, *, burst: int, per_minute: int, keys_max: int = _KEYS_MAX
    ) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._per_second = per_minute / 60.0
        self._keys_max = keys_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_until_allowed(self, key: str) -> float:
        """Take one turn: 0.0 when allowed now, else how long to wait (and no turn is taken)."""
        now = self._clock.monotonic()
        tokens, at = self._buckets.get(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        wait = 0.0 if tokens >= 1.0 else (1.0 - tokens) / self._per_second
        self._buckets[key] = (tokens if wait else tokens - 1.0, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._keys_max:
            self._buckets.popitem(last=False)
        return wait


class Backoff:
    """Each wrong guess above ``free`` doubles the wait, from ``first`` to ``most`` seconds.

    A right one in between forgives nothing: guesses are forgotten only when there was none for
    ``memory`` seconds. So four guesses, a success and four more are eight.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        free: int,
        first: float,
        most: float,
        memory: float,
        keys_max: int = _KEYS_MAX,
    ) -> None:
        self._clock = clock
        self._free = free
        self._first = first
        self._most = most
        self._memory = memory
        self._keys_max = keys_max
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def seconds_until_allowed(self, key: str) -> float:
        """How long this key has to wait; 0.0 when it need not. Takes nothing."""
        count, at = self._wrong.get(key, (0, 0.0))
        since = self._clock.monotonic() - at
        if count <= self._free or since > self._memory:
            return 0.0
        return max(0.0, self.seconds_after(count) - since)

    def seconds_after(self, count: int) -> float:
        """How long the wait after so many wrong guesses is."""
        if count <= self._free:
            return 0.0
        return min(self._first * 2.0 ** min(count - self._free - 1, 40), self._most)

    def right(self, key: str) -> None:
        """The guess counted last was right: it does not count, those before it still do."""
        count, at = self._wrong.get(key, (0, 0.0))
        if count > 1:
            self._wrong[key] = (count - 1, at)
        else:
            self._wrong.pop(key, None)

    def failed(self, key: str) -> None:
        """Count a guess as wrong: before it is judged, so that many at once are counted too."""
        now = self._clock.monotonic()
        count, at = self._wrong.get(key, (0, now))
        self._wrong[key] = (1 if now - at > self._memory else count + 1, now)
        self._wrong.move_to_end(key)
        while len(self._wrong) > self._keys_max:
            self._wrong.popitem(last=False)
