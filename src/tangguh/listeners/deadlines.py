"""When the requests of a listener must be answered: one timer for all that are under way.

A timer of its own for each request cost a twentieth of a payment's time in the web process.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

_LOOK_SECONDS: Final = 0.25
"""A request may be ended this much after its time."""


class Deadlines:
    """The tasks that answer requests, each with the loop's time by which it must have done."""

    def __init__(self) -> None:
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, seconds: float) -> asyncio.Task[Any]:
        """Give the running task so many seconds, then it is cancelled. ``end`` must follow."""
        # Asked of a loop it knows: which one runs now is a question to the system in Python 3.11.
        task = asyncio.current_task(self._loop) if self._loop is not None else None
        if task is None:
            task = asyncio.current_task()
        assert task is not None
        loop = self._loop = task.get_loop()
        self._ends[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(min(_LOOK_SECONDS, seconds), self._look, loop)
        return task

    def end(self, task: asyncio.Task[Any]) -> bool:
        """It has done; whether it was cancelled for being late, which is taken back here."""
        self._ends.pop(task, None)
        if task not in self._late:
            return False
        self._late.discard(task)
        task.uncancel()
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [one for one, end in self._ends.items() if end <= now]:
            del self._ends[task]
            self._late.add(task)
            task.cancel()
        left = min(self._ends.values(), default=None)
        self._timer = None
        if left is not None:
            wait = max(0.0, min(left - now, _LOOK_SECONDS))
            self._timer = loop.call_later(wait, self._look, loop)
