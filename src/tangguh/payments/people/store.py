"""Reading what people are asked and what they signed. Only the writer writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from tangguh.access.approval import Change
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.guard.rules import Rule

QUERIES: Final = Queries("tangguh.payments.people", "changes.sql")
_decode: Final = msgspec.json.Decoder(Change).decode


async def list_changes(pool: Pool, book_id: int, count_max: int = 100) -> list[Change]:
    """Changes, newest first."""
    rows = await pool.fetch(QUERIES["list_changes"], book_id, count_max)
    return [_decode(row["change_json"]) for row in rows]


async def find_changes(pool: Pool, book_id: int, ids: Iterable[UUID]) -> list[Change]:
    """Changes by id; those there are."""
    rows = await pool.fetch(QUERIES["load_changes"], book_id, list(ids))
    return [_decode(row["change_json"]) for row in rows]


async def changed_rules(pool: Pool, book_id: int) -> list[Rule]:
    """Every rule as somebody wrote it, oldest first."""
    rows = await pool.fetch(QUERIES["changed_rules"], book_id)
    return [msgspec.json.decode(row["rule_json"], type=Rule) for row in rows]
