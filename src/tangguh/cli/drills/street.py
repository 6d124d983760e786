"""Payers who keep a pace whatever happens to their payments, each felt and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tangguh.cli.drills.report import Notes
from tangguh.cli.drills.scores.recorder import Recorder, Sample, Window
from tangguh.core.clock import Clock

Pay = Callable[[], Awaitable[str]]
"""Pays once; the state told, or why not."""


class Street:
    """Payers who pay at one pace until they are stopped."""

    def __init__(self, clock: Clock, notes: Notes) -> None:
        self._clock = clock
        self._notes = notes
        self._stopped = asyncio.Event()
        self.recorder = Recorder()

    def stop(self) -> None:
        """Let everybody finish the payment in hand."""
        self._stopped.set()

    @property
    def is_open(self) -> bool:
        """Whether anybody still begins a payment."""
        return not self._stopped.is_set()

    async def pay_at_pace(self, service: str, pay: Pay, pace_seconds: float) -> None:
        """A payment each so often, whether the last one was answered or not."""
        due = self._clock.monotonic()
        async with asyncio.TaskGroup() as group:
            while self.is_open:
                group.create_task(self.pay_once(service, pay))
                due = max(due + pace_seconds, self._clock.monotonic() - 1.0)
                await self._clock.sleep(max(due - self._clock.monotonic(), 0.0))

    async def pay_once(self, service: str, pay: Pay) -> str:
        """Pay, and write down how it felt."""
        began = self._clock.monotonic()
        at = self._notes.seconds
        state = await pay()
        self.recorder.add(Sample(service, at, self._clock.monotonic() - began, state))
        return state

    async def window(self, seconds: float, trouble: str = "") -> Window:
        """Let so many seconds go by; the window they were."""
        begins = self._notes.seconds
        await self._clock.sleep(seconds)
        return Window(begins, self._notes.seconds, trouble)
