"""The climber: looks at every climb at a fixed pace and takes the steps the ladder allows.

It has no opinion of its own: readings, signatures and time go into ``ladder.advance``, and what
comes out goes through the book. When it stops, scopes stay on the rung they are on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import structlog

from tangguh.access.approval import Change
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.marks import sometimes
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.guard.board import Board
from tangguh.guard.closure import Closure, SignalClass, State
from tangguh.guard.scope import Scope, scope_of
from tangguh.ledger import chart
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.payments.gates.parked import OLDEST, parked, release
from tangguh.payments.people.store import list_changes
from tangguh.recovery.book import AskPeople, MoveClimb, StartClimb, allowance_of
from tangguh.recovery.climb import Climb, with_parked
from tangguh.recovery.consent import approvals_of
from tangguh.recovery.ladder import Step, What, advance
from tangguh.recovery.order import Part, Standing, order_of
from tangguh.recovery.prober import Probe, Prober, Tried, rail_of
from tangguh.recovery.readings import QUERIES, Reader, Senses
from tangguh.recovery.recorder import Load, Recorder
from tangguh.recovery.rungs import MATCHED, OPEN_LOW, REHEARSED, Pace, has_fast_lane

log = structlog.get_logger("recovery")

_decode_climb: Final = msgspec.json.Decoder(Climb).decode
_REHEARSAL: Final = 200
_CHANGES_READ: Final = 200


class RecoverySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``look_seconds`` is the pace of looks. ``time_scale`` and ``sample_scale`` compress a
    rehearsal (1 is real life). ``probes`` are the bank's payments to itself, one a rail at least.
    ``volunteers`` are accounts let in first. ``parked_per_look``: how many wait-outs are released.
    """

    look_seconds: float = 1.0
    time_scale: float = 1.0
    sample_scale: float = 1.0
    probes: tuple[Probe, ...] = ()
    probes_per_look: int = 10
    volunteers: tuple[int, ...] = ()
    parked_per_look: int = 20

    @property
    def pace(self) -> Pace:
        """How fast it goes."""
        return Pace(time_scale=self.time_scale, sample_scale=self.sample_scale)


class Looked(msgspec.Struct, frozen=True):
    """What one look at one climb came to, for whoever shows it."""

    at: datetime
    closure_id: str
    scope: str
    rung: str
    what: str
    why: str
    needs: tuple[str, ...] = ()


