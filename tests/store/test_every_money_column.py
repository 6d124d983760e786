"""Each column that decides about money is changed by SQL, and the proof and the pulse see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import msgspec
import pytest

from conftest import NOON
from flows.test_gates import close, shut
from owner import owner_dsn
from paper import PaperRail
from store.money_columns import (
    CHAINED,
    NOT_MONEY,
    OTHERS,
    SEALED,
    Seen,
    seen,
)
from store.test_tampered_rows import by_sql, lived
from stories import ANA, MERCHANT, RUPIAH, now_is, pay, proved, scan
from tangguh.access.approval import Change, Rule
from tangguh.access.people import Staff
from tangguh.app import Bank
from tangguh.app.bank import CHAINED as JOURNALS
from tangguh.app.bank import SHELVES
from tangguh.core.outcome import Accepted
from tangguh.disputes.case import About, Case
from tangguh.disputes.rows import CASES
from tangguh.guard.closure import SignalClass
from tangguh.ledger.book import Book
from tangguh.ledger.shelf import ShelfPlan
from tangguh.payments.merchant.bill import MakeBill
from tangguh.payments.merchant.payouts import PAYOUTS, Payout
from tangguh.payments.people.changes import CHANGES, OPEN, Open
from tangguh.payments.plans import PAID_ONCE, PaidOnce
from tangguh.payments.redress.advance import GiveAdvance
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.recovery.book import CLIMBS
from tangguh.recovery.climb import begin

DOCUMENT = Path(__file__).parents[2] / "docs" / "proof.md"
EVERY = """
SELECT c.table_name::text, c.column_name::text, c.data_type::text
  FROM information_schema.columns AS c
  JOIN information_schema.tables AS t USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
   AND NOT (SELECT p.relispartition FROM pg_class AS p
             WHERE p.oid = format('public.%I', c.table_name)::regclass)
 ORDER BY 1, c.ordinal_position
"""
ANOTHER = {
    "bigint": "coalesce({0}, 0) + 1000003",
    "integer": "coalesce({0}, 0) + 1000003",
    "smallint": "{0} + 1",
    "text": "{0} || 'x'",
    "uuid": "gen_random_uuid()",
    "bytea": "sha256('x')",
    "date": "{0} + 1",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 hour'",
}


A_CARD = """
INSERT INTO cards (book_id, card_token, sealed_pan, last_four, expires, account_id, customer_id, pvv,
                   state, tries_left)
SELECT 1, 'token', 'sealed', '0001', '3012', account_id, customer_id, '1234', 'active', 3
  FROM customer_accounts WHERE customer_id = 1 LIMIT 1
"""


class PutRow(msgspec.Struct, frozen=True):
    """Keep a row as its own decisions would, without their story."""

    names_keys_at_once: ClassVar[bool] = True

    plan: ShelfPlan[Any, Any]
    key: Any
    row: Any

    def keys(self, _: Book) -> list[tuple[str, Any]]:
        return [(self.plan.name, self.key)]

    def decide(self, book: Book) -> None:
        book.shelf(self.plan).put(self.key, self.row)


async def lived_long(bank: Bank, paper: PaperRail) -> None:
    """A row of every table that decides about money."""
    await lived(bank, paper)
    await bank.desk.decide(MakeBill(MERCHANT.merchant_id, "B/1", 10_000_00, NOON))
    paper.will("send", Accepted("R9"))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH, key="g"))
    give = GiveAdvance(payment_id=payment.id, policy=RedressPolicy(), by="case:1", disputed=True)
    assert (await now_is(bank, payment)).refusal is None
    await bank.desk.decide(give)
    await close(bank, shut(bank))
    await by_sql(bank, A_CARD)
    one, made = bank.ids.next(), bank.clock.now()
    case = Case(
        id=one, number="K-1", customer_id=ANA, about=About.TRANSFER, channel="app", language="id",
        opened_at=made, complete_at=None, due_at=made, act_by=made, text_sha256="",
    )  # fmt: skip
    change = Change(
        id=one, kind="gate.open", subject="s", payload=b"{}", sha256="", made_at=made,
        maker=Staff(id="staff:1", hr_id="H-1"), rule=Rule(),
    )  # fmt: skip
    climb = begin(str(one), "rail=qris", SignalClass.HEALTH, made, salt="s")
    for plan, key, row in (
        (CASES, one, case),
        (CHANGES, one, change),
        (OPEN, ("gate.open", "s"), Open("gate.open", "s", one)),
        (CLIMBS, one, climb),
        (PAYOUTS, 20_000_000_001, Payout(20_000_000_001, 10_000_000_001, made)),
        (PAID_ONCE, "code", PaidOnce("code", one)),
    ):
        await bank.writer.decide(PutRow(plan, key, row))


async def columns(bank: Bank) -> list[tuple[str, str, Seen | None]]:
    """Every column of the schema, and what sees it changed."""
    return [
        (table, column, seen(table, column, ANOTHER.get(kind, "{0}").format(column)))
        for table, column, kind in await bank.pool.fetch(EVERY)
    ]


def test_what_is_chained_and_sealed_is_so_as_a_whole() -> None:
    """Of these tables every column but the book's number is in what is hashed."""
    journals = {plan.table: set(plan.columns) for plan in JOURNALS}
    assert {*journals, "batches"} == CHAINED
    sealed = {plan.table: set(plan.columns) for plan in SHELVES if plan.sealed_by}
    assert set(sealed) == SEALED


