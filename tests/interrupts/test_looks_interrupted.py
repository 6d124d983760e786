"""What somebody read is on the disk when they are told, wherever the writer is cut.

Between asking and being told nothing else decides: an answer lies between what the database had
when it was asked for and what it had when it was told. Each look is judged by the test's own line,
at once, so that a look at what a crash would take back is seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

import asyncpg
import msgspec
import pytest

from interrupts.raising import Lines, codes_of
from interrupts.test_writer_raises import (
    HANG_SECONDS,
    UNTOUCHED,
    Trouble,
    fault_of,
    opened,
    post,
    uuid,
)
from tangguh.core.errors import TangguhError
from tangguh.ledger import store, ticket
from tangguh.ledger.book import Book
from tangguh.ledger.writer import Writer

PAIRS = 4
_SLOW = ("after", "refused")


class Look(msgspec.Struct, frozen=True):
    """What account 2 has."""

    names_keys_at_once: ClassVar[bool] = True

    def keys(self, _: Book) -> Iterable[tuple[str, Any]]:
        return [("accounts", 2)]

    def decide(self, book: Book) -> int:
        account = book.accounts.get(2)
        assert account is not None
        return account.posted_minor


async def on_disk(line: asyncpg.Connection) -> int:
    return int(await line.fetchval("SELECT posted_minor FROM accounts WHERE account_id = 2"))


class Reader:
    """Looks, with a line of its own to judge what it is told."""

    def __init__(self, line: asyncpg.Connection) -> None:
        self._line = line
        self.told = 0
        self.wrong: list[tuple[int, int, int]] = []

    async def look(self, writer: Writer) -> None:
        before = await on_disk(self._line)
        try:
            seen = await writer.decide(Look())
        except TangguhError:
            return  # nobody was told anything
        after = await on_disk(self._line)
        self.told += 1
        if not before <= seen <= after:
            self.wrong.append((before, seen, after))


async def pay(writer: Writer, number: int) -> None:
    try:
        await writer.decide(post(uuid(number)))
    except TangguhError:
        return


async def walk(dsn: str, readers: list[Reader], how: str, at: int, first: int) -> tuple[str, bool]:
    """Payments and looks at once, under a trouble and a fault at the ``at``-th line; then again.

    Gives the line that was struck and whether the writer lives.
    """
    writer = await opened(dsn)
    trouble = Trouble(how, store.commit)
    lines = Lines(codes_of(Writer, ticket.Ticket, but=UNTOUCHED), at, fault_of("disk"))

    async def round(first: int) -> None:
        numbers = enumerate(readers, start=first)
        both = ((pay(writer, number), reader.look(writer)) for number, reader in numbers)
        everybody = asyncio.gather(*(one for pair in both for one in pair))
        await asyncio.wait_for(everybody, HANG_SECONDS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "commit", trouble.commit)
        with lines.traced():
            await round(first)
        await round(first + PAIRS)
    lives = writer.is_open
    await writer.stop()
    return lines.struck, lives


@pytest.mark.parametrize(
    "how", ["", "before", *(pytest.param(one, marks=pytest.mark.drill) for one in _SLOW)]
)
async def test_nobody_is_told_what_is_not_on_the_disk(
    dsn: str, how: str, commits_may_be_lost: None
) -> None:
    """Line after line of the writer, while all is well and while a batch's fate is unknown."""
    readers = [Reader(await asyncpg.connect(dsn)) for _ in range(PAIRS)]
    at, first, survived = 1, 1_000, 0
    while True:
        struck, lives = await walk(dsn, readers, how, at, first)
        survived += lives
        assert [one.wrong for one in readers if one.wrong] == [], f"{how or 'well'}, {struck}"
        if not struck:
            break
        at, first = at + 1, first + 10 * PAIRS
    for one in readers:
        await one._line.close()
    assert at > 30, "the walk never reached the writer"
    assert survived >= 1
    assert sum(one.told for one in readers) > at, "nobody was told anything"


async def test_a_writer_deposed_between_deciding_and_telling_tells_nothing(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor pays while the look is decided and not yet told: the old answer is not given."""
    first, real = await opened(dsn), store.confirm
    successors: list[Writer] = []

    async def deposed(connection: Any, batch: store.Sealed) -> None:
        monkeypatch.setattr(store, "confirm", real)
        second = await opened(dsn)
        await second.decide(post(uuid(9)))
        successors.append(second)
        await real(connection, batch)

    monkeypatch.setattr(store, "confirm", deposed)
    with pytest.raises(TangguhError):
        await first.decide(Look())
    assert not first.is_open
    assert await successors[0].decide(Look()) == 7
    await successors[0].stop()
    await first.stop()
