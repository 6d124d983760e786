"""The bank works with the least rights: what its roles need works, everything else is refused."""

from __future__ import annotations

import asyncio
import re
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from conftest import CORE_WORD, WEB_WORD, at_work
from sql_blocks import BLOCKS
from tangguh.app import JOURNALS, SHELVES, Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.grants import CORE_TABLES, WEB_TABLES
from tangguh.db.migrate import migrate
from tangguh.db.roles import CORE, WATCH, WEB, dsn_as, make_bank_roles, make_watch_role

WORDS = {CORE: CORE_WORD, WEB: WEB_WORD, WATCH: "watch of tests"}
TABLES = {CORE: CORE_TABLES, WEB: WEB_TABLES, WATCH: {"watched_payments": "SELECT"}}
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)

POWERS = [
    "SET session_replication_role = replica",
    "ALTER TABLE entries DISABLE TRIGGER ALL",
    "ALTER TABLE entries DISABLE TRIGGER the_book_is_append_only",
    "DROP TRIGGER the_book_is_append_only ON acts",
    "CREATE OR REPLACE FUNCTION must_hold(holds boolean, rule text) RETURNS boolean"
    " LANGUAGE sql AS 'SELECT true'",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE accounts DROP CONSTRAINT accounts_pkey",
    "DROP TABLE entries CASCADE",
    "TRUNCATE entries",
    "TRUNCATE notices",
    "CREATE TABLE mine (n int)",
    "CREATE TEMPORARY TABLE mine (n int)",
    "CREATE INDEX ON entries (posted_at)",
    "CREATE ROLE friend SUPERUSER",
    "ALTER ROLE tangguh PASSWORD 'mine'",
    "ALTER ROLE current_user SUPERUSER",
    "GRANT tangguh TO current_user",
    "SET ROLE tangguh",
    "SET SESSION AUTHORIZATION tangguh",
    "CREATE DATABASE mine",
    "ALTER SYSTEM SET fsync = off",
    "COPY customers TO PROGRAM 'cat'",
    "COPY schema_migrations TO '/tmp/schema'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_reload_conf()",
    "CREATE EXTENSION dblink",
    "CHECKPOINT",
    "UPDATE entries SET amount_minor = 0",
    "DELETE FROM entries",
    "DELETE FROM accounts",
    "DELETE FROM payments",
    "UPDATE batches SET hash = ''",
    "DELETE FROM acts",
    "UPDATE acts SET what = ''",
    "UPDATE schema_migrations SET sha256 = ''",
]
"""What nobody who came in through the bank may do. No row need be there to be refused."""

ONLY_THE_WRITER = [
    "UPDATE accounts SET posted_minor = posted_minor + 1",
    "INSERT INTO entries SELECT * FROM entries",
    "INSERT INTO postings SELECT * FROM postings",
    "UPDATE holds SET state = 'released'",
    "UPDATE payments SET state = 'posted'",
    "UPDATE books SET epoch = epoch + 1",
    "INSERT INTO acts SELECT * FROM acts",
    "UPDATE gates SET version = 0",
    "UPDATE changes SET state = 'approved'",
    "UPDATE limit_usage SET used_minor = 0",
    "SELECT learn_table('accounts')",
]
NOT_THE_WRITER = [
    "SELECT * FROM pins",
    "SELECT * FROM sessions",
    "SELECT * FROM staff_keys",
    "UPDATE staff SET roles = '{}'",
    "UPDATE customers SET phone = phone",
    "DELETE FROM notices",
    "SELECT * FROM cards",
]
NOT_THE_WATCH = [
    "SELECT * FROM accounts",
    "SELECT * FROM payments",
    "SELECT * FROM customers",
    "UPDATE payments SET state = 'posted'",
    "INSERT INTO acts SELECT * FROM acts",
    "SELECT learn_table('accounts')",
]
CASES = [
    *((role, sql) for role in (CORE, WEB, WATCH) for sql in POWERS),
    *((WEB, sql) for sql in ONLY_THE_WRITER),
    *((CORE, sql) for sql in NOT_THE_WRITER),
    *((WATCH, sql) for sql in NOT_THE_WATCH),
]


@pytest.fixture(scope="module")
def armed(server: EmbeddedPostgres) -> EmbeddedPostgres:
    """The server with the watch's role too."""
    asyncio.run(make_watch_role(server.dsn, WORDS[WATCH]))
    return server


@pytest.mark.parametrize(("role", "sql"), CASES, ids=[f"{role}: {sql}" for role, sql in CASES])
async def test_postgresql_itself_says_no(armed: EmbeddedPostgres, role: str, sql: str) -> None:
    """Whoever got hold of the bank's own connection is stopped by the server, not by us."""
    connection = await asyncpg.connect(dsn_as(armed.dsn, role, WORDS[role]))
    try:
        undone = connection.transaction()
        if "DATABASE" not in sql and "SYSTEM" not in sql:
            await undone.start()
        with pytest.raises(REFUSED):
            await connection.execute(sql)
    finally:
        await connection.close()


