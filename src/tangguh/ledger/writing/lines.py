"""The writer's two connections: one to read rows by, one to commit by; made anew together."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Final

from tangguh.core.errors import TangguhError
from tangguh.db.pool import Connection, cut_after, translated
from tangguh.db.safety import refuse_unsafe
from tangguh.db.values import write_instants_quickly
from tangguh.ledger import store

_CLOSE_SECONDS_MAX: Final = 2.0
"""What saying good-bye may take before the line is just cut."""


class Lines:
    """Opened by ``open``; every step on one is cut off when it takes longer than ``silence``."""

    def __init__(self, dsn: str, book_id: int, silence_seconds_max: float) -> None:
        self._dsn = dsn
        self._book_id = book_id
        self._silence = silence_seconds_max
        self._asked = 0
        """The highest epoch this writer has asked for; PostgreSQL may have given it or not."""

    async def open(self) -> None:
        """Connect both. Raises StoreUnavailable."""
        self.read = await store.open_line(self._dsn)
        self.write = await store.open_line(self._dsn)
        with translated():
            await write_instants_quickly(self.write)

    async def close(self) -> None:
        """Say good-bye on both, if they are there."""
        for line in (self.read, self.write):
            await _close(line)

    async def take(self) -> store.Head:
        """Become the book's writer. Raises StoreUnavailable, Misconfigured."""
        try:
            await refuse_unsafe(self.write)
            with translated():
                head = await store.take_book(self.write, self._book_id)
        except BaseException:
            for line in (self.read, self.write):
                line.terminate()
            raise
        self._asked = head.epoch
        return head

    async def retake(self, epoch: int) -> store.Head:
        """Connect anew and take the fence again; the head tells what became of a batch.

        Raises StoreUnavailable, FenceLost, Misconfigured.
        """
        with translated():
            for line in (self.read, self.write):
                line.terminate()
            await self.open()
            with cut_after(self.write, self._silence):
                await refuse_unsafe(self.write)
                self._asked += 1
                return await store.retake_book(self.write, self._book_id, epoch, self._asked)

    async def reading(self, step: Awaitable[None]) -> None:
        """Do a step that reads. Raises what ``db.errors`` makes of PostgreSQL's errors."""
        with translated(), cut_after(self.read, self._silence):
            await step

    async def commit(self, batch: store.Sealed) -> None:
        """One batch, whole or not at all. Raises what ``db.errors`` makes of it, and FenceLost."""
        with translated(), cut_after(self.write, self._silence):
            if batch.is_empty:
                await store.confirm(self.write, batch)
            else:
                await store.commit(self.write, batch)

    async def mend_read(self) -> bool:
        """Connect again for reading if the line is gone; whether it is there now."""
        if self.read.is_closed():
            try:
                self.read = await store.open_line(self._dsn)
            except TangguhError:
                return False
        return True

    async def learn(self, tables: Iterable[str]) -> None:
        """Let PostgreSQL look at tables that have grown; not worth stopping for if it fails."""
        with suppress(TangguhError):
            await store.learn(self._dsn, tables)


async def _close(connection: Connection) -> None:
    if not connection.is_closed():
        with suppress(TangguhError), translated():
            await connection.close(timeout=_CLOSE_SECONDS_MAX)