async def test_every_column_has_its_rule_or_its_reason(bank: Bank) -> None:
    """A column that somebody adds has to be put into the table before it may be kept."""
    found = await columns(bank)
    assert {table for table, _, _ in found} >= {*CHAINED, *SEALED, *OTHERS}
    hashed = {plan.table: set(plan.columns) for plan in JOURNALS}
    hashed |= {str(plan.table): set(plan.columns) for plan in SHELVES if plan.sealed_by}
    for table, column, _ in found:
        known = column == "book_id" or f"{table}.{column}" in NOT_MONEY
        assert table not in hashed or known or column in hashed[table], column
    assert all(reason for reason in NOT_MONEY.values())


async def test_the_document_shows_every_column(bank: Bank) -> None:
    """docs/proof.md has a line for each, the same as the test's own table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for table, column, one in await columns(bank):
        if table in CHAINED or table in SEALED:
            assert f"`{table}`" in text, table
        elif one is not None and one.rule:
            assert f"| `{table}.{column}` | `{one.rule}` | {one.live} |" in text, column
    for name, reason in NOT_MONEY.items():
        assert f"| `{name}` | {reason} |" in text, name


async def changed(
    connection: asyncpg.Connection, table: str, column: str, one: Seen, key: list[str]
) -> tuple[str, list[Any]] | None:
    """Give one row another value; the statement that gives the old one back. None: no row."""
    order = f"ORDER BY {column} IS NULL, {', '.join(key)}"
    wanted = f"SELECT *, {one.change} AS another FROM {table} {order} LIMIT 1"
    if table == "payments":
        wanted = wanted.replace("ORDER BY", "WHERE order_key IN ('1:a', '1:d') ORDER BY")
    if table in {"holds", "limit_usage"}:
        wanted = wanted.replace(column + " IS NULL", f"{column} IS NULL, {_newest(table)}")
    row: Mapping[str, Any] | None = await connection.fetchrow(wanted)
    if row is None:
        return None
    assert row["another"] != row[column], f"{table}.{column}: {one.change} changes nothing"
    where = " AND ".join(f"{name} = ${place}" for place, name in enumerate(key, 2))
    sql = f"UPDATE {table} SET {column} = $1 WHERE {where}"
    await connection.execute(sql, row["another"], *(row[name] for name in key))
    now = [row["another"] if name == column else row[name] for name in key]
    return sql, [row[column], *now]


async def without_guards(connection: asyncpg.Connection) -> None:
    """As somebody who may alter the schema: no trigger, no check."""
    await connection.execute("SET session_replication_role = replica")
    for table, name in await connection.fetch(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"
        " AND connamespace = 'public'::regnamespace"
    ):
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


async def key_of(connection: asyncpg.Connection, table: str) -> list[str]:
    """The columns of the primary key of the table, or of its parts."""
    return [
        row["attname"]
        for row in await connection.fetch(
            "SELECT a.attname FROM pg_index AS i JOIN pg_attribute AS a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
            " WHERE i.indisprimary AND i.indrelid = coalesce((SELECT min(p.relid::oid)"
            " FROM pg_partition_tree($1::regclass) AS p WHERE p.isleaf), $1::regclass)",
            table,
        )
    ]


def _newest(table: str) -> str:
    return "state" if table == "holds" else "business_date DESC"


async def one_after_another(bank: Bank, paper: PaperRail, *, first_only: bool) -> None:
    """Change each column, or one of each table; look both ways; put it back."""
    await lived_long(bank, paper)
    assert await bank.pulse.look() == []
    await proved(bank)
    unseen: list[str] = []
    untouched: set[str] = set()
    done: set[str] = set()
    connection = await asyncpg.connect(owner_dsn(bank))
    await without_guards(connection)
    for table, column, one in await columns(bank):
        key = await key_of(connection, table)
        if one is None or not one.rule or (first_only and (table in done or column in key)):
            continue
        undo = await changed(connection, table, column, one, key)
        if undo is None:
            untouched.add(table)
            continue
        done.add(table)
        proof = await bank.prove()
        broken = {found.name for found in proof.invariants if found.holds is not True}
        live = await bank.pulse.look()
        if one.rule not in broken or not live:
            unseen.append(f"{table}.{column}: proof {sorted(broken)}, live {live}")
        await connection.execute(undo[0], *undo[1])
    await connection.close()
    assert unseen == []
    assert await bank.pulse.look() == []
    await proved(bank)
    # Journals of what this story has nothing of; they are walked like every other.
    assert untouched <= CHAINED


async def test_a_column_of_each_table_changed_by_sql_is_seen(bank: Bank, paper: PaperRail) -> None:
    """Live and by the proof; put back, all is well again."""
    await one_after_another(bank, paper, first_only=True)


@pytest.mark.drill
async def test_each_column_changed_by_sql_is_seen(bank: Bank, paper: PaperRail) -> None:
    """All of them: some two hundred."""
    await one_after_another(bank, paper, first_only=False)
