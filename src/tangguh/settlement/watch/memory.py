"""What the watch remembers, in a file of its own: how far it read, what matched, what it ordered.

A page is remembered whole or not at all, so that a watch killed at any moment reads on where it
was, takes no outflow for a second one, and delivers every order it made (SQLite, one thread).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from tangguh.settlement.watch.matching import Place, Row, Unmatched

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS place (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL, balance_minor INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS matched (
  reference TEXT PRIMARY KEY, seq INTEGER NOT NULL, amount_minor INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unmatched (
  seq INTEGER PRIMARY KEY, reference TEXT NOT NULL, amount_minor INTEGER NOT NULL,
  at TEXT NOT NULL, found_at TEXT NOT NULL, why TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY, sealed BLOB NOT NULL, made_at TEXT NOT NULL,
  gateway TEXT NOT NULL, bank TEXT NOT NULL
) WITHOUT ROWID;
"""


class Ordered(msgspec.Struct, frozen=True):
    """An order: sealed as it travels, and when each of the two took it (empty: not yet)."""

    id: str
    sealed: bytes
    made_at: str
    gateway: str
    bank: str


class Memory:
    """The file."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def place(self) -> Place:
        """How far the statement has been read."""
        rows = self._all("SELECT seq, balance_minor, at FROM place", ())
        return Place(*rows[0]) if rows else Place()

    def used(self, references: Sequence[str]) -> set[str]:
        """Those of the references that an outflow has used already."""
        marks = ",".join("?" * len(references))
        asked = f"SELECT reference FROM matched WHERE reference IN ({marks})"  # noqa: S608 - marks
        return {row[0] for row in self._all(asked, references)}

    def keep(
        self,
        place: Place,
        matched: Iterable[Row],
        unmatched: Iterable[Unmatched],
        order: Ordered | None,
    ) -> None:
        """Remember a page that was judged; on disk when this returns."""
        do = self._connection.execute
        do("BEGIN IMMEDIATE")
        try:
            do("INSERT OR REPLACE INTO place VALUES (1, ?, ?, ?)", msgspec.structs.astuple(place))
            for row in matched:
                values = (row.reference, row.seq, row.amount_minor)
                do("INSERT INTO matched VALUES (?, ?, ?)", values)
            for one in unmatched:
                values = msgspec.structs.astuple(one)
                do("INSERT INTO unmatched VALUES (?, ?, ?, ?, ?, ?)", values)
            if order is not None:
                values = msgspec.structs.astuple(order)
                do("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", values)
        except BaseException:
            do("ROLLBACK")
            raise
        do("COMMIT")

    def take_down(self, order_id: str, who: str, at: str) -> None:
        """The gateway or the bank took an order."""
        columns = {"gateway": "UPDATE orders SET gateway = ? WHERE id = ?",
                   "bank": "UPDATE orders SET bank = ? WHERE id = ?"}  # fmt: skip
        self._connection.execute(columns[who], (at, order_id))

    def orders(self, *, undelivered: bool = False) -> list[Ordered]:
        """Every order, the oldest first; or those that one of the two has not taken yet."""
        where = " WHERE gateway = '' OR bank = ''" if undelivered else ""
        rows = self._all(f"SELECT * FROM orders{where} ORDER BY made_at, id", ())  # noqa: S608
        return [Ordered(*row) for row in rows]

    def unmatched(self, rows_max: int) -> list[Unmatched]:
        """The newest findings, the oldest of them first."""
        asked = "SELECT * FROM unmatched ORDER BY seq DESC LIMIT ?"
        return [Unmatched(*row) for row in reversed(self._all(asked, (rows_max,)))]

    def counts(self) -> tuple[int, int]:
        """How many matched and unmatched outflows there have been."""
        matched = self._all("SELECT count(*) FROM matched", ())[0][0]
        return int(matched), int(self._all("SELECT count(*) FROM unmatched", ())[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _all(self, sql: str, values: Sequence[Any]) -> list[Any]:
        return self._connection.execute(sql, tuple(values)).fetchall()
