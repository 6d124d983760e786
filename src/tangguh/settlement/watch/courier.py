"""Brings the watch's orders to one of the two who must take them, until it has."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import aiohttp
import structlog

from tangguh.core.clock import Clock
from tangguh.settlement.watch.memory import Memory, Ordered

log = structlog.get_logger("settlement.watch")

_FIRST_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 2.0
_TIMEOUT_SECONDS: Final = 3.0
_TAKEN: Final = 200
_ENDED: Final = 409


class Courier:
    """The way to the gateway, or to the bank (``who``): one does not wait for the other."""

    def __init__(
        self, who: str, url: str, memory: Memory, http: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._who = who
        self._url = url
        self._memory = memory
        self._http = http
        self._clock = clock
        self._wake = asyncio.Event()
        self._wake.set()

    def wake(self) -> None:
        """There is a new order."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver, and try again what was not taken, until cancelled."""
        pause: float | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            open_ = [one for one in self._memory.orders(undelivered=True) if not self._taken(one)]
            done = [await self._bring(order) for order in open_]
            longer = min((pause or _FIRST_SECONDS / 2) * 2, _LONGEST_SECONDS)
            pause = None if all(done) else longer

    def _taken(self, order: Ordered) -> bool:
        return bool(order.gateway if self._who == "gateway" else order.bank)

    async def _bring(self, order: Ordered) -> bool:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        try:
            async with self._http.post(self._url, data=order.sealed, timeout=timeout) as answer:
                said, status = (await answer.read())[:300], answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            log.warning("watch.order_not_delivered", to=self._who, why=type(lost).__name__)
            return False
        if status not in (_TAKEN, _ENDED):
            log.error("watch.order_not_taken", to=self._who, status=status, said=str(said))
            return False
        ended = " ended" if status == _ENDED else ""
        self._memory.take_down(order.id, self._who, self._clock.now().isoformat() + ended)
        log.warning("watch.order_taken", to=self._who, order=order.id)
        return True
