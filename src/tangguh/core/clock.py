"""The only source of time: UTC instants and Jakarta business dates, injectable (ADR-0008).

Indonesia's western zone (WIB, Asia/Jakarta) is UTC+7 and has had no daylight saving since 1964,
so a business date is a fixed offset away; no time-zone file is needed to post money.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol

JAKARTA: Final = timezone(timedelta(hours=7), "WIB")


class Clock(Protocol):
    """What the bank asks of time. Real in production, moved by hand in tests and simulation."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, for durations only."""
        ...

    def offset(self) -> float:
        """Seconds the machine's wall clock is ahead of this one: not zero after it was set."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give way for that many of this clock's seconds."""
        ...


FOLLOWED_SECONDS: Final = 1.0
"""So far the wall clock may move between two readings as time servers move it, and is followed."""
PAUSED_SECONDS: Final = 900.0
"""A wall clock that has been ahead by the same for so long is believed: the machine was paused."""


def _wall() -> datetime:
    return datetime.now(UTC)


_COUNTER: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _elapsed() -> float:
    """Seconds that never jump, those of a sleeping machine included where it counts them."""
    return time.clock_gettime(_COUNTER)


class SystemClock:
    """The machine's time, which goes on evenly when its wall clock is set.

    A jump is not followed, forward or back: every time and date of the book, every schedule and
    every deadline would jump with it. ``offset`` tells of it; people find out which clock is right.
    """

    def __init__(
        self, wall: Callable[[], datetime] = _wall, elapsed: Callable[[], float] = _elapsed
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._anchor, self._anchored = wall(), elapsed()
        self._newest = self._anchor
        self._offset = 0.0
        self._jumped: float | None = None

    def now(self) -> datetime:
        elapsed, wall = self._elapsed(), self._wall()
        passed = elapsed - self._anchored
        offset = (wall - self._anchor).total_seconds() - passed
        if self._is_followed(offset, elapsed):
            self._anchor, self._anchored, self._offset, even = wall, elapsed, 0.0, wall
        else:
            self._offset, even = offset, self._anchor + timedelta(seconds=passed)
        if even > self._newest:
            self._newest = even
        return self._newest

    def offset(self) -> float:
        self.now()
        return self._offset

    def monotonic(self) -> float:
        return time.monotonic()

    def _is_followed(self, offset: float, elapsed: float) -> bool:
        if abs(offset) <= FOLLOWED_SECONDS:
            self._jumped = None
            return True
        if self._jumped is None or abs(offset - self._offset) > FOLLOWED_SECONDS:
            self._jumped = elapsed
        if offset > 0 and elapsed - self._jumped >= PAUSED_SECONDS:
            self._jumped = None
            return True
        return False

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class HandClock:
    """A clock moved by hand; sleepers wake when it passes them. For tests and simulation."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def offset(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, waker))
        await waker

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an operator or a time server may."""
        self._now += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Move time forward and wake whoever was waiting for it."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
        waiting: list[tuple[float, asyncio.Future[None]]] = []
        for due, waker in self._sleepers:
            if due > self._elapsed:
                waiting.append((due, waker))
            elif not waker.done():
                waker.set_result(None)
        self._sleepers = waiting


def business_date(instant: datetime) -> date:
    """The Jakarta calendar day of an instant: the day limits, fees and books are counted in."""
    return instant.astimezone(JAKARTA).date()
