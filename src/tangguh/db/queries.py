"""Named SQL blocks from ``.sql`` files: the only way SQL enters the bank.

A file holds blocks that begin with ``-- name: verb_noun``, one line of purpose, and the query.
Loaded once at import; duplicates and unknown names are refused (ADR-0009 of the house: no ORM).
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from tangguh.core.errors import Misconfigured

_HEADER: Final = re.compile(r"^-- name: ([a-z_0-9]+)\s*$", re.MULTILINE)


class Queries:
    """The blocks of one file; ``queries["post_entries"]`` is the text of that block."""

    def __init__(self, package: str, filename: str) -> None:
        self.source = f"{package}/{filename}"
        text = (files(package) / filename).read_text(encoding="utf-8")
        self._blocks = _split(text, self.source)

    def __getitem__(self, name: str) -> str:
        if name not in self._blocks:
            raise Misconfigured(f"{self.source} has no block named {name}")
        return self._blocks[name]

    def names(self) -> list[str]:
        """Every block's name, in the file's order."""
        return list(self._blocks)


def _split(text: str, source: str) -> dict[str, str]:
    parts = _HEADER.split(text)
    blocks: dict[str, str] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        if name in blocks:
            raise Misconfigured(f"{source} names {name} twice")
        blocks[name] = body.strip().rstrip(";")
    return blocks
