"""Keys that the card switch gave us, in the database: sealed, so that a copy of it holds no key."""

from __future__ import annotations

from typing import Final

from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.rails.iso8583.hsm import KeptKey

LINK_KEYS: Final = Queries("tangguh.work", "link_keys.sql")


class LinkKeys:
    """``hsm.KeptKeys`` over PostgreSQL."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock

    async def keep(self, key: str, sealed: str, instead_of: str) -> None:
        """On disk when it returns."""
        await self._pool.fetch(
            LINK_KEYS["keep_key"], self._book_id, key, sealed, instead_of, self._clock.now()
        )

    async def kept(self) -> list[KeptKey]:
        """By name."""
        rows = await self._pool.fetch(LINK_KEYS["kept_keys"], self._book_id)
        return [KeptKey(row["key_name"], row["sealed"], row["instead_of"]) for row in rows]
