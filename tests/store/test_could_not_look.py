"""The pulse could not look: that is a result of its own, neither "all is well" nor "unreadable"."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from owner import owners_line
from stories import ANA, BUDI, pay, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable, TangguhError
from tangguh.core.outcome import Refusal
from tangguh.db.errors import POLICIES, UNREADABLE, Policy
from tangguh.guard.closure import Closure, State
from tangguh.payments.checks import recheck
from tangguh.payments.gates.change import ChangeClosure, ReadBoard

MILLION = 1_000_000_00
LOST_LOOKS = ["57014", "57P01", "57P02", "57P03", "40001", "40P01", "53200", "55P03"]
"""Cancelled or timed out, shut down, crashed, starting; serialisation, deadlock, memory, lock."""


def raised(sqlstate: str) -> asyncpg.PostgresError:
    """What the driver raises for this SQLSTATE."""
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": "as the server said it"}
    found = asyncpg.PostgresError.new(fields)
    assert isinstance(found, asyncpg.PostgresError)
    return found


class Failing:
    """Stands in a look's way, at its parts of the chain."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.error: BaseException | None = None
        self.only_once = False
        real = recheck.walk

        def walk(*arguments: Any, **named: Any) -> Any:
            if self.error is not None:
                error = self.error
                self.error = None if self.only_once else error
                raise error
            return real(*arguments, **named)

        patch.setattr(recheck, "walk", walk)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(monkeypatch)


async def closures(bank: Bank) -> list[Closure]:
    return list((await bank.desk.decide(ReadBoard())).closures)


async def looks(bank: Bank, times: int) -> None:
    """So many looks that fail."""
    for _ in range(times):
        with pytest.raises(TangguhError):
            await bank.pulse.round()


async def large(bank: Bank, key: str) -> Refusal | None:
    """Why two million rupiah may not leave the richest customer; None: they may."""
    row = await bank.pool.fetchrow(
        "SELECT owner_id FROM accounts WHERE kind = 'customer' ORDER BY posted_minor DESC LIMIT 1"
    )
    assert row is not None
    by = row["owner_id"]
    to = ANA if by != ANA else BUDI
    refused = await pay(bank, await transfer(bank, 2 * MILLION, key=key, by=by, to=to))
    return refused.refusal


@pytest.mark.parametrize("sqlstate", LOST_LOOKS)
async def test_three_cancelled_looks_hold_nobodys_money_back(
    bank: Bank, failing: Failing, sqlstate: str
) -> None:
    """A statement's time-out, an administrator's word: nothing of it is about what is stored."""
    await bank.pulse.round()
    failing.error = raised(sqlstate)
    await looks(bank, 3)
    assert await closures(bank) == []
    assert await large(bank, "a") is None
    assert bank.pulse.blind_rounds == 3
    failing.error = None
    assert await bank.pulse.round() == []


async def test_what_nobody_has_seen_for_a_minute_is_capped_until_it_is_seen(
    bank: Bank, failing: Failing, clock: HandClock
) -> None:
    """Old ignorance closes; the first look that succeeds opens again, without anybody's word."""
    await bank.pulse.round()
    failing.error = raised("57014")
    await looks(bank, 1)
    clock.advance(61)
    await looks(bank, 1)
    (closure,) = await closures(bank)
    assert closure.reason == "pulse_blind"
    assert f"{bank.pulse.last_look_at:%H:%M:%S}" in closure.cause
    assert await large(bank, "a") is Refusal.PROTECTIVE_LIMIT
    failing.error = None
    await bank.pulse.round()
    assert await closures(bank) == []
    assert await large(bank, "b") is None
    failing.error = raised("57014")
    clock.advance(61)
    await looks(bank, 1)
    assert [one.reason for one in await closures(bank)] == ["pulse_blind"], "the second time, too"