def _written(sql: str) -> set[tuple[str, str]]:
    return set(re.findall(r"\b(INSERT INTO|DELETE FROM|UPDATE) ([a-z_]+)\b(?! SKIP)", sql))


OF_THE_OWNER = {"roles.sql", "size.sql"}
"""Run as the owner alone: making the roles, and a bench of its own database."""


@pytest.mark.parametrize(
    ("file", "name", "sql"),
    [(file, name, sql) for file, name, _, sql in BLOCKS if file not in OF_THE_OWNER],
    ids=[f"{file}-{name}" for file, name, _, _ in BLOCKS if file not in OF_THE_OWNER],
)
async def test_each_statement_may_be_run_by_its_role(
    armed: EmbeddedPostgres, file: str, name: str, sql: str
) -> None:
    """Every block of SQL the bank has is planned and its rights are checked, nothing is run."""
    refused: list[str] = []
    for role in (WATCH,) if file == "watch.sql" else (WEB, CORE):
        connection = await asyncpg.connect(dsn_as(armed.dsn, role, WORDS[role]))
        try:
            nulls = ["NULL"] * len((await connection.prepare(sql)).get_parameters())
            await connection.execute(f"PREPARE block AS {sql}")
            asked = f"EXECUTE block({', '.join(nulls)})" if nulls else "EXECUTE block"
            await connection.execute(f"EXPLAIN {asked}")
        except asyncpg.InsufficientPrivilegeError as no:
            refused.append(f"{role}: {no}")
            continue
        finally:
            await connection.close()
        return
    pytest.fail(f"{file} {name}: {refused}")


async def test_the_writer_may_write_all_it_decides(armed: EmbeddedPostgres) -> None:
    """Each plan of the writer: its rows can be added, and changed where it changes them."""
    owner = await asyncpg.connect(armed.dsn)
    for shelf in SHELVES:
        plan = shelf.plan if hasattr(shelf, "plan") else shelf
        if getattr(plan, "table", ""):
            assert await _may(owner, CORE, plan.table, "INSERT"), plan.table
        if getattr(plan, "update", ""):
            assert await _may(owner, CORE, plan.table, "UPDATE"), plan.table
    for journal in JOURNALS:
        assert await _may(owner, CORE, journal.table, "INSERT"), journal.table
        assert not await _may(owner, CORE, journal.table, "UPDATE"), journal.table
    await owner.close()


async def _may(owner: asyncpg.Connection, role: str, table: str, right: str) -> bool:
    return bool(await owner.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, right))


