"""When those who are turned away are to come back: one after another, never all at once.

Everybody told "in one second" comes back in the same second, and is turned away again. So each is
told the next free place in time, as far apart as they can be served.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from tangguh.core.clock import Clock

SECONDS_MAX: Final = 60.0
_FIRST: Final = 1


class Spread:
    """Hands out places in time. What was handed out passes by itself, used or not."""

    def __init__(self, clock: Clock, *, seconds_max: float = SECONDS_MAX) -> None:
        self._clock = clock
        self._most = seconds_max
        self._next = 0.0

    def seconds(self, each: float) -> int:
        """Whole seconds from now, at least one; ``each``: the seconds one of them takes.

        When the time is full the later half is handed out again: who asks for many places moves
        nobody further away than ``seconds_max``.
        """
        now = self._clock.monotonic()
        self._next = max(self._next, now) + each
        if self._next > now + self._most:
            self._next -= self._most / 2
        return max(_FIRST, ceil(self._next - now))
