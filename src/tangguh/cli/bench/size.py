"""``tangguh bench size``: what a payment weighs, in PostgreSQL and in the book's memory.

Payments of two phases go through the writer, each with every feature, evenly over the accounts.
Then the tables are measured: bytes a payment adds to each with its indexes, and the share of
updates that touched no index (HOT). Beside it the process's memory is read after every tenth of
the payments: once the shelves are full it must stay where it is.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import uvloop
from cyclopts import Parameter

from tangguh.cli.bench.payments import MERCHANT, bench_rules, bench_writer
from tangguh.cli.bench.workshop import open_accounts, server
from tangguh.cli.memory import quiet_garbage
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Accepted
from tangguh.core.service import QRIS_OFFUS
from tangguh.customers.seed import open_own_accounts
from tangguh.db.pool import Connection, connect
from tangguh.db.queries import Queries
from tangguh.ledger.writer import Writer
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.proof import Proof
from tangguh.payments.rules import Rules

_ACCOUNTS: Final = 10_000
_SEED: Final = 42
_FRAME: Final = 50
_CLIENTS: Final = 8
_READINGS: Final = 10
_STEP: Final = _READINGS * _CLIENTS * _FRAME
_SQL: Final = Queries("tangguh.cli.bench", "size.sql")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class TableSize(msgspec.Struct, frozen=True):
    """One table after the payments. Bytes are of heap and indexes, and of the growth only.

    ``hot_percent``: of the updates, how many touched no index; None when there was none.
    """

    table: str
    heap_bytes_per_payment: float
    index_bytes_per_payment: float
    hot_percent: float | None


class SizeReport(msgspec.Struct, frozen=True):
    """The whole answer. ``rss_mib``: the process after every tenth of the payments."""

    bench: str
    payments: int
    bytes_per_payment: float
    tables: list[TableSize]
    rss_mib: list[float]
    proof: Proof


def size(
    *,
    payments: Annotated[
        int, Parameter(help=f"How many payments go through: a multiple of {_STEP:,}.")
    ] = 100_000,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """What a payment weighs: bytes in PostgreSQL, updates that touch no index, memory."""
    try:
        _refuse_odd(payments)
        report = uvloop.run(_bench(payments))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    print(msgspec.json.encode(report).decode() if as_json else _table(report))
    sys.exit(0 if report.proof.passed else 1)


def _refuse_odd(payments: int) -> None:
    """Fewer would go through than are divided by. Raises Misconfigured."""
    if payments <= 0 or payments % _STEP:
        raise Misconfigured(
            f"--payments {payments}: {_READINGS} readings of {_CLIENTS} clients in frames of"
            f" {_FRAME} take a multiple of {_STEP:,}; the next is"
            f" {max(-(-payments // _STEP), 1) * _STEP:,}"
        )


async def _bench(payments: int) -> SizeReport:
    async with server(load(None)) as dsn:
        writer, ids = bench_writer(dsn, 2_000)
        await writer.start()
        await open_own_accounts(writer)
        await open_accounts(writer, ids, _ACCOUNTS)
        quiet_garbage()
        connection = await connect(dsn)
        try:
            before = await _sizes(connection)
            readings = await _pay(writer, connection, payments)
            await writer.stop()
            after = await _sizes(connection)
        finally:
            await connection.close()
        tables = _grown(before, after, payments)
        whole = sum(one.heap_bytes_per_payment + one.index_bytes_per_payment for one in tables)
        proof = await prove_dsn(dsn)
    return SizeReport("size", payments, round(whole, 1), tables, readings, proof)


async def _pay(writer: Writer, connection: Connection, payments: int) -> list[float]:
    """Send the payments; the process's memory in MiB after each tenth of them.

    Each tenth is vacuumed, as autovacuum would have in the time that customers take for so many.
    """
    source, numbers, rules = random.Random(_SEED), count(), bench_rules()  # noqa: S311
    readings: list[float] = []
    each = payments // (_READINGS * _FRAME * _CLIENTS)
    for _ in range(_READINGS):
        await asyncio.gather(
            *(_client(writer, rules, source, numbers, each) for _ in range(_CLIENTS))
        )
        await connection.execute(_SQL["vacuum"])
        readings.append(round(_rss_mib(), 1))
    return readings


async def _client(
    writer: Writer, rules: Rules, source: random.Random, numbers: count[int], frames: int
) -> None:
    for _ in range(frames):
        frame = [
            Accept(
                PaymentOrder(
                    customer_id=1,
                    idempotency_key=f"{next(numbers):036d}",
                    service=QRIS_OFFUS,
                    debtor=source.randrange(1, _ACCOUNTS + 1),
                    payee=MERCHANT,
                    amount_minor=source.randrange(1, 1_001),
                ),
                rules,
            )
            for _ in range(_FRAME)
        ]
        answers: list[Any] = await writer.submit(frame)
        said = [Conclude(one.payment.id, Accepted("BENCH"), rules) for one in answers]
        await writer.submit(said)


def _rss_mib() -> float:
    """What the process holds now, as the kernel counts it."""
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return resident * _PAGE / 2**20


async def _sizes(connection: Connection) -> dict[str, tuple[int, int, int, int]]:
    """(heap bytes, index bytes, updates, HOT updates) of each table."""
    await connection.execute(_SQL["flush_statistics"])
    rows = await connection.fetch(_SQL["sizes"])
    return {
        row["name"]: (row["heap"], row["indexes"], row["updates"], row["hot_updates"])
        for row in rows
    }


def _grown(
    before: dict[str, tuple[int, int, int, int]],
    after: dict[str, tuple[int, int, int, int]],
    payments: int,
) -> list[TableSize]:
    found: list[TableSize] = []
    for name, (heap, indexes, updates, hot) in after.items():
        was = before.get(name, (0, 0, 0, 0))
        heap, indexes, updates, hot = (
            now - then for now, then in zip((heap, indexes, updates, hot), was, strict=True)
        )
        if heap or indexes or updates:
            share = round(100 * hot / updates, 1) if updates else None
            row = TableSize(name, round(heap / payments, 1), round(indexes / payments, 1), share)
            found.append(row)
    return sorted(found, key=lambda one: -one.heap_bytes_per_payment)


def _table(report: SizeReport) -> str:
    lines = [f"{'table':<24}{'heap':>10}{'indexes':>10}{'HOT':>8}   bytes a payment"]
    for one in report.tables:
        hot = "-" if one.hot_percent is None else f"{one.hot_percent:.1f}%"
        lines.append(
            f"{one.table:<24}{one.heap_bytes_per_payment:>10,.0f}"
            f"{one.index_bytes_per_payment:>10,.0f}{hot:>8}"
        )
    lines.append(f"bytes per payment, everything: {report.bytes_per_payment:,.0f}")
    lines.append("memory, MiB: " + "  ".join(f"{one:,.0f}" for one in report.rss_mib))
    holding = sum(one.holds is True for one in report.proof.invariants)
    lines.append(f"proof: {holding} of {len(report.proof.invariants)} invariants hold")
    return "\n".join(lines)
