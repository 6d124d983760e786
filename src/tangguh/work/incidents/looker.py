"""Looks at every component: outcomes in a window, our own questions, closures, people's words.

A look never waits for a database that does not answer: what was read last stays, with its time, and
the rest is judged by what is known without it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.known import Known
from tangguh.core.service import SERVICES
from tangguh.db.pool import Pool
from tangguh.guard.closure import Closure
from tangguh.guard.window import End, Seen
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.recovery.climb import Climb
from tangguh.recovery.climber import climbs_under_way
from tangguh.status import store
from tangguh.status.component import COMPONENTS, ComponentState, Condition, Reach, Stage
from tangguh.status.judgement import Judged, Override, Shut, judge
from tangguh.status.observation import Tally
from tangguh.work.incidents.probes import Probes
from tangguh.work.incidents.story import plans_of

log = structlog.get_logger("incidents.looker")

_DONE, _UNANSWERED, _FAILED = range(3)
_HEAP: Final = {
    End.PAID: _DONE,
    End.DECLINED: _DONE,
    End.UNANSWERED: _UNANSWERED,
    End.NOT_SENT: _FAILED,
    End.BROKEN: _FAILED,
}
"""A network that declines works; what our own rules refuse says nothing about it."""
_READ_SECONDS: Final = 2.0
"""So long a look waits for the database."""
_READ_AGE_MAX: Final = timedelta(seconds=30)
"""Without the board for longer nobody knows any more what is closed."""


class Decided(msgspec.Struct, frozen=True):
    """What the book says of services: closures in force, and people's words by component."""

    shut: tuple[Shut, ...]
    words: dict[str, Override]


class _Count:
    """One service's ends: sums by the second, and the newest."""

    def __init__(self) -> None:
        self.rows: deque[tuple[int, list[int]]] = deque()
        self.done_at: datetime | None = None
        self.last_at: datetime | None = None


