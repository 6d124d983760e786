"""Devices of staff: each a secret the bank issued to one account, told once and kept as a SHA-256.

Whoever has a member's token alone reads and does nothing. The first device of an account is issued
to its token; every further one is asked for from one it has; when all are lost two people reset
them. What a client says of itself otherwise is nobody's word.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries

DEVICES: Final = Queries("tangguh.access", "staff_devices.sql")

LIVE_MAX: Final = 5
_SECRET_BYTES: Final = 32
_SECRET_LENGTH_MAX: Final = 128


class Standing(StrEnum):
    """What a device is to the account that is used from it."""

    OWN = "own"
    ENDED = "ended"
    ANOTHERS = "anothers"
    NOBODYS = "nobodys"


class Held(msgspec.Struct, frozen=True):
    """A device as it stands to an account; ``owner`` is a staff id, empty when it is nobody's."""

    standing: Standing
    owner: str = ""


class StaffDevices:
    """Issues, knows and ends devices of one book's staff."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock

    async def issue_first(self, staff_id: str) -> str | Refused:
        """The first device of an account. Refuses APPROVER_NOT_ALLOWED when it had one before."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = await self._pool.fetchrow(
            DEVICES["issue_first"], self._book_id, device_hash(secret), staff_id, self._clock.now()
        )
        if row is None:
            why = "it has devices already: ask from one of them, or have two people reset them"
            return Refused(Refusal.APPROVER_NOT_ALLOWED, "device", why)
        return secret

    async def issue_another(self, staff_id: str, asked_from: str) -> str | Refused:
        """One more device, asked for from one that is live. Refuses APPROVER_NOT_ALLOWED."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = await self._pool.fetchrow(
            DEVICES["issue_another"],
            self._book_id,
            device_hash(secret),
            staff_id,
            self._clock.now(),
            device_hash(asked_from),
            LIVE_MAX,
        )
        if row is None:
            why = f"ask from a device of yours; at most {LIVE_MAX} at once"
            return Refused(Refusal.APPROVER_NOT_ALLOWED, "device", why)
        return secret

    async def replace(self, staff_id: str, old: str) -> str | Refused:
        """A new secret for the device this is asked from; the old one ends. Refuses as another."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = await self._pool.fetchrow(
            DEVICES["replace_device"],
            self._book_id,
            device_hash(secret),
            staff_id,
            self._clock.now(),
            device_hash(old),
        )
        if row is None:
            return Refused(Refusal.APPROVER_NOT_ALLOWED, "device", "this is no device of yours")
        return secret

    async def held_by(self, staff_id: str, secret: str) -> Held:
        """What the device with this secret is to the account it is used with, and whose it is."""
        if not secret or len(secret) > _SECRET_LENGTH_MAX:
            return Held(Standing.NOBODYS)
        row = await self._pool.fetchrow(
            DEVICES["owner_of_device"], self._book_id, device_hash(secret)
        )
        if row is None:
            return Held(Standing.NOBODYS)
        if row["staff_id"] != staff_id:
            return Held(Standing.ANOTHERS, row["staff_id"])
        return Held(Standing.OWN if row["is_live"] else Standing.ENDED, staff_id)

    async def end(self, staff_id: str, secret: str) -> bool:
        """End one device of an account; whether it was live until now."""
        row = await self._pool.fetchrow(
            DEVICES["end_device"], self._book_id, device_hash(secret), staff_id, self._clock.now()
        )
        return row is not None

    async def end_all(self, staff_id: str) -> None:
        """End every device of an account that is frozen; it does not begin anew."""
        await self._pool.fetch(DEVICES["end_devices"], self._book_id, staff_id, self._clock.now())

    async def reset(self, staff_id: str) -> int:
        """End every device of an account, which begins anew; how many it had. Two people sign."""
        rows = await self._pool.fetch(
            DEVICES["reset_devices"], self._book_id, staff_id, self._clock.now()
        )
        return len(rows)


def device_hash(secret: str) -> bytes:
    """What is kept of a device's secret."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()
