"""One-time codes of log-ins: each belongs to the attempt that asked, and is sent on its account.

An attempt has a random token, told to whoever asked and kept as its SHA-256. Its code has six
digits, lives for minutes, is tried a few times and is right once; it is kept by HMAC with a key
outside the database. Who else asks, and how often they are wrong, changes nothing of it.

How many are sent is counted apart: for each device the customer is known by; for strangers by
where they come from, and all of them together. So strangers use up strangers' codes only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.access.devices import DeviceSettings
from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries

ATTEMPTS: Final = Queries("tangguh.access", "attempts.sql")

_TOKEN_BYTES: Final = 32
_DIGITS: Final = 6
_TOKEN_LENGTH_MAX: Final = 128
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Spent(StrEnum):
    """Why no code was made: whose budget is used up."""

    ASKER = "asker"
    STRANGERS = "strangers"


class Asker(msgspec.Struct, frozen=True):
    """On whose account a code goes: a device the customer is known by, else a place."""

    source: str
    device: str = ""


class Attempts:
    """The log-ins of one book's customers that wait for a code."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock

    async def make_code(
        self, customer_id: int, attempt: str, asker: Asker, settings: DeviceSettings
    ) -> str | Spent:
        """A fresh code for an attempt, in place of any it had; or whose budget is used up."""
        now = self._clock.now()
        for query, before in (("forget_attempts", now), ("forget_budgets", now - _DAY)):
            await self._pool.fetch(ATTEMPTS[query], self._book_id, customer_id, before)
        if spent := await self._spend(customer_id, asker, settings):
            return spent
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        await self._pool.fetch(
            ATTEMPTS["keep_code"],
            self._book_id,
            customer_id,
            _digest(attempt),
            self._mac(customer_id, attempt, code),
            now,
            now + timedelta(seconds=settings.code_seconds),
        )
        return code

    async def take_code(
        self, customer_id: int, attempt: str, code: str, settings: DeviceSettings
    ) -> bool:
        """Whether this is the attempt's code; it is used up by this. The try is counted first."""
        if not attempt or len(attempt) > _TOKEN_LENGTH_MAX:
            return False
        who = self._book_id, customer_id, _digest(attempt), self._clock.now()
        row = await self._pool.fetchrow(ATTEMPTS["try_code"], *who, settings.code_tries_max)
        mac = self._mac(customer_id, attempt, code)
        if row is None or not hmac.compare_digest(row["mac"], mac):
            return False
        return await self._pool.fetchrow(ATTEMPTS["use_code"], *who, mac) is not None

    async def may_tell(self, customer_id: int) -> bool:
        """Whether the customer was not told within the hour that strangers used codes up."""
        return await self._one_more(customer_id, "told", 1, _HOUR)

    async def _spend(
        self, customer_id: int, asker: Asker, settings: DeviceSettings
    ) -> Spent | None:
        each = settings.codes_per_hour_max
        if asker.device:
            whose = f"device {_digest(asker.device).hex()}"
            return None if await self._one_more(customer_id, whose, each, _HOUR) else Spent.ASKER
        whose = f"source {self._keyed(asker.source)}"
        if not await self._one_more(customer_id, whose, each, _HOUR):
            return Spent.ASKER
        together = (
            ("strangers", settings.strangers_codes_per_hour_max, _HOUR),
            ("strangers of a day", settings.strangers_codes_per_day_max, _DAY),
        )
        for name, most, window in together:
            if not await self._one_more(customer_id, name, most, window):
                return Spent.STRANGERS
        return None

    async def _one_more(self, customer_id: int, whose: str, most: int, window: timedelta) -> bool:
        now = self._clock.now()
        row = await self._pool.fetchrow(
            ATTEMPTS["spend"], self._book_id, customer_id, whose, now, now - window, most
        )
        return row is not None

    def _mac(self, customer_id: int, attempt: str, code: str) -> bytes:
        text = f"login {customer_id} {attempt} {code}".encode(errors="replace")
        return hmac.digest(self._pool.pepper, text, "sha256")

    def _keyed(self, source: str) -> str:
        """Where somebody comes from is not kept in clear."""
        return hmac.digest(self._pool.pepper, f"source {source}".encode(), "sha256").hex()


def new_attempt() -> str:
    """The token of an attempt, told once to whoever begins it, whether or not anybody is there."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def kept_attempt(token: str) -> str:
    """The attempt somebody goes on with, or a new one where there is none to go on with."""
    return token if 0 < len(token) <= _TOKEN_LENGTH_MAX else new_attempt()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
