"""Logging in with a PIN, sessions, and the signature a device puts under an order.

A session's token is random and kept only as a SHA-256. A device also gets a signing key of its
own: with it every request that moves money is signed, so a stolen token alone pays nobody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.access.one_by_one import OneByOne
from tangguh.access.pin import PinHasher, PinSettings, is_weak, is_well_formed
from tangguh.access.turns import Purpose
from tangguh.core.clock import Clock
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries

ACCESS: Final = Queries("tangguh.access", "access.sql")

_TOKEN_BYTES: Final = 32
_PIN_LENGTH_MAX: Final = 12
_CACHE_SECONDS: Final = 10.0
_CACHE_MAX: Final = 100_000
_EXTEND_STEP: Final = timedelta(seconds=60)
_LAPSED_FOR: Final = timedelta(days=1)


class Kind(StrEnum):
    """What a session is for: a device signs its orders, a browser asks for the PIN at each."""

    DEVICE = "device"
    BROWSER = "browser"


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long sessions live and how far a device's clock may be off.

    A browser's session ends ``browser_seconds`` after it was last used, and ``browser_seconds_max``
    after the log-in however much it is used (NIST SP 800-63B, 4.3.3: 15 minutes, 12 hours).
    """

    device_seconds: int = 30 * 24 * 3600
    browser_seconds: int = 15 * 60
    browser_seconds_max: int = 12 * 3600
    signature_age_seconds_max: int = 300


class Session(msgspec.Struct, frozen=True, gc=False):
    """A live session. ``token_sha256`` names it; the token itself is nowhere kept."""

    token_sha256: bytes
    customer_id: int
    signing_key: bytes
    kind: Kind
    opened_at: datetime
    expires_at: datetime
    device_known_at: datetime | None = None


class Opened(msgspec.Struct, frozen=True):
    """A session just opened, with the secrets that are told once."""

    session: Session
    token: str


class WrongPin(msgspec.Struct, frozen=True):
    """The PIN was wrong. ``tries_left`` before a lock."""

    tries_left: int


class Locked(msgspec.Struct, frozen=True):
    """Too many wrong tries; open again by itself at ``until``."""

    until: datetime


