"""The writer when PostgreSQL fails it: every answer is true, and nothing is decided twice."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import msgspec
import pytest

from fault_proxy import FaultProxy
from tangguh.core.clock import HandClock, SystemClock
from tangguh.core.errors import (
    Ambiguous,
    FenceLost,
    InvariantBroken,
    Overloaded,
    StoreUnavailable,
)
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refused
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.ledger import plans
from tangguh.ledger.account import Account
from tangguh.ledger.book import Book
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount, PlaceHold, Post, VoidHold
from tangguh.ledger.posting import Posting
from tangguh.ledger.writer import Writer, WriterSettings

IMPATIENT = WriterSettings(ambiguity_seconds=0.3, reconnect_seconds=0.01, silence_seconds_max=0.3)


def uuid(number: int) -> UUID:
    return UUID(int=number)


def post(number: int, amount: int = 100) -> Post:
    """A posting from the bank's account 1 to the customer's account 2."""
    return Post(uuid(number), "test", ((1, -amount), (2, amount)))


class Doing(msgspec.Struct, frozen=True):
    """A command that does whatever the test says, on accounts 1 and 2."""

    names_keys_at_once: ClassVar[bool] = True

    what: Any
    reads: tuple[tuple[str, Any], ...] = (("accounts", 1), ("accounts", 2))

    def keys(self, _: Book) -> Iterable[tuple[str, Any]]:
        return self.reads

    def decide(self, book: Book) -> Any:
        return self.what(book)


@pytest.fixture
async def proxy(server: EmbeddedPostgres) -> AsyncIterator[FaultProxy]:
    """A breakable line to PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="tg-") as folder:
        async with FaultProxy(server.sockets, Path(folder)) as line:
            yield line


