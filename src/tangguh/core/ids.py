"""Identifiers: time-ordered UUIDv7 (RFC 9562 §5.7), made from an injected clock and seed.

Time-ordered ids keep index inserts at the right-hand edge; a random id touches a page per row.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from tangguh.core.clock import Clock

_VERSION_7 = 7 << 76
_VARIANT = 2 << 62
_RANDOM_BITS = 74
_LOW_62 = (1 << 62) - 1


class Ids:
    """Makes ids that never go backwards within a process, even when the clock does."""

    def __init__(self, clock: Clock, source: random.Random | None = None) -> None:
        self._clock = clock
        # Ids are no secrets: a generator seeded by the system is enough, and needs no system call.
        self._random = source if source is not None else random.Random()  # noqa: S311
        self._last = 0

    def next(self) -> UUID:
        """A fresh UUIDv7, greater than every earlier one from this maker."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        candidate = (milliseconds << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
        if candidate <= self._last:
            candidate = self._last + 1 + self._random.getrandbits(32)
        self._last = candidate
        return _as_uuid7(candidate)


def _as_uuid7(ordered: int) -> UUID:
    """Spread 122 ordered bits around RFC 9562's version and variant fields."""
    milliseconds, rest = divmod(ordered, 1 << _RANDOM_BITS)
    high, low = rest >> 62, rest & _LOW_62
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (high << 64) | _VARIANT | low)
