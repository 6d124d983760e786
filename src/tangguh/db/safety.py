"""Settings under which what PostgreSQL acknowledges may be lost, hidden or not checked.

A server, a database or a role may be set so; nothing in an answer shows it. What a session may
choose, each connection of ours chooses at its start (``db.pool.SESSION``); what only the server can
choose is looked at before the bank writes anything, at each taking of the book and at each look of
the pulse. Source: PostgreSQL's documentation, "Write Ahead Log" and "Developer Options".
"""

from __future__ import annotations

from typing import Final

from tangguh.core.errors import Misconfigured
from tangguh.db.pool import Connection, translated
from tangguh.db.queries import Queries

_SAFETY: Final = Queries("tangguh.db", "safety.sql")

REQUIRED: Final[dict[str, frozenset[str]]] = {
    "fsync": frozenset({"on"}),  # off: a crash of the machine loses or breaks what was committed
    "full_page_writes": frozenset({"on"}),  # off: a page torn by a crash stays torn
    "synchronous_commit": frozenset({"on"}),  # off: a commit is told before it is on the disk
    "zero_damaged_pages": frozenset({"off"}),  # on: rows on a damaged page are silently none
    "ignore_checksum_failure": frozenset({"off"}),  # on: damage is read as if it were data
    "session_replication_role": frozenset({"origin", "local"}),  # replica: no trigger runs
}
"""What each setting must be."""


async def unsafe_settings(connection: Connection) -> str:
    """Which settings are not as they must be, in words; "" when all are."""
    rows = await connection.fetch(_SAFETY["settings"], list(REQUIRED))
    return "; ".join(
        f"{row['name']} is {row['value']} and must be {min(REQUIRED[row['name']])}"
        for row in rows
        if row["value"] not in REQUIRED[row["name"]]
    )


async def refuse_unsafe(connection: Connection) -> None:
    """Refuse to write on this connection. Raises Misconfigured, StoreUnavailable."""
    with translated():
        found = await unsafe_settings(connection)
    if found:
        raise Misconfigured(
            f"PostgreSQL may lose or hide what it acknowledges: {found}."
            " See docs/runbooks/postgresql-settings.md"
        )
