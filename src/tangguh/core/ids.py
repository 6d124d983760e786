"""Identifiers: time-ordered UUIDv7 (RFC 9562 §5.7), made from an injected clock and seed.

Time-ordered ids keep index inserts at the right-hand edge; a random id touches a page per row.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from tangguh.core.clock import Clock

_RANDOM_BITS = 74
_LOW_12 = (1 << 12) - 1
_LOW_62 = (1 << 62) - 1
_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)


def _standard(sixteen: bytes) -> UUID:
    return UUID(bytes=sixteen)


class Ids:
    """Makes ids that never go backwards within a process, even when the clock does.

    ``make`` makes a UUID of 16 bytes: the standard library's own, or a quicker one that equals it.
    """

    def __init__(
        self,
        clock: Clock,
        source: random.Random | None = None,
        make: Callable[[bytes], UUID] = _standard,
    ) -> None:
        self._clock = clock
        # Ids are no secrets: a generator seeded by the system is enough, and needs no system call.
        self._random = source if source is not None else random.Random()  # noqa: S311
        self._make = make
        self._last = 0
        self._at: datetime | None = None
        self._milliseconds = 0

    def next(self, at: datetime | None = None) -> UUID:
        """A fresh UUIDv7, greater than every earlier one from this maker.

        ``at`` is the time it tells, where the caller has just read it; else it is read now.
        """
        if at is None or at is not self._at:
            self._at = at or self._clock.now()
            self._milliseconds = int(self._at.timestamp() * 1000)
        milliseconds = self._milliseconds
        candidate = (milliseconds << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
        if candidate <= self._last:
            candidate = self._last + 1 + self._random.getrandbits(32)
        self._last = candidate
        return self._make(_as_uuid7(candidate).to_bytes(16, "big"))


def first_at(instant: datetime) -> UUID:
    """No id made at this instant or later is smaller."""
    return UUID(int=_as_uuid7(int(instant.timestamp() * 1000) << _RANDOM_BITS))


def _as_uuid7(ordered: int) -> int:
    """Spread 122 ordered bits around RFC 9562's version and variant fields."""
    milliseconds = ordered >> _RANDOM_BITS
    high, low = (ordered >> 62) & _LOW_12, ordered & _LOW_62
    return (milliseconds << 80) | _VERSION_AND_VARIANT | (high << 64) | low
