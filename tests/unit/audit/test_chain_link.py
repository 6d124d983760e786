"""A link of the hash chain: anything that is changed, added or taken away changes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tangguh.audit.chain import GENESIS, Header, link

HEADER = Header(1, 7, 3, datetime(2026, 3, 20, 5, 0, tzinfo=UTC), 2)
VALUES = st.one_of(
    st.integers(-(2**62), 2**62),
    st.text(max_size=8),
    st.uuids(),
    st.none(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
)
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=5)


def hashed(rows: Any, name: str = "entries", header: Header = HEADER) -> bytes:
    return link(GENESIS, header, [(name, rows)])


@given(rows=ROWS)
def test_the_same_rows_have_the_same_link(rows: Any) -> None:
    """It can be computed again years later from the rows alone."""
    assert hashed(rows) == hashed(list(rows))
    assert len(hashed(rows)) == 32


@given(rows=ROWS, at=st.integers(0, 4), column=st.integers(0, 2), value=VALUES)
def test_one_value_changed(rows: Any, at: int, column: int, value: Any) -> None:
    """Every field of every row is covered."""
    row = list(rows[at % len(rows)])
    assume(type(row[column]) is not type(value) or row[column] != value)
    row[column] = value
    other = [*rows]
    other[at % len(rows)] = tuple(row)
    assert hashed(other) != hashed(rows)


@given(rows=ROWS, at=st.integers(0, 4))
def test_a_row_taken_away_or_given_twice(rows: Any, at: int) -> None:
    """The number of rows is covered as well as their content."""
    place = at % len(rows)
    assert hashed(rows[:place] + rows[place + 1 :]) != hashed(rows)
    assert hashed([*rows, rows[place]]) != hashed(rows)


@given(rows=ROWS)
def test_rows_in_another_order_or_table(rows: Any) -> None:
    """Order and table are part of what was said."""
    assume(rows != rows[::-1])
    assert hashed(rows[::-1]) != hashed(rows)
    assert hashed(rows, "postings") != hashed(rows)


@pytest.mark.parametrize(
    "change",
    [
        {"book_id": 2},
        {"batch_no": 8},
        {"epoch": 4},
        {"commands": 3},
        {"decided_at": HEADER.decided_at + timedelta(microseconds=1)},
    ],
)
def test_every_field_of_the_header(change: dict[str, Any]) -> None:
    """The batch's own number, time, writer and size cannot be put on another batch."""
    rows = [(1, "a", UUID(int=1))]
    other = msgspec.structs.replace(HEADER, **change)
    assert hashed(rows, header=other) != hashed(rows)


def test_the_link_before_it() -> None:
    """A link is worth what the one before it is worth."""
    rows = [("entries", [(1, 2, 3)])]
    assert link(GENESIS, HEADER, rows) != link(b"\x01" + GENESIS[1:], HEADER, rows)


def test_moving_a_row_from_one_table_to_the_next() -> None:
    """Where one stream ends and the next begins is covered too."""
    day = date(2026, 3, 20)
    together = link(GENESIS, HEADER, [("a", [(1, day), (2, day)]), ("b", [])])
    apart = link(GENESIS, HEADER, [("a", [(1, day)]), ("b", [(2, day)])])
    assert together != apart
