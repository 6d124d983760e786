"""What the publisher remembers in a file of its own: the last good word, every story, 90 days.

The word is kept as it was signed and verified again when it is read back, so a file that somebody
changed is not believed either (SQLite, one thread). A write that the disk does not take raises
StoreCannotWrite and changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from tangguh.core.errors import Misconfigured, StoreCannotWrite
from tangguh.status.incident import KEPT
from tangguh.status.site.view import DAYS, Day
from tangguh.status.snapshot import PublicIncident

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS word (
  one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB NOT NULL, heard_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS days (
  component TEXT NOT NULL, day TEXT NOT NULL, condition TEXT NOT NULL, seconds REAL NOT NULL,
  PRIMARY KEY (component, day, condition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stories (
  id TEXT PRIMARY KEY, begun_at TEXT NOT NULL, story BLOB NOT NULL
) WITHOUT ROWID;
"""
_story: Final = msgspec.json.Decoder(PublicIncident).decode


class Memory:
    """The file. Raises Misconfigured when there can be none at the path."""

    def __init__(self, path: str) -> None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as fault:
            raise Misconfigured(f"memory_path: {path}: {fault}") from fault

    def word(self) -> tuple[bytes, datetime] | None:
        """The last good word as it was signed, and when it was heard; None: there was none."""
        rows = self._all("SELECT sealed, heard_at FROM word")
        return (rows[0][0], datetime.fromisoformat(rows[0][1])) if rows else None

    def keep_word(self, sealed: bytes, heard_at: datetime) -> None:
        """Remember a word."""
        self._do("INSERT OR REPLACE INTO word VALUES (1, ?, ?)", sealed, heard_at.isoformat())

    def stories(self) -> tuple[PublicIncident, ...]:
        """Every incident the bank ever told of, within twelve months."""
        return tuple(_story(row[0]) for row in self._all("SELECT story FROM stories"))

    def keep_stories(self, stories: Iterable[PublicIncident]) -> None:
        """Remember incidents as they are told now."""
        for one in stories:
            told = (one.id, one.begun_at.isoformat(), msgspec.json.encode(one))
            self._do("INSERT OR REPLACE INTO stories VALUES (?, ?, ?)", *told)

    def days(self) -> dict[str, tuple[Day, ...]]:
        """The days of every component, oldest first."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for component, day, condition, seconds in self._all(
            "SELECT component, day, condition, seconds FROM days ORDER BY component, day"
        ):
            spent = found.setdefault(component, {}).setdefault(day, {})
            spent[condition] = round(seconds)
        return {
            component: tuple(Day(date.fromisoformat(day), spent) for day, spent in days.items())
            for component, days in found.items()
        }

    def spend(self, spent: Mapping[tuple[str, date, str], float]) -> None:
        """Add seconds, by (component, day, condition); on disk together or not at all."""
        self._do("BEGIN IMMEDIATE")
        for (component, day, condition), seconds in spent.items():
            self._do(
                "INSERT INTO days VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET seconds = seconds + excluded.seconds",
                *(component, day.isoformat(), condition, seconds),
            )
        self._do("COMMIT")

    def forget(self, now: datetime) -> None:
        """Let go of what is older than is shown."""
        first = (now - timedelta(days=DAYS + 1)).date().isoformat()
        self._do("DELETE FROM days WHERE day < ?", first)
        for one in self.stories():
            if not one.state.is_open and now - (one.resolved_at or one.begun_at) > KEPT:
                self._do("DELETE FROM stories WHERE id = ?", one.id)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _do(self, sql: str, *values: Any) -> None:
        try:
            self._connection.execute(sql, values)
        except sqlite3.Error as fault:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise StoreCannotWrite(f"memory_path: {fault}") from fault

    def _all(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()
