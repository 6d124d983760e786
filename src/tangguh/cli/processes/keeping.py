"""What ``tangguh up`` keeps alive: whoever dies or freezes is ended for good and started again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from tangguh.cli.processes.children import Child
from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.supervision import beat
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.space import give_up_reserve

LOOK_SECONDS: Final = 0.2
_PROBE_SECONDS: Final = 3.0
_SILENT_SECONDS: Final = 10.0
"""A PostgreSQL that accepts nobody for so long is frozen: it is killed, which loses nothing."""
_PROBE_EVERY: Final = 1.0
_CHILD_SILENT_SECONDS: Final = 20.0
"""A process of the bank that answers nobody for so long is frozen: nobody is served meanwhile."""
_CHILD_PROBE_EVERY: Final = 2.0
_FIRST_WAIT_SECONDS: Final = 0.2
_WAIT_SECONDS_MAX: Final = 15.0

Say = Callable[[str], None]


class BackOff:
    """How long to wait before the next start: twice as long each time, until one lasted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wait = _FIRST_WAIT_SECONDS
        self._started = -_WAIT_SECONDS_MAX

    async def pause(self) -> None:
        """Wait before a start; not at all when the last one lasted."""
        if self._clock.monotonic() - self._started >= _WAIT_SECONDS_MAX:
            self._wait = _FIRST_WAIT_SECONDS
        else:
            await self._clock.sleep(self._wait)
            self._wait = min(self._wait * 2, _WAIT_SECONDS_MAX)
        self._started = self._clock.monotonic()


class _Keep(ABC):
    """Watches one process. ``run`` goes on until it is cancelled.

    Alive is not enough: one that is stopped, or hangs, holds its port and answers nobody.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        say: Say,
        silent_seconds: float,
        probe_seconds: float,
        every_seconds: float,
        look_seconds: float,
    ) -> None:
        self._name = name
        self._clock = clock
        self._say = say
        self._silent = silent_seconds
        self._probe = probe_seconds
        self._every = every_seconds
        self._look = look_seconds
        self._heard = clock.monotonic()
        self._probed = self._heard - every_seconds
        self._back_off = BackOff(clock)
        self.restarts = 0

    @abstractmethod
    def _has_ended(self) -> bool:
        """Whether it is gone, however it ended."""

    @abstractmethod
    async def _answers(self, seconds: float) -> bool:
        """Whether it says anything within so many seconds."""

    @abstractmethod
    async def _start_again(self) -> None:
        """End what is left of it and start it. Raises TangguhError."""

    async def run(self) -> None:
        """Look again and again."""
        while True:
            beat()
            await self.look()
            await self._clock.sleep(self._look)

    async def look(self) -> None:
        """Look once; start it again if it died or has been silent for too long."""
        if self._has_ended():
            await self._restart(f"{self._name} ended unexpectedly")
        elif self._clock.monotonic() - self._probed >= self._every:
            self._probed = self._clock.monotonic()
            if await self._answers(self._probe):
                self._heard = self._clock.monotonic()
            elif self._clock.monotonic() - self._heard >= self._silent:
                await self._restart(f"{self._name} has not answered for {self._silent:g} s")

    async def _restart(self, why: str) -> None:
        self._say(f"  {why}; starting it again")
        await self._back_off.pause()
        self.restarts += 1
        await self._start_again()
        self._heard = self._probed = self._clock.monotonic()


class KeepPostgres(_Keep):
    """One embedded server."""

    def __init__(
        self,
        server: EmbeddedPostgres,
        clock: Clock,
        say: Say,
        *,
        silent_seconds: float = _SILENT_SECONDS,
        probe_seconds: float = _PROBE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        every = min(_PROBE_EVERY, silent_seconds / 2)
        super().__init__(
            "PostgreSQL", clock, say, silent_seconds, probe_seconds, every, look_seconds
        )
        self._server = server

    def _has_ended(self) -> bool:
        return self._server.has_ended

    async def _answers(self, seconds: float) -> bool:
        return await self._server.answers(seconds)

    async def _start_again(self) -> None:
        began = self._clock.monotonic()
        try:
            await self._server.restart()
        except TangguhError:
            if give_up_reserve(self._server.directory):
                self._say("  The reserve on the disk is given up so that PostgreSQL can start")
            raise
        self._say(f"  PostgreSQL is back after {self._clock.monotonic() - began:.1f} s")


class KeepChild(_Keep):
    """One child process."""

    def __init__(
        self,
        child: Child,
        clock: Clock,
        say: Say,
        *,
        silent_seconds: float = _CHILD_SILENT_SECONDS,
        probe_seconds: float = _PROBE_SECONDS,
        every_seconds: float = _CHILD_PROBE_EVERY,
    ) -> None:
        super().__init__(
            child.name, clock, say, silent_seconds, probe_seconds, every_seconds, LOOK_SECONDS
        )
        self._child = child

    def _has_ended(self) -> bool:
        return self._child.has_ended

    async def _answers(self, seconds: float) -> bool:
        return await self._child.answers(seconds)

    async def _start_again(self) -> None:
        self._child.kill()
        await self._child.restart()
