"""Looks at every component: outcomes in a window, echoes of networks, closures, people's words."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.outcome import Accepted
from tangguh.core.service import SERVICES
from tangguh.db.pool import Pool
from tangguh.guard.closure import Closure
from tangguh.guard.window import End, Seen
from tangguh.ledger.writer import Writer
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.rails.gatekeeper import behind
from tangguh.rails.rail import Rail
from tangguh.recovery.climb import Climb
from tangguh.recovery.climber import climbs_under_way
from tangguh.status import store
from tangguh.status.component import COMPONENTS, ComponentState, Condition, Stage
from tangguh.status.judgement import Judged, Probe, Shut, Tally, judge

_DONE, _UNANSWERED, _FAILED = range(3)
_HEAP: Final = {
    End.PAID: _DONE,
    End.DECLINED: _DONE,
    End.UNANSWERED: _UNANSWERED,
    End.NOT_SENT: _FAILED,
    End.BROKEN: _FAILED,
}
"""A network that declines works; what our own rules refuse says nothing about it."""
_INSIDE: Final = frozenset({"onus", "emoney"})


class Looker:
    """One bank's eyes on its own services."""

    def __init__(
        self,
        desk: Desk,
        writer: Writer,
        pool: Pool,
        book_id: int,
        rails: Mapping[str, Rail],
        clock: Clock,
        *,
        window_seconds: float,
        probe_seconds: float,
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._pool = pool
        self._book_id = book_id
        self._rails = rails
        self._clock = clock
        self._window = window_seconds
        self._probe_seconds = probe_seconds
        self._seen: dict[str, deque[tuple[int, list[int]]]] = {one: deque() for one in SERVICES}
        self._judged: dict[str, Judged] = {}
        self._computed: dict[str, Condition] = {}
        self._probes: dict[str, Probe] = {}
        self._probed = -probe_seconds
        self.shut: list[Shut] = []

    def see(self, seen: Seen) -> None:
        """Count one observation. Called for every payment, so it only adds to the second's sums."""
        heap = _HEAP.get(seen.end)
        rows = self._seen.get(seen.facts.service)
        if heap is None or rows is None:
            return
        second = int(self._clock.monotonic())
        if not rows or rows[-1][0] != second:
            rows.append((second, [0, 0, 0]))
        rows[-1][1][heap] += 1

    async def look(self) -> dict[str, ComponentState]:
        """Every component as it is now. Raises StoreUnavailable when the book is out of reach."""
        now = self._clock.now()
        board = await self._desk.decide(ReadBoard())
        climbs = {one.closure_id: one for one in await climbs_under_way(self._pool, self._book_id)}
        words = await store.overrides(self._pool, self._book_id, now)
        self.shut = [
            Shut(
                closure=one,
                ticket=ticket_of(one),
                stage=stage_of(climbs.get(str(one.id))),
            )
            for one in board.closures
        ]
        await self._probe(now)
        for component in COMPONENTS:
            look = partial(
                judge,
                component,
                tally=self._tally(component),
                now=now,
                closures=self.shut,
                probe=self._probes.get(SERVICES[component].rail),
                before=self._judged.get(component),
            )
            word = words.get(component)
            self._judged[component] = judged = look(override=word)
            bare = judged if word is None else look()
            self._computed[component] = bare.state.condition
        return self.states

    def computed(self, component: str) -> Condition:
        """How a component is by what is seen, without people's words."""
        return self._computed.get(component, Condition.OPERATIONAL)

    @property
    def states(self) -> dict[str, ComponentState]:
        """The states of the newest look."""
        return {component: one.state for component, one in self._judged.items()}

    def _tally(self, service: str) -> Tally:
        rows = self._seen[service]
        oldest = self._clock.monotonic() - self._window
        while rows and rows[0][0] < oldest:
            rows.popleft()
        done, unanswered, failed = (sum(row[1][heap] for row in rows) for heap in range(3))
        return Tally(done=done, unanswered=unanswered, failed=failed)

    async def _probe(self, now: datetime) -> None:
        """Networks that have an echo are asked for it; the bank asks its own book."""
        if self._clock.monotonic() - self._probed < self._probe_seconds:
            return
        self._probed = self._clock.monotonic()
        for name, rail in self._rails.items():
            if name in _INSIDE:
                self._probes[name] = Probe(ok=self._writer.is_open, at=now, ours=True)
                continue
            echo: Any = getattr(behind(rail), "echo", None)
            if echo is not None:
                self._probes[name] = Probe(ok=isinstance(await echo(), Accepted), at=now)


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
