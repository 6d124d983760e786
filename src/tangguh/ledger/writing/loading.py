"""Bringing into memory the rows that commands are about to read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from tangguh.db.pool import Connection
from tangguh.ledger import store
from tangguh.ledger.book import Book
from tangguh.ledger.command import Command

_KEY_ROUNDS_MAX: Final = 4
"""A command may name more keys once its first are loaded; more rounds than this is a bug."""

_COMMANDS_PER_LOOK: Final = 32
"""About a sixth of a millisecond of naming keys: what a step of PostgreSQL may wait for us."""


async def load_rows(
    book: Book, commands: Sequence[Command[Any]], line: Connection, book_id: int
) -> None:
    """Load what the commands name and memory lacks, round after round while they name more."""
    shelves = {shelf.plan.name: shelf for shelf in book.shelves()}
    rows = {name: shelf.rows for name, shelf in shelves.items()}
    for _ in range(_KEY_ROUNDS_MAX):
        wanted: dict[str, dict[Any, None]] = {}
        curious: list[tuple[Command[Any], list[tuple[str, Any]]]] = []
        for number, command in enumerate(commands, start=1):
            missing = [(name, key) for name, key in command.keys(book) if key not in rows[name]]
            for name, key in missing:
                wanted.setdefault(name, {})[key] = None
            if missing and not command.names_keys_at_once:
                curious.append((command, missing))
            if number % _COMMANDS_PER_LOOK == 0:
                await asyncio.sleep(0)
        for name, keys in wanted.items():
            await store.load(line, book_id, shelves[name], list(keys))
        # Only a row that was found can name more rows; one that is absent says nothing.
        commands = [
            command
            for command, missing in curious
            if any(rows[name].get(key) is not None for name, key in missing)
        ]
        if not commands:
            return
