"""PINs: six digits, kept as Argon2id hashes, judged in a small pool of threads of their own.

A hash costs about 18 ms of a core (19 MiB, t=2, p=1: OWASP's minimum), so logging in is the most
expensive thing a customer can ask for: the pool and its queue are bounded, and a full queue is
an honest "try again" instead of a slow bank.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from tangguh.core.errors import Overloaded

T = TypeVar("T")

_PIN: Final = re.compile(r"[0-9]{6}")
_WEAK: Final = frozenset(
    {"123456", "654321", "012345", "543210", *(digit * 6 for digit in "0123456789")}
)


class PinSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Argon2id's cost and the pool's bounds; tries before a lock and how long it lasts."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    threads: int = 2
    waiting_max: int = 64
    failures_max: int = 5
    lock_seconds: int = 180


class PinHasher:
    """Hashes and judges PINs off the event loop."""

    def __init__(self, settings: PinSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.passes, memory_cost=settings.memory_kib, parallelism=1
        )
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="pin")
        self._room = settings.threads + settings.waiting_max
        self._inside = 0
        self._nobody = self._hasher.hash("no such customer")

    async def hash(self, pin: str) -> str:
        """The Argon2id string to keep. Raises Overloaded when the pool's queue is full."""
        return await self._in_pool(self._hasher.hash, pin)

    async def is_right(self, argon2id: str | None, pin: str) -> bool:
        """Whether the PIN has this hash. None takes as long: numbers are not probed."""
        return await self._in_pool(self._judge, argon2id or self._nobody, pin) and (
            argon2id is not None
        )

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _judge(self, argon2id: str, pin: str) -> bool:
        try:
            return self._hasher.verify(argon2id, pin)
        except VerificationError:
            return False

    async def _in_pool(self, work: Callable[..., T], *arguments: str) -> T:
        if self._inside >= self._room:
            raise Overloaded("too many PINs are being judged")
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._inside -= 1


def is_well_formed(pin: str) -> bool:
    """Six ASCII digits."""
    return _PIN.fullmatch(pin) is not None


def is_weak(pin: str) -> bool:
    """A PIN everybody guesses first. Refused when a customer chooses one."""
    return pin in _WEAK
