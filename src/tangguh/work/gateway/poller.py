"""Asks the bank for its board of closures, for ever, and keeps the newest (``closures``).

A bank that does not answer changes nothing: what is enforced is what was heard last.
"""

from __future__ import annotations

from typing import Final

import aiohttp
import structlog

from tangguh.core.clock import Clock
from tangguh.core.supervision import beat
from tangguh.guard.asking import EDGE, signed
from tangguh.work.gateway.closures import KeptClosures
from tangguh.work.gateway.settings import GatewaySettings, ed25519_key_at

log = structlog.get_logger("work.gateway.poller")

_AGAIN_SECONDS: Final = 0.5
_PATH: Final = "/guard/snapshot"


class Poller:
    """One gateway's questions to its bank."""

    def __init__(self, settings: GatewaySettings, closures: KeptClosures, clock: Clock) -> None:
        """Raises Misconfigured when its key cannot be used."""
        self._settings = settings
        self._closures = closures
        self._clock = clock
        self._key = ed25519_key_at(settings.edge_private_key_path, "edge_private_key_path")
        self._quiet = False

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        wait = self._settings.snapshot_wait_seconds
        timeout = aiohttp.ClientTimeout(total=wait + 5.0, sock_connect=2.0)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                beat(wait)
                try:
                    why = await self._ask(http, wait)
                except (aiohttp.ClientError, TimeoutError, OSError) as lost:
                    why = f"the bank does not answer: {type(lost).__name__}"
                if why:
                    if not self._quiet:
                        log.warning("gateway.no_snapshot", why=why)
                    await self._clock.sleep(_AGAIN_SECONDS)
                self._quiet = bool(why)

    async def _ask(self, http: aiohttp.ClientSession, wait: float) -> str:
        path = f"{_PATH}?version={self._closures.version}&wait={wait:g}"
        headers = signed(EDGE, path, self._clock.now(), self._key)
        async with http.get(self._settings.bank_url + path, headers=headers) as answer:
            if answer.status != 200:
                return f"the bank answers {answer.status}"
            data = await answer.read()
        return self._closures.adopt(data, self._clock.now())
