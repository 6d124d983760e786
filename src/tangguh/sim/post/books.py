"""What the post took: the newest messages in one SQLite file, and how many there ever were.

A message has its sender's own key, the same for every try, so a repeat is counted and not kept
twice. Only so many are kept; older ones are forgotten, and counted as such.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

_SQL: Final = {
    name.strip(): text
    for name, _, text in (
        block.partition("\n")
        for block in Path(__file__).with_name("books.sql").read_text("utf-8").split("-- name: ")[1:]
    )
}
_REFERENCE_DIGITS: Final = 20

Way = Literal["email", "sms"]
State = Literal["taken", "arrived", "lost"]


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person. ``state``: taken, then arrived or lost. ``title``: an e-mail's.

    ``key`` is the sender's own id, ``reference`` what the post answered. Times are ISO 8601, UTC.
    """

    number: int = 0
    via: Way
    key: str
    reference: str
    recipient: str
    sender: str
    title: str = ""
    words: str
    state: State
    taken_at: str
    ended_at: str = ""
    repeats: int = 0

    def says_the_same_as(self, other: MessageRow) -> bool:
        """Whether both bring one reader the same words."""
        mine = self.recipient, self.title, self.words
        return mine == (other.recipient, other.title, other.words)


class Total(msgspec.Struct, frozen=True):
    """Messages of one way since the books began, and how many of them are no longer kept."""

    via: str
    taken: int
    forgotten: int


class PostProof(msgspec.Struct, frozen=True):
    """Whether as many rows are there as were taken and not forgotten; both sides, by way."""

    holds: bool
    kept: dict[str, int]
    counted: dict[str, int]


class MessageBooks:
    """The file and the rows in it; ``kept`` of them at most. One process, one thread."""

    def __init__(self, path: str, kept: int) -> None:
        self._kept = kept
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Unlike money: what a power cut takes here, the bank keeps as told and the reader can ask.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SQL["schema"])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def take(self, row: MessageRow) -> MessageRow | None:
        """Keep a message and give it back; the same again is counted, and what is kept given back.

        None: its key was another message's, and nothing is changed.
        """
        with self._transaction():
            known = self._find("find", via=row.via, key=row.key)
            if known is not None:
                if not known.says_the_same_as(row):
                    return None
                self._run("repeat", via=row.via, key=row.key)
                return known
            values = msgspec.to_builtins(row)
            self._run("add", **values)
            self._run("count_taken", via=row.via)
            self._run("count_forgotten", kept=self._kept)
            self._run("forget", kept=self._kept)
        return row

    def find(self, reference: str) -> MessageRow | None:
        """The message that was answered with this reference."""
        return self._find("find_reference", reference=reference)

    def conclude(self, reference: str, state: State, ended_at: str) -> None:
        """What became of it."""
        self._run("conclude", reference=reference, state=state, ended_at=ended_at)

    def messages(
        self, *, to: str = "", via: str = "", state: str = "", limit: int = 100
    ) -> list[MessageRow]:
        """The newest first. ``to``: a part of the address, in any case."""
        rows = self._run("list", to=to, via=via, state=state, limit=limit)
        return [msgspec.convert(dict(row), MessageRow) for row in rows]

    def people(self) -> dict[str, int]:
        """Every address with the number of its messages that are kept."""
        return {row["recipient"]: row["messages"] for row in self._run("people")}

    def totals(self) -> list[Total]:
        """How many there ever were, by way."""
        return [Total(**dict(row)) for row in self._run("totals")]

    def prove(self) -> PostProof:
        """Count every row again."""
        kept = {one.via: one.taken - one.forgotten for one in self.totals()}
        counted = dict.fromkeys(kept, 0)
        counted |= {row["via"]: row["messages"] for row in self._run("count")}
        return PostProof(kept == counted, kept, counted)

    def _find(self, statement: str, **values: Any) -> MessageRow | None:
        row = self._run(statement, **values).fetchone()
        return msgspec.convert(dict(row), MessageRow) if row else None

    def _run(self, statement: str, **values: Any) -> sqlite3.Cursor:
        return self._connection.execute(_SQL[statement], values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def reference_of(via: Way, key: str) -> str:
    """What a message is answered with: made from its key, so the same even once it is forgotten."""
    return f"{via}-{sha256(key.encode()).hexdigest()[:_REFERENCE_DIGITS]}"
