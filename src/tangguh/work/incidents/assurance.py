"""Whether "your money is safe" may be said now: the last whole proof, the networks' files, sight.

A proof reads the whole book, so it is made at most once in ``proof_seconds`` and never for more
than a tenth of the time, however large the book is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.known import Known, Tristate, all_of, known_as
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.notices.assurance import Assurance, Assured, assure
from tangguh.payments.proof import Proof
from tangguh.settlement.watched import read_watch
from tangguh.status.observation import answer_of
from tangguh.work.incidents.probes import Probes

log = structlog.get_logger("incidents.assurance")
_QUERIES: Final = Queries("tangguh.work.incidents", "incidents.sql")
_SOON_SECONDS: Final = 5.0
"""While it may not be said, the next look comes soon."""
_SHARE: Final = 10
"""A proof that took a second is not made again for ten."""


class Keeper:
    """Keeps the newest word on the books. ``watch_url``: where the settlement watch is asked."""

    def __init__(
        self,
        pool: Pool,
        book_id: int,
        clock: Clock,
        prove: Callable[[], Awaitable[Proof]],
        proof_seconds: float,
        probes: Probes,
        watch_url: str = "",
    ) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._prove = prove
        self._proof_seconds = proof_seconds
        self._probes = probes
        self._watch_url = watch_url
        self.newest = Assurance(
            proved_at=None, proof_holds=False, matched_at=None, match_holds=False
        )

    async def run(self) -> None:
        """Prove again and again, until cancelled."""
        while True:
            beat(self._proof_seconds)
            before = self._clock.monotonic()
            try:
                await self.look()
            except TangguhError as trouble:
                log.warning("assurance.failed", why=str(trouble))
            except Exception:
                log.exception("assurance.broken")
            took = self._clock.monotonic() - before
            is_green = self.newest.proof_holds and self.newest.match_holds
            pause = self._proof_seconds if is_green else min(self._proof_seconds, _SOON_SECONDS)
            await self._clock.sleep(max(pause, took * _SHARE))

    async def watch(self) -> None:
        """See again and again, until cancelled: a proof takes long, and is of its own moment."""
        while True:
            beat()
            try:
                await self.see()
            except Exception:
                log.exception("assurance.sight_broken")
            await self._clock.sleep(_SOON_SECONDS)

    async def look(self) -> Assurance:
        """Prove the books and ask what settlement found; the times are of this look."""
        at = self._clock.now()
        proof = await self._prove()
        row = await self._pool.fetchrow(_QUERIES["settlement_now"], self._book_id)
        matched_at = row["matched_at"] if row is not None else None
        holds = row is not None and row["open_breaks"] == 0
        self.newest = msgspec.structs.replace(
            self.newest,
            proved_at=at,
            proof_holds=proof.passed,
            matched_at=matched_at,
            match_holds=holds,
        )
        await self.see()
        return self.newest

    async def see(self) -> Tristate:
        """Whether the book can be read and the watch sees, now. Never waits for long."""
        at = self._clock.now()
        sees = all_of([self._book_answers(at), await self._watch_agrees()])
        self.newest = msgspec.structs.replace(self.newest, sight=Known(sees, at))
        return sees

    def assured(self, language: str) -> Assured | None:
        """The sentence that may be published now in a language; None: it may not."""
        found = assure(self.newest, language, now=self._clock.now())
        return None if isinstance(found, Refused) else found

    def _book_answers(self, now: datetime) -> Tristate:
        return answer_of(self._probes.book, now)

    async def _watch_agrees(self) -> Tristate:
        """Money that left without an order is no open break yet, and still no match.

        A watch that is away, silent or blind says neither yes nor no. Where there is none, none
        is asked: the networks' files alone are matched.
        """
        if not self._watch_url:
            return Tristate.YES
        state = await read_watch(self._watch_url)
        if state is None or state.silent or state.blind:
            return Tristate.UNKNOWN
        return known_as(state.unmatched_count == 0)
