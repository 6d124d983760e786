"""Somebody with all rights in the database writes beside the book, and the drill puts it right.

The writer keeps the accounts it works with in memory and writes them as they truly are with the
next movement, so a changed row whose account moves again is overwritten with the truth. A drill
that changes rows therefore counts how many still differ when it looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tangguh.cli.drills.scores.closures import Change, closed, gate_history
from tangguh.core.clock import Clock
from tangguh.db.pool import Pool

_FOR_EVER: Final = (
    "UPDATE entries SET amount_minor = amount_minor + 1 WHERE book_id = $1",
    "UPDATE payment_events SET detail = '' WHERE book_id = $1",
    "UPDATE gate_events SET what = 'lifted' WHERE book_id = $1",
    "DELETE FROM postings WHERE book_id = $1",
    "DELETE FROM batches WHERE book_id = $1",
)
_LOOK_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 20.0
_TAMPER: Final = (
    "UPDATE accounts SET posted_minor = posted_minor + $3"
    " WHERE book_id = $1 AND account_id = ANY($2::bigint[])"
)
_NOW: Final = "SELECT clock_timestamp() AS now"
_DIFFERING: Final = (
    "SELECT a.account_id FROM accounts a"
    " LEFT JOIN LATERAL (SELECT e.balance_minor FROM entries e WHERE e.book_id = a.book_id"
    " AND e.account_id = a.account_id ORDER BY e.seq DESC LIMIT 1) newest ON true"
    " WHERE a.book_id = $1 AND a.posted_minor <> coalesce(newest.balance_minor, 0)"
)
_RESTORE: Final = (
    "UPDATE accounts a SET posted_minor = coalesce((SELECT e.balance_minor FROM entries e"
    " WHERE e.book_id = a.book_id AND e.account_id = a.account_id ORDER BY e.seq DESC LIMIT 1), 0)"
    " WHERE a.book_id = $1 AND a.account_id = ANY($2::bigint[])"
)


async def tamper(dsn: str, accounts: Sequence[int], sum_minor: int, book_id: int = 1) -> datetime:
    """Add to these accounts' balances by SQL; when it was done, by the database's clock."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        async with pool.transaction() as connection:
            await connection.execute(_TAMPER, book_id, list(accounts), sum_minor)
        row = await pool.fetchrow(_NOW)
        assert row is not None
        found: datetime = row["now"]
        return found
    finally:
        await pool.close()


async def forbidden(dsn: str, book_id: int = 1) -> dict[str, bool]:
    """Whether each statement against what is written for ever is refused, even to a superuser."""
    pool = await Pool.open(dsn, size_max=1)
    found: dict[str, bool] = {}
    try:
        for statement in _FOR_EVER:
            try:
                async with pool.transaction() as connection:
                    await connection.execute(statement, book_id)
                    found[statement] = False
            except Exception as refused:
                found[statement] = "append_only" in str(refused)
    finally:
        await pool.close()
    return found


async def differing(dsn: str, book_id: int = 1) -> set[int]:
    """The accounts whose row is not what their newest entry says."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        return {row["account_id"] for row in await pool.fetch(_DIFFERING, book_id)}
    finally:
        await pool.close()


async def restore_rows(dsn: str, book_id: int = 1) -> None:
    """Set every balance to what its newest entry says: the book's own truth."""
    wrong = await differing(dsn, book_id)
    pool = await Pool.open(dsn, size_max=1)
    try:
        async with pool.transaction() as connection:
            await connection.execute(_RESTORE, book_id, list(wrong))
    finally:
        await pool.close()


async def until_closed(dsn: str, clock: Clock, account: int, since: datetime) -> float | None:
    """Seconds from ``since`` until this account was closed; None when it never was."""
    found = await until_changed(dsn, clock, since, {account})
    return round((found[0].at - since).total_seconds(), 3) if found else None


async def until_changed(
    dsn: str, clock: Clock, since: datetime, accounts: set[int]
) -> list[Change]:
    """The closures made since then, once they cover these accounts (0: what is of no account)."""
    deadline = clock.monotonic() + _PATIENCE_SECONDS
    while clock.monotonic() < deadline:
        made = [one for one in closed(await gate_history(dsn)) if one.at >= since]
        if accounts <= {one.closure.scope.account for one in made}:
            return made
        await clock.sleep(_LOOK_SECONDS)
    return []
