"""Whatever raises while the writer works or finds out a batch's fate, nothing acknowledged is lost.

After each fault either the writer is dead and says so, or its memory is what PostgreSQL has. The
oracle is the client's own list of what it asked and was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from interrupts.raising import Lines, codes_of
from tangguh.audit import chain
from tangguh.core.clock import SystemClock
from tangguh.core.errors import StoreUnavailable, TangguhError
from tangguh.core.ids import Ids
from tangguh.ledger import store, ticket
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount, Post
from tangguh.ledger.posting import Posting
from tangguh.ledger.writer import Writer, WriterSettings
from tangguh.ledger.writing import said

SETTINGS = WriterSettings(ambiguity_seconds=0.2, reconnect_seconds=0.001)
ASKED = 6
"""So many at first, of which some fly and some wait; then as many again."""
HANG_SECONDS = 2.0
UNTOUCHED = frozenset(
    {"__init__", "start", "stop", "decide", "submit", "queued", "is_open", "fate"}
)
"""What runs in the caller's own step: a fault there is the caller's."""

Commit = Callable[[Any, store.Sealed], Awaitable[None]]


def uuid(number: int) -> UUID:
    return UUID(int=number)


class Client:
    """Asks, and keeps what it was told: the oracle."""

    def __init__(self, writer: Writer, first: int) -> None:
        self._writer = writer
        self._next = first
        self.acknowledged: set[UUID] = set()
        self.asked: set[UUID] = set()
        self.is_waiting = False

    async def ask(self, count: int) -> None:
        """Ask so many at once; nobody may be left without an answer."""
        numbers = [uuid(self._next + one) for one in range(count)]
        self._next += count
        half = count // 2
        everybody = asyncio.gather(*map(self._one, numbers[:half]), self._several(numbers[half:]))
        try:
            await asyncio.wait_for(everybody, HANG_SECONDS)
        except TimeoutError:
            self.is_waiting = True

    async def _one(self, posting_id: UUID) -> None:
        self.asked.add(posting_id)
        try:
            answer = await self._writer.decide(post(posting_id))
        except TangguhError:
            return
        assert isinstance(answer, Posting)
        self.acknowledged.add(posting_id)

    async def _several(self, posting_ids: list[UUID]) -> None:
        """In one ticket, as a batch of a file's lines would be."""
        self.asked.update(posting_ids)
        try:
            answers = await self._writer.submit([post(one) for one in posting_ids])
        except TangguhError:
            return
        for posting_id, answer in zip(posting_ids, answers, strict=True):
            if not isinstance(answer, TangguhError):
                assert isinstance(answer, Posting)
                self.acknowledged.add(posting_id)


def post(posting_id: UUID) -> Post:
    return Post(posting_id, "test", ((1, -7), (2, 7)))


class Trouble:
    """What PostgreSQL does to one commit: nothing, loses it before or after, or refuses it."""

    def __init__(self, how: str, real: Commit) -> None:
        self._how, self._real = how, real

    async def commit(self, connection: Any, batch: store.Sealed) -> None:
        how, self._how = self._how, ""
        if how == "before":
            raise StoreUnavailable("lost before")
        if how == "refused":
            raise ValueError("a value that cannot be written")
        await self._real(connection, batch)
        if how == "after":
            raise StoreUnavailable("lost after")


def fault_of(kind: str) -> BaseException:
    return {
        "disk": OSError(28, "No space left on device"),
        "memory": MemoryError(),
        "cancelled": asyncio.CancelledError(),
    }[kind]


async def opened(dsn: str) -> Writer:
    clock = SystemClock()
    writer = Writer(dsn, clock, Ids(clock), settings=SETTINGS)
    await writer.start()
    await writer.decide(OpenAccount(1, Kind.VAULT))
    await writer.decide(OpenAccount(2, Kind.CUSTOMER, 1))
    return writer


def database(dsn: str) -> str:
    return dsn.partition("@/")[2].partition("?")[0]


