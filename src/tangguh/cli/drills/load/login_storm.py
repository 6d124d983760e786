"""login-storm: the bank is killed; when it is back everybody logs in and pays at once.

Then PostgreSQL hangs for some seconds while everybody pays and gives up after two. A few customers
pay all the while, and what they wait is measured: in the quiet before, in the storm, and after.
Asked, beside the standard oracles: everybody is in and has paid; nobody's right PIN was counted as
a wrong one; payments are as fast as before within seconds of the end of either fault.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import msgspec

from tangguh.cli.device import Device, Said
from tangguh.cli.drills.crowd import Crowd, Told
from tangguh.cli.drills.kill_nine import codes, compared
from tangguh.cli.drills.partners import rehearsal
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.household import Household
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import StoreUnavailable
from tangguh.customers.seed import DEMO_PIN

_OVERRIDES: Final[dict[str, Any]] = {
    "web": {
        "requests_per_minute": 1_000_000,
        "requests_burst": 100_000,
        "logins_per_minute": 100_000,
        "logins_burst": 10_000,
        "listener": {"connections_per_source_max": 4_000},
    },
    "guard": {"mode": "shadow"},
}
_PAYERS: Final = 6
_PACE_SECONDS: Final = 0.15
_QUIET_SECONDS: Final = 6.0
_ENROL_AT_ONCE: Final = 8
_HANG_SECONDS: Final = 4.0
_PATIENCE_SECONDS: Final = 2.0
_STORM_SECONDS_MAX: Final = 120.0
_CALM_SECONDS: Final = 2.0
_CALM_SECONDS_MAX: Final = 60.0
_TIMES_QUIET_MAX: Final = 3.0
_SECONDS_FLOOR: Final = 0.1
"""A payment within this time is fast, whatever the quiet before was."""


class Storm(Crowd):
    """So many phones of the demo's people, and a few who pay at an even pace."""

    def __init__(self, url: str, merchants: dict[str, str], clock: Clock, seed: int, count: int):
        super().__init__(url, merchants, people=32, seed=seed, clock=clock)
        self._phones = [Device(url, clock) for _ in range(count + _PAYERS)]
        self.waits: list[tuple[float, float]] = []
        self.said: dict[str, int] = {}
        self.orders = 0

    @property
    def many(self) -> range:
        """Those who come all at once."""
        return range(_PAYERS, len(self._phones))

    async def close(self) -> None:
        """Switch every phone off."""
        for phone in self._phones:
            await phone.__aexit__(None, None, None)

    async def enrol(self) -> None:
        """Every phone becomes one that the bank knows, some at a time."""
        few = asyncio.Semaphore(_ENROL_AT_ONCE)

        async def one(number: int) -> None:
            async with few:
                await self.log_in(number)

        async with asyncio.TaskGroup() as group:
            for number in range(len(self._phones)):
                group.create_task(one(number))

    async def log_in(self, number: int) -> None:
        """Until they are in; each waits as long as they were told."""
        person = self._people[number % self._count]
        dice = random.Random(number)  # noqa: S311
        phone = self._phones[number]
        await self._until_done("login", lambda: phone.log_in(person.phone, DEMO_PIN), dice)

    async def pay_once(self, number: int, patience: float | None = None) -> None:
        """One new order, asked for with its key until there is an answer."""
        self.orders += 1
        key = f"{number}-{self.orders}"
        account = str(self._accounts[number % self._count][1])
        dice = random.Random(self.orders)  # noqa: S311
        order, phone = self._order(dice, account, key), self._phones[number]
        self.keys += 1
        began, asked = self._clock.monotonic(), 0

        async def ask() -> Said:
            nonlocal asked
            asked += 1
            async with asyncio.timeout(patience):
                return await phone.pay(order, key)

        said = await self._until_done("pay", ask, dice)
        if said.ok:
            self.told.append(Told(key, said.body["id"], said.body["state"], asked))
        if number < _PAYERS:
            self.waits.append((began, self._clock.monotonic() - began))

    async def pay_at_pace(self) -> None:
        """The few, until ``stop``."""

        async def one(number: int) -> None:
            await self._clock.sleep(_PACE_SECONDS * number / _PAYERS)
            while not self._stop.is_set():
                await self.pay_once(number)
                await self._clock.sleep(_PACE_SECONDS)

        async with asyncio.TaskGroup() as group:
            for number in range(_PAYERS):
                group.create_task(one(number))

    async def everybody(self, act: Callable[[int], Awaitable[None]]) -> float:
        """All of them at once; the seconds until the last is done."""
        began = self._clock.monotonic()
        async with asyncio.timeout(_STORM_SECONDS_MAX), asyncio.TaskGroup() as group:
            for number in self.many:
                group.create_task(_run(act, number))
        return round(self._clock.monotonic() - began, 2)

    def waited(self, since: float, until: float) -> list[float]:
        """What the few waited for orders begun in a span, in order of length."""
        return sorted(wait for began, wait in self.waits if since <= began < until)

    async def _until_done(
        self, what: str, ask: Callable[[], Awaitable[Said]], dice: random.Random
    ) -> Said:
        while True:
            try:
                said = await ask()
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
                self.unheard += 1
                await self._clock.sleep(dice.uniform(0.05, 0.5))
                continue
            code = str(said.body.get("code", "done"))
            self.said[f"{what}: {code}"] = self.said.get(f"{what}: {code}", 0) + 1
            if said.ok or (said.status < 500 and said.status != 429):
                return said
            await self._clock.sleep(float(said.body.get("retry_after_seconds") or 0.2))