class Sessions:
    """PIN checks, and the sessions they open."""

    def __init__(
        self,
        pool: Pool,
        book_id: int,
        clock: Clock,
        pins: PinHasher,
        pin_settings: PinSettings,
        settings: SessionSettings,
    ) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._pins = pins
        self._pin_settings = pin_settings
        self.settings = settings
        self._one_by_one = OneByOne()
        self._cache: dict[bytes, tuple[float, Session]] = {}
        self._ends = 0

    async def set_pin(self, customer_id: int, pin: str) -> Refused | None:
        """Keep a PIN (its hash). Refuses ORDER_INVALID (pin): not six digits, or guessed first."""
        if not is_well_formed(pin):
            return Refused(Refusal.ORDER_INVALID, "pin", "six digits")
        if is_weak(pin):
            return Refused(Refusal.ORDER_INVALID, "pin", "everybody guesses this one first")
        argon2id = await self._pins.hash(pin)
        await self._pool.fetch(ACCESS["set_pin"], self._book_id, customer_id, argon2id)
        return None

    def turn(self, purpose: Purpose) -> AbstractAsyncContextManager[None]:
        """A turn to have a PIN judged; a try is counted inside it. Raises Overloaded."""
        return self._pins.turn(purpose)

    def must_have_room(self, purpose: Purpose) -> None:
        """Raises Overloaded when there is no turn to wait for now."""
        self._pins.turns.must_have_room(purpose)

    async def is_pin(self, customer_id: int | None, pin: str) -> bool:
        """Whether this is the customer's PIN; nobody's takes as long. Ask inside a ``turn``.

        It counts nothing: whoever asks has counted the try already.
        """
        row = await self._pool.fetchrow(ACCESS["pin_of"], self._book_id, customer_id or 0)
        argon2id = row["argon2id"] if row is not None and is_well_formed(pin) else None
        return await self._pins.is_right(argon2id, pin[:_PIN_LENGTH_MAX])

    async def check_again(self, session: Session, pin: str) -> WrongPin | Locked | None:
        """The PIN once more in a live session; None when it is right. Raises Overloaded.

        A session counts its own tries, before they are judged: what strangers guess elsewhere does
        not count here, nor what nobody had time to judge. Several at once come one after another.
        """
        async with self._one_by_one.of(session.token_sha256), self.turn(Purpose.CONSENT):
            return await self._check_again(session, pin)

    async def _check_again(self, session: Session, pin: str) -> WrongPin | Locked | None:
        now, settings = self._clock.now(), self._pin_settings
        row = await self._pool.fetchrow(
            ACCESS["begin_attempt"],
            self._book_id,
            session.token_sha256,
            now,
            settings.failures_max,
            float(settings.lock_seconds),
        )
        if row is None:
            return await self._locked(session)
        if await self.is_pin(session.customer_id, pin):
            await self._pool.fetch(ACCESS["forgive"], self._book_id, session.token_sha256)
            return None
        if row["pin_locked_until"] is not None:
            return Locked(row["pin_locked_until"])
        return WrongPin(settings.failures_max - row["pin_failures"] % settings.failures_max)

    async def open(
        self, customer_id: int, kind: Kind, *, device_known_at: datetime | None = None
    ) -> Opened:
        """Open a session for a customer who has proved who they are.

        ``device_known_at``: since when the device is theirs; None when nobody asked.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        lifetime = (
            self.settings.device_seconds if kind is Kind.DEVICE else self.settings.browser_seconds
        )
        session = Session(
            _digest(token),
            customer_id,
            secrets.token_bytes(_TOKEN_BYTES),
            kind,
            now,
            now + timedelta(seconds=lifetime),
            device_known_at,
        )
        await self._pool.fetch(
            ACCESS["open_session"],
            self._book_id,
            session.token_sha256,
            customer_id,
            session.signing_key,
            kind,
            session.opened_at,
            session.expires_at,
            session.device_known_at,
        )
        return Opened(session, token)

    async def find(self, token: str) -> Session | None:
        """The live session of a token, or None. Looked up at most every ten seconds."""
        digest = _digest(token)
        moment = self._clock.monotonic()
        cached = self._cache.get(digest)
        if cached is not None and cached[0] > moment:
            session = cached[1]
            return session if session.expires_at > self._clock.now() else None
        ends = self._ends
        row = await self._pool.fetchrow(
            ACCESS["find_session"], self._book_id, digest, self._clock.now()
        )
        if row is None:
            self._cache.pop(digest, None)
            return None
        session = _session_of(digest, row)
        if ends == self._ends:  # else it may have been read before it ended
            self._keep(digest, session, moment)
        return session

    async def extend(self, session: Session) -> Session:
        """A browser's session that was just used, with its new end. Written once a minute at most.

        A device's session, and one that is at its last bound, stay as they are.
        """
        if session.kind is not Kind.BROWSER:
            return session
        now, settings = self._clock.now(), self.settings
        until = min(
            now + timedelta(seconds=settings.browser_seconds),
            session.opened_at + timedelta(seconds=settings.browser_seconds_max),
        )
        if until - session.expires_at < _EXTEND_STEP:
            return session
        row = await self._pool.fetchrow(
            ACCESS["extend_session"], self._book_id, session.token_sha256, until, now
        )
        if row is None:  # ended meanwhile, or extended by another request
            return session
        extended = msgspec.structs.replace(session, expires_at=until)
        cached = self._cache.get(session.token_sha256)
        if cached is not None:
            self._cache[session.token_sha256] = (cached[0], extended)
        return extended

    async def lapsed(self, token: str) -> Session | None:
        """A token's session that ended by itself within the last day; None for any other."""
        now = self._clock.now()
        digest = _digest(token)
        row = await self._pool.fetchrow(
            ACCESS["lapsed_session"], self._book_id, digest, now, now - _LAPSED_FOR
        )
        return _session_of(digest, row) if row is not None else None

    @property
    def kept(self) -> int:
        """How many sessions are in memory."""
        return len(self._cache)

    def _keep(self, digest: bytes, session: Session, moment: float) -> None:
        """Keep a session for ten seconds, as the newest, and forget those kept for longer."""
        self._cache.pop(digest, None)
        while self._cache:
            oldest = next(iter(self._cache))
            if self._cache[oldest][0] > moment and len(self._cache) < _CACHE_MAX:
                break
            del self._cache[oldest]
        self._cache[digest] = (moment + _CACHE_SECONDS, session)

    async def end(self, session: Session) -> None:
        """Log out."""
        await self._pool.fetch(
            ACCESS["end_session"], self._book_id, session.token_sha256, self._clock.now()
        )
        self._ends += 1
        self._cache.pop(session.token_sha256, None)

    async def end_all(self, customer_id: int) -> int:
        """Log out everywhere; how many sessions that ended."""
        rows = await self._pool.fetch(
            ACCESS["end_sessions_of_customer"], self._book_id, customer_id, self._clock.now()
        )
        self._ends += 1
        for row in rows:
            self._cache.pop(row["token_sha256"], None)
        return len(rows)

    async def _locked(self, session: Session) -> WrongPin | Locked:
        row = await self._pool.fetchrow(ACCESS["locked_until"], self._book_id, session.token_sha256)
        if row is None or row["pin_locked_until"] is None:
            return WrongPin(0)
        return Locked(row["pin_locked_until"])


def signature(
    signing_key: bytes, method: str, path: str, body: bytes, timestamp: str, key: str
) -> str:
    r"""What a device puts into ``X-Signature``: base64 HMAC-SHA256 over the order it showed.

    Signed text: ``METHOD\npath\nhex(SHA-256(body))\ntimestamp\nidempotency key``.
    """
    text = "\n".join((method, path, hashlib.sha256(body).hexdigest(), timestamp, key))
    return base64.b64encode(hmac.digest(signing_key, text.encode(), "sha256")).decode()


def is_signed(given: str, expected: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _session_of(digest: bytes, row: Record) -> Session:
    return Session(
        digest,
        row["customer_id"],
        row["signing_key"],
        Kind(row["kind"]),
        row["opened_at"],
        row["expires_at"],
        row["device_known_at"],
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
