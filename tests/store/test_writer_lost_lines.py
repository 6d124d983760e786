"""The writer whose line went away in the middle: what it tells is what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.test_writer_failures import opened_writer, post, posted, rows, until_answered
from tangguh.core.errors import Ambiguous, StoreUnavailable
from tangguh.db.pool import translated
from tangguh.ledger import store
from tangguh.ledger.posting import Posting


@pytest.fixture
async def truth(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_session_ended_in_the_middle_of_a_statement(
    dsn: str, truth: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    """The driver no longer knows where its line is: the fate is found out, and the writer lives."""
    writer = await opened_writer(dsn)
    commit, ended = writer._lines.commit, 0

    async def cut(batch: store.Sealed) -> None:
        nonlocal ended
        ended += 1
        if ended > 1 or is_committed:
            await commit(batch)
        if ended == 1:
            with translated():
                raise asyncpg.InternalClientError("another operation is in progress")

    monkeypatch.setattr(writer._lines, "commit", cut)
    try:
        assert isinstance(await writer.decide(post(7)), Posting)
        assert writer.is_open
        assert (await posted(truth), ended) == (100, 1 if is_committed else 2)
    finally:
        await writer.stop()


async def test_what_was_told_as_not_done_is_not_done_after_all(
    dsn: str, truth: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was decided behind a batch that had landed, and the line was away for too long."""
    writer = await opened_writer(dsn)
    commit, retake, lost = writer._lines.commit, writer._lines.retake, asyncio.Event()
    is_away = True

    async def cut(batch: store.Sealed) -> None:
        await commit(batch)
        if not lost.is_set():
            lost.set()
            raise StoreUnavailable

    async def away(epoch: int) -> store.Head:
        if is_away:
            raise StoreUnavailable
        return await retake(epoch)

    monkeypatch.setattr(writer._lines, "commit", cut)
    monkeypatch.setattr(writer._lines, "retake", away)
    try:
        first = asyncio.create_task(writer.decide(post(1)))
        await lost.wait()
        with pytest.raises(StoreUnavailable):
            await writer.decide(post(2))
        with pytest.raises(Ambiguous):
            await first
        is_away = False
        assert isinstance(await until_answered(writer, post(3)), Posting)
        assert (await posted(truth), await rows(truth, "postings")) == (200, 2)
    finally:
        await writer.stop()
