"""A PostgreSQL that takes bytes and answers nothing holds nobody for longer than agreed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from fault_proxy import FaultProxy
from tangguh.core.clock import SystemClock
from tangguh.core.errors import (
    RowRefused,
    RowTaken,
    StoreBroken,
    StoreCannotWrite,
    StoreUnavailable,
)
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.errors import Policy, policy_of
from tangguh.db.pool import Pool


async def test_a_silent_server_is_unavailable_within_the_patience(
    dsn: str, server: EmbeddedPostgres
) -> None:
    """On a connection that was open, and on one that has to be made."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="tg-") as folder:
        async with FaultProxy(server.sockets, Path(folder)) as line:
            pool = (await Pool.open(line.dsn_of(dsn))).within(0.2)
            assert await pool.fetch("SELECT 1")
            line.is_hole = True
            for _ in range(2):
                began = clock.monotonic()
                with pytest.raises(StoreUnavailable):
                    await pool.fetch("SELECT 1")
                assert clock.monotonic() - began < 3
            line.is_hole = False
            line.break_all()
            pool._raw.terminate()


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(2)", StoreUnavailable),
        ("SET TRANSACTION READ ONLY; UPDATE books SET currency = 'IDR'", StoreCannotWrite),
        ("INSERT INTO books (book_id, currency) VALUES (1, 'IDR')", RowTaken),
        ("INSERT INTO books (book_id, currency) VALUES (2, NULL)", RowRefused),
        ("SELECT 1/0", RowRefused),
        ("SELECT * FROM of_no_name", StoreBroken),
        ("SELECT pg_terminate_backend(pg_backend_pid())", StoreUnavailable),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = 'disk_full'; END $$", StoreCannotWrite),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = 'deadlock_detected'; END $$", StoreUnavailable),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = 'out_of_memory'; END $$", StoreUnavailable),
    ],
)
async def test_no_error_of_the_driver_leaves_the_package(
    dsn: str, sql: str, error: type[Exception]
) -> None:
    """Each is the bank's own by the table, and the pool works on."""
    pool = await Pool.open(dsn, size_max=1)
    with pytest.raises(error) as caught:
        async with pool.transaction() as tx:
            await tx.execute(sql)
    assert type(caught.value) is error
    assert await pool.fetch("SELECT 1")
    await pool.close()


def test_what_is_not_in_the_table_is_a_bug() -> None:
    """A class decides for its codes unless one has its own line."""
    assert policy_of("53100") is Policy.CANNOT_WRITE
    assert policy_of("53300") is Policy.RETRY
    assert policy_of("XX001") is Policy.DAMAGED
    assert policy_of("XX000") is Policy.BUG
    assert policy_of("99999") is Policy.BUG
