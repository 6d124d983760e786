"""JSON from outside in which no member is named twice. Pure.

Of two members with one name the standard's readers take the first, the last or both (RFC 8259,
section 4): whoever signed or checked one may have meant the other.
"""

from __future__ import annotations

import json
from typing import Any, Final


class RepeatedName(ValueError):
    """A JSON object names a member twice: which of the two is meant nobody can say."""

    def __init__(self, name: str) -> None:
        super().__init__("a name is given twice")
        self.name = name


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The ``object_pairs_hook`` of ``json.loads``. Raises RepeatedName."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise RepeatedName(name)
        seen.add(name)
    return found


read_once: Final = json.JSONDecoder(object_pairs_hook=each_once).decode
"""A text's JSON, by a reader made once: ``json.loads`` with a hook makes one for every text."""


def load_once(raw: bytes) -> Any:
    """What a JSON text in UTF-8 says. Raises RepeatedName, ValueError, RecursionError.

    NaN and Infinity are no JSON, and in another encoding it is another text than was signed.
    """
    return json.loads(str(raw, "utf-8"), object_pairs_hook=each_once, parse_constant=_no_number)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
