"""A network brings money while nothing can be written: it is asked to come again, and comes once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from broken_store import Line, raised
from broken_store import line as line
from flows.test_money_comes_in import incoming
from flows.test_money_comes_in import receiving as receiving
from stories import ANA, RUPIAH, account_of, balance, count_of, proved
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.core.service import IN_BIFAST
from tangguh.payments.incoming.receiving import Receiving

CANNOT_WRITE = ["53100", "58030", "25006"]
"""The disk is full, refuses, or the server only reads."""


async def while_time_goes_on(clock: HandClock, asked: Awaitable[Any]) -> Any:
    """The writer waits a moment after each refusal."""
    task = asyncio.ensure_future(asked)
    while not task.done():
        await asyncio.sleep(0.005)
        clock.advance(0.5)
    return await task


@pytest.mark.parametrize("sqlstate", CANNOT_WRITE)
@pytest.mark.parametrize("at_once", [False, True])
async def test_a_credit_that_cannot_be_written_is_neither_taken_nor_refused(
    bank: Bank, receiving: Receiving, line: Line, clock: HandClock, sqlstate: str, at_once: bool
) -> None:
    """No yes, so nothing is lost; no final no, so nobody sends it back; and then it comes once."""
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    asked = await incoming(bank)
    line.strike(raised(sqlstate), "INSERT INTO batches")
    for _ in range(3):
        said = await while_time_goes_on(clock, receiving.announce(asked, at_once=at_once))
        assert isinstance(said, Unanswered)
        told = await while_time_goes_on(
            clock, receiving.settled("bifast", asked.reference, Accepted("CLR-1"))
        )
        assert isinstance(told, Unanswered), "nobody says thank you for what is not there"
    assert line.struck >= 3
    line.error = None
    clock.advance(5)
    assert await count_of(bank, "payments") == 0
    for _ in range(2):
        said = await while_time_goes_on(clock, receiving.announce(asked, at_once=at_once))
        assert isinstance(said, Accepted)
        told = await while_time_goes_on(
            clock, receiving.settled("bifast", asked.reference, Accepted("CLR-1"))
        )
        assert isinstance(told, Accepted)
    assert (await balance(bank, account)).posted_minor == before + 150_000 * RUPIAH
    assert await count_of(bank, "payments") == 1
    await proved(bank)


async def test_a_settlement_notice_that_cannot_be_written_is_asked_for_again(
    bank: Bank, receiving: Receiving, line: Line, clock: HandClock
) -> None:
    """The money was announced and the disk is full when it is settled: it becomes hers later."""
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    asked = msgspec.structs.replace(await incoming(bank), service=IN_BIFAST)
    assert isinstance(await receiving.announce(asked), Accepted)
    line.strike(raised("53100"), "INSERT INTO batches")
    for _ in range(3):
        word = receiving.settled("bifast", asked.reference, Accepted("CLR-1"))
        assert isinstance(await while_time_goes_on(clock, word), Unanswered)
    line.error = None
    clock.advance(5)
    word = receiving.settled("bifast", asked.reference, Accepted("CLR-1"))
    assert isinstance(await while_time_goes_on(clock, word), Accepted)
    assert (await balance(bank, account)).posted_minor == before + 150_000 * RUPIAH
    await proved(bank)
