"""Every class of PostgreSQL's errors, as somebody at the API meets it: a problem, and no secrets."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from broken_store import SECRET, Line, raised
from broken_store import line as line
from serving import Answered, Phone
from stories import BUDI, account_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.db.errors import POLICIES, Policy, policy_of

ON_THE_LINE: list[BaseException] = [
    ConnectionResetError(SECRET),
    TimeoutError(SECRET),
    asyncpg.InterfaceError(SECRET),
    asyncpg.InternalClientError(SECRET),
]
CODES = sorted({*(one.ljust(5, "0") for one in POLICIES), "23505", "42P01", "42501", "0A000"})
"""Each row of the table, and some that are in none: a table that is away, a right, a feature."""


def is_problem(answer: Answered, status: int, code: str) -> None:
    """A whole problem document of this code that tells nothing of the inside."""
    assert (answer.status, answer.code) == (status, code), answer.raw
    assert answer.media == "application/problem+json"
    assert answer.body["type"] == f"/problems/{code}"
    assert answer.body["status"] == status
    text = (answer.raw + repr(sorted(answer.headers.items())).encode()).decode().lower()
    for word in (SECRET, "asyncpg", "postgres", "sqlstate", "accounts", "traceback", "rule"):
        assert word.lower() not in text, word
    if status == 503:
        assert int(answer.headers["Retry-After"]) == answer.body["retry_after_seconds"] > 0
        assert answer.body["retry"] in {"same_key", "after"}


def errors() -> list[Any]:
    """Every error with what is expected of it when one reads."""
    away = [pytest.param(one, 503, "unavailable", id=type(one).__name__) for one in ON_THE_LINE]
    for sqlstate in CODES:
        passes = policy_of(sqlstate) in {Policy.RETRY, Policy.CANNOT_WRITE}
        status, code = (503, "unavailable") if passes else (500, "internal")
        away.append(pytest.param(raised(sqlstate), status, code, id=sqlstate))
    return away


@pytest.mark.parametrize(("error", "status", "code"), errors())
async def test_somebody_who_reads_is_told_what_is_safe_and_nothing_else(
    phone: Phone, line: Line, error: BaseException, status: int, code: str
) -> None:
    """At the session, before anything else, and at the rows themselves."""
    for where in ("sessions", "accounts"):
        before = line.struck
        line.strike(error, where)
        answer = await phone.ask("GET", "/v1/accounts")
        assert line.struck > before, "the error was never raised"
        is_problem(answer, status, code)
    line.error = None
    assert (await phone.ask("GET", "/v1/accounts")).status == 200


@pytest.mark.parametrize("sqlstate", CODES)
async def test_somebody_who_pays_hears_what_became_of_the_money(
    bank: Bank, phone: Phone, line: Line, clock: HandClock, sqlstate: str
) -> None:
    """Raised in the commit: what passes is paid once, what does not says whether money moved."""
    policy = policy_of(sqlstate)
    order = phone.transfer(str(await account_of(bank, BUDI)))
    line.strike(raised(sqlstate), "INSERT INTO batches", 1 if policy is Policy.RETRY else 1_000)
    # On a machine with much to do this clock runs ahead of the bank, and an order that waited lapses.
    bank.writer.settings = msgspec.structs.replace(
        bank.writer.settings, new_money_seconds_max=1e9, ambiguity_seconds=1e3
    )
    paying = asyncio.create_task(phone.pay(order, key="a"))
    while not paying.done():
        await asyncio.sleep(0.01)
        clock.advance(0.5)
    answer = await paying
    assert line.struck
    match policy:
        case Policy.RETRY:
            assert answer.status in {201, 202}, answer.raw
        case Policy.CANNOT_WRITE:
            is_problem(answer, 503, "unavailable")
            assert answer.body["money"] == "not_moved"
        case Policy.VALUES:
            is_problem(answer, 500, "internal")
        case Policy.BUG | Policy.DAMAGED:
            is_problem(answer, 503, "ambiguous")
            assert answer.body["money"] == "unknown"
            assert bank.writer.fate is not None
    line.error = None
    clock.advance(5)
    moved = await bank.pool.fetchrow("SELECT count(*) AS n FROM payments WHERE kind = 'payment'")
    assert moved is not None
    assert moved["n"] == (policy is Policy.RETRY)
