"""The statement that opens a batch's transaction: composed from the plans' constants. Pure.

A batch changes rows of some tables and not of others, so its statement is put together from
parts: the fence, the chain's link, and the named UPDATE of each table that changed. What is new
follows by COPY, which took a third of the time of arrays (ADR-0008 has the measurement).
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
    """What one table gets: an UPDATE with parameters from $2 on (after $1 = book_id) that must
    touch one row per element, and how many arrays it takes. ``is_question``: a SELECT that must
    find nothing.
    """

    name: str
    sql: str
    arrays: int
    is_question: bool = False


def update_part(name: str, block: str, arrays: int) -> Part:
    """Change rows by a named UPDATE block that takes ($1 book_id, arrays from $2)."""
    return Part(f"changed_{name}", f"{block}\nRETURNING 1", arrays)


def unique_part(name: str, block: str, arrays: int) -> Part:
    """Refuse the batch when a named SELECT with the same parameters finds a row."""
    return Part(f"new_{name}", block, arrays, is_question=True)


def compose(fence: str, link: str, parts: Sequence[Part]) -> str:
    """The statement of a batch with these parts, their arrays numbered one after another."""
    clauses = [f"fence AS ({fence}\nRETURNING 1)", f"link AS ({link})"]
    checks = ["must_hold((SELECT count(*) FROM fence) = 1, 'fence_lost')"]
    first = FIXED_PARAMETERS + 1
    for part in parts:
        sql = _renumbered(part.sql, first - 2)
        if part.is_question:
            checks.append(f"must_hold(NOT EXISTS ({sql}), '{part.name}_must_be_new')")
        else:
            clauses.append(f"{part.name} AS ({sql})")
            counted = f"(SELECT count(*) FROM {part.name})"  # noqa: S608 - a plan's own name
            checks.append(
                f"must_hold({counted} = cardinality(${first}), '{part.name}_must_touch_every_row')"
            )
        first += part.arrays
    return "WITH " + ",\n".join(clauses) + "\nSELECT " + ",\n  ".join(checks)


def _renumbered(sql: str, offset: int) -> str:
    """Shift every parameter but $1."""

    def shifted(found: re.Match[str]) -> str:
        number = int(found.group(1))
        return f"${number + offset}" if number > 1 else "$1"

    return _PARAMETER.sub(shifted, sql)
