"""X-EXTERNAL-ID: a partner names each request once a day. The same name is the same request.

Asked again with the same content it is served again (every decision behind it is idempotent); with
another content it is a conflict (SNAP, 409/00) and nothing of it is looked at.
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from tangguh.core.clock import business_date
from tangguh.db.queries import Queries
from tangguh.web.door import Door

PARTNERS: Final = Queries("tangguh.web.partners", "partners.sql")
_KEPT: Final = timedelta(days=1)


class Named:
    """The names one partner has used today, kept in the database: a restart forgets none."""

    def __init__(self, door: Door, partner: str) -> None:
        self._door = door
        self._partner = partner
        self._swept = date.min

    async def is_conflict(self, external_id: str, path: str, body: bytes) -> bool:
        """Whether this name stood for another request today. Raises StoreUnavailable."""
        door, content = self._door, sha256(path.encode() + b"\0" + body).digest()
        today = business_date(door.clock.now())
        row = await door.pool.fetchrow(
            PARTNERS["claim_request"], door.book_id, self._partner, today, external_id, content
        )
        if today != self._swept:
            before = today - _KEPT
            await door.pool.fetch(PARTNERS["forget_requests"], door.book_id, self._partner, before)
            self._swept = today
        return row is None or bytes(row["sha256"]) != content
