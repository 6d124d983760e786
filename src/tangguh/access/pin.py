"""PINs: six digits, kept as Argon2id hashes, judged in a small pool of threads of their own.

A hash costs about 18 ms of a core (19 MiB, t=2, p=1: OWASP's minimum), so logging in is the most
expensive thing a customer can ask for: the pool and its queue are bounded, and a full queue is
an honest "try again" instead of a slow bank. Whoever has a PIN judged takes a turn first, and
counts the try inside it: what was never judged is no wrong PIN.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from tangguh.access.turns import Purpose, Turns
from tangguh.core.clock import Clock

T = TypeVar("T")

_NICE: Final = 10
_PIN: Final = re.compile(r"[0-9]{6}")
_PIN_LENGTH: Final = 6


class PinSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Argon2id's cost and the pool's bounds; tries before a lock and how long it lasts.

    ``waiting_seconds_max``: who waited longer for a turn is told to come back.
    """

    memory_kib: int = 19 * 1024
    passes: int = 2
    threads: int = 2
    waiting_max: int = 64
    waiting_seconds_max: float = 4.0
    failures_max: int = 5
    lock_seconds: int = 180


class PinHasher:
    """Hashes and judges PINs off the event loop."""

    def __init__(self, settings: PinSettings, clock: Clock) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.passes, memory_cost=settings.memory_kib, parallelism=1
        )
        self._pool = ThreadPoolExecutor(
            settings.threads, thread_name_prefix="pin", initializer=_stand_back
        )
        self.turns = Turns(
            clock,
            at_once=settings.threads,
            waiting_max=settings.waiting_max,
            waiting_seconds_max=settings.waiting_seconds_max,
        )
        self._nobody = self._hasher.hash("no such customer")

    def turn(self, purpose: Purpose) -> AbstractAsyncContextManager[None]:
        """A turn to have a PIN judged. Raises Overloaded; nothing has been counted then."""
        return self.turns.take(purpose)

    async def hash(self, pin: str) -> str:
        """The Argon2id string to keep. Raises Overloaded when too many wait."""
        async with self.turn(Purpose.CONSENT):
            return await self._in_pool(self._hasher.hash, pin)

    async def is_right(self, argon2id: str | None, pin: str) -> bool:
        """Whether the PIN has this hash, for whoever has a turn.

        None takes as long: numbers are not probed.
        """
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
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def _stand_back() -> None:
    """Let this thread's hashing wait for whoever else needs the core: payments and the book.

    Linux gives each thread a priority of its own; elsewhere it stays as it is.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def is_well_formed(pin: str) -> bool:
    """Six ASCII digits."""
    return _PIN.fullmatch(pin) is not None


def is_weak(pin: str) -> bool:
    """A PIN everybody guesses first: one, two or three digits over and over, or a row.

    ``Sessions.set_pin`` refuses it.
    """
    if any(pin == pin[:size] * (_PIN_LENGTH // size) for size in (1, 2, 3)):
        return True
    steps = {(int(after) - int(digit)) % 10 for digit, after in itertools.pairwise(pin)}
    return steps in ({1}, {9})
