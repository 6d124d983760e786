"""One at a time for each key, in the order they came; in memory, for this process only.

A try that is counted before it is judged looks like a wrong one until it is judged. Where the tries
of one person come at once, each waits for the one before it: a finger that taps eight times is not
taken for five wrong PINs, and eight guesses at once are no fewer than eight.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class OneByOne:
    """Who is having their turn, by key. Nothing is kept of a key nobody waits for."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Wait until nobody else of this key is inside, and be inside."""
        lock, waiting = self._locks.get(key, (None, 0))
        lock = lock or asyncio.Lock()
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            _, left = self._locks[key]
            if left > 1:
                self._locks[key] = (lock, left - 1)
            else:
                del self._locks[key]