async def walk(dsn: str, how: str, kind: str, at: int, first: int) -> tuple[Lines, Client, Writer]:
    """Ask under a trouble with a fault at the ``at``-th line, then ask on as nothing were."""
    writer = await opened(dsn)
    client = Client(writer, first)
    trouble = Trouble(how, store.commit)
    codes = codes_of(Writer, ticket.Ticket, but=UNTOUCHED)
    lines = Lines(codes, at, fault_of(kind))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "commit", trouble.commit)
        with lines.traced():
            await client.ask(ASKED)
        await client.ask(ASKED)
    return lines, client, writer


async def judge(
    truth: asyncpg.Connection, client: Client, writer: Writer, where: str, first: int
) -> None:
    """Nothing lost, nothing invented, and memory that is not dead is PostgreSQL's own."""
    if not writer.is_open:
        await writer.stop()  # a commit that was sent may still be landing
    rows = await truth.fetch("SELECT posting_id FROM postings WHERE posting_id >= $1", uuid(first))
    written = {UUID(str(row["posting_id"])) for row in rows}
    assert client.acknowledged <= written, f"{where}: acknowledged and not there"
    assert written <= client.asked, f"{where}: nobody asked for it"
    head = await truth.fetchrow("SELECT batch_no, head_hash FROM books WHERE book_id = 1")
    balance = await truth.fetchval("SELECT posted_minor FROM accounts WHERE account_id = 2")
    entries = await truth.fetchval("SELECT coalesce(sum(amount_minor), 0) FROM entries")
    mine = await truth.fetchval("SELECT sum(amount_minor) FROM entries WHERE account_id = 2")
    assert entries == 0, where
    assert balance == (mine or 0), f"{where}: money appeared"
    assert not client.is_waiting, f"{where}: somebody waits for ever"
    if not writer.is_open:
        assert writer.fate is not None, where
        return
    assert (writer._head.batch_no, writer._head.hash) == (head["batch_no"], head["head_hash"])
    account = writer._book.accounts.rows.get(2)
    assert account is None or account.posted_minor == balance, f"{where}: memory differs"


@pytest.mark.parametrize("kind", ["disk", pytest.param("cancelled", marks=pytest.mark.drill)])
@pytest.mark.parametrize("how", ["", "before", "after", "refused"])
async def test_a_fault_at_any_line_loses_nothing_and_leaves_nobody_waiting(
    dsn: str, how: str, kind: str, commits_may_be_lost: None
) -> None:
    """Line after line of the writer, while all is well and while a batch's fate is unknown."""
    truth = await asyncpg.connect(dsn)
    at, first, survived = 1, 1_000, 0
    while True:
        lines, client, writer = await walk(dsn, how, kind, at, first)
        await judge(truth, client, writer, f"{how or 'well'}, {kind}, {lines.struck}", first)
        survived += writer.is_open
        if writer.is_open:
            await writer.stop()
        if not lines.struck:
            break
        at, first = at + 1, first + 10 * ASKED
    await truth.close()
    assert at > 30, "the walk never reached the writer"
    assert survived >= 1


class Full:
    """A log on a full disk."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        def say(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        return say


@pytest.mark.parametrize("how", ["before", "after", "refused"])
async def test_a_log_that_cannot_be_written_loses_no_acknowledged_payment(
    dsn: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log's directory is full and PostgreSQL drops a batch: every answer stays true."""
    monkeypatch.setattr(said, "log", Full())
    truth = await asyncpg.connect(dsn)
    lines, client, writer = await walk(dsn, how, "disk", -1, 1_000)
    await judge(truth, client, writer, f"{how}, {lines.struck}", 1_000)
    assert client.acknowledged
    await writer.stop()
    await truth.close()


async def test_a_batch_that_follows_no_committed_one_is_refused_by_postgresql(dsn: str) -> None:
    """Should memory ever run ahead of the book, the chain itself keeps it out."""
    writer = await opened(dsn)
    truth = await asyncpg.connect(dsn)
    digest = chain.GENESIS
    writer._head = store.Head(writer._head.epoch, writer._head.batch_no, digest)
    with pytest.raises(TangguhError):
        await writer.decide(post(uuid(5)))
    assert await truth.fetchval("SELECT count(*) FROM postings") == 0
    assert not writer.is_open
    await writer.stop()
    await truth.close()
