"""The hub's proxies: which phone number or e-mail address stands for which account. SQLite."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS proxies (
  proxy_type TEXT NOT NULL,
  proxy TEXT NOT NULL,
  registration TEXT NOT NULL,
  bank TEXT NOT NULL,
  account TEXT NOT NULL,
  account_type TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'inactive')),
  PRIMARY KEY (proxy_type, proxy)
) WITHOUT ROWID
"""
_ACTIVE: Final = "U000"
MISSING: Final = "U804"
SUSPENDED: Final = "U805"
CONFLICT: Final = "U806"
_STATES: Final = {
    "DEAC": "inactive",
    "SUSP": "suspended",
    "SUSB": "suspended",
    "ACTV": "active",
    "ACTB": "active",
}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One proxy and the account it stands for."""

    proxy_type: str
    proxy: str
    registration: str
    bank: str
    account: str
    account_type: str
    name: str
    state: str = "active"


class Directory:
    """The file of proxies. One process, one thread."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def entry(self, proxy_type: str, proxy: str) -> Entry | None:
        """The proxy, in whatever state."""
        row = self._connection.execute(
            "SELECT * FROM proxies WHERE proxy_type = ? AND proxy = ?", (proxy_type, proxy)
        ).fetchone()
        return None if row is None else msgspec.convert(dict(row), Entry)

    def resolve(self, proxy_type: str, proxy: str) -> Entry | str:
        """The active proxy, or the reason why there is none."""
        found = self.entry(proxy_type, proxy)
        if found is None or found.state == "inactive":
            return MISSING
        return SUSPENDED if found.state == "suspended" else found

    def put(self, entry: Entry) -> None:
        """Write an entry, over whatever was there."""
        self._connection.execute(
            "INSERT OR REPLACE INTO proxies VALUES (:proxy_type, :proxy, :registration, :bank,"
            " :account, :account_type, :name, :state)",
            msgspec.structs.asdict(entry),
        )

    def maintain(self, verb: str, asked: Entry) -> str:
        """Register, change or end a proxy for one bank; the reason of the answer.

        NEWR of one that is active anywhere is a conflict; PORT takes it over from another bank;
        every other verb needs the bank to hold it.
        """
        known = self.entry(asked.proxy_type, asked.proxy)
        there = known is not None and known.state != "inactive"
        if verb == "NEWR":
            if there:
                return CONFLICT
            self.put(asked)
            return _ACTIVE
        if known is None or not there:
            return MISSING
        if verb == "PORT":
            self.put(asked)
            return _ACTIVE
        if known.bank != asked.bank:
            return CONFLICT
        if verb == "AMND":
            self.put(msgspec.structs.replace(asked, registration=known.registration))
        elif verb in _STATES:
            self.put(msgspec.structs.replace(known, state=_STATES[verb]))
        else:
            return CONFLICT
        return _ACTIVE
