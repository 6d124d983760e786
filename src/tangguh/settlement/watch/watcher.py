"""The watch at work: reads what left, matches it to the book, closes the rail when it must.

It needs the hub's statement and the book's rows, and no process of the bank. Orders are remembered
in the same step as what they are for, and delivered by two couriers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Final

import aiohttp
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import ContractBroken, StoreUnavailable
from tangguh.core.ids import Ids
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.guard.snapshot import WatchOrder, seal
from tangguh.settlement.watch.courier import Courier
from tangguh.settlement.watch.feed import Feed, decided
from tangguh.settlement.watch.matching import (
    Decided,
    Page,
    Row,
    Unmatched,
    Verdict,
    faults_of,
    judge_all,
    lag_seconds,
    place_after,
)
from tangguh.settlement.watch.memory import Memory, Ordered
from tangguh.settlement.watch.order import closure_of
from tangguh.settlement.watch.settings import RAIL, WatchSettings, hub_key_of, key_of
from tangguh.settlement.watched import WatchState

log = structlog.get_logger("settlement.watch")

_AGAIN_SECONDS: Final = 0.5
_FAULTS_KEPT: Final = 50
_LAGS_KEPT: Final = 1_000
_SHOWN_MAX: Final = 200


class Watcher:
    """One settlement account's watch. ``async with`` it; ``run`` until cancelled."""

    def __init__(self, settings: WatchSettings, clock: Clock, ids: Ids) -> None:
        """Raises Misconfigured when a key cannot be used."""
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._key = key_of(settings)
        self._hub_key = hub_key_of(settings)
        self._memory = Memory(settings.memory_path)
        self._place = self._memory.place()
        self._pool: Pool | None = None
        self._lags: deque[float] = deque(maxlen=_LAGS_KEPT)
        self._faults: deque[str] = deque(maxlen=_FAULTS_KEPT)
        self._blind = "the book has not been asked yet"
        self._balance = self._place.balance_minor
        self._heard = clock.monotonic()
        self._since_order = 0
        self._ordered = -settings.again_seconds
        self._couriers: list[Courier] = []

    async def run(self) -> None:
        """Read on and on, until cancelled."""
        settings = self._settings
        timeout = aiohttp.ClientTimeout(total=settings.wait_seconds + 5.0, sock_connect=2.0)
        async with aiohttp.ClientSession(timeout=timeout) as http, asyncio.TaskGroup() as group:
            self._couriers = [
                Courier(who, url, self._memory, http, self._clock)
                for who, url in (
                    ("gateway", f"{settings.gateway_url}/orders"),
                    ("bank", f"{settings.bank_url}/guard/orders"),
                )
            ]
            for courier in self._couriers:
                group.create_task(courier.run())
            feed = Feed(settings.url, self._key, self._hub_key, http)
            group.create_task(self._read_on(feed))

    async def close(self) -> None:
        """Let go of the book and of the file."""
        if self._pool is not None:
            await self._pool.close()
        self._memory.close()

    def state(self) -> WatchState:
        """What others may read."""
        now, age = self._clock.now(), self._clock.monotonic() - self._heard
        matched, unmatched = self._memory.counts()
        lags = sorted(self._lags)
        return WatchState(
            rail=RAIL,
            at=now.isoformat(),
            last_seq=self._place.seq,
            last_row_at=self._place.at,
            lag_seconds=round(self._lags[-1], 3) if self._lags else 0.0,
            lag_p99_seconds=round(lags[-(-len(lags) * 99 // 100) - 1], 3) if lags else 0.0,
            feed_age_seconds=round(age, 3),
            silent=age > self._settings.silent_seconds_max,
            blind=self._blind,
            balance_minor=self._balance,
            over_exposed=self._is_over_exposed(),
            matched=matched,
            unmatched_count=unmatched,
            unmatched=self._memory.unmatched(_SHOWN_MAX),
            closed=[
                {"id": one.id, "made_at": one.made_at, "gateway": one.gateway, "bank": one.bank}
                for one in self._memory.orders()[-_SHOWN_MAX:]
            ],
            faults=list(self._faults),
        )

    # ---- reading ---------------------------------------------------------------------------

    async def _read_on(self, feed: Feed) -> None:
        while True:
            beat(self._settings.wait_seconds)
            try:
                await self._step(feed)
                pause = self._settings.pause_seconds
            except (ContractBroken, aiohttp.ClientError, TimeoutError, OSError) as lost:
                self._fault(f"the statement: {str(lost) or type(lost).__name__}")
                pause = _AGAIN_SECONDS
            except StoreUnavailable as lost:
                self._blind = str(lost)
                log.warning("watch.blind", why=str(lost))
                pause = _AGAIN_SECONDS
            except Exception:
                # A bug on one page must not end the watch of all others.
                log.exception("watch.broken")
                pause = _AGAIN_SECONDS
            if self._clock.monotonic() - self._heard > self._settings.silent_seconds_max:
                log.error("watch.feed_silent", last_seq=self._place.seq)
            await self._clock.sleep(pause)

    async def _step(self, feed: Feed) -> None:
        """One page: judged, remembered, acted on."""
        settings, place = self._settings, self._place
        if self._blind:
            # A page may be long in coming, and is read all the same while the book is away.
            with contextlib.suppress(StoreUnavailable):
                await self._decided(())
        page = await feed.after(
            place.seq, settings.rows_max, settings.wait_seconds, self._clock.now()
        )
        self._heard, self._balance = self._clock.monotonic(), page.balance_minor
        for fault in faults_of(place, page):
            self._fault(fault)
        if self._is_over_exposed():
            log.warning("watch.over_exposed", balance_minor=self._balance)
        rows = [row for row in page.rows if row.seq > place.seq]
        verdicts = await self._judge(rows)
        self._remember(page, rows, verdicts)

    async def _judge(self, rows: Sequence[Row]) -> dict[int, Verdict]:
        references = [row.reference for row in rows if row.is_outflow]
        if not references:
            # Asked all the same: whether outflows could be matched is known before there is one.
            await self._decided(references)
            return {}
        used = self._memory.used(references)
        verdicts = judge_all(rows, await self._decided(references), used)
        if any(verdict != "matched" for verdict in verdicts.values()):
            # The book commits before it sends; but a standby that is read may be a little behind.
            await self._clock.sleep(self._settings.look_again_seconds)
            verdicts = judge_all(rows, await self._decided(references), used)
        return verdicts

    async def _decided(self, references: Sequence[str]) -> dict[str, Decided]:
        if self._pool is None:
            self._pool = await Pool.open(self._settings.dsn, size_max=2, command_seconds=5.0)
        found = await decided(self._pool, self._settings.book_id, RAIL, references)
        self._blind = ""
        return found

    def _remember(self, page: Page, rows: Sequence[Row], verdicts: dict[int, Verdict]) -> None:
        now = self._clock.now()
        self._lags.extend(lag_seconds(row.at, now) for row in rows if row.seq in verdicts)
        found = [
            Unmatched(row.seq, row.reference, row.amount_minor, row.at, now.isoformat(), why)
            for row in rows
            if (why := verdicts.get(row.seq, "matched")) != "matched"
        ]
        order = self._order_for(found)
        matched = [row for row in rows if verdicts.get(row.seq) == "matched"]
        place = place_after(self._place, page)
        if page.rows:
            self._memory.keep(place, matched, found, order)
            self._place = place
        for one in found:
            log.error("watch.unmatched", seq=one.seq, reference=one.reference, why=one.why)
        if order is not None:
            self._since_order, self._ordered = 0, self._clock.monotonic()
            for courier in self._couriers:
                courier.wake()

    def _order_for(self, found: Sequence[Unmatched]) -> Ordered | None:
        self._since_order += len(found)
        if not found or self._since_order < self._settings.unmatched_max:
            return None
        if self._clock.monotonic() - self._ordered < self._settings.again_seconds:
            return None
        if not self._settings.closes:
            log.error("watch.would_close", outflows=len(found))
            return None
        now = self._clock.now()
        closure = closure_of(self._ids.next(), RAIL, found, now)
        sealed = seal("order", WatchOrder(closure), self._key)
        log.error("watch.closes", order=str(closure.id), outflows=len(found))
        return Ordered(str(closure.id), sealed, now.isoformat(), "", "")

    def _is_over_exposed(self) -> bool:
        most = self._settings.exposure_max_minor
        return most is not None and self._balance > most

    def _fault(self, fault: str) -> None:
        self._faults.append(fault)
        log.error("watch.fault", fault=fault)