class Looker:
    """One bank's eyes on its own services."""

    def __init__(
        self,
        desk: Desk,
        pool: Pool,
        book_id: int,
        clock: Clock,
        probes: Probes,
        *,
        window_seconds: float,
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._probes = probes
        self._window = window_seconds
        self._seen: dict[str, _Count] = {one: _Count() for one in SERVICES}
        self._judged: dict[str, Judged] = {}
        self._computed: dict[str, Condition] = {}
        self._reading: asyncio.Task[Known[Decided]] | None = None
        self.decided: Known[Decided] | None = None
        """What was read last, and when the reading began; None: nothing yet."""
        self.looked_at: datetime | None = None
        """When the newest look was made."""

    def see(self, seen: Seen) -> None:
        """Count one observation. Called for every payment, so it only adds to the second's sums."""
        heap = _HEAP.get(seen.end)
        count = self._seen.get(seen.facts.service)
        if heap is None or count is None:
            return
        second = int(self._clock.monotonic())
        if not count.rows or count.rows[-1][0] != second:
            count.rows.append((second, [0, 0, 0]))
        count.rows[-1][1][heap] += 1
        count.last_at = self._clock.now()
        if heap == _DONE:
            count.done_at = count.last_at

    @property
    def shut(self) -> tuple[Shut, ...]:
        """The closures in force when the book was read last."""
        return () if self.decided is None else self.decided.value.shut

    @property
    def is_read_now(self) -> bool:
        """Whether what the book says was read by the newest look itself."""
        return self.decided is not None and self.decided.known_at == self.looked_at

    async def look(self) -> dict[str, ComponentState]:
        """Every component as it is now; none before the book was first read. Raises nothing."""
        now = self._clock.now()
        await self._read_on(now)
        self.looked_at = now
        if self.decided is None:
            return {}
        words = self.decided.value.words
        for component in COMPONENTS:
            service = SERVICES[component]
            look = partial(
                judge,
                component,
                tally=self._tally(component),
                now=now,
                closures=self.shut,
                probe=self._probes.of(service),
                book=self._probes.book,
                before=self._judged.get(component),
            )
            word = words.get(component)
            self._judged[component] = judged = look(override=word)
            bare = judged if word is None else look()
            self._computed[component] = bare.state.condition
        return self.states

    def computed(self, component: str) -> Condition:
        """How a component is by what is seen, without people's words."""
        return self._computed.get(component, Condition.NOT_MEASURED)

    @property
    def states(self) -> dict[str, ComponentState]:
        """The states of the newest look."""
        states = {component: one.state for component, one in self._judged.items()}
        if self.decided is None or self.looked_at is None:
            return states
        if self.decided.is_of_now(self.looked_at, _READ_AGE_MAX):
            return states
        return {component: _unsure(state) for component, state in states.items()}

    async def close(self) -> None:
        """Give up a reading that hangs."""
        if self._reading is not None:
            self._reading.cancel()

    async def _read_on(self, now: datetime) -> None:
        """Read what was decided, or leave a reading that hangs to a later look."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(now), name="looker reading")
        done, _ = await asyncio.wait({self._reading}, timeout=_READ_SECONDS)
        if not done:
            log.warning("looker.read_hangs")
            return
        reading, self._reading = self._reading, None
        try:
            self.decided = reading.result()
        except TangguhError as trouble:
            log.warning("looker.read_failed", why=str(trouble))
        except Exception:
            log.exception("looker.broken")

    async def _read(self, now: datetime) -> Known[Decided]:
        board = await self._desk.decide(ReadBoard())
        climbs = {one.closure_id: one for one in await climbs_under_way(self._pool, self._book_id)}
        words = await store.overrides(self._pool, self._book_id, now)
        # Only what was told before is a change: another ticket makes none.
        plans = plans_of(await store.open_incidents(self._pool, self._book_id), now)
        shut = tuple(
            Shut(
                closure=one,
                ticket=ticket if (ticket := ticket_of(one)) in plans else "",
                stage=stage_of(climbs.get(str(one.id))),
            )
            for one in board.closures
        )
        return Known(Decided(shut, words), now)

    def _tally(self, service: str) -> Tally:
        count = self._seen[service]
        seconds = self._window
        probe = self._probes.of(SERVICES[service])
        if probe is not None and probe.over_since is not None:
            # What went badly before was the trouble that is measured to be over.
            seconds = min(seconds, (self._clock.now() - probe.over_since).total_seconds())
        oldest = self._clock.monotonic() - seconds
        while count.rows and count.rows[0][0] < oldest:
            count.rows.popleft()
        done, unanswered, failed = (sum(row[1][heap] for row in count.rows) for heap in range(3))
        return Tally(
            done=done,
            unanswered=unanswered,
            failed=failed,
            done_at=count.done_at,
            last_at=count.last_at,
        )


def _unsure(state: ComponentState) -> ComponentState:
    """A good word while nobody can read what is closed is no word at all."""
    if state.condition is not Condition.OPERATIONAL:
        return state
    return msgspec.structs.replace(state, condition=Condition.NOT_MEASURED, reach=Reach.UNKNOWN)


def stage_of(climb: Climb | None) -> Stage | None:
    """Which stage of how many, once any customer is let in; None before that."""
    if climb is None:
        return None
    open_rungs = [rung for rung in climb.lane if rung.exposure.permille > 0]
    here = climb.here
    if here not in open_rungs:
        return None
    return Stage(
        number=open_rungs.index(here) + 1,
        last=len(open_rungs),
        since=climb.entered_at,
        permille=here.exposure.permille,
        amount_max_minor=here.exposure.amount_max_minor,
        limits_percent=here.exposure.limits_permille // 10,
    )


def ticket_of(closure: Closure) -> str:
    """The change ticket a closure's evidence names; empty for one that is no planned change."""
    try:
        evidence = msgspec.json.decode(closure.evidence)
    except msgspec.DecodeError:
        return ""
    ticket = evidence.get("ticket", "") if isinstance(evidence, dict) else ""
    return ticket if isinstance(ticket, str) else ""
