"""What is open lies apart from what has ended, and both are one table to whoever asks."""

from __future__ import annotations

import random
from typing import Any

import asyncpg
import msgspec
import pytest

from conftest import CORE_WORD, WEB_WORD
from owner import owner_dsn
from paper import PaperRail, paper_rails
from store.test_tampered_rows import by_sql, lived
from store.test_writer_failures import Doing, opened_writer, rows, uuid
from stories import ANA, RUPIAH, now_is, pay, proved, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import InvariantBroken
from tangguh.core.ids import Ids
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.db.migrate import migrate
from tangguh.db.roles import make_bank_roles
from tangguh.ledger.book import Book
from tangguh.ledger.command import PlaceHold, VoidHold
from tangguh.payments import store as payments
from tangguh.payments.payment import State
from tangguh.payments.plans import PAYMENTS

BEFORE = """
DROP VIEW watched_payments;
CREATE TABLE whole (LIKE ended_{table} INCLUDING ALL);
ALTER TABLE whole DROP CONSTRAINT what_ended_is_not_open;
INSERT INTO whole SELECT * FROM {table};
DROP TABLE {table};
ALTER TABLE whole RENAME TO {table};
CREATE VIEW watched_payments AS
SELECT book_id, rail, wire_reference AS reference, kind, state,
       amount_minor + tip_minor AS amount_minor FROM payments WHERE wire_reference <> '';
"""
"""One of the two tables as it lay before it had parts."""

INDEXES = """
CREATE INDEX payments_to_resolve ON payments (book_id, resolve_at) WHERE resolve_at IS NOT NULL;
CREATE INDEX payments_parked ON payments (book_id, payment_id) WHERE state = 'parked';
CREATE INDEX holds_open ON holds (book_id, account_id) WHERE state = 'held';
CREATE INDEX holds_to_expire ON holds (book_id, expires_at)
    WHERE state = 'held' AND expires_at IS NOT NULL;
DELETE FROM schema_migrations WHERE name = '0039_pre_open_apart.sql';
"""


async def counted(bank: Bank, *tables: str) -> tuple[int, ...]:
    """How many rows lie in each."""
    connection = await asyncpg.connect(owner_dsn(bank))
    found = [await rows(connection, table) for table in tables]
    await connection.close()
    return tuple(found)


PARTS = ("open_payments", "ended_payments", "open_holds", "ended_holds")


async def test_a_payment_that_ends_leaves_the_open_ones_and_no_old_version(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """Held it is among the open; posted it is written once among those that ended."""
    paper.will("send", Unanswered("silence"))
    waiting = await pay(bank, await scan(bank, 54_000 * RUPIAH, key="w"))
    assert await counted(bank, *PARTS) == (1, 0, 1, 0)
    paper.will("inquire", Accepted("R1"))
    clock.advance(60)
    await bank.resolver.round()
    assert (await now_is(bank, waiting)).state is State.POSTED
    assert await counted(bank, *PARTS) == (0, 1, 0, 1)
    assert [one.id for one in await payments.of_customer(bank.pool, 1, ANA)] == [waiting.id]
    connection = await asyncpg.connect(owner_dsn(bank))
    await connection.execute("SELECT pg_stat_force_next_flush()")
    again = await connection.fetchval(
        "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'ended_payments'"
    )
    await connection.close()
    assert again == 0
    await proved(bank)


async def test_a_bank_with_open_payments_is_brought_up_to_date_and_ends_them(
    bank: Bank, dsn: str, clock: HandClock, paper: PaperRail
) -> None:
    """The open ones move, nothing else does, and the resolver finds what it had promised."""
    await lived(bank, paper)
    open_ones = await payments.open_of_customer(bank.pool, 1, ANA)
    everything = await payments.every_payment(bank.pool, 1)
    assert len(open_ones) == 1
    await bank.writer.stop()
    connection = await asyncpg.connect(dsn)
    for table in ("payments", "holds"):
        await connection.execute(BEFORE.format(table=table))
    await connection.execute(INDEXES)
    assert "0039_pre_open_apart.sql" in await migrate(connection)
    assert await rows(connection, "open_payments") == 1
    await connection.close()
    await make_bank_roles(dsn, CORE_WORD, WEB_WORD)
    again = await Bank.open(
        bank.settings, dsn, rails=paper_rails(paper), clock=clock, ids=Ids(clock, random.Random(9))
    )
    assert await payments.every_payment(again.pool, 1) == everything
    await proved(again)
    paper.will("inquire", Accepted("R2"))
    clock.advance(60)
    await again.resolver.round()
    assert (await now_is(again, open_ones[0])).state is State.POSTED
    await proved(again)
    await again.close()


async def test_a_key_whose_payment_ended_cannot_get_a_second_one(
    bank: Bank, paper: PaperRail
) -> None:
    """Whatever the book believes: no index sees both parts, so the batch itself asks."""
    paid = await pay(bank, await transfer(bank, 1_000_00, key="once"))
    assert paid.state is State.POSTED
    second = msgspec.structs.replace(
        paid, id=uuid(7), state=State.HELD, concluded_at=None, resolve_at=bank.clock.now()
    )

    def believes(book: Book) -> Any:
        book.shelf(PAYMENTS).add(second.id, second)

    with pytest.raises(InvariantBroken, match="new_payments_must_be_new"):
        await bank.writer.decide(Doing(believes, ()))
    assert await counted(bank, "open_payments", "ended_payments") == (0, 1)
    await proved(bank)


async def test_a_hold_that_ended_cannot_be_taken_again(dsn: str) -> None:
    """Its id is refused by PostgreSQL although the book has forgotten it; its neighbours go on."""
    writer = await opened_writer(dsn)
    await writer.decide(PlaceHold(uuid(1), 1, 5))
    await writer.decide(VoidHold(uuid(1)))

    def forgetful(book: Book) -> Any:
        del book.holds.rows[uuid(1)]
        return book.hold(uuid(1), 1, 5)

    answers = await writer.submit([PlaceHold(uuid(2), 1, 5), Doing(forgetful)])
    assert not isinstance(answers[0], InvariantBroken)
    assert isinstance(answers[1], InvariantBroken)
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch("SELECT hold_id, state FROM holds ORDER BY 1")
    assert [tuple(row) for row in found] == [(uuid(1), "voided"), (uuid(2), "held")]
    await connection.close()
    await writer.stop()


async def test_a_payment_moved_by_sql_alone_is_seen(bank: Bank, paper: PaperRail) -> None:
    """To take an open payment off the list its state has to change, and the chain knows it."""
    await lived(bank, paper)
    await by_sql(
        bank,
        "UPDATE payments SET state = 'voided', refusal = 'partner_declined', resolve_at = NULL,"
        " concluded_at = now() WHERE state = 'unanswered'",
    )
    assert (await counted(bank, "open_payments")) == (0,)
    assert "row.differs" in [one.rule for one in await bank.pulse.round()]
    proof = await bank.prove()
    broken = {one.name for one in proof.invariants if one.holds is False}
    assert "payments_are_as_their_events_left_them" in broken