async def test_what_people_put_their_names_to_is_theirs_to_open(
    bank: Bank, failing: Failing, clock: HandClock
) -> None:
    """Two people said yes to the closure: a look that succeeds does not overrule them."""
    failing.error = raised("57014")
    clock.advance(61)
    await looks(bank, 1)
    (closure,) = await closures(bank)
    people = ("staff:1", "staff:2")
    step = ChangeClosure(closure_id=closure.id, to=State.CONFIRMED, what="confirmed", by=people)
    await bank.desk.decide(step)
    failing.error = None
    await bank.pulse.round()
    assert [one.state for one in await closures(bank)] == [State.CONFIRMED]


@pytest.mark.parametrize("sqlstate", ["XX001", "XX002", "22021", "22P02", "58030", "58P01"])
async def test_what_is_unreadable_closes_at_the_first_look(
    bank: Bank, failing: Failing, sqlstate: str
) -> None:
    """Damage is about what is stored: nobody waits a minute for it, and seeing it is a look."""
    failing.error = raised(sqlstate)
    found = await bank.pulse.round()
    assert {one.rule for one in found} == {"row.unreadable"}
    assert {one.reason for one in await closures(bank)} == {"row_unreadable"}
    assert bank.pulse.blind_rounds == 0


async def test_trouble_found_before_the_look_broke_off_is_acted_on(
    bank: Bank, failing: Failing
) -> None:
    """Whoever writes beside the book gains nothing by cancelling the rest of the look."""
    await bank.pulse.round()
    failing.error = raised("57014")
    async with owners_line(bank) as line:
        await line.execute(
            "UPDATE accounts SET posted_minor = posted_minor + 1 WHERE account_id ="
            " (SELECT min(account_id) FROM accounts WHERE kind = 'customer')"
        )
    await looks(bank, 1)
    assert {one.reason for one in await closures(bank)} == {"row_differs"}


async def test_a_broken_part_is_told_although_the_next_part_was_cancelled(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk has gone past it: what is dropped here would be looked at again in hours only."""
    await pay(bank, await transfer(bank, 100, key="a", by=ANA, to=BUDI))
    async with owners_line(bank) as line:
        await line.execute("ALTER TABLE batches DISABLE TRIGGER USER")
        await line.execute("UPDATE batches SET commands = commands + 1 WHERE batch_no = 1")
    real, parts = recheck.Recheck.part, []

    async def part(self: recheck.Recheck, connection: Any, first: int, last: int) -> Any:
        parts.append(first)
        if len(parts) > 1:
            raise raised("57014")
        return await real(self, connection, first, last)

    monkeypatch.setattr(recheck.Recheck, "part", part)
    await looks(bank, 1)
    assert "chain_broken" in {one.reason for one in await closures(bank)}


def test_the_table_of_errors_and_what_is_unreadable_agree() -> None:
    """Whatever the table calls damaged is unreadable to a look, and nothing that may pass is."""
    for sqlstate, policy in POLICIES.items():
        if len(sqlstate) < 5:
            continue
        is_unreadable = isinstance(raised(sqlstate), UNREADABLE)
        if policy is Policy.DAMAGED:
            assert is_unreadable, sqlstate
        elif policy in {Policy.RETRY, Policy.BUG}:
            assert not is_unreadable, sqlstate
    assert not any(isinstance(raised(sqlstate), UNREADABLE) for sqlstate in LOST_LOOKS)
    assert not issubclass(StoreUnavailable, UNREADABLE)


async def test_what_postgresql_has_no_word_for_is_asked_a_second_time(
    bank: Bank, failing: Failing
) -> None:
    """XX000 once is its own confusion; again over the same rows it is damage."""
    failing.error, failing.only_once = raised("XX000"), True
    assert await bank.pulse.round() == []
    assert await closures(bank) == []
    failing.error, failing.only_once = raised("XX000"), False
    found = await bank.pulse.round()
    assert {one.rule for one in found} == {"row.unreadable"}
    assert {one.reason for one in await closures(bank)} == {"row_unreadable"}
