"""Turns at something that costs much: so many at once, a bounded number waiting, payers first.

Whoever is turned away is told when to come back (``core.spread``). Whoever has gone, or has waited
for longer than anybody listens, is passed over before anything is begun or counted for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from typing import Final

import msgspec

from tangguh.core.asker import HAS_GONE
from tangguh.core.clock import Clock
from tangguh.core.errors import Overloaded
from tangguh.core.spread import Spread

_FIRST_GUESS_SECONDS: Final = 0.04
_LEAST_SECONDS: Final = 0.002
_MEMORY: Final = 0.9


class Purpose(IntEnum):
    """What a turn is for; the lower goes first."""

    CONSENT = 0
    """A yes to a payment, in a session."""
    KNOWN = 1
    """Logging in on a device that is known."""
    STRANGER = 2


_SHARE: Final = {Purpose.CONSENT: 1.0, Purpose.KNOWN: 0.75, Purpose.STRANGER: 0.5}
"""How much of the waiting room each may fill."""


class _Waiting(msgspec.Struct, eq=False):
    turn: asyncio.Future[None]
    until: float
    has_gone: Callable[[], bool]


class Turns:
    """``async with turns.take(purpose)``: inside, it is one's turn."""

    def __init__(
        self, clock: Clock, *, at_once: int, waiting_max: int, waiting_seconds_max: float
    ) -> None:
        self._clock = clock
        self._at_once = at_once
        self._room = {one: int(waiting_max * _SHARE[one]) for one in Purpose}
        self._patience = waiting_seconds_max
        self._waiting: dict[Purpose, deque[_Waiting]] = {one: deque() for one in Purpose}
        self._count = 0
        self._spread = Spread(clock)
        self._seconds = _FIRST_GUESS_SECONDS
        self.busy = 0
        self.passed_over = 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._count

    def must_have_room(self, purpose: Purpose) -> None:
        """Raises Overloaded, with the time to come back, when ``take`` would now.

        There is no room either where the wait would be longer than anybody's patience.
        """
        before = sum(len(queue) for one, queue in self._waiting.items() if one <= purpose)
        is_long = before * self._seconds / self._at_once > self._patience
        if self.busy >= self._at_once and (is_long or self._count >= self._room[purpose]):
            raise self._overloaded("too many PINs are being judged")

    @asynccontextmanager
    async def take(self, purpose: Purpose) -> AsyncIterator[None]:
        """Wait for a turn. Raises Overloaded: no room, or it came too late for whoever asked."""
        self.must_have_room(purpose)
        if self.busy < self._at_once:
            self.busy += 1
        else:
            await self._wait(purpose)
        began = self._clock.monotonic()
        try:
            yield
        finally:
            took = max(self._clock.monotonic() - began, _LEAST_SECONDS)
            self._seconds = _MEMORY * self._seconds + (1 - _MEMORY) * took
            self._hand_on()

    async def _wait(self, purpose: Purpose) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self._clock.monotonic() + self._patience
        self._waiting[purpose].append(_Waiting(turn, until, HAS_GONE.get()))
        self._count += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._hand_on()  # it was ours already
            raise

    def _hand_on(self) -> None:
        self.busy -= 1
        while self.busy < self._at_once and (one := self._first()) is not None:
            if one.turn.done():
                continue
            if one.has_gone() or self._clock.monotonic() > one.until:
                self.passed_over += 1
                one.turn.set_exception(self._overloaded("nobody waits for this PIN any more"))
                continue
            self.busy += 1
            one.turn.set_result(None)

    def _first(self) -> _Waiting | None:
        for purpose in Purpose:
            if self._waiting[purpose]:
                self._count -= 1
                return self._waiting[purpose].popleft()
        return None

    def _overloaded(self, why: str) -> Overloaded:
        return Overloaded(why, self._spread.seconds(self._seconds / self._at_once))