@pytest.fixture
async def truth(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, past the proxy."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def writer(dsn: str, proxy: FaultProxy) -> AsyncIterator[Writer]:
    """An impatient writer behind the proxy, with two accounts."""
    opened = await opened_writer(proxy.dsn_of(dsn))
    yield opened
    proxy.is_down = proxy.is_hole = False
    await opened.stop()


async def opened_writer(dsn: str, settings: WriterSettings = IMPATIENT) -> Writer:
    clock = SystemClock()
    writer = Writer(dsn, clock, Ids(clock), settings=settings)
    await writer.start()
    await writer.decide(OpenAccount(1, Kind.VAULT))
    await writer.decide(OpenAccount(2, Kind.CUSTOMER, 1))
    return writer


async def posted(truth: asyncpg.Connection) -> int:
    """What account 2 has, by the database."""
    return int(await truth.fetchval("SELECT posted_minor FROM accounts WHERE account_id = 2"))


async def rows(truth: asyncpg.Connection, table: str) -> int:
    return int(await truth.fetchval(f"SELECT count(*) FROM {table}"))


async def test_lost_before_the_commit_arrived(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection
) -> None:
    """The batch was not written: it is decided anew, once, and answered."""
    proxy.cut = "before"
    answer = await writer.decide(post(1))
    assert isinstance(answer, Posting)
    assert proxy.cuts == 1
    assert (await posted(truth), await rows(truth, "postings")) == (100, 1)


async def test_lost_just_after_the_commit(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection
) -> None:
    """The batch was written: the head says so, and it is answered, not decided again."""
    decided: list[int] = []

    def once(book: Book) -> Posting | Refused:
        decided.append(1)
        return book.post(uuid(1), "test", ((1, -100), (2, 100)))

    proxy.cut = "after"
    answer = await writer.decide(Doing(once))
    assert isinstance(answer, Posting)
    assert (proxy.cuts, len(decided)) == (1, 1)
    assert (await posted(truth), await rows(truth, "postings")) == (100, 1)
    assert isinstance(await writer.decide(post(2)), Posting)
    assert await posted(truth) == 200


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_lost_again_and_again_under_load(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection, cut: str
) -> None:
    """Ten lost commits among three hundred postings: each is there exactly once."""
    waiting: list[asyncio.Task[Any]] = []
    for number in range(300):
        waiting.append(asyncio.create_task(writer.decide(post(number + 1, 7))))
        if number % 30 == 0:
            proxy.struck.clear()
            proxy.cut = cut
            await proxy.struck.wait()
    answers = await asyncio.gather(*waiting)
    assert all(isinstance(answer, Posting) for answer in answers)
    assert proxy.cuts == 10
    assert (await posted(truth), await rows(truth, "postings")) == (2_100, 300)


async def test_gone_too_long_then_healed(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection
) -> None:
    """In flight: Ambiguous. Behind it: StoreUnavailable. Healed, the same ids post once each."""
    proxy.cut, proxy.is_down = "after", True
    flying = asyncio.create_task(writer.decide(post(1)))
    await proxy.struck.wait()
    waiting = [asyncio.create_task(writer.decide(post(number))) for number in range(2, 12)]
    answers = await asyncio.gather(flying, *waiting, return_exceptions=True)
    assert type(answers[0]) is Ambiguous
    assert {type(answer) for answer in answers[1:]} == {StoreUnavailable}
    proxy.is_down = False
    for number in range(1, 12):
        assert isinstance(await until_answered(writer, post(number)), Posting)
    assert (await posted(truth), await rows(truth, "postings")) == (1_100, 11)
    assert writer.queued == 0


async def test_a_silent_server(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection
) -> None:
    """A server that takes bytes and answers nothing is cut off in time, not waited for."""
    proxy.is_hole = True
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await writer.decide(post(1))
    proxy.is_hole = False
    proxy.break_all()
    assert isinstance(await until_answered(writer, post(1)), Posting)
    assert await posted(truth) == 100


async def test_a_server_silent_while_rows_are_loaded(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection
) -> None:
    """Nothing was decided then: StoreUnavailable, and the next one gets through once healed."""
    proxy.is_hole = True
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await writer.decide(VoidHold(uuid(404)))
    proxy.is_hole = False
    proxy.break_all()
    assert isinstance(await until_answered(writer, VoidHold(uuid(404))), Refused)


async def test_stopped_while_postgresql_is_away(writer: Writer, proxy: FaultProxy) -> None:
    """Stopping does not wait for a server that may never come back."""
    proxy.cut, proxy.is_down = "before", True
    flying = asyncio.create_task(writer.decide(post(1)))
    await proxy.struck.wait()
    async with asyncio.timeout(5):
        await writer.stop()
    with pytest.raises(Ambiguous):
        await flying


async def until_answered(writer: Writer, command: Any) -> Any:
    """Ask with the same id until the store is there again, as a customer's device would."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await writer.decide(command)
            except StoreUnavailable:
                await asyncio.sleep(0)


async def test_another_writer_takes_the_book(dsn: str, truth: asyncpg.Connection) -> None:
    """The first writes nothing more, answers FenceLost for ever, and says why it stopped."""
    first, second = await opened_writer(dsn), await opened_writer(dsn)
    with pytest.raises(FenceLost):
        await first.decide(post(1))
    assert isinstance(first.fate, FenceLost)
    assert not first.is_open
    with pytest.raises(FenceLost):
        await first.decide(post(2))
    assert await posted(truth) == 0
    assert isinstance(await second.decide(post(1)), Posting)
    assert await posted(truth) == 100
    await first.stop()
    await second.stop()


async def test_taken_while_the_line_was_lost(
    writer: Writer, proxy: FaultProxy, dsn: str, truth: asyncpg.Connection
) -> None:
    """Coming back it finds the fence gone, and does not take it from the other.

    What had been sent may have landed before that: nobody is told that it did not.
    """
    proxy.cut, proxy.is_down = "before", True
    flying = asyncio.create_task(writer.decide(post(1)))
    await proxy.struck.wait()
    other = await opened_writer(dsn)
    proxy.is_down = False
    with pytest.raises(Ambiguous):
        await flying
    assert isinstance(writer.fate, FenceLost)
    assert isinstance(await other.decide(post(1)), Posting)
    assert await posted(truth) == 100
    await other.stop()


def unbalanced(book: Book) -> str:
    """A posting that the book's own verbs would never write."""
    book.note(plans.ENTRIES, (2, 99, book.batch_no, uuid(77), 5, 5, book.now))
    return "decided"


def nul(book: Book) -> Any:
    return book.post(uuid(78), "test", ((1, -1), (2, 1)), note="\0")


def half_a_letter(book: Book) -> Any:
    return book.post(uuid(79), "test", ((1, -1), (2, 1)), note="\ud800")


def too_large(book: Book) -> Any:
    return book.post(uuid(80), "test", ((1, -(2**80)), (1, 2**80), (1, -1), (2, 1)))


def below_the_floor(book: Book) -> Any:
    account = book.accounts.get(2)
    assert account is not None
    book.accounts.put(2, msgspec.structs.replace(account, posted_minor=-(10**12)))
    return "decided"


def not_there(book: Book) -> Any:
    """Change a row PostgreSQL does not have."""
    account = book.accounts.get(1)
    assert account is not None
    book.accounts.rows[3] = msgspec.structs.replace(account, account_id=3)
    book.accounts.put(3, msgspec.structs.replace(account, account_id=3, posted_minor=1))
    return "decided"


@pytest.mark.parametrize(
    "bad", [unbalanced, nul, half_a_letter, too_large, below_the_floor, not_there]
)
async def test_a_command_postgresql_refuses_fails_alone(
    dsn: str, truth: asyncpg.Connection, bad: Any
) -> None:
    """Its neighbours in the batch are written, and so is what comes after."""
    writer = await opened_writer(dsn)
    answers = await writer.submit([post(1), Doing(bad), post(2)])
    assert isinstance(answers[0], Posting)
    assert isinstance(answers[1], InvariantBroken)
    assert isinstance(answers[2], Posting)
    alone = await asyncio.gather(
        *(writer.decide(command) for command in (post(3), Doing(bad), post(4))),
        return_exceptions=True,
    )
    assert [type(answer) for answer in alone] == [Posting, InvariantBroken, Posting]
    assert (await posted(truth), await rows(truth, "postings")) == (400, 4)
    assert writer.fate is None
    await writer.stop()


@pytest.mark.parametrize("key", [2**80, "not a number"])
async def test_a_key_no_query_can_take_fails_alone(
    dsn: str, truth: asyncpg.Connection, key: Any
) -> None:
    """Naming a row that cannot be looked up is that command's own trouble."""
    writer = await opened_writer(dsn)
    bad = Doing(lambda _: "decided", (("accounts", key),))
    answers = await asyncio.gather(
        *(writer.decide(command) for command in (post(1), bad, post(2))), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Posting, InvariantBroken, Posting]
    assert await posted(truth) == 200
    await writer.stop()


async def test_a_decision_that_raises_changes_nothing(dsn: str, truth: asyncpg.Connection) -> None:
    """What it had put and noted before it raised is taken back; the batch goes on."""

    def half(book: Book) -> None:
        book.post(uuid(5), "test", ((1, -9), (2, 9)))
        book.hold(uuid(6), 2, 1)
        raise ZeroDivisionError

    writer = await opened_writer(dsn)
    keys = (("accounts", 1), ("accounts", 2), ("holds", uuid(6)), ("postings", uuid(5)))
    answers = await writer.submit([post(1), Doing(half, keys), post(2)])
    assert isinstance(answers[1], InvariantBroken)
    assert (await posted(truth), await rows(truth, "postings")) == (200, 2)
    assert await rows(truth, "holds") == 0
    await writer.stop()


async def test_reading_what_was_not_named_is_a_bug(dsn: str) -> None:
    """A decision sees only the rows its command named."""
    writer = await opened_writer(dsn)
    with pytest.raises(InvariantBroken, match="did not name"):
        await writer.decide(Doing(lambda book: book.accounts.get(12345)))
    await writer.stop()


async def test_a_full_queue_is_said_at_once(dsn: str) -> None:
    """Above the bound nothing is taken; what was taken before is answered."""
    settings = WriterSettings(queue_commands_max=10, batch_commands_max=5)
    writer = await opened_writer(dsn, settings)
    taken = [writer.submit([post(number)]) for number in range(10)]
    with pytest.raises(Overloaded):
        await writer.submit([post(99)])
    for answers in await asyncio.gather(*taken):
        assert isinstance(answers[0], Posting)
    with pytest.raises(Overloaded, match="more commands than one batch"):
        await writer.submit([post(number) for number in range(100, 106)])
    assert isinstance(await writer.decide(post(99)), Posting)
    await writer.stop()


async def test_stopping_answers_what_was_handed_in(dsn: str, truth: asyncpg.Connection) -> None:
    """Everything queued before the stop is written; everything after is refused."""
    writer = await opened_writer(dsn, WriterSettings(batch_commands_max=10))
    waiting = [writer.submit([post(number)]) for number in range(1, 101)]
    await writer.stop()
    for answers in await asyncio.gather(*waiting):
        assert isinstance(answers[0], Posting)
    assert await posted(truth) == 10_000
    with pytest.raises(StoreUnavailable):
        await writer.decide(post(999))


async def test_with_almost_no_memory_the_answers_are_the_same(
    dsn: str, truth: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows let go of are read again: balances, repeats and ends are as if all were kept."""
    tiny = tuple(msgspec.structs.replace(one, rows_max=2) for one in plans.LEDGER_SHELVES)
    monkeypatch.setattr("tangguh.ledger.book.LEDGER_SHELVES", tiny)
    writer = await opened_writer(dsn, WriterSettings(batch_commands_max=7))
    for number in range(3, 40):
        await writer.decide(OpenAccount(number, Kind.CUSTOMER, 1))
    source = random.Random(1)
    expected = dict.fromkeys(range(2, 40), 0)
    waiting = []
    for number in range(1, 401):
        account = source.randint(2, 39)
        expected[account] += number
        command = Post(uuid(number), "test", ((1, -number), (account, number)))
        waiting.append(writer.submit([command, command]))
    for first, again in await asyncio.gather(*waiting):
        assert first == again
    for number in (1, 200, 400):
        assert isinstance(await writer.decide(post(number, 1)), Refused)
    found = await truth.fetch("SELECT account_id, posted_minor FROM accounts WHERE account_id > 1")
    assert {row["account_id"]: row["posted_minor"] for row in found} == expected
    for account in range(2, 40):
        answer = await writer.decide(PlaceHold(uuid(account), account, 10**9))
        assert isinstance(answer, Refused)
    await writer.stop()


async def test_nothing_is_answered_before_it_is_durable(
    writer: Writer, proxy: FaultProxy, truth: asyncpg.Connection
) -> None:
    """While the commit is under way the caller waits, also one that only reads."""
    proxy.cut, proxy.is_down = "after", True
    flying = asyncio.create_task(writer.decide(post(1)))
    reading = asyncio.create_task(writer.decide(Doing(lambda book: book.accounts.get(2))))
    await proxy.struck.wait()
    assert not flying.done()
    assert not reading.done()
    proxy.is_down = False
    account = await reading
    assert isinstance(account, Account)
    assert account.posted_minor == await posted(truth)
    assert isinstance(await flying, Posting)


async def test_a_caller_who_gave_up_does_not_stop_the_others(
    dsn: str, truth: asyncpg.Connection
) -> None:
    """A cancelled wait is nobody's answer; the decision itself is kept or not, whole."""
    writer = await opened_writer(dsn)
    leaving = asyncio.create_task(writer.decide(post(1)))
    staying = asyncio.create_task(writer.decide(post(2)))
    await asyncio.sleep(0)
    leaving.cancel()
    assert isinstance(await staying, Posting)
    assert isinstance(await writer.decide(post(1)), Posting)
    assert (await posted(truth), await rows(truth, "postings")) == (200, 2)
    await writer.stop()


async def test_the_books_time_does_not_run_backwards(dsn: str, clock: HandClock) -> None:
    """A clock set back leaves the entries in order of time."""
    writer = Writer(dsn, clock, Ids(clock, random.Random(1)))
    await writer.start()
    for number, kind in ((1, Kind.VAULT), (2, Kind.CUSTOMER)):
        await writer.decide(OpenAccount(number, kind))
    first = await writer.decide(post(1))
    clock.advance(-3600)
    second = await writer.decide(post(2))
    assert isinstance(first, Posting)
    assert isinstance(second, Posting)
    assert second.posted_at == first.posted_at
    await writer.stop()
