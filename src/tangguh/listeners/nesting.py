"""How deep a JSON text is nested, in linear time and without recursion. Pure."""

from __future__ import annotations

from typing import Final

_OTHERS: Final = bytes(code for code in range(256) if code not in b"[]{}")
_OPENING: Final = frozenset(b"[{")


def is_deeper(text: bytes, levels_max: int) -> bool:
    """Whether arrays and objects stand more than so many levels in each other.

    Most texts are answered by counting; only those with many brackets are walked.
    """
    if text.count(b"[") + text.count(b"{") <= levels_max:
        return False
    # In a string an escaped quote ends nothing; the escape of the escape goes first.
    plain = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    level = 0
    for code in b"".join(plain.split(b'"')[::2]).translate(None, _OTHERS):
        level += 1 if code in _OPENING else -1
        if level > levels_max:
            return True
    return False
