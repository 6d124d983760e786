"""The only source of time: UTC instants and Jakarta business dates, injectable (ADR-0008).

Indonesia's western zone (WIB, Asia/Jakarta) is UTC+7 and has had no daylight saving since 1964,
so a business date is a fixed offset away; no time-zone file is needed to post money.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from time import monotonic
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

    async def sleep(self, seconds: float) -> None:
        """Give way for that many of this clock's seconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()

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
