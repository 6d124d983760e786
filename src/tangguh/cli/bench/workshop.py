"""Where a bench works: a server of its own (or the one in the settings), and books to fill."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tangguh.config import Settings
from tangguh.core.ids import Ids
from tangguh.core.money import IDR
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.migrate import migrate
from tangguh.db.pool import connect
from tangguh.guard.closure import SignalClass
from tangguh.guard.rules import DEFAULT_RULES
from tangguh.ledger.chart import EQUITY, Kind
from tangguh.ledger.command import OpenAccount, Post
from tangguh.ledger.store import LEDGER
from tangguh.ledger.writer import Writer

OPENING_MINOR = 1_000_000_00
_GROUP = 1_000


@asynccontextmanager
async def server(settings: Settings) -> AsyncIterator[str]:
    """A migrated, empty database: the configured one, or an embedded server thrown away after."""
    if settings.db.dsn:
        await prepare(settings.db.dsn)
        yield settings.db.dsn
        return
    with tempfile.TemporaryDirectory(prefix="tangguh-bench-") as directory:
        postgres = EmbeddedPostgres(Path(directory))
        await postgres.start()
        try:
            await prepare(postgres.dsn)
            yield postgres.dsn
        finally:
            await postgres.stop()


async def prepare(dsn: str) -> None:
    """Bring the schema up to date and open book 1."""
    connection = await connect(dsn)
    try:
        await migrate(connection)
        await connection.execute(LEDGER["create_book"], 1, IDR)
    finally:
        await connection.close()


async def open_accounts(writer: Writer, ids: Ids, count: int, owner_id: int = 1) -> None:
    """Open customer accounts 1..count (below the bank's own numbers) and fund each by a posting."""
    for first in range(1, count + 1, _GROUP):
        numbers = range(first, min(first + _GROUP, count + 1))
        await writer.submit([OpenAccount(n, Kind.CUSTOMER, owner_id) for n in numbers])
        await writer.submit(
            [
                Post(ids.next(), "opening", ((EQUITY, -OPENING_MINOR), (n, OPENING_MINOR)))
                for n in numbers
            ]
        )


async def settle(dsn: str) -> None:
    """Between runs: let autovacuum's and the checkpointer's debts be paid off the clock."""
    connection = await connect(dsn)
    try:
        await connection.execute("VACUUM (ANALYZE) accounts")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def unhurried_guard() -> dict[str, Any]:
    """The guard as it is, counting everything; only that a bench's few customers, each paying as
    fast as thousands, are not the abuse they look like: the thresholds of class B are out of reach.
    """
    rules = [
        msgspec.structs.replace(rule, threshold=rule.threshold * 1_000_000)
        if rule.signal_class is SignalClass.ABUSE
        else rule
        for rule in DEFAULT_RULES
    ]
    found: dict[str, Any] = {"rules": msgspec.to_builtins(rules)}
    return found
