"""slow-doors: strangers hold every listener at once while customers pay.

Quiet windows and windows of trouble take turns. In trouble connections to every listener of the
household say nothing, send half a head, half a body, a body without end, one far too large, one
nested thousands deep, and an unsigned file of escaped quotes. Asked:
O1 every posting balances and the book adds up to zero;
O2 every payment has exactly one outcome, and open ones hold their money;
O3 nobody is below their floor;
O7 the hash chain is unbroken;
O8 everything open ended by itself, and every stranger's connection was ended by the bank;
O9 a payment's p99 in trouble is at most half above that in quiet (each over all samples of its
   windows), or as much above as the busier half of the quiet windows is above the other;
O10 everybody who paid was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from typing import Any, Final
from urllib.parse import urlsplit

from tangguh.cli.drills.partners import payers, rehearsal, until_ended
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.drills.scores.card import plan_hash
from tangguh.cli.drills.scores.recorder import Sample, Window
from tangguh.cli.drills.slow_partner import percentile
from tangguh.cli.drills.street import Street
from tangguh.cli.household import Household
from tangguh.cli.prove import prove_dsn
from tangguh.core.clock import Clock, SystemClock

_SERVICES: Final = ("onus", "qris")
_PEOPLE: Final = 4
_PACE_SECONDS: Final = 0.1
_WINDOW_SECONDS: Final = 4.0
_PAUSE_SECONDS: Final = 1.0
_START_SECONDS: Final = 2.0
_WARM_UP_SECONDS: Final = 2.0
_ENDED_SECONDS_MAX: Final = 30.0
_CUT_SECONDS_MAX: Final = 40.0
_P99_RATIO_MAX: Final = 1.5
_POUR_SECONDS: Final = 0.05
_BACK_SECONDS: Final = 1.0
_EACH: Final = 6
_HEAD: Final = b"POST /emoney/files HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_LARGE: Final = 31 * 1024 * 1024

_BEGUN: Final[dict[str, tuple[bytes, bytes]]] = {
    "silent": (b"", b""),
    "half a head": (b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nX-A", b""),
    "a head without end": (b"POST / HTTP/1.1\r\n", b"X-A: b\r\n"),
    "a huge head": (b"GET / HTTP/1.1\r\nX-A: " + b"a" * 200_000, b""),
    "half a body": (
        b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n{", b""
    ),
    "a body without end": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\n\"\\\"\r\n"),
    "a huge body": (_HEAD + b"Content-Length: %d\r\n\r\n" % _LARGE + b'"\\"' * 50_000, b'"\\"' * 9),
    "nested": (
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 30000\r\nConnection: close\r\n\r\n" + b"[" * 30_000, b""
    ),
}  # fmt: skip


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times`` quiet windows, each followed by one of trouble."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    counts: dict[str, int] = {}
    async with rehearsal(notes, {}) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            paying = asyncio.create_task(pay_in_turn(street, people, _SERVICES, _PACE_SECONDS))
            await clock.sleep(_WARM_UP_SECONDS)
            windows: list[Window] = []
            for _ in range(times):
                begins = notes.seconds
                await clock.sleep(_WINDOW_SECONDS)
                windows.append(Window(begins, notes.seconds))
                with strangers(household, counts):
                    await clock.sleep(_START_SECONDS)  # a process of theirs takes a moment
                    begins = notes.seconds
                    await clock.sleep(_WINDOW_SECONDS)
                    windows.append(Window(begins, notes.seconds, "strangers"))
                notes.add("strangers were at every listener")
                await clock.sleep(_PAUSE_SECONDS)
            held = await held_seconds(household, clock)
            street.stop()
            await paying
        ended = await until_ended(household.dsn, clock, _ENDED_SECONDS_MAX)
        proof = await prove_dsn(household.dsn)
    felt = {service: _felt(street.recorder.samples, windows, service) for service in _SERVICES}
    oracles = oracles_of(proof) | {
        "O8": ended and max(held.values()) <= _CUT_SECONDS_MAX,
        "O9": all(
            one["p99_ratio"] <= max(_P99_RATIO_MAX, one["quiet_against_quiet"])
            for one in felt.values()
        ),
        "O10": all(one.state not in ("", "unheard") for one in street.recorder.samples),
    }
    sometimes = {f"strangers_sent_{name.replace(' ', '_')}": counts[name] > 0 for name in _BEGUN}
    measures: dict[str, Any] = {
        "services": felt,
        "p99_ratio_max": _P99_RATIO_MAX,
        "connections": counts,
        "listeners": sorted(_listeners(household)),
        "held_seconds": held,
        "payments": len(street.recorder.samples),
        "broken": [one.name for one in proof.invariants if not one.holds],
    }
    plan = plan_hash([seed, times, sorted(_BEGUN), _WINDOW_SECONDS, _PACE_SECONDS])
    return Report(
        "slow-doors", seed, verdict(oracles, sometimes, proof), oracles, sometimes, measures,
        notes.moments, [], plan,
    )  # fmt: skip


@contextlib.contextmanager
def strangers(household: Household, counts: dict[str, int]) -> Iterator[None]:
    """So many of each kind at every listener, for as long as the block lasts.

    In a process of their own: what they cost must not be measured as the customers' waiting.
    """
    places = list(_listeners(household).values())
    for name in _BEGUN:
        counts[name] = counts.get(name, 0) + _EACH * len(places)
    crowd = get_context("spawn").Process(target=hold_all, args=(places,), daemon=True)
    crowd.start()
    try:
        yield
    finally:
        crowd.terminate()
        crowd.join()


def hold_all(places: list[tuple[str, int]]) -> None:
    """Be every stranger until terminated."""
    asyncio.run(_hold_all(places))


async def _hold_all(places: list[tuple[str, int]]) -> None:
    clock = SystemClock()
    async with asyncio.TaskGroup() as group:
        for host, port in places:
            for name in _BEGUN:
                for _ in range(_EACH):
                    group.create_task(_hold(host, port, name, clock))


async def held_seconds(household: Household, clock: Clock) -> dict[str, float]:
    """How long one silent and one half-sent connection live at each listener."""
    places = _listeners(household)
    lives = await asyncio.gather(
        *(
            _lives(host, port, name, clock)
            for host, port in places.values()
            for name in ("silent", "half a head")
        )
    )
    each = zip(places, zip(lives[::2], lives[1::2], strict=True), strict=True)
    return {name: round(max(two), 2) for name, two in each}


async def _lives(host: str, port: int, name: str, clock: Clock) -> float:
    began = clock.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CUT_SECONDS_MAX * 2):
            await _once(host, port, name, clock)
    return clock.monotonic() - began


async def _hold(host: str, port: int, name: str, clock: Clock) -> None:
    """Come back a second after it was hung up on: what is rehearsed is holding, not flooding."""
    while True:
        await _once(host, port, name, clock)
        await clock.sleep(_BACK_SECONDS)


async def _once(host: str, port: int, name: str, clock: Clock) -> None:
    begun, endless = _BEGUN[name]
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection(host, port)
        pouring = asyncio.create_task(_pour(writer, begun, endless, clock))
        try:
            while await reader.read(65_536):
                pass
        finally:
            pouring.cancel()
            writer.transport.abort()
            await asyncio.gather(pouring, return_exceptions=True)


async def _pour(writer: asyncio.StreamWriter, begun: bytes, endless: bytes, clock: Clock) -> None:
    writer.write(begun)
    while endless:
        await writer.drain()
        await clock.sleep(_POUR_SECONDS)
        writer.write(endless)


def _listeners(household: Household) -> dict[str, tuple[str, int]]:
    """Every address of the household that listens, by its name."""
    found: dict[str, tuple[str, int]] = {}
    for name, address in household.addresses.items():
        parts = urlsplit(address if "//" in address else f"//{address}")
        if parts.hostname and parts.port:
            found[name] = (parts.hostname, parts.port)
    return found


def _felt(samples: Sequence[Sample], windows: Sequence[Window], service: str) -> dict[str, Any]:
    """p50 and p99 in milliseconds, quiet and in trouble; and quiet against quiet."""
    quiet = [one for one in windows if not one.trouble]
    trouble = [one for one in windows if one.trouble]
    calm, shaken = (_seconds(samples, which, service) for which in (quiet, trouble))
    halves = [percentile(_seconds(samples, quiet[at::2], service), 99) for at in (0, 1)]
    p99 = percentile(calm, 99), percentile(shaken, 99)
    return {
        "samples": [len(calm), len(shaken)],
        "p50_ms": [round(percentile(one, 50) * 1000, 1) for one in (calm, shaken)],
        "p99_ms": [round(one * 1000, 1) for one in p99],
        "p99_ratio": round(p99[1] / p99[0], 3) if p99[0] else 0.0,
        "quiet_against_quiet": round(max(halves) / min(halves), 3) if min(halves) else 0.0,
    }


def _seconds(samples: Sequence[Sample], windows: Sequence[Window], service: str) -> list[float]:
    return [
        one.seconds
        for one in samples
        if one.service == service
        and any(window.begins <= one.began < window.ends for window in windows)
    ]
