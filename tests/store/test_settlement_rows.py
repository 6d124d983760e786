"""What PostgreSQL itself refuses of settlement: one person, two files in force, an unowned break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from uuid import UUID

import asyncpg
import pytest

NOW = datetime(2026, 3, 21, tzinfo=UTC)
DAY = date(2026, 3, 20)


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A migrated database with an empty book."""
    opened = await asyncpg.connect(dsn)
    yield opened
    await opened.close()


async def put_break(connection: asyncpg.Connection, **changes: object) -> None:
    row: dict[str, object] = {
        "book_id": 1, "break_id": UUID(int=1), "network": "qris", "day": DAY, "cycle": 1,
        "kind": "duplicate", "reference": "x", "account_id": 1, "ours_minor": 1,
        "theirs_minor": 2, "found_at": NOW, "owner": "qris desk", "proposal": "claim",
        "state": "open",
    }  # fmt: skip
    row |= changes
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(
        f"INSERT INTO settlement_breaks ({', '.join(row)}) VALUES ({places})", *row.values()
    )


REPAIRED = {
    "state": "repaired", "posting_id": UUID(int=2), "repaired_by": "rani",
    "approved_by": "dewi", "reason": "seen", "ended_at": NOW,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"owner": ""}, "a_break_has_an_owner"),
        ({"kind": "odd"}, "break_kind_is_known"),
        ({"state": "gone", "ended_at": NOW}, "break_state_is_known"),
        ({"state": "closed"}, "a_break_that_ended_says_when"),
        ({**REPAIRED, "approved_by": "rani"}, "two_people_repair"),
        ({**REPAIRED, "repaired_by": ""}, "two_people_repair"),
        ({**REPAIRED, "reason": ""}, "two_people_repair"),
        ({**REPAIRED, "posting_id": None}, "two_people_repair"),
    ],
)
async def test_an_impossible_break_is_refused(
    connection: asyncpg.Connection, changes: dict[str, object], rule: str
) -> None:
    """Whatever the application thinks."""
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await put_break(connection, **changes)
    assert refused.value.constraint_name == rule


async def test_a_break_repaired_by_two_is_kept(connection: asyncpg.Connection) -> None:
    """The same row with nothing wrong goes in."""
    await put_break(connection, **REPAIRED)
    assert await connection.fetchval("SELECT count(*) FROM settlement_breaks") == 1


async def put_file(connection: asyncpg.Connection, revision: int, state: str, cycle: int) -> None:
    await connection.execute(
        "INSERT INTO settlement_files (book_id, network, day, cycle, revision, sha256, lines,"
        " owed_minor, due_minor, fee_minor, received_at, state)"
        " VALUES (1, 'qris', $1, $2, $3, repeat('0', 64), 1, 1, 1, 0, $4, $5)",
        DAY, cycle, revision, NOW, state,
    )  # fmt: skip


async def test_one_file_of_a_cycle_is_in_force(connection: asyncpg.Connection) -> None:
    """A second one is refused until the first is superseded."""
    await put_file(connection, 1, "superseded", 1)
    await put_file(connection, 2, "posted", 1)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await put_file(connection, 3, "received", 1)
    assert refused.value.constraint_name == "file_in_force"


async def test_cycle_zero_is_never_kept(connection: asyncpg.Connection) -> None:
    """The day so far is a look, not a file."""
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await put_file(connection, 1, "received", 0)
    assert refused.value.constraint_name == "cycles_count_from_one"
