"""Staff in the database: who they are, and the keys they are known by.

A token is told once and kept as its SHA-256; of an Ed25519 key only the public half is kept. A
frozen account is found by no key, whatever its keys say. What staff may sign is ``approval``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from tangguh.access.people import Role, Staff, StaffState
from tangguh.access.staff_devices import StaffDevices, device_hash
from tangguh.core.clock import Clock
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries

STAFF: Final = Queries("tangguh.access", "staff.sql")

KEY_SECONDS: Final = 90 * 24 * 3600
SESSION_SECONDS: Final = 10 * 3600
SESSION_IDLE_SECONDS: Final = 30 * 60
_USE_NOTED: Final = timedelta(seconds=60)
"""A session's use is written down so often at most; it may end so much sooner for it."""
_TOKEN_BYTES: Final = 32
_PUBLIC_KEY_BYTES: Final = 32
_ROLES: Final = {
    role.value: role for role in Role
}  # one that a newer version knows is no right here


class KeyKind(StrEnum):
    """A token is shown as it is; an Ed25519 key signs and is never shown."""

    TOKEN = "token"  # noqa: S105
    ED25519 = "ed25519"


class StaffRegister:
    """Adds, finds and freezes staff of one book."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self.devices = StaffDevices(pool, book_id, clock)

    async def add(self, who: Staff) -> Refused | None:
        """Keep a new member of staff. Refuses ORDER_INVALID when the id is taken."""
        row = await self._pool.fetchrow(
            STAFF["add_staff"],
            self._book_id,
            who.id,
            who.full_name,
            who.hr_id,
            sorted(who.roles),
            who.reports_to,
            who.group,
            StaffState.ACTIVE,
            self._clock.now(),
        )
        return None if row else Refused(Refusal.ORDER_INVALID, "id", f"{who.id} is taken")

    async def everyone(self) -> tuple[Staff, ...]:
        """Everybody, frozen ones too."""
        rows = await self._pool.fetch(STAFF["list_staff"], self._book_id)
        return tuple(_staff_of(row) for row in rows)

    async def find(self, staff_id: str) -> Staff | None:
        """One member of staff by id, or None."""
        row = await self._pool.fetchrow(STAFF["find_staff"], self._book_id, staff_id)
        return _staff_of(row) if row else None

    async def add_token(self, staff_id: str) -> str:
        """Make a token for a member of staff. It is told here and nowhere again."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await self._add_key(staff_id, KeyKind.TOKEN, _digest(token.encode()), None)
        return token

    async def add_public_key(self, staff_id: str, public_key: bytes) -> Refused | None:
        """Keep an Ed25519 public key. Refuses ORDER_INVALID for one that is known or is none."""
        if len(public_key) != _PUBLIC_KEY_BYTES:
            return Refused(Refusal.ORDER_INVALID, "public_key", "an Ed25519 key has 32 bytes")
        digest = _digest(public_key)
        is_new = await self._add_key(staff_id, KeyKind.ED25519, digest, public_key)
        return None if is_new else Refused(Refusal.ORDER_INVALID, "public_key", "known already")

    async def find_by_token(self, token: str) -> Staff | None:
        """The active member of staff whose live token this is, or None."""
        return await self._find_by(KeyKind.TOKEN, token.encode(errors="replace"))

    async def find_by_public_key(self, public_key: bytes) -> Staff | None:
        """The active member of staff whose live key this is, or None. Judge the signature too."""
        return await self._find_by(KeyKind.ED25519, public_key)

    async def open_session(self, token: str, device: str) -> str:
        """A browser session of whoever has this token, at a device of theirs; its own secret.

        It ends by itself after half an hour unused or a working day, and with token and device.
        """
        secret, now = secrets.token_urlsafe(_TOKEN_BYTES), self._clock.now()
        await self._pool.fetch(
            STAFF["open_session"],
            self._book_id,
            _digest(secret.encode()),
            _digest(token.encode(errors="replace")),
            now,
            now + timedelta(seconds=SESSION_SECONDS),
            device_hash(device),
        )
        return secret

    async def find_by_session(self, secret: str) -> Staff | None:
        """The active member of staff whose live session this is, or None; it is used by this."""
        now = self._clock.now()
        row = await self._pool.fetchrow(
            STAFF["use_session"],
            self._book_id,
            _digest(secret.encode(errors="replace")),
            now,
            now - timedelta(seconds=SESSION_IDLE_SECONDS),
            now - _USE_NOTED,
        )
        return _staff_of(row) if row else None

    async def end_session(self, secret: str) -> None:
        """Log out: the session opens nothing any more, wherever its secret lies."""
        digest = _digest(secret.encode(errors="replace"))
        await self._pool.fetch(STAFF["end_session"], self._book_id, digest, self._clock.now())

    async def freeze(self, staff_id: str) -> bool:
        """Freeze an account, revoke its keys, end its devices; whether it was active until now."""
        now = self._clock.now()
        row = await self._pool.fetchrow(STAFF["freeze_staff"], self._book_id, staff_id, now)
        await self._pool.fetch(STAFF["revoke_keys"], self._book_id, staff_id, now)
        await self.devices.end_all(staff_id)
        return row is not None

    async def _add_key(
        self, staff_id: str, kind: KeyKind, digest: bytes, public_key: bytes | None
    ) -> bool:
        now = self._clock.now()
        until = now + timedelta(seconds=KEY_SECONDS)
        row = await self._pool.fetchrow(
            STAFF["add_key"], self._book_id, digest, staff_id, kind, public_key, now, until
        )
        return row is not None

    async def _find_by(self, kind: KeyKind, key: bytes) -> Staff | None:
        row = await self._pool.fetchrow(
            STAFF["find_by_key"], self._book_id, _digest(key), kind, self._clock.now()
        )
        return _staff_of(row) if row else None


def _staff_of(row: Mapping[str, Any]) -> Staff:
    return Staff(
        id=row["staff_id"],
        full_name=row["full_name"],
        hr_id=row["hr_id"],
        roles=frozenset(_ROLES[role] for role in row["roles"] if role in _ROLES),
        reports_to=row["reports_to"],
        group=row["team"],
        state=StaffState(row["state"]),
    )


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
