"""Every block of SQL the bank has, for the tests that try them all."""

from __future__ import annotations

from pathlib import Path

import tangguh
from tangguh.db.queries import Queries

SRC = Path(tangguh.__file__).parent
FILES = sorted(
    path
    for path in SRC.rglob("*.sql")
    if path.parent.name != "migrations" and "sim" not in path.parts
)


def blocks() -> list[tuple[str, str, str, str]]:
    """(file, block, its comment, its SQL) of every block there is."""
    found: list[tuple[str, str, str, str]] = []
    for path in FILES:
        queries = Queries(".".join(("tangguh", *path.parent.relative_to(SRC).parts)), path.name)
        for name in queries.names():
            lines = queries[name].splitlines()
            comment = " ".join(line for line in lines if line.startswith("--"))
            found.append((path.name, name, comment, queries[name]))
    return found


BLOCKS = blocks()
