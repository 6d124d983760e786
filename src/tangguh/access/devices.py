"""Devices a customer is known by, and the one-time codes that make a new one known.

A device's token is random and kept as its SHA-256; with it a customer is no stranger, so strangers'
wrong PINs do not count against them. A code has six digits, lives for minutes, is tried a few times
and is right once; it is kept by HMAC with a key outside the database.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries

DEVICES: Final = Queries("tangguh.access", "devices.sql")

_TOKEN_BYTES: Final = 32
_DIGITS: Final = 6
_TOKEN_LENGTH_MAX: Final = 128


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a known device may be wrong, and how codes live.

    ``new_device``: ``code`` asks for a code beside the PIN, ``tell`` only tells the owner, ``auto``
    is ``code`` wherever this bank can send one. On a device known for less than
    ``cooling_seconds`` one payment is at most ``cooling_minor``.
    """

    new_device: str = "auto"
    failures_max: int = 5
    code_seconds: int = 300
    code_tries_max: int = 5
    codes_per_hour_max: int = 3
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

    async def make_code(self, customer_id: int) -> str | None:
        """A fresh code in place of any before; None when enough were made within the hour."""
        code, now = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}", self._clock.now()
        row = await self._pool.fetchrow(
            DEVICES["make_code"],
            self._book_id,
            customer_id,
            self._mac(customer_id, code),
            now,
            now + timedelta(seconds=self.settings.code_seconds),
            now - timedelta(hours=1),
            self.settings.codes_per_hour_max,
        )
        return code if row is not None else None

    async def take_code(self, customer_id: int, code: str) -> bool:
        """Whether this is the customer's code; it is used up by this. The try is counted first."""
        now = self._clock.now()
        row = await self._pool.fetchrow(
            DEVICES["try_code"], self._book_id, customer_id, now, self.settings.code_tries_max
        )
        mac = self._mac(customer_id, code)
        if row is None or not hmac.compare_digest(row["mac"], mac):
            return False
        used = await self._pool.fetchrow(DEVICES["use_code"], self._book_id, customer_id, now, mac)
        return used is not None

    def _mac(self, customer_id: int, code: str) -> bytes:
        text = f"login {customer_id} {code}".encode(errors="replace")
        return hmac.digest(self._pool.pepper, text, "sha256")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
