"""One look at the book and its answers: it holds, it is broken, or nobody knows, and why not.

Nobody knows when what is stored is unreadable, and when PostgreSQL let nobody look.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tangguh.db.pages import MAYBE_UNREADABLE, NO_ANSWER, UNREADABLE, unreadable_pages
from tangguh.db.pool import Connection

_TABLE: Final = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]+)\b")


class Invariant(msgspec.Struct, frozen=True):
    """One rule, whether it holds (None: it could not be looked at), and what was found or where."""

    name: str
    holds: bool | None
    detail: str


async def looked(
    connection: Connection, name: str, look: Callable[[], Awaitable[str]]
) -> Invariant:
    """What one look found: "" holds. An error of PostgreSQL's is no answer and costs no other."""
    try:
        async with connection.transaction():
            broken = await look()
    except NO_ANSWER as error:
        where = await _where(connection, look.__doc__ or "", error)
        is_damaged = bool(where) or isinstance(error, UNREADABLE)
        said = "unreadable" if is_damaged else "could not look"
        return Invariant(name, None, f"{said}: {error}{where}")
    return Invariant(name, not broken, broken)


async def _where(connection: Connection, block: str, error: Exception) -> str:
    """Which pages of the tables a block reads are unreadable; nothing for other errors."""
    if not isinstance(error, MAYBE_UNREADABLE):
        return ""
    told = []
    for table in sorted(set(_TABLE.findall(block))):
        try:
            async with connection.transaction():
                pages = await unreadable_pages(connection, table)
        except NO_ANSWER as another:
            told.append(f"{table}: {another}")
            continue
        if pages:
            told += [f"{part}: ctid ({page},*)" for part, page in pages]
    return f"; {'; '.join(told)}" if told else ""
