"""``tangguh bench ledger``: postings through the writer, every feature on.

Each posting has its idempotency key, two entries with running balance, its place in the hash
chain and PostgreSQL's own checks. 100,000 accounts; payer and payee drawn by Zipf 2.0; amounts 1
to 1,000 sen; a closed loop of clients that hand in fifty each (as web workers' frames do)
and together keep two batches' worth in the book's hands.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from bisect import bisect
from collections.abc import Iterator
from time import perf_counter
from typing import Annotated, Final

import uvloop
from cyclopts import Parameter

from tangguh.cli.bench.report import Laps, Report, Result, show
from tangguh.cli.bench.workshop import open_accounts, server, settle
from tangguh.cli.bench.yardstick import Pgbench
from tangguh.cli.memory import quiet_garbage
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.customers.seed import open_own_accounts
from tangguh.db.values import quick_uuid
from tangguh.ledger.command import Post
from tangguh.ledger.posting import Posting
from tangguh.ledger.writer import Writer, WriterSettings

ACCOUNTS: Final = 100_000
_FRAME: Final = 50
_WARM_SECONDS: Final = 1.0
_POSTINGS_PER_SECOND_MAX: Final = 60_000
"""Room in the prepared orders; running out would end the bench with an error, not flatter it."""
_PAIRS: Final = 200_000
_SEED: Final = 42
_HOT_SHARE: Final = 0.9

Pairs = list[tuple[int, int]]


def ledger(
    *,
    seconds: Annotated[int, Parameter(help="How long each workload runs.")] = 10,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Postings per second of one book, beside pgbench on the same server."""
    try:
        report = uvloop.run(_bench(seconds))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    show(report, as_json=as_json)


async def _bench(seconds: int) -> Report:
    source = random.Random(_SEED)  # noqa: S311 - the same workload in every run
    zipf = zipf_pairs(source)
    uniform = [_two(source) for _ in range(_PAIRS)]
    hot = [(a, 1 if source.random() < _HOT_SHARE and a != 1 else b) for a, b in uniform]
    workloads: list[tuple[str, int, Pairs]] = [
        ("Zipf 2.0", 100, zipf),
        ("Zipf 2.0", 2_000, zipf),
        ("uniform", 100, uniform),
        ("one account takes 90 %", 100, hot),
    ]
    settings = load(None)
    async with server(settings) as dsn:
        await _fill(dsn)
        pgbench = Pgbench(dsn)
        await pgbench.prepare()
        results: list[Result] = []
        before = await pgbench.run(seconds)
        for name, batch, pairs in workloads:
            await settle(dsn)
            laps, took = await _measure(dsn, batch, pairs, seconds)
            after = await pgbench.run(seconds)
            results.append(laps.result(name, batch, took, (before + after) / 2))
            before = after
        proof = await prove_dsn(dsn)
        scale_10 = await pgbench.run_large(seconds)
    by_name = {one.name: one for one in results}
    slower = 1 - by_name["one account takes 90 %"].ratio / by_name["uniform"].ratio
    figures = {
        "hot_account_slower_by": round(slower, 3),
        "pgbench_scale_10_per_second": scale_10,
    }
    return Report("ledger", results, pgbench.measured(), results[0].ratio, proof, figures)


async def _fill(dsn: str) -> None:
    writer, ids = _writer(dsn, 2_000)
    await writer.start()
    await open_own_accounts(writer)
    await open_accounts(writer, ids, ACCOUNTS)
    await writer.stop()


async def _measure(dsn: str, batch: int, pairs: Pairs, seconds: int) -> tuple[Laps, float]:
    writer, ids = _writer(dsn, batch)
    await writer.start()
    laps = Laps()
    frames = _frames(ids, pairs, int((seconds + 2) * _POSTINGS_PER_SECOND_MAX))
    quiet_garbage()
    at_once = range(2 * batch // _FRAME)
    until = perf_counter() + _WARM_SECONDS
    await asyncio.gather(*(_client(writer, frames, until, Laps()) for _ in at_once))
    began = perf_counter()
    await asyncio.gather(*(_client(writer, frames, began + seconds, laps) for _ in at_once))
    took = perf_counter() - began
    await writer.stop()
    return laps, took


def _frames(ids: Ids, pairs: Pairs, count: int) -> Iterator[list[Post]]:
    """Orders as devices would send them, made before the clock runs: ids are the senders' work."""
    source = random.Random(_SEED)  # noqa: S311
    drawn = itertools.cycle(pairs)
    frames: list[list[Post]] = []
    for _ in range(count // _FRAME):
        frame = []
        for payer, payee in itertools.islice(drawn, _FRAME):
            amount = source.randrange(1, 1_001)
            frame.append(Post(ids.next(), "transfer", ((payer, -amount), (payee, amount))))
        frames.append(frame)
    return iter(frames)


async def _client(writer: Writer, frames: Iterator[list[Post]], until: float, laps: Laps) -> None:
    while perf_counter() < until:
        frame = next(frames)
        began = perf_counter()
        answers = await writer.submit(frame)
        laps.laps.append(perf_counter() - began)
        posted = sum(type(answer) is Posting for answer in answers)
        laps.done += posted
        laps.refused += len(answers) - posted


def _writer(dsn: str, batch: int) -> tuple[Writer, Ids]:
    clock = SystemClock()
    ids = Ids(clock, make=quick_uuid)
    return Writer(dsn, clock, ids, settings=WriterSettings(batch_commands_max=batch)), ids


def zipf_pairs(source: random.Random) -> Pairs:
    """Payer and payee of each posting, both drawn by Zipf 2.0, never the same."""
    weights = list(itertools.accumulate(1 / rank**2.0 for rank in range(1, ACCOUNTS + 1)))

    def draw() -> int:
        return min(bisect(weights, source.random() * weights[-1]) + 1, ACCOUNTS)

    pairs: Pairs = []
    while len(pairs) < _PAIRS:
        payer, payee = draw(), draw()
        if payer != payee:
            pairs.append((payer, payee))
    return pairs


def _two(source: random.Random) -> tuple[int, int]:
    payer = source.randint(1, ACCOUNTS)
    payee = source.randint(1, ACCOUNTS - 1)
    return payer, payee + (payee >= payer)
