"""References that were let out, kept on disk until their authorisations have expired.

A process that was killed and started again must not let the same one out twice. SQLite, its own
file: the gateway shares no store with the bank, so that owning one is not owning both.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS used (
  reference TEXT PRIMARY KEY,
  expires_at REAL NOT NULL
) WITHOUT ROWID;
-- forget: what has expired, without reading what has not
CREATE INDEX IF NOT EXISTS used_expires ON used (expires_at);
"""


class Memory:
    """The file. One process, one thread."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def admit(self, reference: str, expires_at: datetime, now: datetime) -> bool:
        """Note a reference, on disk when this returns; False when it was let out before.

        What has expired is forgotten: its authorisation lets nothing out any more.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("DELETE FROM used WHERE expires_at <= ?", (now.timestamp(),))
        noted = self._connection.execute(
            "INSERT OR IGNORE INTO used VALUES (?, ?)", (reference, expires_at.timestamp())
        )
        self._connection.execute("COMMIT")
        return noted.rowcount == 1

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
