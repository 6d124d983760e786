"""Runs each network's settlement cycle once it is over, by itself: the bank's own back office.

What is wrong with a file is a matter for people: it is tried again later, not every round. A cycle
that was run stays run, so a restart, or two of these at once, change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog

from tangguh.core.bounded import Recent
from tangguh.core.clock import business_date
from tangguh.core.cycle import cycles_of
from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.settlement import cycle, store
from tangguh.settlement.contradicted.listing import list_contradictions
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.file import Expected, FileRefused
from tangguh.settlement.formats import NETWORKS
from tangguh.settlement.merchants.payout import pay_out
from tangguh.settlement.source import Source

log = structlog.get_logger("work.cycles")

_PAYS_MERCHANTS: Final = "qris"
_DAYS_BACK: Final = 2


class CycleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the files are: a directory, or an address; ``{network}`` stands for the network's name.

    ``after_seconds``: how long after the cut-off a network needs to make its file.
    ``again_seconds``: when a cycle that could not be run is tried again.
    """

    source: str
    networks: tuple[str, ...] = tuple(NETWORKS)
    round_seconds: float = 60.0
    after_seconds: float = 300.0
    again_seconds: float = 900.0


_KEPT: Final = timedelta(days=_DAYS_BACK + 2)
_KEPT_MAX: Final = 10_000


class Cycles:
    """The bank's own back office. One per book."""

    def __init__(self, office: BackOffice, settings: CycleSettings) -> None:
        self._office = office
        self._settings = settings
        self._not_before: Recent[tuple[str, str, int], datetime] = Recent(_KEPT_MAX, _KEPT)
        self._done: Recent[Expected, bool] = Recent(_KEPT_MAX, _KEPT)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            await self.round()
            await self._office.clock.sleep(self._settings.round_seconds)

    async def round(self) -> int:
        """Run every cycle that is over and was not run; how many were."""
        await self._own_contradictions()
        done = 0
        for expected in self._over():
            done += await self._run_once(expected)
        return done

    async def _own_contradictions(self) -> None:
        """Whatever a network said twice and differently has an owner within a round."""
        try:
            for one in await list_contradictions(self._office):
                log.warning("cycles.contradicted", kind=one.kind, owner=one.owner)
        except TangguhError as trouble:
            log.warning("cycles.failed", network="every", why=str(trouble))

    def _over(self) -> Iterator[Expected]:
        """The cycles of the last days that are over, oldest first, network by network."""
        now = self._office.clock.now()
        latest = now - timedelta(seconds=self._settings.after_seconds)
        today = business_date(now)
        for name in self._settings.networks:
            network = NETWORKS[name]
            for back in range(_DAYS_BACK, -1, -1):
                day = today - timedelta(days=back)
                for one in cycles_of(day, network.cut_offs):
                    key = (name, day.isoformat(), one.number)
                    if one.ends_at <= latest and (self._not_before.get(key, now) or now) <= now:
                        yield Expected(network=network, day=day, cycle=one.number)

    async def _run_once(self, expected: Expected) -> bool:
        """Whether it was run now. Merchants are paid after it, if need be by the next process."""
        office, name = self._office, expected.network.name
        if self._done.get(expected, office.clock.now()):
            return False
        try:
            known = await store.file_in_force(office.pool, office.book_id, expected)
            is_new = known is None or known.state != "posted"
            if is_new and not await self._settled(expected):
                return False
            if name == _PAYS_MERCHANTS:
                # Once per merchant and cycle, whoever asks: a payout cut short is ended here.
                await pay_out(office, expected.day, expected.cycle)
        except TangguhError as trouble:
            log.warning("cycles.failed", network=name, why=str(trouble))
            self._put_off(expected)
            return False
        except Exception:
            # A fault of one network's file or of ours loses this cycle's turn, not everybody's.
            log.exception("cycles.broken", network=name)
            self._put_off(expected)
            return False
        self._done.keep(expected, True, office.clock.now())  # noqa: FBT003 - a set with an age
        return is_new

    async def _settled(self, expected: Expected) -> bool:
        ran = await cycle.run(self._office, expected, self._source(expected.network.name))
        if isinstance(ran, Refused | FileRefused):
            self._put_off(expected)
            return False
        named = f"{expected.day}-{expected.cycle}"
        log.info("cycles.ran", network=expected.network.name, cycle=named, breaks=ran.breaks)
        return True

    def _source(self, network: str) -> Source:
        place = self._settings.source.format(network=network)
        return place if place.startswith(("http://", "https://")) else Path(place)

    def _put_off(self, expected: Expected) -> None:
        key = (expected.network.name, expected.day.isoformat(), expected.cycle)
        wait = timedelta(seconds=self._settings.again_seconds)
        now = self._office.clock.now()
        self._not_before.keep(key, now + wait, now)
