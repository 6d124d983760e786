"""The watch's two readings: the hub's statement with its own key, the book with its own role."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tangguh.core.errors import ContractBroken
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.guard.asking import WATCH, signed
from tangguh.rails import signature
from tangguh.settlement.watch.matching import Decided, Page

_PATH: Final = "/bifast/statement"
_HUB_SIGNATURE: Final = "X-Hub-Signature"
_QUERIES: Final = Queries("tangguh.settlement.watch", "watch.sql")


class Feed:
    """The statement of one settlement account."""

    def __init__(
        self, url: str, key: Ed25519PrivateKey, hub: RSAPublicKey, http: aiohttp.ClientSession
    ) -> None:
        self._url = url
        self._key = key
        self._hub = hub
        self._http = http

    async def after(self, seq: int, limit: int, wait: float, now: datetime) -> Page:
        """The rows that follow one; when there is none yet, as soon as there is.

        Raises ContractBroken: the answer is not the hub's; aiohttp.ClientError, TimeoutError.
        """
        path = f"{_PATH}?after={seq}&limit={limit}&wait={wait:g}"
        headers = signed(WATCH, path, now, self._key)
        async with self._http.get(self._url + path, headers=headers) as answer:
            body = await answer.read()
            made = answer.headers.get(_HUB_SIGNATURE, "")
            if answer.status != 200:
                raise ContractBroken(f"the statement answers {answer.status}")
        if not signature.verify_asymmetric(self._hub, body, made):
            raise ContractBroken("the statement is not signed by the hub")
        try:
            return msgspec.json.decode(body, type=Page)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ContractBroken("the statement cannot be read") from error


async def decided(
    pool: Pool, book_id: int, rail: str, references: Sequence[str]
) -> dict[str, Decided]:
    """What the book has under these references. Raises StoreUnavailable."""
    rows = await pool.fetch(_QUERIES["decided"], book_id, rail, list(references))
    return {row["reference"]: Decided(**row) for row in rows}
