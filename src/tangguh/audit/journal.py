"""Append-only tables: what is in the hash chain, and the canonical order of its rows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Row = tuple[Any, ...]


class JournalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An append-only table, all of whose rows are in the hash chain.

    ``order_by`` is the canonical order of a batch's rows in SQL, ``sort_key`` the same in Python;
    without one the rows are appended in that order. ``later`` is how many of the last columns
    came after the table had rows: where they are NULL they were not there to be hashed.
    """

    table: str
    columns: tuple[str, ...]
    order_by: str
    sort_key: Callable[[Row], Any] | None = None
    later: int = 0

    def hashed(self, row: Row) -> Row:
        """The row as it was hashed when it was written."""
        size = len(row)
        while size > len(self.columns) - self.later and row[size - 1] is None:
            size -= 1
        return row[:size]