class Climber:
    """Takes every climb of a book upwards, or back."""

    def __init__(
        self,
        desk: Desk,
        pool: Pool,
        book_id: int,
        ids: Ids,
        recorder: Recorder,
        senses: Senses,
        settings: RecoverySettings,
        load: Callable[[], tuple[int, int]],
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._ids = ids
        self._recorder = recorder
        self._settings = settings
        self._load = load
        self._reader = Reader(pool, book_id, recorder, senses, settings.pace)
        self._prober = Prober(desk, ids, settings.probes)
        self._tried: dict[str, Tried] = {}
        self._cursor = OLDEST
        self._drained = False
        self._listeners: list[Callable[[Looked], None]] = []
        self.looks: deque[Looked] = deque(maxlen=1_000)
        self.newest: dict[str, Looked] = {}

    def listen(self, listener: Callable[[Looked], None]) -> None:
        """Call ``listener`` with every step taken from now on."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Look after look, until cancelled."""
        while True:
            beat()
            try:
                await self.look()
            except TangguhError as trouble:
                log.warning("climber.look_failed", why=str(trouble))
            except Exception:
                # A bug in one reading costs a look; the scope stays on its rung.
                log.exception("climber.broken")
            await self._desk.clock.sleep(self._settings.look_seconds)

    async def look(self) -> list[Looked]:
        """Look once at everything that climbs; what it came to."""
        now = self._desk.clock.now()
        self._recorder.note_load(Load(now, *self._load()))
        board = await self._desk.decide(ReadBoard())
        await self._begin_fast_lanes(board, now)
        climbs = await climbs_under_way(self._pool, self._book_id)
        if not climbs:
            await self._drain(board)
            return []
        changes = await list_changes(self._pool, self._book_id, _CHANGES_READ)
        self._forget_all_but({climb.closure_id for climb in climbs})
        order = order_of(_standings(board, climbs))
        looked = []
        for climb in climbs:
            closure = board.find(UUID(climb.closure_id))
            if closure is not None:
                waits = order.waits_for(climb.closure_id)
                looked.append(await self._look_at(climb, closure, board, changes, waits))
        await self._drain(board)
        return looked

    def _forget_all_but(self, climbing: set[str]) -> None:
        """What is not on its way any more is remembered by the book."""
        for memory in (self._tried, self.newest):
            for closure_id in [one for one in memory if one not in climbing]:
                memory.pop(closure_id, None)

    async def _look_at(
        self,
        climb: Climb,
        closure: Closure,
        board: Board,
        changes: list[Change],
        waits_for: tuple[str, ...],
    ) -> Looked:
        now = self._desk.clock.now()
        scope = scope_of(climb.scope)
        assert isinstance(scope, Scope)
        if climb.rung < MATCHED and not climb.fast:
            # What was tried before it was matched, or in an earlier climb, rehearses nothing.
            self._tried.pop(climb.closure_id, None)
        before = self._tried.get(climb.closure_id)
        if before is not None and before.wrong:
            # The last look failed for it: so many without a fault are counted from the first again.
            self._tried.pop(climb.closure_id)
        tried = self._tried.setdefault(climb.closure_id, Tried())
        if climb.rung in {MATCHED, REHEARSED} and not climb.fast:
            await self._rehearse(scope, tried)
        waiting = await self._parked_in(scope)
        climb = with_parked(climb, waiting) if climb.rung >= OPEN_LOW else climb
        readings = await self._reader.read(climb, board, closure.made_at, tried, now)
        step = advance(
            climb,
            readings,
            approvals_of(climb, changes),
            self._desk.clock.now(),
            pace=self._settings.pace,
            waits_for=waits_for,
        )
        await self._take(climb, closure, scope, step, tried)
        return self._say(step)

    async def _take(
        self, climb: Climb, closure: Closure, scope: Scope, step: Step, tried: Tried
    ) -> None:
        if step.what in {What.TO_HELD, What.TO_EXPLAINED}:
            sometimes(f"ladder.{step.what}")
            self._tried[climb.closure_id] = Tried()
        allowance = allowance_of(
            step.exposure, climb.salt, self._settings.volunteers, self._probing(step, scope)
        )
        if step.climb != climb or allowance != closure.allowance:
            moved = await self._desk.decide(
                MoveClimb(
                    closure_id=UUID(climb.closure_id),
                    by=("ladder",),
                    was=climb.turn,
                    climb=step.climb,
                    what=str(step.what),
                    why=step.why,
                    allowance=allowance,
                )
            )
            if isinstance(moved, Refused):
                log.warning("climber.not_taken", why=moved.detail)
                return
        match step.what:
            case What.NEEDS_PEOPLE:
                await self._desk.decide(
                    AskPeople(
                        closure_id=UUID(climb.closure_id),
                        by=("ladder",),
                        change_id=self._ids.next(),
                    )
                )
            case What.FEED_SYNTHETIC | What.PAGE:
                await self._feed(scope, tried)
            case _:
                pass

    def _probing(self, step: Step, scope: Scope) -> tuple[int, ...]:
        """The bank's own account is let in once the scope is to be rehearsed."""
        rehearses = step.climb.rung >= MATCHED or step.climb.fast
        return (chart.PROBES,) if rehearses and self._prober.fitting(scope) else ()

    async def _rehearse(self, scope: Scope, tried: Tried) -> None:
        left = self._settings.pace.sample(_REHEARSAL) - tried.ended
        count = min(left, self._settings.probes_per_look)
        await self._prober.feed(self._prober.fitting(scope), count, tried)

    async def _feed(self, scope: Scope, tried: Tried) -> None:
        """Synthetic payments inside the scope, and a few beside it for the control cohort."""
        count = self._settings.probes_per_look
        beside = Tried()
        await self._prober.feed(self._prober.fitting(scope), count, tried)
        await self._prober.feed(self._prober.beside(scope), max(count // 4, 1), beside)

    async def _begin_fast_lanes(self, board: Board, now: datetime) -> None:
        """A health closure whose time is over climbs by itself, when little is inside it."""
        for closure in board.closures:
            ready = closure.state is State.CONTAINED and closure.is_over(now)
            # One that half opened because its network answers lapses in seconds by itself.
            ready = ready and closure.half_open_at is None
            if (
                ready
                and closure.signal_class is SignalClass.HEALTH
                and has_fast_lane(closure.signal_class, closure.collateral_permille)
            ):
                await self._desk.decide(StartClimb(closure_id=closure.id, by=("ladder",)))

    async def _drain(self, board: Board) -> None:
        """Release what waits and is let through now, a few at each look."""
        if not board.closures and self._drained:
            return
        most = self._settings.parked_per_look
        found = await parked(self._pool, self._book_id, most, self._cursor)
        for payment in found:
            await release(self._desk, payment)
        # Round and round: what one closure still keeps does not stand before what another lets go.
        self._cursor = found[-1].id if len(found) == most else OLDEST
        self._drained = not found and not board.closures

    async def _parked_in(self, scope: Scope) -> int:
        rail = rail_of(scope)
        row = await self._pool.fetchrow(QUERIES["parked_on_rail"], self._book_id, rail)
        return int(row["payments"]) if row is not None else 0

    def _say(self, step: Step) -> Looked:
        climb = step.climb
        looked = Looked(
            self._desk.clock.now(),
            climb.closure_id,
            climb.scope,
            climb.here.name,
            str(step.what),
            step.why,
            tuple(str(role) for role in step.needs),
        )
        self.newest[climb.closure_id] = looked
        if step.what not in {What.STAY, What.FEED_SYNTHETIC, What.NEEDS_PEOPLE}:
            self.looks.append(looked)
            log.info("ladder.step", what=looked.what, rung=looked.rung, why=looked.why)
            for listener in self._listeners:
                listener(looked)
        return looked


async def climbs_under_way(pool: Pool, book_id: int) -> list[Climb]:
    """Every climb that goes on."""
    rows = await pool.fetch(QUERIES["climbs_under_way"], book_id)
    return [_decode_climb(row["climb_json"]) for row in rows]


_PARTS: Final = {"onus": Part.ONUS_OUT, "qris": Part.QRIS}


def _standings(board: Board, climbs: list[Climb]) -> list[Standing]:
    """Each closure's place in the order; those that do not climb hold nobody back."""
    found = []
    for climb in climbs:
        scope = scope_of(climb.scope)
        if board.find(UUID(climb.closure_id)) is None or isinstance(scope, str):
            continue
        part = _PARTS.get(rail_of(scope), Part.OFFUS)
        if scope.direction == "in":
            part = Part.INCOMING
        found.append(
            Standing(
                closure_id=climb.closure_id,
                part=part,
                rail=rail_of(scope),
                is_open=climb.is_open,
            )
        )
    return found
