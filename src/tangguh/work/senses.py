"""What the bank can say of itself to the ladder: each fact from whoever knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tangguh.core.clock import Clock
from tangguh.core.outcome import Accepted
from tangguh.db.pool import Pool
from tangguh.guard.scope import Scope
from tangguh.payments.proof import Proof
from tangguh.rails.gatekeeper import behind
from tangguh.rails.rail import Rail
from tangguh.recovery.readings import QUERIES, Outflow
from tangguh.recovery.recorder import Recorder
from tangguh.settlement.watched import read_watch
from tangguh.work.guardian import Guardian
from tangguh.work.pulse import Pulse

_PROOF_SECONDS: Final = 20.0
_ANSWERED_SECONDS: Final = 60

ReadWatch = Callable[[], Awaitable[Outflow | None]]


def watch_at(url: str) -> ReadWatch:
    """What the watch at this address says; one that is silent or blind says nothing."""

    async def read() -> Outflow | None:
        state = await read_watch(url)
        if state is None or state.silent or state.blind:
            return None
        return Outflow(state.unmatched_count, state.matched)

    return read


class BankSenses:
    """The senses of one running bank. ``watches`` are the independent watches, by rail."""

    def __init__(
        self,
        *,
        pool: Pool,
        book_id: int,
        clock: Clock,
        rails: Mapping[str, Rail],
        guardian: Guardian,
        pulse: Pulse,
        recorder: Recorder,
        prove: Callable[[], Awaitable[Proof]],
        watches: Mapping[str, ReadWatch],
    ) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._rails = rails
        self._guardian = guardian
        self._pulse = pulse
        self._recorder = recorder
        self._prove = prove
        self._watches = watches
        self._proved: tuple[float, int] | None = None
        self.wrong_payees: list[datetime] = []

    async def outflow(self, rail: str) -> Outflow | None:
        """The watch's word; on a rail without one, what its settlement files know beyond us."""
        if rail in self._watches:
            seen = await self._watches[rail]()
            if seen is None:
                return None
            booked = await self._pool.fetchrow(QUERIES["outflows_booked"], self._book_id)
            explained = int(booked["postings"]) if booked is not None else 0
            return Outflow(max(seen.unmatched - explained, 0), seen.matched)
        row = await self._pool.fetchrow(QUERIES["open_breaks"], self._book_id, rail)
        return Outflow(int(row["breaks"]) if row is not None else 0, 0)

    async def failing_invariants(self) -> int | None:
        """From a whole proof, at most so many seconds old."""
        now = self._clock.monotonic()
        if self._proved is None or now - self._proved[0] > _PROOF_SECONDS:
            proof = await self._prove()
            failing = sum(1 for one in proof.invariants if one.holds is False)
            if not failing and not proof.passed:
                return None  # something could not be read: nobody can say
            self._proved = (now, failing)
        return self._proved[1]

    async def partner_ready(self, rail: str) -> bool | None:
        """Its echo where the network has one; else whether it answered within the last minute."""
        carried = self._rails.get(rail)
        echo: Any = getattr(behind(carried), "echo", None) if carried is not None else None
        if echo is not None:
            return isinstance(await echo(), Accepted)
        since = self._clock.now() - timedelta(seconds=_ANSWERED_SECONDS)
        stats = self._recorder.inside(Scope(rail=rail), since)
        return stats.paid > 0 if stats.ended else None

    def breaks_seen(self) -> tuple[int, int]:
        """What the pulse found at its last look."""
        return self._pulse.broken_now, self._pulse.rounds

    def wrong_payees_since(self, since: datetime) -> int:
        """Messages stopped because they named another payee than the book had decided."""
        return sum(1 for at in self.wrong_payees if at >= since)

    def rate_of(self, rail: str) -> float:
        """What customers ask of a rail now."""
        return self._guardian.rate_of(rail)
