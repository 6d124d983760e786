"""The owner of the database, who can do what the bank's own roles cannot: for tests that tamper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tangguh.app import Bank

OWNERS: dict[str, str] = {}
"""The owner's DSN, by the DSN of the bank at work on the same database."""


def owner_dsn(bank: Bank) -> str:
    """Where the owner of the bank's database connects."""
    return OWNERS.get(bank.dsn, bank.dsn)


@asynccontextmanager
async def owners_line(bank: Bank) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the owner's, inside one transaction."""
    connection = await asyncpg.connect(owner_dsn(bank))
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


async def as_owner(bank: Bank, sql: str, *values: Any) -> list[asyncpg.Record]:
    """One statement of the owner's."""
    async with owners_line(bank) as connection:
        rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
        return rows
