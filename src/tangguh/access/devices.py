"""Devices a customer is known by.

A device's token is random and kept as its SHA-256; with it a customer is no stranger, so strangers'
wrong PINs do not count against them. What makes a new one known: ``attempts``.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries

DEVICES: Final = Queries("tangguh.access", "devices.sql")

_TOKEN_BYTES: Final = 32
_TOKEN_LENGTH_MAX: Final = 128


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a known device may be wrong, and how codes live.

    ``new_device``: ``code`` asks for a code beside the PIN, ``tell`` only tells the owner, ``auto``
    is ``code`` wherever this bank can send one. Codes are counted for each known device and each
    place strangers come from (``codes_per_hour_max``), and for a customer's strangers together. On
    a device known for less than ``cooling_seconds`` one payment is at most ``cooling_minor``.
    """

    new_device: str = "auto"
    failures_max: int = 5
    code_seconds: int = 300
    code_tries_max: int = 5
    codes_per_hour_max: int = 3
    strangers_codes_per_hour_max: int = 6
    strangers_codes_per_day_max: int = 20
    cooling_seconds: int = 24 * 3600
    cooling_minor: int = 500_000_000


class Attempt(msgspec.Struct, frozen=True):
    """A try on a known device, counted already. ``tries_left`` if it turns out to be wrong."""

    known_at: datetime
    tries_left: int


class Devices:
    """The known devices of one book's customers."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock, settings: DeviceSettings) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self.settings = settings

    async def begin_attempt(self, customer_id: int, token: str) -> Attempt | None:
        """Count a try before it is judged; None when this is no known device, or used up."""
        if not token or len(token) > _TOKEN_LENGTH_MAX:
            return None
        most = self.settings.failures_max
        row = await self._pool.fetchrow(
            DEVICES["begin_attempt"], self._book_id, customer_id, _digest(token), most
        )
        return Attempt(row["known_at"], most - row["failures"]) if row is not None else None

    async def first_new(self, customer_id: int) -> datetime | None:
        """Since when the first of the devices that are still new is known; None: none is."""
        after = self._clock.now() - timedelta(seconds=self.settings.cooling_seconds)
        row = await self._pool.fetchrow(DEVICES["first_new"], self._book_id, customer_id, after)
        return row["known_at"] if row is not None else None

    async def forgive(self, customer_id: int, token: str) -> None:
        """The PIN was right."""
        await self._pool.fetch(
            DEVICES["forgive"], self._book_id, customer_id, _digest(token), self._clock.now()
        )

    async def enrol(self, customer_id: int) -> str:
        """Know a new device; its token, told once."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._pool.fetch(
            DEVICES["enrol"], self._book_id, customer_id, _digest(token), self._clock.now()
        )
        return token

    async def is_known(self, customer_id: int, token: str) -> bool:
        """Whether this is a device of the customer's, also one whose tries are used up."""
        if not token or len(token) > _TOKEN_LENGTH_MAX:
            return False
        row = await self._pool.fetchrow(
            DEVICES["is_known"], self._book_id, customer_id, _digest(token)
        )
        return row is not None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
