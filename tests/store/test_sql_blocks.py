"""Every SQL block of the bank against the schema: it can be prepared, and leans where it says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from sql_blocks import BLOCKS, FILES
from tangguh.core.errors import Misconfigured
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.queries import Queries, _split
from tangguh.ledger.batch_sql import compose, unique_part, update_part

EVERY = pytest.mark.parametrize(
    ("file", "name", "comment", "sql"), BLOCKS, ids=[f"{one[0]}-{one[1]}" for one in BLOCKS]
)


OPEN = {"open_payments": "ended_payments", "open_holds": "ended_holds"}
"""The part of a table that a statement may be content with, and the other one."""

# A book of a size at which the planner has an opinion: four thousand of everything.
GROW = """
SET session_replication_role = replica;
INSERT INTO accounts SELECT 1, n, 'customer', n, 'open', 0, 0, 0, 0, now()
  FROM generate_series(1, 4000) AS n;
INSERT INTO postings SELECT 1, gen_random_uuid(), n, 0, 'payment', now(), current_date, CASE
  WHEN n % 100 = 0 THEN gen_random_uuid() END, '' FROM generate_series(1, 4000) AS n;
INSERT INTO entries SELECT 1, n % 500, n, n, gen_random_uuid(), 1, 1, now()
  FROM generate_series(1, 4000) AS n;
INSERT INTO holds SELECT 1, gen_random_uuid(), n, 1, 0, 'held', now(), NULL,
  now() + n * interval '1 second' FROM generate_series(1, 4000) AS n;
INSERT INTO batches SELECT 1, n, 1, now(), 1, ''::bytea, ''::bytea
  FROM generate_series(1, 4000) AS n;
INSERT INTO customers SELECT 1, n, (628110000000 + n)::text, 'x', 'id'
  FROM generate_series(1, 4000) AS n;
INSERT INTO customer_accounts SELECT 1, n, n, 'x' FROM generate_series(1, 4000) AS n;
INSERT INTO pins SELECT 1, n, '$argon2id$' FROM generate_series(1, 4000) AS n;
INSERT INTO sessions SELECT 1, sha256(n::text::bytea), n, ''::bytea, 'device', now(), now(), NULL
  FROM generate_series(1, 4000) AS n;
INSERT INTO payment_events SELECT 1, gen_random_uuid(), 1, n, now(), 'posted', 'posted', ''
  FROM generate_series(1, 4000) AS n;
INSERT INTO wire_sequences SELECT 1, 'x' || n, current_date, n FROM generate_series(1, 4000) AS n;
INSERT INTO tariff_changes SELECT 1, gen_random_uuid(), n, now(), 'fee', 'x', '1', 'a', 'b', 'c'
  FROM generate_series(1, 4000) AS n;
INSERT INTO purses SELECT 1, n, 0, 'server', (936009990000 + n)::text, n, current_date
  FROM generate_series(1, 4000) AS n;
INSERT INTO merchants SELECT 1, 'M' || n, n, 0, n, 'N' || n, 'P' || n, 'x', 'x', 'x', 'x', 'UMI'
  FROM generate_series(1, 4000) AS n;
INSERT INTO cards SELECT 1, n::text, 'x', '1111', '3012', n, n, 'x', 'active', 3
  FROM generate_series(1, 4000) AS n;
INSERT INTO one_time_codes SELECT 1, n::text, 'cash', n, n, 1, now(), now()
  FROM generate_series(1, 4000) AS n;
INSERT INTO merchant_bills SELECT 1, 'M' || n, 'B' || n, 1, now()
  FROM generate_series(1, 4000) AS n;
INSERT INTO limit_usage SELECT 1, n, 'x', current_date, 1 FROM generate_series(1, 4000) AS n;
INSERT INTO cases SELECT 1, gen_random_uuid(), n::text, n % 500, gen_random_uuid(),
  gen_random_uuid(), 'other', 'app', now() + n * interval '1 minute', CASE WHEN n % 20 = 0
  THEN 'waiting' ELSE 'closed' END, now() + n * interval '1 second', now(), '{}'
  FROM generate_series(1, 4000) AS n;
INSERT INTO case_events SELECT 1, gen_random_uuid(), 1, n, now(), 'x', 'x', '', 'x'
  FROM generate_series(1, 4000) AS n;
INSERT INTO case_messages SELECT 1, gen_random_uuid(), gen_random_uuid(), now(), 'x', 'x'
  FROM generate_series(1, 4000) AS n;
