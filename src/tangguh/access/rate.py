"""How often somebody may ask: a token bucket per key, in memory. Pure but for the clock given.

Rule of the house: every limit has a unit. The buckets are per process, so the real ceiling is the
setting times the number of processes.
"""

from __future__ import annotations

from tangguh.core.clock import Clock


class Rate:
    """At most ``burst`` at once and ``per_minute`` over time, for each key."""

    def __init__(
        self, clock: Clock, *, burst: int, per_minute: int, keys_max: int = 100_000
    ) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._per_second = per_minute / 60.0
        self._keys_max = keys_max
        self._buckets: dict[str, tuple[float, float]] = {}

    def seconds_until_allowed(self, key: str) -> float:
        """Take one turn: 0.0 when allowed now, else how long to wait (and no turn is taken)."""
        now = self._clock.monotonic()
        tokens, at = self._buckets.get(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        if tokens < 1.0:
            self._buckets[key] = (tokens, now)
            return (1.0 - tokens) / self._per_second
        if len(self._buckets) >= self._keys_max:
            self._buckets.clear()
        self._buckets[key] = (tokens - 1.0, now)
        return 0.0
