"""What the publisher remembers in a file of its own: the last good word, every story, 90 days.

The word is kept as it was signed and verified again when it is read back, so a file that somebody
changed is not believed either (SQLite, one thread). A write that the disk does not take raises
StoreCannotWrite and changes nothing.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

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
CREATE TABLE IF NOT EXISTS measures (
  component TEXT NOT NULL, day TEXT NOT NULL, why TEXT NOT NULL, seconds REAL NOT NULL,
  PRIMARY KEY (component, day, why)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stories (
  id TEXT PRIMARY KEY, begun_at TEXT NOT NULL, story BLOB NOT NULL
) WITHOUT ROWID;
"""
_ADD: Final = (
    "INSERT INTO {table} VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds"
)
_story: Final = msgspec.json.Decoder(PublicIncident).decode


_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


Spent = tuple[str, date, str, str]
"""(component, day, condition, what it was judged by); the last is empty where nothing is known."""


class Memory:
    """The file. Raises Misconfigured when there can be none at the path.

    On a disk without room for it the page begins all the same, with what can be read there: writes
    raise StoreCannotWrite until the file can be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_file = True
        try:
            self._connection = _opened(path)
        except (OSError, sqlite3.Error) as fault:
            if not _is_no_room(fault):
                raise Misconfigured(f"memory_path: {path}: {fault}") from fault
            self._is_file = False
            self._connection = _what_can_be_read(path)

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
        by: dict[tuple[str, str], dict[str, int]] = {}
        for component, day, why, seconds in self._all(
            "SELECT component, day, why, seconds FROM measures"
        ):
            by.setdefault((component, day), {})[why] = round(seconds)
        return {
            component: tuple(
                Day(date.fromisoformat(day), spent, by.get((component, day), {}))
                for day, spent in days.items()
            )
            for component, days in found.items()
        }

    def spend(self, spent: Mapping[Spent, float]) -> None:
        """Add seconds; on disk together or not at all."""
        self._do("BEGIN IMMEDIATE")
        for (component, day, condition, why), seconds in spent.items():
            self._do(_ADD.format(table="days"), component, day.isoformat(), condition, seconds)
            if why:
                self._do(_ADD.format(table="measures"), component, day.isoformat(), why, seconds)
        self._do("COMMIT")

    def forget(self, now: datetime) -> None:
        """Let go of what is older than is shown."""
        first = (now - timedelta(days=DAYS + 1)).date().isoformat()
        self._do("DELETE FROM days WHERE day < ?", first)
        self._do("DELETE FROM measures WHERE day < ?", first)
        for one in self.stories():
            if not one.state.is_open and now - (one.resolved_at or one.begun_at) > KEPT:
                self._do("DELETE FROM stories WHERE id = ?", one.id)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _do(self, sql: str, *values: Any) -> None:
        if not self._is_file:
            self._try_the_file_again()
        try:
            self._connection.execute(sql, values)
        except sqlite3.Error as fault:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise StoreCannotWrite(f"memory_path: {fault}") from fault

    def _try_the_file_again(self) -> None:
        try:
            opened = _opened(self._path)
        except (OSError, sqlite3.Error) as fault:
            raise StoreCannotWrite(f"memory_path: {fault}") from fault
        self._connection.close()
        self._connection, self._is_file = opened, True

    def _all(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()


def _opened(path: str) -> sqlite3.Connection:
    """The file, ready to be written. Raises OSError, sqlite3.Error."""
    Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_no_room(fault: Exception) -> bool:
    if isinstance(fault, sqlite3.Error):
        return getattr(fault, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM
    return isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT)


def _what_can_be_read(path: str) -> sqlite3.Connection:
    """A copy in memory of what the file has, without writing anything; perhaps of nothing."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    for how in ("mode=ro", "mode=ro&immutable=1"):  # the second ignores what lies in its log
        with suppress(sqlite3.Error):
            there = sqlite3.connect(f"file:{quote(path)}?{how}", uri=True)
            try:
                there.backup(copy)
                break
            finally:
                there.close()
    # A file in that mode is copied as such, and memory knows no such mode.
    copy.executescript(_SCHEMA)
    return copy
