"""The readings of a climb: each from where it is a fact, None where nobody can say.

What is not known is left out or given without a value; the ladder then stays where it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import msgspec

from tangguh.core.bounded import Recent
from tangguh.core.order import PaymentOrder
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.guard.board import Board, Gates
from tangguh.guard.scope import Scope, scope_of
from tangguh.payments.gates.facts import facts_of
from tangguh.payments.payment import Order
from tangguh.recovery.climb import Climb
from tangguh.recovery.prober import Tried, rail_of
from tangguh.recovery.recorder import Recorder, Stats
from tangguh.recovery.rungs import EXPLAINED, MATCHED, REHEARSED, Pace
from tangguh.recovery.verdict import Reading
from tangguh.settlement.store import id_at

QUERIES: Final = Queries("tangguh.recovery", "recovery.sql")

BASELINE_DAYS: Final = 28
BASELINE_AGE_MAX: Final = timedelta(hours=1)
_BASELINES_MAX: Final = 64
IN_FLIGHT_SECONDS: Final = 15 * 60
_REPLAYED_MAX: Final = 2_000
_DECLINES_MIN: Final = 0.005
"""A rail that never says no has a baseline of none; twice none would allow not one."""
_P99_MIN_SECONDS: Final = 0.25
"""Below this, twice the baseline is the machine's noise and nobody's wait."""
_HEADROOM: Final = 0.7
_NO_RESTORE: Final = (
    "no backup was ever restored; begin again with the reason to go on without, and two sign it"
)


class Outflow(msgspec.Struct, frozen=True):
    """What the independent watch says: outflows nobody ordered, and those it could match.

    ``postings``: of the newest that nobody ordered, the posting each is booked by, if it is.
    """

    unmatched: int
    matched: int
    postings: tuple[UUID, ...] = ()


class Senses(Protocol):
    """What the rest of the bank can say of itself."""

    async def outflow(self, rail: str) -> Outflow | None:
        """The watch of this rail, or None when it cannot be heard."""
        ...

    async def failing_invariants(self) -> int | None:
        """How many money invariants do not hold now."""
        ...

    async def partner_ready(self, rail: str) -> bool | None:
        """Whether the network answers; None when it cannot be asked."""
        ...

    async def unsettled(self, rail: str) -> int | None:
        """Lines of settlement files that our book lacks; None while a file that is due is late."""
        ...

    async def restore_faults(self) -> int | None:
        """What was wrong when a backup was last restored; None when none was ever restored."""
        ...

    def breaks_seen(self) -> tuple[int, int] | None:
        """How many broken links or rows the pulse knows of, and how often it has looked.

        None while it cannot look.
        """
        ...

    def wrong_payees_since(self, since: datetime) -> int:
        """How many messages were stopped because they named another payee than was decided."""
        ...

    def rate_of(self, rail: str) -> float | None:
        """Payments a second customers ask of a rail now, whether or not they are let in.

        None while nobody counts them.
        """
        ...


class Baseline(msgspec.Struct, frozen=True):
    """How the rail did in the weeks before."""

    p99_seconds: float | None
    declined: float | None


class Reader:
    """Reads everything a climb's gates ask for."""

    def __init__(
        self, pool: Pool, book_id: int, recorder: Recorder, senses: Senses, pace: Pace
    ) -> None:
        self._pool = pool
        self._book_id = book_id
        self._recorder = recorder
        self._senses = senses
        self._pace = pace
        self._baselines: Recent[tuple[str, datetime], Baseline] = Recent(
            _BASELINES_MAX, BASELINE_AGE_MAX
        )

    async def read(
        self, climb: Climb, board: Board, began: datetime, tried: Tried, now: datetime
    ) -> list[Reading]:
        """Every reading of this moment. ``began``: when the scope was closed."""
        scope = scope_of(climb.scope)
        if isinstance(scope, str):
            return []
        rail, since = rail_of(scope), climb.entered_at
        stats = self._recorder.inside(scope, since)
        readings = await self._integrity(rail, since, stats)
        if not climb.here.exposure.is_closed:
            readings += await self._health(climb, scope, rail, began, stats, now)
        if climb.rung >= EXPLAINED:
            readings += await self._matched(climb, rail, now)
        if climb.rung in {MATCHED, REHEARSED}:
            readings += await self._rehearsed(climb, board, began, rail, tried)
        return readings

    async def _integrity(self, rail: str, since: datetime, stats: Stats) -> list[Reading]:
        outflow = await self._senses.outflow(rail)
        contradicted = await self._number("contradicted_since", since, rail)
        below = await self._number("below_floor")
        broken, looks = self._senses.breaks_seen() or (None, 0)
        wrong = self._senses.wrong_payees_since(since)
        return [
            Reading(
                "unmatched_outflow",
                None if outflow is None else float(outflow.unmatched),
                0 if outflow is None else max(stats.ended, 1),
                why="the watch cannot be heard, or a settlement file is late",
            ),
            Reading("double_outcome", contradicted, max(stats.ended, 1)),
            Reading("wrong_payee", float(wrong), max(stats.ended, 1)),
            Reading("negative_balance", below, 1),
            Reading("chain_break", broken, looks, why="the pulse has not looked lately"),
        ]

    async def _health(
        self,
        climb: Climb,
        scope: Scope,
        rail: str,
        began: datetime,
        stats: Stats,
        now: datetime,
    ) -> list[Reading]:
        since = climb.entered_at
        control = self._recorder.outside(scope, since)
        usual = await self._baseline(rail, began, now)
        waited = await self._number("overdue_seconds", now)
        shed = self._recorder.shed_since(since)
        p99 = usual.p99_seconds if usual.p99_seconds is not None else control.p99_seconds
        declined = usual.declined if usual.declined is not None else control.declined_share
        return [
            Reading("success", stats.success, stats.ended, control=control.success, since=since),
            Reading("unanswered", stats.share(stats.unanswered), stats.ended, since=since),
            Reading(
                "p99",
                stats.p99_seconds,
                stats.ended,
                baseline=None if p99 is None else max(p99, _P99_MIN_SECONDS),
                since=since,
            ),
            Reading("queue_age", waited, 1, since=since),
            Reading(
                "shed",
                None if shed is None else shed[0],
                0 if shed is None else max(shed[1], stats.ended),
                since=since,
            ),
            Reading(
                "partner_declines",
                stats.share(stats.declined),
                stats.ended,
                baseline=None if declined is None else max(declined, _DECLINES_MIN),
                since=since,
            ),
        ]

    async def _matched(self, climb: Climb, rail: str, now: datetime) -> list[Reading]:
        late = now - timedelta(seconds=self._pace.seconds(IN_FLIGHT_SECONDS))
        aged = await self._number("aged_in_flight", late, rail)
        failing = await self._senses.failing_invariants()
        unsettled = await self._senses.unsettled(rail)
        outflow = await self._senses.outflow(rail)
        restored = await self._senses.restore_faults()
        unmatched = None
        if outflow is not None and unsettled is not None:
            unmatched = unsettled + outflow.unmatched
        return [
            Reading("aged_in_flight", aged, 1),
            Reading("ledger_differences", failing, 1, why="the book could not be proved"),
            Reading("unmatched_settlement", unmatched, 1, why="a settlement file is late"),
            Reading("restore_faults", restored, 1, why=_NO_RESTORE),
            Reading("keys_to_rotate", 0.0 if climb.keys_rotated.strip() else 1.0, 1),
        ]

    async def _rehearsed(
        self, climb: Climb, board: Board, began: datetime, rail: str, tried: Tried
    ) -> list[Reading]:
        divergent = await self._divergent(climb, board, began)
        ready = await self._senses.partner_ready(rail)
        # Probes that ended within one tick of the clock were faster than it can tell.
        rate = tried.ended / tried.seconds if tried.seconds else float(tried.ended * 1000)
        parked, asked = await self._number("parked_on_rail", rail), self._senses.rate_of(rail)
        needed = None
        if rate and parked is not None and asked is not None:
            # The backlog is drained within a quarter of an hour, beside the peak.
            needed = (parked / self._pace.seconds(IN_FLIGHT_SECONDS) + asked) / _HEADROOM / rate
        return [
            Reading("rehearsal_wrong", float(tried.wrong), tried.ended),
            Reading("replay_divergent", float(divergent), 1),
            Reading(
                "capacity_needed",
                needed,
                0 if needed is None else 1,
                why="nothing was rehearsed, or requests are not counted for long yet",
            ),
            Reading("partner_not_ready", None if ready is None else float(not ready), 1),
        ]

    async def _divergent(self, climb: Climb, board: Board, began: datetime) -> int:
        """How many of the orders this closure refused another closure would refuse, too."""
        others = tuple(one for one in board.closures if str(one.id) != climb.closure_id)
        gates = Gates(msgspec.structs.replace(board, closures=others))
        rows = await self._pool.fetch(
            QUERIES["blocked_since"], self._book_id, id_at(began), _REPLAYED_MAX
        )
        scope = scope_of(climb.scope)
        found = 0
        for row in rows:
            order = msgspec.json.decode(row["order_json"], type=Order)
            if isinstance(order, PaymentOrder) and isinstance(scope, Scope):
                facts = facts_of(order)
                if scope.covers(facts) and gates.judge(facts, began) is not None:
                    found += 1
        return found

    async def _baseline(self, rail: str, began: datetime, now: datetime) -> Baseline:
        """Of the weeks before this trouble: another one on the same rail has its own."""
        known = self._baselines.get((rail, began), now)
        if known is None:
            first = id_at(began - timedelta(days=BASELINE_DAYS))
            row = await self._pool.fetchrow(
                QUERIES["baseline"], self._book_id, first, id_at(began), rail
            )
            known = Baseline(None, None)
            if row is not None and row["payments"]:
                known = Baseline(row["p99"], row["declined"])
            self._baselines.keep((rail, began), known, now)
        return known

    async def _number(self, query: str, *arguments: object) -> float | None:
        row = await self._pool.fetchrow(QUERIES[query], self._book_id, *arguments)
        return None if row is None or row[0] is None else float(row[0])
