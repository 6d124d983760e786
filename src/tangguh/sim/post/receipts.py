"""The gateway's later word on a message: signed, sent to the bank some seconds after it came."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp
import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.post.signature import sign

_SECONDS_MAX: Final = 5.0
_UNHEARD: Final = 0


class Receipts:
    """Tells the bank what became of messages. A bank that does not listen is not told again."""

    def __init__(self, url: str, secret: str, clock: Clock) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def tell_later(self, seconds: float, reference: str, status: str, times: int) -> None:
        """Tell it after some seconds, so many times. Nothing without an address."""
        if not self._url:
            return
        task = asyncio.get_running_loop().create_task(
            self._tell_after(seconds, reference, status, times)
        )
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def tell(self, reference: str, status: str, why: str = "") -> int:
        """Tell it now: the bank's HTTP status, or 0 when nobody answers or there is no address."""
        if not self._url:
            return _UNHEARD
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS_MAX))
        body = msgspec.json.encode({"id": reference, "status": status, "why": why})
        headers = sign(self._secret, body, self._clock.now()) | {"Content-Type": "application/json"}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return _UNHEARD

    async def close(self) -> None:
        """Drop what was not told yet and let go of connections."""
        dropped = list(self._under_way)
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _tell_after(self, seconds: float, reference: str, status: str, times: int) -> None:
        await self._clock.sleep(seconds)
        for _ in range(times):
            await self.tell(reference, status)