async def _run(act: Callable[[int], Awaitable[None]], number: int) -> None:
    await act(number)


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times``: how many come at once."""
    clock = SystemClock()
    notes = Notes(clock)
    async with rehearsal(notes, _OVERRIDES) as (household, _):
        merchants = await codes(household.addresses["control"])
        storm = Storm(household.addresses["bank"], merchants, clock, seed, times)
        try:
            await storm.enrol()
            notes.add(f"{times} phones are known")
            paying = asyncio.create_task(storm.pay_at_pace())
            measures = await _rehearse(household, storm, notes, clock)
            storm.stop()
            await paying
        finally:
            await storm.close()
        reached = {
            "somebody_was_turned_away": any("overloaded" in one for one in storm.said),
            "somebody_asked_again": any(told.asked > 1 for told in storm.told),
            "nobodys_right_pin_was_wrong": not {
                "login: pin_wrong", "login: code_needed", "login: rate_limited"
            } & set(storm.said),
            "payments_were_fast_again": all(
                0 <= measures[name] < _CALM_SECONDS_MAX
                for name in ("seconds_to_calm_after_storm", "seconds_to_calm_after_hang")
            ),
        }  # fmt: skip
        measures |= {"said": dict(sorted(storm.said.items()))}
        return await compared(
            "login-storm", household, notes, clock, storm, seed, measures, reached
        )


async def _rehearse(
    household: Household, storm: Storm, notes: Notes, clock: Clock
) -> dict[str, Any]:
    bank, postgres = household.bank, household.postgres
    if bank is None or postgres is None:
        raise StoreUnavailable("this drill needs a bank and a PostgreSQL of its own")
    await clock.sleep(1.0)
    quiet = await _span(storm, clock, clock.sleep(_QUIET_SECONDS))
    limit = max(_TIMES_QUIET_MAX * quiet["p99"], _SECONDS_FLOOR)
    notes.add("the bank is killed")
    bank.kill()
    await bank.restart()
    notes.add("the bank is back, and everybody comes")
    logins = await _span(storm, clock, storm.everybody(storm.log_in))
    notes.add("everybody is in")
    orders = await _span(storm, clock, storm.everybody(storm.pay_once))
    calm = await _calm(storm, clock, limit)
    notes.add("PostgreSQL hangs")
    postgres.freeze()
    impatient = asyncio.create_task(
        storm.everybody(lambda number: storm.pay_once(number, _PATIENCE_SECONDS))
    )
    await clock.sleep(_HANG_SECONDS)
    postgres.thaw()
    notes.add("PostgreSQL goes on")
    calm_after_hang = await _calm(storm, clock, limit)
    return {
        "seconds_waited": {"quiet": quiet, "logins": logins, "orders": orders},
        "seconds_to_calm_after_storm": calm,
        "seconds_to_calm_after_hang": calm_after_hang,
        "seconds_until_all_have_paid_after_hang": await impatient,
    }


async def _span(storm: Storm, clock: Clock, what: Awaitable[Any]) -> dict[str, Any]:
    """What the few waited while something went on."""
    began = clock.monotonic()
    took = await what
    waits = storm.waited(began, clock.monotonic())
    at = {"p50": len(waits) // 2, "p99": int(len(waits) * 0.99), "most": len(waits) - 1}
    found: dict[str, Any] = {name: round(waits[place], 4) for name, place in at.items() if waits}
    return found | {"payments": len(waits), "seconds": took}


async def _calm(storm: Storm, clock: Clock, limit: float) -> float:
    """Seconds until nobody of the few has waited longer than ``limit`` for a while; -1: never."""
    began = clock.monotonic()
    while clock.monotonic() - began < _CALM_SECONDS_MAX:
        await clock.sleep(0.25)
        now = clock.monotonic()
        slow = [
            start + wait for start, wait in storm.waits if wait > limit and start + wait > began
        ]
        calm_since = max(slow, default=began)
        recent = storm.waited(now - _CALM_SECONDS, now)
        if now - calm_since > _CALM_SECONDS and len(recent) > _PAYERS:
            return round(calm_since - began, 2)
    return -1.0
