"""``tangguh bench iso8583``: withdrawals of our cards at others' machines, over TCP, all checks on.

The bench is the switch: the bank connects to it, signs on, and is then asked as fast as it answers,
with a fixed number in flight. Every request has a MAC and a PIN block that the bank checks through
its security module, every approval is posted and on disk before it is answered, and every answer's
MAC is checked here. Requests are written beforehand, so that the generator costs little.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Final

from cyclopts import Parameter

from tangguh.cli.bench.report import Laps, Report, Result, show
from tangguh.cli.bench.workshop import unhurried_guard
from tangguh.cli.bench.yardstick import Pgbench
from tangguh.cli.household import Household, temporary
from tangguh.cli.processes.ports import free_port
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import SystemClock
from tangguh.core.errors import StoreUnavailable, TangguhError
from tangguh.customers.demo import CARD_HOLDERS, card_number
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.rails.iso8583 import hsm
from tangguh.sim.cards.foreign import numbered
from tangguh.sim.cards.wire import Telegram, frame, load_key, mac_fits, pin_block, read, write

_IN_FLIGHT: Final = 256
_WARM_SECONDS: Final = 2.0
_PER_SECOND_MAX: Final = 4_000
_AMOUNT_MINOR: Final = 1_00
_APPROVED: Final = "00"
_HEADER: Final = 2
_WITHDRAWAL: Final = "011000"
_CREDIT: Final = "401000"
_FUNDS_MINOR: Final = 9_000_000_000_00
_PLACE: Final = f"{'ATM UJI ANTAR':<25}{'JAKARTA':<13}ID"
_SIGN_ON_SECONDS: Final = 15.0


def iso8583(
    *,
    seconds: Annotated[int, Parameter(help="How long the workload runs.")] = 10,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """ISO 8583 withdrawals per second with MAC and PIN checked, beside pgbench."""
    try:
        report = asyncio.run(_bench(seconds))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    show(report, as_json=as_json)


async def _bench(seconds: int) -> Report:
    port = free_port()
    overrides: dict[str, Any] = {
        "iso8583": {"port": port, "handling_max": 2 * _IN_FLIGHT},
        "guard": unhurried_guard(),
    }
    with tempfile.TemporaryDirectory(prefix="tangguh-bench-") as directory:
        household = temporary(Path(directory), load(None), seed=1, overrides=overrides)
        line = Line()
        switch = await asyncio.start_server(line.serve, "127.0.0.1", port)
        try:
            await household.start()
            return await _measure(household, line, seconds)
        finally:
            await household.stop()
            line.cut()
            switch.close()


async def _measure(household: Household, line: Line, seconds: int) -> Report:
    assert household.outside is not None
    line.mac_key = load_key(household.outside.keys[hsm.MAK])
    await asyncio.wait_for(line.signed_on.wait(), _SIGN_ON_SECONDS)
    pin_key = load_key(household.outside.keys[hsm.ZPK])
    await _fund(line)
    count = int((seconds + _WARM_SECONDS) * _PER_SECOND_MAX)
    frames = list(itertools.islice(_requests(pin_key, line.mac_key), count))
    pgbench = Pgbench(household.dsn)
    await pgbench.prepare()
    before = await pgbench.run(seconds)
    waiting = iter(frames)
    await line.load(waiting, _WARM_SECONDS, Laps())
    laps = Laps()
    took = await line.load(waiting, seconds, laps)
    after = await pgbench.run(seconds)
    name = f"withdrawal, {_IN_FLIGHT} in flight"
    results: list[Result] = [laps.result(name, _IN_FLIGHT, took, (before + after) / 2)]
    large = await pgbench.run_large(seconds)
    proof = await prove_dsn(household.dsn)
    figures = {"pgbench_scale_10_per_second": large, "macs_wrong": float(line.macs_wrong)}
    return Report("iso8583", results, pgbench.measured(), results[0].ratio, proof, figures)


async def _fund(line: Line) -> None:
    """A credit to each holder over the same line, so that fees do not empty the accounts."""
    _, accounts, _ = demo(1)
    now = SystemClock().now()
    for number, (_, account_id, _) in enumerate(accounts[:CARD_HOLDERS]):
        stan = f"{999_000 + number:06d}"
        fields = numbered(now, stan) | {
            3: _CREDIT,
            4: f"{_FUNDS_MINOR:012d}",
            18: "6011",
            22: "021",
            32: "998",
            41: "ATM99801",
            42: "998000000000001",
            43: _PLACE,
            48: f"{'':30}{'BENCH':<16}{'BENCH':<30}",
            49: "360",
            100: "999",
            102: "5260000001",
            103: str(account_id),
            127: "999",
        }
        code = await line.ask(stan, frame(write(Telegram("0200", fields), line.mac_key)))
        if code != _APPROVED:
            raise StoreUnavailable(f"funding a holder: response code {code}")


def _requests(pin_key: bytes, mac_key: bytes | None) -> Iterator[tuple[str, bytes]]:
    """STAN and frame of one withdrawal after the other, the holders in turn."""
    _, accounts, _ = demo(1)
    pans = [card_number(account_id) for _, account_id, _ in accounts[:CARD_HOLDERS]]
    blocks = {pan: pin_block(DEMO_PIN, pan, pin_key) for pan in pans}
    now: datetime = SystemClock().now()
    for number in itertools.count():
        pan, stan = pans[number % len(pans)], f"{number % 1_000_000:06d}"
        fields = numbered(now, stan) | {
            2: pan,
            3: _WITHDRAWAL,
            4: f"{_AMOUNT_MINOR:012d}",
            18: "6011",
            22: "021",
            32: "998",
            35: f"{pan}=301210100000",
            41: "ATM99801",
            42: "998000000000001",
            43: _PLACE,
            49: "360",
            52: blocks[pan],
            100: "999",
        }
        yield stan, frame(write(Telegram("0200", fields), mac_key))


class Line:
    """The switch's end of the bank's one connection."""

    def __init__(self) -> None:
        self.mac_key: bytes | None = None
        self.signed_on = asyncio.Event()
        self.macs_wrong = 0
        self._writer: asyncio.StreamWriter | None = None
        self._asked: dict[str, asyncio.Future[str]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer network management; give every other answer to who waits for it."""
        self._writer = writer
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(_HEADER)
                raw = await reader.readexactly(int.from_bytes(head, "big"))
                telegram = read(raw)
                if telegram.mti == "0800":
                    writer.write(frame(write(telegram.answered(_APPROVED))))
                    self.signed_on.set()
                    continue
                self.macs_wrong += not mac_fits(raw, telegram, self.mac_key)
                waiting = self._asked.pop(telegram.get(11), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(telegram.get(39))

    async def load(self, frames: Iterator[tuple[str, bytes]], seconds: float, laps: Laps) -> float:
        """Keep so many in flight for so long; how long it took until the last was answered."""
        began = perf_counter()
        until = began + seconds
        await asyncio.gather(*(self._client(frames, until, laps) for _ in range(_IN_FLIGHT)))
        return perf_counter() - began

    def cut(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()

    async def _client(self, frames: Iterator[tuple[str, bytes]], until: float, laps: Laps) -> None:
        while perf_counter() < until:
            stan, content = next(frames)
            began = perf_counter()
            code = await self.ask(stan, content)
            laps.laps.append(perf_counter() - began)
            laps.done += code == _APPROVED
            laps.refused += code != _APPROVED

    async def ask(self, stan: str, content: bytes) -> str:
        """The response code (DE39) of one request."""
        if self._writer is None:
            raise StoreUnavailable("the bank is not connected")
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked[stan] = answer
        self._writer.write(content)
        return await answer
