"""PostgreSQL's processes are stopped for a while and go on: what we asked meanwhile is done late.

An attempt to take the fence that we had given up is still carried out. It is ours, no stranger's.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from tangguh.core.clock import SystemClock
from tangguh.core.errors import Ambiguous, FenceLost, StoreUnavailable, TangguhError
from tangguh.core.ids import Ids
from tangguh.ledger import store
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount, Post
from tangguh.ledger.store import LEDGER
from tangguh.ledger.writer import Writer, WriterSettings

IMPATIENT = WriterSettings(ambiguity_seconds=0.5, reconnect_seconds=0.01, silence_seconds_max=0.1)


def post(number: int) -> Post:
    """A hundred from the bank's account 1 to the customer's account 2."""
    return Post(UUID(int=number), "test", ((1, -100), (2, 100)))


@pytest.fixture
async def truth(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def writer(dsn: str) -> AsyncIterator[Writer]:
    """A writer with two accounts that gives up each step after a tenth of a second."""
    clock = SystemClock()
    opened = Writer(dsn, clock, Ids(clock), settings=IMPATIENT)
    await opened.start()
    await opened.decide(OpenAccount(1, Kind.VAULT))
    await opened.decide(OpenAccount(2, Kind.CUSTOMER, 1))
    yield opened
    await opened.stop()


@asynccontextmanager
async def held(dsn: str) -> AsyncIterator[None]:
    """Hold the book's row meanwhile."""
    holder = await asyncpg.connect(dsn)
    try:
        async with holder.transaction():
            await holder.fetchrow("SELECT 1 FROM books WHERE book_id = 1 FOR UPDATE")
            yield
    finally:
        await holder.close()


async def backends(truth: asyncpg.Connection, like: str = "%") -> list[int]:
    """The processes that serve others in this database."""
    rows = await truth.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND query LIKE $1",
        like,
    )
    return [row["pid"] for row in rows]


async def retaking(truth: asyncpg.Connection, at_least: int) -> None:
    """Wait until so many attempts to take the fence again are waiting in PostgreSQL."""
    async with asyncio.timeout(20):
        while len(await backends(truth, "%UPDATE books SET epoch%")) < at_least:
            await asyncio.sleep(0.02)


async def settled(writer: Writer, first: int) -> list[object]:
    """One more payment, asked with the same id again and again, as a client does, until it is."""
    async with asyncio.timeout(20):
        while True:
            try:
                return [await writer.decide(post(first))]
            except (Ambiguous, StoreUnavailable):
                await asyncio.sleep(0.05)


async def balance(truth: asyncpg.Connection) -> int:
    return int(await truth.fetchval("SELECT posted_minor FROM accounts WHERE account_id = 2"))


async def test_attempts_given_up_and_carried_out_late_are_no_other_writer(
    dsn: str, writer: Writer, truth: asyncpg.Connection
) -> None:
    """The book's row is held for long; then every attempt we gave up gets its turn."""
    async with held(dsn):
        asked = asyncio.create_task(writer.decide(post(1)))
        await retaking(truth, 3)
    answer = await asyncio.gather(asked, return_exceptions=True)
    assert not isinstance(answer[0], FenceLost)
    await settled(writer, 1)
    await settled(writer, 2)
    assert writer.is_open
    assert await balance(truth) == 200
    assert await truth.fetchval("SELECT count(*) FROM postings") == 2


@pytest.mark.parametrize("seed", range(3))
async def test_every_backend_stopped_under_load_and_going_on_later(
    writer: Writer, truth: asyncpg.Connection, seed: int
) -> None:
    """SIGSTOP, then SIGCONT: the bank lives on; nothing acknowledged is lost, nothing twice."""
    chance = random.Random(seed)
    told: dict[int, object] = {}

    async def client(number: int) -> None:
        try:
            told[number] = await writer.decide(post(number))
        except TangguhError as trouble:
            told[number] = trouble

    clients = [asyncio.create_task(client(number)) for number in range(1, 60)]
    await asyncio.sleep(chance.uniform(0, 0.02))
    stopped: set[int] = set()
    for _ in range(4):  # whoever came after the first is stopped as well
        for pid in await backends(truth):
            os.kill(pid, signal.SIGSTOP)
            stopped.add(pid)
        await asyncio.sleep(0.15)
    for pid in chance.sample(sorted(stopped), len(stopped)):
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(chance.uniform(0, 0.01))
    await asyncio.gather(*clients)
    for number in range(1, 60):
        await settled(writer, number)
    assert not any(isinstance(one, FenceLost) for one in told.values())
    assert writer.is_open
    assert await balance(truth) == 5_900
    assert await truth.fetchval("SELECT count(*) FROM postings") == 59


async def test_another_writer_is_another_writer_whatever_we_attempted(
    dsn: str, writer: Writer, truth: asyncpg.Connection
) -> None:
    """Between two of our attempts somebody else takes the book: we stop, and they go on."""
    clock = SystemClock()
    other = Writer(dsn, clock, Ids(clock))
    async with held(dsn):
        asked = asyncio.create_task(writer.decide(post(1)))
        await retaking(truth, 2)
        taking = asyncio.create_task(other.start())
        await retaking(truth, 4)
    await taking
    await asyncio.gather(asked, return_exceptions=True)
    async with asyncio.timeout(20):
        while writer.is_open:
            try:
                await writer.decide(post(1))
            except TangguhError:
                await asyncio.sleep(0.02)
    assert isinstance(writer.fate, FenceLost)
    await settled(other, 1)
    assert other.is_open
    assert await balance(truth) == 100
    await other.stop()


async def test_an_attempt_carried_out_long_after_takes_nothing_from_us(
    writer: Writer, truth: asyncpg.Connection
) -> None:
    """The fence was taken again at the second attempt; then the first gets its turn."""
    first = writer._head.epoch
    attempt = LEDGER["retake_book"]
    held = await truth.fetchval(attempt, 1, first, first + 2)
    assert held == first + 2
    assert await truth.fetchrow(attempt, 1, first, first + 1) is None, "too late"
    assert await truth.fetchval("SELECT epoch FROM books") == held
    other = (await store.take_book(truth, 1)).epoch
    assert await truth.fetchrow(attempt, 1, first, first + 9) is None, "it is another's"
    assert await truth.fetchval("SELECT epoch FROM books") == other
