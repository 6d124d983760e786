"""What the bank can say of itself to the ladder: each fact from whoever knows it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from tangguh.core.clock import JAKARTA, Clock
from tangguh.core.known import Tristate
from tangguh.db.pool import Pool
from tangguh.guard.scope import Scope
from tangguh.payments.proof import Proof
from tangguh.rails.rail import Probed, Rail
from tangguh.recovery.readings import QUERIES, Outflow
from tangguh.recovery.recorder import Recorder
from tangguh.settlement.formats import NETWORKS, Network
from tangguh.settlement.store import id_at
from tangguh.settlement.watched import read_watch
from tangguh.work.control import outflow as booking
from tangguh.work.guardian import Guardian
from tangguh.work.integrity.pulse import Pulse

_PROOF_SECONDS: Final = 20.0
_ANSWERED_SECONDS: Final = 60
_QUESTION_SECONDS: Final = 3.0
_LOOKS_MISSED_MAX: Final = 3
"""A pulse that has missed more of its rounds than this has not looked."""
_FILE_HOURS: Final = 36
"""By then a network's file of a day is there: the day's end, and the next noon."""
_LATE_DAYS: Final = 7
_ON_US: Final = frozenset({"onus", "emoney"})
"""Rails without a network: what leaves by them without an order breaks the book's own proof."""

_WRONG_PAYEES_MAX: Final = 10_000
"""One is too many for every gate; beyond this nobody counts."""

ReadWatch = Callable[[], Awaitable[Outflow | None]]


def watch_at(url: str) -> ReadWatch:
    """What the watch at this address says; one that is silent or blind says nothing."""

    async def read() -> Outflow | None:
        state = await read_watch(url)
        if state is None or state.silent or state.blind:
            return None
        rows = (
            booking.Outflow(state.rail, one.seq, one.reference, one.amount_minor)
            for one in state.unmatched
        )
        postings = tuple(row.posting_id for row in rows)
        return Outflow(state.unmatched_count, state.matched, postings)

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
        self.wrong_payees: deque[datetime] = deque(maxlen=_WRONG_PAYEES_MAX)

    async def outflow(self, rail: str) -> Outflow | None:
        """The watch's word; on a rail without one, what its settlement files know beyond us.

        Inside the bank the proof says it. A scope of several rails is all of them together.
        """
        if not rail:
            every = [await self.outflow(one) for one in self._watches]
            rest = await self.unsettled(rail)
            if rest is None or None in every:
                return None
            seen = [one for one in every if one is not None]
            return Outflow(
                rest + sum(one.unmatched for one in seen), sum(one.matched for one in seen)
            )
        if rail in self._watches:
            return await self._watched(rail)
        if rail in _ON_US:
            failing = await self.failing_invariants()
            return None if failing is None else Outflow(failing, 0)
        beyond = await self.unsettled(rail)
        return None if beyond is None else Outflow(beyond, 0)

    async def _watched(self, rail: str) -> Outflow | None:
        """What the watch saw, without what two people have booked row by row."""
        seen = await self._watches[rail]()
        if seen is None or not seen.unmatched:
            return seen
        booked = await self._booked(seen.postings)
        unlisted = max(seen.unmatched - len(seen.postings), 0)
        if unlisted:
            row = await self._pool.fetchrow(QUERIES["every_outflow_booked"], self._book_id)
            older = int(row["postings"]) - booked if row is not None else 0
            unlisted = max(unlisted - older, 0)
        return Outflow(len(seen.postings) - booked + unlisted, seen.matched)

    async def _booked(self, postings: tuple[UUID, ...]) -> int:
        row = await self._pool.fetchrow(QUERIES["outflows_booked"], self._book_id, list(postings))
        return int(row["postings"]) if row is not None else 0

    async def unsettled(self, rail: str) -> int | None:
        """Open breaks of the rail's networks; None while a file is late, or never came."""
        networks = [one for one in NETWORKS.values() if not rail or rail in set(one.rails) - _ON_US]
        if await self._is_late(networks):
            return None
        names = [one.name for one in networks]
        row = await self._pool.fetchrow(QUERIES["open_breaks"], self._book_id, names)
        return None if row is None else int(row["breaks"])

    async def _is_late(self, networks: list[Network]) -> bool:
        """Whether something was paid over a network that a file should have listed by now."""
        names = [one.name for one in networks]
        rows = await self._pool.fetch(QUERIES["newest_files"], self._book_id, names)
        newest = {row["network"]: row["day"] for row in rows}
        due = self._clock.now() - timedelta(hours=_FILE_HOURS)
        for network in networks:
            since = due - timedelta(days=_LATE_DAYS)
            if network.name in newest:
                over = newest[network.name] + timedelta(days=1)
                since = max(since, datetime.combine(over, time(), JAKARTA))
            if since < due and await self._paid(network, since, due):
                return True
        return False

    async def _paid(self, network: Network, since: datetime, until: datetime) -> bool:
        ids, accounts = (id_at(since), id_at(until)), list(network.accounts)
        row = await self._pool.fetchrow(QUERIES["paid_between"], self._book_id, *ids, accounts)
        return row is None or bool(row["is_any"])

    async def restore_faults(self) -> int | None:
        """Nothing: this bank makes no backups yet, so none was ever restored."""
        return None

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
        """Whether it answers a question of our own in time; of a rail of several partners, whether
        it answered within the last minute.
        """
        carried: object = self._rails.get(rail)
        question = carried.questions().get("") if isinstance(carried, Probed) else None
        if question is not None:
            try:
                answer = await asyncio.wait_for(question(), _QUESTION_SECONDS)
            except TimeoutError:
                return False
            return answer is Tristate.YES
        since = self._clock.now() - timedelta(seconds=_ANSWERED_SECONDS)
        stats = self._recorder.inside(Scope(rail=rail), since)
        return stats.paid > 0 if stats.ended else None

    def breaks_seen(self) -> tuple[int, int] | None:
        """What the pulse found at its last look; None when that was too long ago."""
        if self._pulse.missed_rounds > _LOOKS_MISSED_MAX:
            return None
        return self._pulse.broken_now, self._pulse.rounds

    def wrong_payees_since(self, since: datetime) -> int:
        """Messages stopped because they named another payee than the book had decided."""
        return sum(1 for at in self.wrong_payees if at >= since)

    def rate_of(self, rail: str) -> float | None:
        """What customers ask of a rail now."""
        return self._guardian.rate_of(rail)
