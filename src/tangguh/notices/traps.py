"""What a word of the bank never holds, since people are robbed by it: links, numbers, PINs. Pure.

Whoever may write to every customer at once could send them to another site, to an account, or to a
telephone. None of that is needed to say what is closed. Letters of another alphabet are refused
too: a word spelled with them is found by no list.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_LINK: Final = re.compile(r"(?i)https?:|www\.|\w@\w|\b[a-z0-9-]{2,}\.[a-z]{2,}\b")
_NUMBER: Final = re.compile(r"\d(?:[ -]?\d){7,}")
_SECRET: Final = re.compile(r"(?i)\b(?:pin|otp|cvv|kata sandi|password|kode masuk|login code)\b")
TEXT_LENGTH_MAX: Final = 400


def traps_in(text: str) -> Iterator[tuple[str, str]]:
    """Each rule that is broken, as a stable code, and the words it is about."""
    if len(text) > TEXT_LENGTH_MAX:
        yield "long", f"{len(text)} of {TEXT_LENGTH_MAX} characters"
    for rule, pattern in (("link", _LINK), ("number", _NUMBER), ("secret", _SECRET)):
        if found := pattern.search(text):
            yield rule, found[0][:60]
    for one in text:
        if one.isalpha() and not unicodedata.name(one, "").startswith("LATIN"):
            yield "alphabet", one
            return
