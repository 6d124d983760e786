"""The hub's own messages to the bank, and its store of those that were not taken (SAF)."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.core.clock import Clock
from tangguh.sim.bifast.paper import NotPaper, Paper, is_sealed_by, open_paper, seal, utc

_TIMEOUT_SECONDS: Final = 5.0
_CONTENT: Final = {"json": "application/json", "xml": "application/xml"}

Answer: TypeAlias = "Paper | Literal[True] | None"
"""The bank's signed answer, True for a bare yes, None for nothing that counts."""


class Messenger:
    """Posts to one bank. ``stored`` are the messages it did not take; kept in memory only."""

    def __init__(
        self, url: str, key: RSAPrivateKey, bank_key: RSAPublicKey, clock: Clock, form: str
    ) -> None:
        self._url = url
        self._key = key
        self._bank_key = bank_key
        self._clock = clock
        self._form = form
        self._session: aiohttp.ClientSession | None = None
        self.stored: list[Paper] = []
        self.told = 0
        self.acknowledged = 0

    async def post(self, paper: Paper, *, spoiled: bool = False) -> Answer:
        """Send one message now. ``spoiled``: with a signature that does not hold."""
        if not self._url:
            return None
        fresh = msgspec.structs.replace(paper, form=self._form, created_at=utc(self._clock.now()))
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        self.told += 1
        headers = {"Content-Type": _CONTENT[self._form]}
        body = seal(fresh, self._key, spoiled=spoiled)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                said, taken = await response.read(), response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return None
        self.acknowledged += taken
        return self._opened(said) if said else (True if taken else None)

    async def tell(self, paper: Paper, times: int = 1) -> None:
        """Post a notice, and keep it in the store when the bank did not take it."""
        taken = False
        for _ in range(times):
            taken = await self.post(paper) is True or taken
        if not taken and self._url:
            self.keep(paper)

    def keep(self, paper: Paper) -> None:
        """Put a message into the store, to be delivered again as a duplicate."""
        self.stored.append(msgspec.structs.replace(paper, copy="DUPL"))

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self, said: bytes) -> Paper | None:
        try:
            paper = open_paper(said)
        except NotPaper:
            return None
        return paper if is_sealed_by(paper, self._bank_key) else None
