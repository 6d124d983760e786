"""Commands that change nothing: answered from what is durable, and nothing is written for them."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from store.test_writer_failures import Doing, opened_writer, post, uuid
from tangguh.core.errors import Ambiguous, FenceLost, StoreUnavailable
from tangguh.core.outcome import Refused
from tangguh.ledger import store
from tangguh.ledger.book import Book
from tangguh.ledger.command import VoidHold
from tangguh.ledger.posting import Posting


async def links(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM batches"))
    finally:
        await connection.close()


def balance(book: Book) -> int:
    account = book.accounts.get(2)
    assert account is not None
    return account.posted_minor


async def test_what_changes_nothing_writes_no_link(dsn: str) -> None:
    """A look, a refusal and a repeat are answered; the chain is as long as before."""
    writer = await opened_writer(dsn)
    assert isinstance(await writer.decide(post(1)), Posting)
    before = await links(dsn)
    assert await writer.decide(Doing(balance)) == 100
    assert isinstance(await writer.decide(VoidHold(UUID(int=404))), Refused)
    assert isinstance(await writer.decide(post(1)), Posting)
    assert await links(dsn) == before
    await writer.stop()


async def test_a_look_that_saw_a_change_waits_until_it_is_durable(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads memory, which has what is being committed: it is answered after that, not before."""
    writer = await opened_writer(dsn)
    gate, real = asyncio.Event(), store.commit

    async def slow(connection: Any, batch: store.Sealed) -> None:
        await gate.wait()
        await real(connection, batch)

    monkeypatch.setattr(store, "commit", slow)
    paying = asyncio.create_task(writer.decide(post(1)))
    looking = asyncio.create_task(writer.decide(Doing(balance)))
    done, _ = await asyncio.wait({looking}, timeout=0.05)
    assert not done
    gate.set()
    assert await looking == 100
    assert paying.done()
    await writer.stop()


async def test_a_look_at_a_change_that_was_never_committed_is_not_believed(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch before it is lost and decided anew: so is the look."""
    writer = await opened_writer(dsn)
    seen: list[int] = []

    def look(book: Book) -> int:
        seen.append(balance(book))
        return seen[-1]

    async def lost(connection: Any, batch: store.Sealed) -> None:
        monkeypatch.undo()
        await asyncio.sleep(0.01)
        raise StoreUnavailable

    monkeypatch.setattr(store, "commit", lost)
    paying = asyncio.create_task(writer.decide(post(1)))
    looking = asyncio.create_task(writer.decide(Doing(look)))
    assert await looking == 100
    assert isinstance(await paying, Posting)
    assert len(seen) >= 2, "it was answered from memory that was dropped"
    await writer.stop()


async def test_a_writer_that_lost_the_fence_answers_no_look(dsn: str) -> None:
    """Another writer may have changed what it remembers."""
    first = await opened_writer(dsn)
    second = await opened_writer(dsn)
    assert isinstance(await second.decide(post(1)), Posting)
    with pytest.raises((FenceLost, Ambiguous)):
        await first.decide(Doing(balance))
    assert isinstance(first.fate, FenceLost)
    await first.stop()
    await second.stop()


async def test_without_postgresql_a_look_is_unavailable(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be confirmed is not told as if it were so."""
    writer = await opened_writer(dsn)

    async def away(*_: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(store, "confirm", away)
    monkeypatch.setattr(store, "retake_book", away)
    with pytest.raises(StoreUnavailable):
        await writer.decide(Doing(balance))
    monkeypatch.undo()
    await asyncio.sleep(0)
    assert uuid(1)
    await writer.stop()


async def test_the_head_that_is_told_is_one_that_postgresql_has(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever compares it with the chain must not find a link that is still on its way cut off."""
    writer = await opened_writer(dsn)
    await writer.decide(post(1))
    before = writer.head
    gate, real, began = asyncio.Event(), store.commit, asyncio.Event()

    async def slow(connection: Any, batch: store.Sealed) -> None:
        began.set()
        await gate.wait()
        await real(connection, batch)

    monkeypatch.setattr(store, "commit", slow)
    paying = asyncio.create_task(writer.decide(post(2)))
    await began.wait()
    assert writer.head == before
    gate.set()
    await paying
    assert writer.head.batch_no == before.batch_no + 1
    await writer.stop()