INSERT INTO case_contacts SELECT 1, gen_random_uuid(), 'x', ''::bytea
  FROM generate_series(1, 4000) AS n;
INSERT INTO affected_payments SELECT 1, gen_random_uuid(), gen_random_uuid(), n, 1, now()
  FROM generate_series(1, 4000) AS n;
INSERT INTO redress SELECT 1, gen_random_uuid(), n, 'owed', 1, now(), now(), '', 0, 0, NULL, ''
  FROM generate_series(1, 4000) AS n;
INSERT INTO redress_events SELECT 1, gen_random_uuid(), n, now(), gen_random_uuid(), 'owed', 1,
  'x' FROM generate_series(1, 4000) AS n;
INSERT INTO advanced SELECT 1, n, 1, 1 FROM generate_series(1, 4000) AS n;
INSERT INTO settlement_files SELECT 1, 'x' || n, current_date, 1, 1, repeat('0', 64), 1, 1, 1, 1,
  now(), 'posted', 1, 1, NULL FROM generate_series(1, 4000) AS n;
INSERT INTO settlement_matches SELECT 1, gen_random_uuid(), current_date - n % 90, 1, 'x', 1
  FROM generate_series(1, 4000) AS n;
INSERT INTO settlement_breaks SELECT 1, gen_random_uuid(), 'x', current_date - n % 90, 1,
  'duplicate', n::text, gen_random_uuid(), 1, 1, 1, now(), 'x', 'x', 'open'
  FROM generate_series(1, 4000) AS n;
INSERT INTO notices SELECT 1, gen_random_uuid(), 'customer:' || n % 500, 'id', 'incident:' || n % 90,
  'step' || n, 't', 'now', 'sms', true, 't', 'b', 's', now(), CASE WHEN n % 50 = 0 THEN 'due'
  ELSE 'delivered' END, 'sms', 0, false, now(), '', CASE WHEN n % 50 <> 0 THEN now() END
  FROM generate_series(1, 4000) AS n;
INSERT INTO notice_deliveries SELECT 1, gen_random_uuid(), 'sms', 1, gen_random_uuid(),
  'customer:' || n % 500, now() - n * interval '1 minute', 'delivered', now(), n::text, '', '', NULL
  FROM generate_series(1, 4000) AS n;
INSERT INTO notice_addresses SELECT 1, gen_random_uuid(), 'subscriber:' || n, 'sms', n::text, 'id',
  now(), now(), NULL, '' FROM generate_series(1, 4000) AS n;
INSERT INTO notice_subscriptions SELECT 1, gen_random_uuid(), 'subscriber:' || n, ARRAY['c' || n],
  now(), now(), now(), NULL, sha256(n::text::bytea), sha256(n::text::bytea)
  FROM generate_series(1, 4000) AS n;
INSERT INTO incidents SELECT 1, gen_random_uuid(), CASE WHEN n % 500 = 0 THEN 'published'
  ELSE 'post_mortem' END, now() - n * interval '1 hour', '{}' FROM generate_series(1, 4000) AS n;
INSERT INTO payments SELECT (jsonb_populate_record(NULL::payments, jsonb_build_object(
    'book_id', 1, 'payment_id', gen_random_uuid(), 'kind', 'refund', 'customer_id', n % 500,
    'wire_reference', n::text,
    'service', 'x', 'rail', 'x', 'state', CASE WHEN n % 50 = 0 THEN 'held' ELSE 'posted' END,
    'debtor', 1, 'creditor', 2, 'amount_minor', 1, 'tip_minor', 0, 'fee_minor', 0,
    'currency', 'IDR', 'order_json', '{}'::jsonb, 'original_id', gen_random_uuid(),
    'network_reference', '', 'refusal', '', 'refusal_field', '', 'refusal_detail', '',
    'refunded_minor', 0, 'refunding_minor', 0, 'advanced_minor', 0, 'discount_minor', 0, 'business_date', current_date,
    'accepted_at', now(), 'concluded_at', CASE WHEN n % 50 <> 0 THEN now() END,
    'resolve_at', CASE WHEN n % 50 = 0 THEN now() END, 'attempts', 0, 'events', 1
  ) || jsonb_build_object({key}))).* FROM generate_series(1, 4000) AS n;
