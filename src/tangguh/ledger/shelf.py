"""What the writer keeps in memory: shelves of rows that may change, journals of rows that never do.

A decision sees the book as if alone. Everything it puts is remembered in an undo log until it
has ended, so a decision that raises leaves nothing behind. Pure: no I/O here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

from tangguh.audit.chain import digest
from tangguh.core.errors import InvariantBroken

K = TypeVar("K")
R = TypeVar("R")

Loaded = Mapping[str, Any]
Row = tuple[Any, ...]


class ShelfPlan(msgspec.Struct, Generic[K, R], frozen=True, kw_only=True):
    """How one kind of row lies in PostgreSQL.

    ``sql`` is the package and file whose blocks ``load`` and ``update`` name. ``load`` takes
    (book_id, *key arrays) and returns rows for ``read``. ``table`` None: the rows are written by a
    journal and the shelf is for reading only. ``update`` takes (book_id, *arrays of what
    ``to_change`` gives) and must touch exactly one row per key. ``unique`` takes (book_id, *arrays
    of what ``to_unique`` gives) of the rows to be added and must find none: of a table in parts no
    index sees the other part. ``sealed_by``: of rows that decide about money and seldom change, how
    many of the first columns are the key under which the digest of each change goes into the
    chain; 0: none does.
    """

    name: str
    sql: tuple[str, str]
    load: str
    key_arrays: Callable[[Sequence[K]], tuple[list[Any], ...]]
    read: Callable[[Loaded], tuple[K, R]]
    table: str | None = None
    columns: tuple[str, ...] = ()
    to_row: Callable[[R], Row] | None = None
    update: str | None = None
    to_change: Callable[[R], Row] | None = None
    unique: str | None = None
    to_unique: Callable[[R], Row] | None = None
    rows_max: int = 200_000
    sealed_by: int = 0

    def seal_of(self, row: Row) -> tuple[str, str, bytes]:
        """What the chain remembers of a row: its table, its key, its digest."""
        return str(self.table), "/".join(map(str, row[: self.sealed_by])), digest(row)


UndoEntry = tuple["Shelf[Any, Any]", Any, Any, int]
_REPLACED, _FRESH, _CHANGED = 0, 1, 2


class Shelf(Generic[K, R]):
    """The rows of one kind that are in memory. None marks a key known to be absent."""

    __slots__ = ("_undo", "changed", "fresh", "plan", "rows")

    def __init__(self, plan: ShelfPlan[K, R], undo: list[UndoEntry]) -> None:
        self.plan = plan
        self.rows: dict[K, R | None] = {}
        self.fresh: dict[K, R] = {}
        self.changed: dict[K, R] = {}
        self._undo = undo

    def get(self, key: K) -> R | None:
        """The row, or None when there is none. Reading a key the command did not name is a bug."""
        try:
            return self.rows[key]
        except KeyError:
            raise InvariantBroken(f"a decision read {self.plan.name} it did not name") from None

    def put(self, key: K, row: R) -> None:
        """Add or replace a row; undone if the decision raises."""
        rows = self.rows
        old = rows[key] if key in rows else self.get(key)
        if key in self.fresh:
            mark, self.fresh[key] = _REPLACED, row
        elif old is None:
            mark, self.fresh[key] = _FRESH, row
        else:
            mark = _REPLACED if key in self.changed else _CHANGED
            self.changed[key] = row
        rows[key] = row
        self._undo.append((self, key, old, mark))

    def add(self, key: K, row: R) -> None:
        """Put a row whose id was made in this decision and so cannot be in PostgreSQL.

        An id a client made is loaded first; should one slip through, the primary key refuses it.
        """
        rows = self.rows
        if rows.get(key) is not None or key in self.fresh:
            self.put(key, row)
            return
        rows[key] = row
        self.fresh[key] = row
        self._undo.append((self, key, None, _FRESH))

    def undo(self, key: K, old: R | None, mark: int) -> None:
        """Take back one put."""
        self.rows[key] = old
        if mark == _FRESH:
            del self.fresh[key]
        elif mark == _CHANGED:
            del self.changed[key]
        elif old is not None:
            (self.fresh if key in self.fresh else self.changed)[key] = old

    def take(self) -> tuple[list[R], list[R]]:
        """What this batch adds and changes; the shelf starts clean for the next one."""
        taken = list(self.fresh.values()), list(self.changed.values())
        self.fresh, self.changed = {}, {}
        return taken

    def forget(self) -> None:
        """Drop everything: memory is to be rebuilt from PostgreSQL."""
        self.rows.clear()
        self.fresh.clear()
        self.changed.clear()

    def trim(self, busy: set[Any]) -> None:
        """Let go of the oldest rows above the cap, but for those a batch in flight still holds."""
        surplus = len(self.rows) - self.plan.rows_max
        if surplus <= 0:
            return
        for key in list(islice(self.rows, surplus + self.plan.rows_max // 10)):
            if key not in busy and key not in self.fresh and key not in self.changed:
                del self.rows[key]
