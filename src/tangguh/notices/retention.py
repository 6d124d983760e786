"""What is forgotten: addresses whose owner never agreed, and word older than the bank keeps it.

UU 27/2022 (personal data), article 16: data are kept no longer than their purpose needs. What was
told stays for ``keep_days``, because it is the proof in a dispute; a question nobody answered is
forgotten as soon as its link is worth nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.notices.store import NOTICES, forget_subscriber

log = structlog.get_logger("notices")

_ROUND_SECONDS: Final = 3600.0
_AT_ONCE: Final = 1_000
"""Rows of one transaction: others' word does not wait for ours to be forgotten."""


class Forgotten(msgspec.Struct, frozen=True):
    """What one round took away: questions without an answer, and notices with their tries."""

    questions: int
    notices: int


class Retention:
    """Forgets for one book, once an hour. Several may run: each row goes once."""

    def __init__(self, pool: Pool, book_id: int, keep_days: int, clock: Clock) -> None:
        self._pool = pool
        self._book_id = book_id
        self._keep = timedelta(days=keep_days)
        self._clock = clock

    async def run(self) -> None:
        """Round after round until cancelled."""
        while True:
            beat(_ROUND_SECONDS)
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("notices.not_forgotten", why=str(trouble))
            await self._clock.sleep(_ROUND_SECONDS)

    async def round(self) -> Forgotten:
        """Forget everything that is due. Raises StoreUnavailable."""
        questions = await self._all(self._questions)
        notices = await self._all(self._notices)
        if questions or notices:
            log.info("notices.forgotten", questions=questions, notices=notices)
        return Forgotten(questions, notices)

    async def _all(self, forget: Callable[[], Awaitable[int]]) -> int:
        total = 0
        while count := await forget():
            total += count
        return total

    async def _questions(self) -> int:
        async with self._pool.transaction() as tx:
            rows = await tx.fetch(
                NOTICES["forget_unanswered"], self._book_id, self._clock.now(), _AT_ONCE
            )
            for person in sorted({row["person"] for row in rows}):
                await forget_subscriber(tx, self._book_id, person)
        return len(rows)

    async def _notices(self) -> int:
        before = self._clock.now() - self._keep
        async with self._pool.transaction() as tx:
            rows = await tx.fetch(NOTICES["forget_notices"], self._book_id, before, _AT_ONCE)
        return len(rows)