ANALYZE;
"""


@pytest.fixture(scope="module")
def grown(server: EmbeddedPostgres) -> Iterator[str]:
    """A database with many rows of every kind."""

    async def grow() -> None:
        admin = await asyncpg.connect(server.dsn_for("postgres"))
        await admin.execute("CREATE DATABASE grown TEMPLATE tangguh")
        await admin.close()
        opened = await asyncpg.connect(server.dsn_for("grown"))
        columns = await opened.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'payments'"
            " AND column_name IN ('idempotency_key', 'order_key')"
        )
        key = ", ".join(f"'{row[0]}', n::text" for row in columns)
        await opened.execute(GROW.replace("{key}", key))
        await opened.close()

    async def drop() -> None:
        admin = await asyncpg.connect(server.dsn_for("postgres"))
        await admin.execute("DROP DATABASE grown WITH (FORCE)")
        await admin.close()

    asyncio.run(grow())
    yield server.dsn_for("grown")
    asyncio.run(drop())


@pytest.fixture
async def connection(grown: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to it; nothing is written."""
    opened = await asyncpg.connect(grown)
    yield opened
    await opened.close()


@EVERY
async def test_it_can_be_prepared(
    connection: asyncpg.Connection, file: str, name: str, comment: str, sql: str
) -> None:
    """Tables, columns and types are there; it has a line that says what it is for."""
    assert comment, f"{file}: {name} has no line of purpose"
    await connection.prepare(sql)


@EVERY
async def test_it_leans_on_the_index_it_names(
    connection: asyncpg.Connection, file: str, name: str, comment: str, sql: str
) -> None:
    """An index named in the comment is in the plan; so is a primary key where it is promised.

    Where it names what is open, what has ended is not looked at.
    """
    rows = await connection.fetch("SELECT indexname FROM pg_indexes WHERE schemaname='public'")
    indexes = {row["indexname"] for row in rows}
    words = set(re.findall(r"[a-z_]+", comment))
    named, parts = words & indexes, words & OPEN.keys()
    if not named and not parts and "rimary key" not in comment:
        return
    # As the writer has it (ledger/store.py), for these are the plans that carry the load.
    await connection.execute(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
        "SET enable_hashjoin = off; SET enable_mergejoin = off"
    )
    nulls = ["NULL"] * len((await connection.prepare(sql)).get_parameters())
    await connection.execute(f"PREPARE block AS {sql}")
    asked = f"EXPLAIN EXECUTE block({', '.join(nulls)})" if nulls else "EXPLAIN EXECUTE block"
    plan = "\n".join(row[0] for row in await connection.fetch(asked))
    for index in named:
        assert index in plan, plan
    for part in parts:
        assert part in plan, plan
        assert OPEN[part] not in plan, plan
    if "rimary key" in comment:
        assert "_pkey" in plan, plan
    assert "Seq Scan" not in plan, plan


def test_the_files_are_found() -> None:
    """The search above really sees the bank's SQL."""
    assert {path.name for path in FILES} >= {"ledger.sql", "payments.sql", "access.sql"}
    assert len(BLOCKS) > 50


def test_a_block_named_twice_is_refused() -> None:
    """Which of two blocks is meant nobody could say."""
    text = "-- name: one\n-- it\nSELECT 1\n-- name: one\n-- it\nSELECT 2\n"
    with pytest.raises(Misconfigured, match="twice"):
        _split(text, "here.sql")


def test_a_block_that_is_not_there_is_refused() -> None:
    """A wrong name is found when it is asked for, with the file's name."""
    with pytest.raises(Misconfigured, match=r"ledger\.sql has no block named nothing"):
        Queries("tangguh.ledger", "ledger.sql")["nothing"]


async def test_a_batchs_statement_can_be_prepared(connection: asyncpg.Connection) -> None:
    """The composed statement of fence, link and every update is one that PostgreSQL takes."""
    ledger = Queries("tangguh.ledger", "ledger.sql")
    payments = Queries("tangguh.payments", "payments.sql")
    parts = (
        update_part("accounts", ledger["change_accounts"], 8),
        update_part("holds", ledger["change_holds"], 4),
        update_part("payments", payments["change_payments"], 13),
        update_part("limit_usage", payments["change_limit_usage"], 4),
        unique_part("payments", payments["taken_payments"], 3),
        unique_part("holds", ledger["taken_holds"], 1),
    )
    for count in range(len(parts) + 1):
        sql = compose(ledger["advance_book"], ledger["add_batch"], parts[:count])
        prepared = await connection.prepare(sql)
        arrays = sum(part.arrays for part in parts[:count])
        assert len(prepared.get_parameters()) == 7 + arrays
