"""Half open again as soon as a network answers: a moment without it costs seconds, not minutes.

Only what the guard closed by itself for health, for the first time within the hour, and only when
the trouble was that nothing could be sent, or our own questions failed, too, and are answered now.
A network that answers echoes and loses payments has proved nothing by its echo.
"""

from __future__ import annotations

import asyncio
import math
from datetime import datetime
from typing import Final

import msgspec
import structlog

from tangguh.core.errors import TangguhError
from tangguh.core.known import Tristate
from tangguh.core.outcome import Refused
from tangguh.core.service import SERVICES
from tangguh.core.supervision import beat
from tangguh.guard.closure import Closure, SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import HalfOpen, ReadBoard
from tangguh.status.observation import Probe
from tangguh.work.incidents.probes import Key

log = structlog.get_logger("guard.reopening")

_BY: Final = "probe"
_HOWEVER_LONG: Final = math.inf
"""Until a network answers; a round that hangs is seen all the same."""


class Reopening:
    """Hears every answer of a network; ``run`` until cancelled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._answers: dict[Key, Probe] = {}
        self._heard = asyncio.Event()

    def hear(self, key: Key, probe: Probe) -> None:
        """An answer to one of our own questions. Never blocks."""
        if probe.answer is Tristate.YES:
            self._answers[key] = probe
            self._heard.set()

    async def run(self) -> None:
        """After each good answer look at what is closed, until cancelled."""
        while True:
            beat(_HOWEVER_LONG)
            await self._heard.wait()
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("reopening.failed", why=str(trouble))
            except Exception:
                log.exception("reopening.broken")

    async def round(self) -> list[Closure]:
        """Half open what may be; the closures as they are then."""
        self._heard.clear()
        answers, self._answers = self._answers, {}
        board = await self._desk.decide(ReadBoard())
        opened = []
        for closure in board.closures:
            if not _is_for_health(closure, self._desk.clock.now()):
                continue
            if any(_disproves(closure, key, probe) for key, probe in answers.items()):
                done = await self._desk.decide(HalfOpen(closure_id=closure.id, by=_BY))
                if isinstance(done, Refused):
                    log.warning("reopening.refused", why=done.detail)
                else:
                    log.warning("reopening.half_open", scope=str(closure.scope))
                    opened.append(done)
        return opened


def _is_for_health(closure: Closure, now: datetime) -> bool:
    """Whether the guard closed it wholly, by itself, and its time is not over."""
    return (
        closure.signal_class is SignalClass.HEALTH
        and closure.state is State.CONTAINED
        and closure.made_by.startswith("rule:")
        and closure.allowance is None
        and not closure.confirmed_by
        and not closure.is_over(now)
    )


class _Evidence(msgspec.Struct):
    times: int = 2
    not_sent: int = 0


def _disproves(closure: Closure, key: Key, probe: Probe) -> bool:
    """Whether an answer says that the trouble a closure was made for is over."""
    if not _carries(key, closure.scope) or probe.at <= closure.made_at:
        return False
    try:
        evidence = msgspec.json.decode(closure.evidence, type=_Evidence)
    except msgspec.DecodeError:
        return False
    failed_too = probe.over_since is not None and probe.over_since > closure.made_at
    return evidence.times == 1 and (evidence.not_sent > 0 or failed_too)


def _carries(key: Key, scope: Scope) -> bool:
    """Whether the network of a question is the one a scope is about."""
    service = SERVICES.get(scope.service)
    rail = scope.rail or (service.rail if service else "")
    partner = scope.partner or (service.partner if service else "")
    return bool(rail) and key[0] == rail and key[1] in ("", partner)
