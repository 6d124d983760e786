"""``tangguh bench payments``: two-phase payments through the writer, every feature on.

Each payment is accepted (idempotency key, limits, hold, resolver promised, timeline) in one batch
and concluded (posting of the hold, two entries, timeline) in a later one. The rail between the
two answers at once, so that the book alone is measured. Payers by Zipf 2.0 over 100,000 accounts;
every payment credits the one settlement account of the rail.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Annotated, Any, Final

import uvloop
from cyclopts import Parameter

from tangguh.app import JOURNALS
from tangguh.cli.bench.ledger import ACCOUNTS, zipf_pairs
from tangguh.cli.bench.report import Laps, Report, Result, show
from tangguh.cli.bench.workshop import open_accounts, server, settle
from tangguh.cli.bench.yardstick import Pgbench
from tangguh.cli.memory import quiet_garbage
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.order import PaymentOrder, ToAccount, ToQris
from tangguh.core.outcome import Accepted
from tangguh.core.service import QRIS_OFFUS, TRANSFER_ONUS
from tangguh.customers.seed import open_own_accounts
from tangguh.db.values import quick_uuid
from tangguh.ledger.writer import Writer, WriterSettings
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.payment import Decided, State
from tangguh.payments.plans import PAYMENT_SHELVES
from tangguh.payments.rules import Limit, Rules, Way

_FRAME: Final = 50
_SEED: Final = 42
_WARM_SECONDS: Final = 1.0
_PAYMENTS_PER_SECOND_MAX: Final = 25_000
_NO_LIMIT: Final = {service: Limit(10**15, 10**15) for service in (TRANSFER_ONUS, QRIS_OFFUS)}
"""Limits are judged and counted, and wide enough that a hot payer is not refused for them."""
MERCHANT: Final = ToQris(
    payload="(not read here)",
    merchant_pan="936000000000000000",
    merchant_id="BENCH",
    nmid="ID1000000000000",
    acquirer="93600000",
    merchant_name="BENCH",
    merchant_city="JAKARTA",
    category_code="5499",
)


def payments(
    *,
    seconds: Annotated[int, Parameter(help="How long each workload runs.")] = 10,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Two-phase payments per second of one book, beside pgbench on the same server."""
    try:
        report = uvloop.run(_bench(seconds))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    show(report, as_json=as_json)


async def _bench(seconds: int) -> Report:
    pairs = zipf_pairs(random.Random(_SEED))  # noqa: S311 - the same workload in every run
    workloads = [
        ("accept + conclude", 100, QRIS_OFFUS),
        ("accept + conclude", 2_000, QRIS_OFFUS),
        ("on-us, one step", 100, TRANSFER_ONUS),
    ]
    async with server(load(None)) as dsn:
        await _fill(dsn)
        pgbench = Pgbench(dsn)
        await pgbench.prepare()
        results: list[Result] = []
        before = await pgbench.run(seconds)
        for name, batch, service in workloads:
            await settle(dsn)
            laps, took = await _measure(dsn, batch, service, pairs, seconds)
            after = await pgbench.run(seconds)
            results.append(laps.result(name, batch, took, (before + after) / 2))
            before = after
        large = await pgbench.run_large(seconds)
        proof = await prove_dsn(dsn)
    figures = {"pgbench_scale_10_per_second": large}
    return Report("payments", results, pgbench.measured(), results[0].ratio, proof, figures)


async def _fill(dsn: str) -> None:
    writer, ids = bench_writer(dsn, 2_000)
    await writer.start()
    await open_own_accounts(writer)
    await open_accounts(writer, ids, ACCOUNTS)
    await writer.stop()


async def _measure(
    dsn: str, batch: int, service: str, pairs: list[tuple[int, int]], seconds: int
) -> tuple[Laps, float]:
    writer, _ = bench_writer(dsn, batch)
    await writer.start()
    rules = bench_rules()
    run = f"{service}-{batch}"
    count = int((seconds + 2) * _PAYMENTS_PER_SECOND_MAX)
    frames = _frames(run, service, pairs, rules, count)
    quiet_garbage()
    laps = Laps()
    at_once = range(2 * batch // _FRAME)
    until = perf_counter() + _WARM_SECONDS
    await asyncio.gather(*(_client(writer, rules, frames, until, Laps()) for _ in at_once))
    began = perf_counter()
    until = began + seconds
    await asyncio.gather(*(_client(writer, rules, frames, until, laps) for _ in at_once))
    took = perf_counter() - began
    await writer.stop()
    return laps, took


def _frames(
    run: str, service: str, pairs: list[tuple[int, int]], rules: Rules, count: int
) -> Iterator[list[Accept]]:
    source = random.Random(_SEED)  # noqa: S311
    drawn = itertools.cycle(pairs)
    numbers = itertools.count()
    frames: list[list[Accept]] = []
    for _ in range(count // _FRAME):
        frame = []
        for payer, payee in itertools.islice(drawn, _FRAME):
            order = PaymentOrder(
                customer_id=1,
                idempotency_key=f"{run}-{next(numbers)}",
                service=service,
                debtor=payer,
                payee=MERCHANT if service == QRIS_OFFUS else ToAccount(payee),
                amount_minor=source.randrange(1, 1_001),
            )
            frame.append(Accept(order, rules))
        frames.append(frame)
    return iter(frames)


async def _client(
    writer: Writer, rules: Rules, frames: Iterator[list[Accept]], until: float, laps: Laps
) -> None:
    while perf_counter() < until:
        frame = next(frames)
        began = perf_counter()
        answers: list[Any] = await writer.submit(frame)
        open_ones = [answer.payment for answer in answers if answer.payment.is_open]
        if open_ones:
            said = [Conclude(one.id, Accepted("BENCH"), rules) for one in open_ones]
            answers = [one for one in answers if not one.payment.is_open]
            answers += await writer.submit(said)
        laps.laps.append(perf_counter() - began)
        posted = sum(_is_posted(answer) for answer in answers)
        laps.done += posted
        laps.refused += len(answers) - posted


def _is_posted(answer: Any) -> bool:
    return isinstance(answer, Decided) and answer.payment.state is State.POSTED


def bench_rules() -> Rules:
    """The bank's own rules, over rails that exist only as the book needs to know them."""
    inside, outside = (5.0,), (3.0, 10.0, 30.0)
    ways = {
        TRANSFER_ONUS: Way(
            "onus", settles_inside=True, send_timeout_seconds=5.0, inquiry_delays_seconds=inside
        ),
        QRIS_OFFUS: Way(
            "qris", settles_inside=False, send_timeout_seconds=40.0, inquiry_delays_seconds=outside
        ),
    }
    return Rules(ways, _NO_LIMIT, dict.fromkeys(ways, 0))


def bench_writer(dsn: str, batch: int) -> tuple[Writer, Ids]:
    """A writer of the bench's book with every table of payments, and its ids."""
    clock = SystemClock()
    ids = Ids(clock, make=quick_uuid)
    settings = WriterSettings(batch_commands_max=batch)
    return Writer(dsn, clock, ids, PAYMENT_SHELVES, JOURNALS, settings), ids
