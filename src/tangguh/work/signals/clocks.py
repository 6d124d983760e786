"""Tells the guard when the machine's wall clock was set. The bank's own time goes on evenly.

Nothing is closed for it: people find out which clock is right, and start the bank again if it is
the machine's (ADR-0034). PostgreSQL's clock is compared by the pulse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from tangguh.core.clock import Clock
from tangguh.core.supervision import beat

log = structlog.get_logger("guard.clocks")

_LOOK_SECONDS: Final = 5.0
OFFSET_SECONDS_MAX: Final = 2.0


class ClockWatch:
    """``notice`` is the guard's: called with signal, key and detail."""

    def __init__(self, clock: Clock, notice: Callable[[str, str, str], None]) -> None:
        self._clock = clock
        self._notice = notice
        self._told: float | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            beat()
            try:
                self.look()
            except Exception:
                log.exception("clocks.broken")
            await self._clock.sleep(_LOOK_SECONDS)

    def look(self) -> float:
        """Compare once; how many seconds the wall clock is ahead. Each jump is told once."""
        offset = self._clock.offset()
        if abs(offset) <= OFFSET_SECONDS_MAX:
            if self._told is not None:
                log.warning("clocks.agree")
            self._told = None
        elif self._told is None or abs(offset - self._told) > OFFSET_SECONDS_MAX:
            self._told = offset
            self._notice("clock.offset", "wall", f"{offset:+.1f} s away from even time")
        return offset
