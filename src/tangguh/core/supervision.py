"""Long-running tasks: started in order, started again when they end, and seen by everybody.

A loop that ends, by whatever fault, is started again after a pause that doubles up to a bound. Each
round it beats; how long ago that was is part of its state, so a loop that hangs is seen as well.
``Supervisor.state`` is what ``/health`` shows (ADR-0032).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, Final

import msgspec
import structlog

from tangguh.core.clock import Clock

log = structlog.get_logger("supervision")

Run = Callable[[], Coroutine[Any, Any, None]]

_FIRST_WAIT_SECONDS: Final = 0.2
_WAIT_SECONDS_MAX: Final = 30.0
SILENT_SECONDS: Final = 300.0
"""A task that has not beaten for so long is shown as silent: nobody knows whether it works."""


class TaskState(StrEnum):
    """``waiting``: it ended by a fault and is about to be started again."""

    RUNNING = "running"
    SILENT = "silent"
    WAITING = "waiting"
    STOPPED = "stopped"


class TaskHealth(msgspec.Struct, frozen=True):
    """One task as ``/health`` shows it. ``beat_age_seconds``: since its last round began."""

    name: str
    state: TaskState
    beat_age_seconds: float
    restarts: int
    fault: str = ""


class _Task:
    def __init__(self, name: str, silent_seconds: float) -> None:
        self.name = name
        self.silent_seconds = silent_seconds
        self.state = TaskState.RUNNING
        self.beat_at = 0.0
        self.pause_seconds = 0.0
        self.restarts = 0
        self.fault = ""
        self.task: asyncio.Task[None] | None = None


_HERE: ContextVar[tuple[_Task, Clock] | None] = ContextVar("supervised", default=None)


def beat(pause_seconds: float = 0.0) -> None:
    """A loop says that it begins a round. Does nothing in a task that nobody supervises.

    ``pause_seconds``: how long it sleeps between rounds, when that is long.
    """
    here = _HERE.get()
    if here is not None:
        here[0].beat_at = here[1].monotonic()
        here[0].pause_seconds = pause_seconds


class Supervisor:
    """Owns tasks. ``start`` in the order they need each other; ``stop`` ends them in reverse."""

    def __init__(
        self,
        clock: Clock,
        *,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
        wait_seconds_max: float = _WAIT_SECONDS_MAX,
    ) -> None:
        self._clock = clock
        self._first_wait = first_wait_seconds
        self._wait_max = wait_seconds_max
        self._tasks: dict[str, _Task] = {}

    def start(self, name: str, run: Run, *, silent_seconds: float = SILENT_SECONDS) -> None:
        """Run it until ``stop``, again and again. ``run`` makes a new coroutine each time."""
        one = _Task(name, silent_seconds)
        one.beat_at = self._clock.monotonic()
        self._tasks[name] = one
        one.task = asyncio.create_task(self._keep(one, run), name=name)

    def state(self) -> list[TaskHealth]:
        """Every task as it is now, in the order they were started."""
        return [self._health(one) for one in self._tasks.values()]

    async def stop(self) -> None:
        """End every task, the last started first."""
        for one in reversed(list(self._tasks.values())):
            if one.task is not None:
                one.task.cancel()
                with suppress(asyncio.CancelledError):
                    await one.task
        self._tasks.clear()

    def _health(self, one: _Task) -> TaskHealth:
        age = max(0.0, self._clock.monotonic() - one.beat_at)
        state = one.state
        if one.task is not None and one.task.done():
            state = TaskState.STOPPED
        elif state is TaskState.RUNNING and age > one.silent_seconds + one.pause_seconds:
            state = TaskState.SILENT
        return TaskHealth(one.name, state, round(age, 3), one.restarts, one.fault)

    async def _keep(self, one: _Task, run: Run) -> None:
        _HERE.set((one, self._clock))
        wait = self._first_wait
        while True:
            one.state, one.beat_at = TaskState.RUNNING, self._clock.monotonic()
            began = one.beat_at
            try:
                await run()
                one.fault = "ended by itself"
            except asyncio.CancelledError:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    raise
                # Something it waited for was cancelled; we were not.
                one.fault = "CancelledError"
            except Exception as fault:
                one.fault = f"{type(fault).__name__}: {fault}"[:200]
            one.state = TaskState.WAITING
            one.restarts += 1
            _say(one, wait)
            if self._clock.monotonic() - began > self._wait_max:
                wait = self._first_wait
            await self._clock.sleep(wait)
            wait = min(wait * 2, self._wait_max)


def _say(one: _Task, wait: float) -> None:
    with suppress(Exception):
        log.error(
            "task.ended", task=one.name, fault=one.fault, restarts=one.restarts, again_in=wait
        )
