"""One SQL statement for a whole batch: composed from the plans' own constants, never from input. Pure.

A batch touches some tables and not others, so its statement is put together from parts: the
fence, the chain's link, an INSERT from arrays for each table that grew, the named UPDATE for each
that changed. One statement is one round trip and one implicit transaction: while PostgreSQL
works on it the writer decides the next batch undisturbed (ADR-0008 has the measurement).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

FIXED_PARAMETERS: Final = 7
"""$1 book_id, $2 epoch, $3 batch_no, $4 hash, $5 previous hash, $6 decided_at, $7 commands."""

_PARAMETER: Final = re.compile(r"\$(\d+)")


class Part(msgspec.Struct, frozen=True):
    """What one table gets: the SQL with parameters from $2 on (after $1 = book_id), how many
    arrays it takes, and whether each element must touch a row."""

    name: str
    sql: str
    arrays: int
    must_touch: bool


def insert_part(table: str, columns: Sequence[str]) -> Part:
    """Append rows to a table, a column an array. ``columns`` are ``name type`` pairs."""
    names = [column.split(" ", 1)[0] for column in columns]
    arrays = ", ".join(
        f"${number}::{column.split(' ', 1)[1]}[]" for number, column in enumerate(columns, start=2)
    )
    listed = ", ".join(names)
    sql = (
        f"INSERT INTO {table} (book_id, {listed}) "  # noqa: S608 - constants of the plans
        f"SELECT $1, {listed} FROM unnest({arrays}) AS u({listed})"
    )
    return Part(f"new_{table}", sql, len(columns), must_touch=False)


def update_part(name: str, block: str, arrays: int) -> Part:
    """Change rows by a named UPDATE block that takes ($1 book_id, arrays from $2)."""
    return Part(f"changed_{name}", f"{block}\nRETURNING 1", arrays, must_touch=True)


def compose(fence: str, link: str, parts: Sequence[Part]) -> str:
    """The statement of a batch with these parts, their arrays numbered one after another."""
    clauses = [f"fence AS ({fence}\nRETURNING 1)", f"link AS ({link})"]
    checks = ["must_hold((SELECT count(*) FROM fence) = 1, 'fence_lost')"]
    first = FIXED_PARAMETERS + 1
    for part in parts:
        clauses.append(f"{part.name} AS ({_renumbered(part.sql, first - 2)})")
        if part.must_touch:
            checks.append(
                f"must_hold((SELECT count(*) FROM {part.name}) = cardinality(${first}), "
                f"'{part.name}_must_touch_every_row')"
            )
        first += part.arrays
    return "WITH " + ",\n".join(clauses) + "\nSELECT " + ",\n  ".join(checks)


def _renumbered(sql: str, offset: int) -> str:
    """Shift every parameter but $1."""

    def shifted(found: re.Match[str]) -> str:
        number = int(found.group(1))
        return f"${number + offset}" if number > 1 else "$1"

    return _PARAMETER.sub(shifted, sql)
