"""A page of the entries is damaged on the disk: nobody is told that all is well."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from conftest import QUICK
from owner import owners_line
from paper import PaperRail, paper_rails
from stories import account_of, pay, transfer
from tangguh.app import Bank
from tangguh.cli.prove import prove_dsn, table
from tangguh.core.clock import HandClock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refusal
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.guard.closure import SignalClass
from tangguh.payments.gates.change import ReadBoard

_PAGE = 8192
PEOPLE = range(1, 57)


@pytest.fixture
async def damaged(
    request: pytest.FixtureRequest,
    server: EmbeddedPostgres,
    clock: HandClock,
    ids: Ids,
    paper: PaperRail,
) -> AsyncIterator[str]:
    """A bank's database, copied file by file, with bytes flipped in the first page of a table.

    Of entries, where nothing else is said.

    There everybody's opening balance lies; two people have paid each other since.
    """
    of = getattr(request, "param", "entries")
    admin = await asyncpg.connect(server.dsn_for("postgres"))
    for name in ("whole", "damaged"):
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute("CREATE DATABASE whole TEMPLATE demo")
    rails = paper_rails(paper)
    async with await Bank.open(
        msgspec.structs.replace(QUICK, guard=msgspec.structs.replace(QUICK.guard, mode="off")),
        server.dsn_for("whole"),
        rails=rails,
        clock=clock,
        ids=ids,
    ) as bank:
        for number in range(2):
            await pay(bank, await transfer(bank, 100_00, key=f"w{number}"))
    inside = await asyncpg.connect(server.dsn_for("whole"))
    path = str(await inside.fetchval("SELECT pg_relation_filepath($1)", of))
    assert await inside.fetchval("SHOW data_checksums") == "on"
    await inside.close()
    # Copied as files and never read yet, so that no page of it is in the server's memory.
    await admin.execute("CREATE DATABASE damaged TEMPLATE whole STRATEGY file_copy")
    oid = await admin.fetchval("SELECT oid FROM pg_database WHERE datname = 'damaged'")
    flip(server.cluster / "base" / str(oid) / Path(path).name, page=0)
    yield server.dsn_for("damaged")
    for name in ("whole", "damaged"):
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


def flip(file: Path, page: int) -> None:
    """Flip some bytes in the middle of a page, as a dying disk does."""
    with file.open("r+b") as opened:
        opened.seek(page * _PAGE + _PAGE // 2)
        there = opened.read(16)
        opened.seek(page * _PAGE + _PAGE // 2)
        opened.write(bytes(byte ^ 0xFF for byte in there))


async def test_the_proof_says_what_it_could_not_read_and_where(damaged: str) -> None:
    """Unknown is neither "holds" nor "broken"; the proof did not pass."""
    proof = await prove_dsn(damaged)
    assert not proof.passed
    unknown = {one.name: one.detail for one in proof.invariants if one.holds is None}
    assert {"running_balances_follow", "hash_chain_is_unbroken"} <= set(unknown)
    assert all("ctid (0,*)" in detail for detail in unknown.values()), unknown
    held = {one.name for one in proof.invariants if one.holds}
    assert "held_sums_equal_open_holds" in held
    assert '"holds":null' in msgspec.json.encode(proof).decode()
    assert "UNKNOWN" in table(proof)


@pytest.mark.parametrize("damaged", ["ended_payments"], indirect=True)
async def test_a_page_of_a_part_is_named_with_its_part(damaged: str) -> None:
    """Payments lie in two parts, and the whole has no pages of its own."""
    proof = await prove_dsn(damaged)
    unknown = [one.detail for one in proof.invariants if one.holds is None]
    assert unknown
    assert all("ended_payments: ctid (0,*)" in detail for detail in unknown), unknown


async def test_a_damaged_page_is_a_signal_and_its_accounts_pay_nothing(
    damaged: str, clock: HandClock, paper: PaperRail
) -> None:
    """Seen at the first look; whose newest entry lies there cannot pay, others go on in small."""
    bank = await Bank.open(
        QUICK, damaged, rails=paper_rails(paper), clock=clock, ids=Ids(clock, random.Random(3))
    )
    try:
        found = await bank.pulse.round()
        assert {one.rule for one in found} == {"row.unreadable"}
        (unread,) = [one.accounts for one in found if one.accounts]
        board = await bank.desk.decide(ReadBoard())
        assert {one.signal_class for one in board.closures} == {SignalClass.INTEGRITY}
        assert await bank.senses.failing_invariants() is None
        hurt = [who for who in PEOPLE if await account_of(bank, who) in unread]
        well = [who for who in PEOPLE if who not in hurt]
        closed = {one.scope.account for one in board.closures}
        assert {await account_of(bank, who) for who in hurt} <= closed
        with pytest.raises(TangguhError):
            await pay(bank, await transfer(bank, 100, key="c", by=hurt[0], to=well[0]))
        small = await transfer(bank, 100_00, key="a", by=well[0], to=well[1])
        assert (await pay(bank, small)).refusal is None
        large = await pay(bank, await transfer(bank, 2_000_000_00, key="b", by=well[0], to=well[1]))
        assert large.refusal is Refusal.PROTECTIVE_LIMIT
    finally:
        await bank.close()


async def test_a_pulse_that_cannot_look_is_no_good_news(bank: Bank, clock: HandClock) -> None:
    """A minute without a look that succeeded: people are called; and it says since when."""
    await bank.pulse.round()
    seen = bank.pulse.last_look_at
    async with owners_line(bank) as connection:
        await connection.execute("ALTER TABLE holds RENAME TO holds_away")
    for _ in range(3):
        assert not bank.pulse.is_blind
        clock.advance(20)
        with pytest.raises(TangguhError):
            await bank.pulse.round()
    assert bank.pulse.is_blind
    assert bank.pulse.last_look_at == seen
    board = await bank.desk.decide(ReadBoard())
    assert [(one.signal_class, one.reason) for one in board.closures] == [
        (SignalClass.INTEGRITY, "pulse_blind")
    ]
    async with owners_line(bank) as connection:
        await connection.execute("ALTER TABLE holds_away RENAME TO holds")
    await bank.pulse.round()
    assert not bank.pulse.is_blind