async def test_no_role_may_do_more_on_a_table_than_its_line_says(armed: EmbeddedPostgres) -> None:
    """Every table there is, every right there is, every role: as written, and no table forgotten."""
    owner = await asyncpg.connect(armed.dsn)
    rows = await owner.fetch(
        "SELECT relname AS tablename, relispartition AS part FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    # A part of a table is reached through the whole, by nobody directly.
    assert {row["tablename"] for row in rows if not row["part"]} == set(WEB_TABLES)
    for role, tables in TABLES.items():
        for row in rows:
            found = {
                right
                for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
                if await _may(owner, role, row["tablename"], right)
            }
            line = tables.get(row["tablename"], "")
            assert found == set(filter(None, line.split(", "))), (role, row["tablename"])
    await owner.close()


async def test_delete_is_only_where_a_statement_deletes() -> None:
    """A right that no statement uses is a right for a thief."""
    deleted = {table for _, _, _, sql in BLOCKS for verb, table in _written(sql) if "DEL" in verb}
    changed = {table for _, _, _, sql in BLOCKS for verb, table in _written(sql) if "UPD" in verb}
    for tables in (CORE_TABLES, WEB_TABLES):
        assert {table for table, line in tables.items() if "DELETE" in line} <= deleted
    assert {table for table, line in CORE_TABLES.items() if "UPDATE" in line} <= changed


async def test_the_bank_at_work_is_not_the_owner(bank: Bank) -> None:
    """Both of its lines, and what they learn of a table that has grown is really learned."""
    assert (await bank.pool.fetchrow("SELECT current_user AS me"))["me"] == WEB
    writer = await asyncpg.connect(bank.dsn)
    assert await writer.fetchval("SELECT current_user") == CORE
    before = await writer.fetchval(_LOOKED)
    await writer.execute("SELECT learn_table('accounts')")
    await writer.execute("SELECT pg_stat_force_next_flush()")
    assert await writer.fetchval(_LOOKED) == before + 1
    with pytest.raises(asyncpg.UndefinedTableError):
        await writer.execute("SELECT learn_table('accounts; DROP TABLE accounts')")
    await writer.close()


_LOOKED = "SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'accounts'"


async def test_a_role_that_owns_nothing_brings_no_schema_up_to_date(
    server: EmbeddedPostgres, dsn: str, clock: HandClock, ids: Ids
) -> None:
    """A new version started before its owner migrated says so, and touches nothing."""
    owner = await asyncpg.connect(dsn)
    await owner.execute(
        "DELETE FROM schema_migrations WHERE name = (SELECT max(name) FROM schema_migrations)"
    )
    settings, where = at_work(dsn)
    with pytest.raises(Misconfigured, match="owner"):
        await Bank.open(settings, where, rails={}, clock=clock, ids=ids)
    await owner.close()


# ---- the embedded server: who comes in -----------------------------------------------------------


@pytest.fixture
async def own() -> AsyncIterator[EmbeddedPostgres]:
    """A server of the test's own, just started for the first time."""
    with tempfile.TemporaryDirectory(prefix="tg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        await server.start()
        yield server
        await EmbeddedPostgres(server.directory).stop()
        assert server._process is not None
        await asyncio.to_thread(server._process.wait)


async def _start_over(before: EmbeddedPostgres) -> EmbeddedPostgres:
    """The next start on the same directory, whoever started the server before."""
    after = EmbeddedPostgres(before.directory)
    await after.start()
    before._process = after._process or before._process
    return after


async def _enters(server: EmbeddedPostgres, who: str, database: str = "tangguh") -> bool:
    try:
        line = await asyncpg.connect(f"postgresql://{who}@/{database}?host={server.sockets}")
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await line.close()
    return True


def _secret(server: EmbeddedPostgres) -> Path:
    return server.directory / "keys" / "database-owner.secret"


async def test_from_the_first_start_nobody_enters_without_a_password(
    own: EmbeddedPostgres,
) -> None:
    """Not as the owner either; the password is a file that only its owner can read."""
    for who in ("tangguh", "tangguh:", "tangguh:tangguh", "postgres", "root"):
        assert not await _enters(own, who, "postgres"), who
    assert stat.S_IMODE(_secret(own).stat().st_mode) == 0o600
    assert await _enters(own, f"tangguh:{_secret(own).read_text()}")
    line = await asyncpg.connect(own.dsn)
    assert await line.fetchval("SHOW password_encryption") == "scram-sha-256"
    rows = await line.fetch("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert [row[0] for row in rows] == ["scram-sha-256"]
    await line.close()


async def _as_it_was(server: EmbeddedPostgres) -> None:
    """A data directory of before there were passwords: everybody is the owner."""
    line = await asyncpg.connect(server.dsn)
    await migrate(line)
    await line.execute("ALTER ROLE tangguh PASSWORD NULL")
    (server.cluster / "pg_hba.conf").write_text("local all all trust\n")
    await line.execute("SELECT pg_reload_conf()")
    await line.close()
    _secret(server).unlink()
    async with asyncio.timeout(10):
        while not await _enters(server, "tangguh"):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("is_left_running", [False, True])
async def test_an_old_data_directory_is_closed_at_the_next_start(
    own: EmbeddedPostgres, is_left_running: bool
) -> None:
    """Also when its server was left running; who was in it by then is put out."""
    await _as_it_was(own)
    inside = await asyncpg.connect(f"postgresql://tangguh@/tangguh?host={own.sockets}")
    if not is_left_running:
        await own.stop()
    after = await _start_over(own)
    assert after.adopted is is_left_running
    assert not await _enters(after, "tangguh")
    assert not await _enters(after, "tangguh", "postgres")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await inside.execute("SELECT 1")
    inside.terminate()
    await make_bank_roles(after.dsn, "one", "two")
    assert await _enters(after, f"{CORE}:one")
    assert await _enters(after, f"{WEB}:two")
    assert not await _enters(after, f"{WEB}:one")


async def test_a_lost_password_is_made_anew(own: EmbeddedPostgres) -> None:
    """Who may write the data directory owns it in any case; nothing in it is lost."""
    line = await asyncpg.connect(own.dsn)
    await line.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    await line.close()
    before = _secret(own).read_text()
    _secret(own).unlink()
    after = await _start_over(own)
    assert _secret(own).read_text() != before
    assert not await _enters(after, f"tangguh:{before}")
    line = await asyncpg.connect(after.dsn)
    assert await line.fetchval("SELECT n FROM kept") == 7
    await line.close()


async def test_a_role_that_had_more_is_cut_back(own: EmbeddedPostgres) -> None:
    """What somebody granted by hand is gone at the next start."""
    line = await asyncpg.connect(own.dsn)
    await migrate(line)
    await make_bank_roles(own.dsn, "one", "two")
    await line.execute(f"GRANT ALL ON entries TO {WEB}; ALTER ROLE {WEB} CREATEROLE SUPERUSER")
    await make_bank_roles(own.dsn, "one", "two")
    assert not await _may(line, WEB, "entries", "DELETE")
    row = await line.fetchrow(
        "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = $1", WEB
    )
    assert row is not None
    assert tuple(row) == (False, False)
    await line.close()
