"""How long an SMS is: GSM 7-bit characters, of which one message holds 160. Pure.

Source: 3GPP TS 23.038 §6.2.1. A character outside the alphabet would turn the whole message into
UCS-2 with 70 characters, and so into two or three that are paid for; ours hold none.
"""

from __future__ import annotations

import unicodedata
from typing import Final

UNITS_MAX: Final = 160
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED: Final = frozenset("^{}\\[~]|€\f")
"""Written with an escape before them: two units each."""


def units_of(text: str) -> int | None:
    """How many of the 160 units it takes; None when a character is not in the alphabet."""
    if not _BASIC.issuperset(text) and not (_BASIC | _ESCAPED).issuperset(text):
        return None
    return len(text) + sum(character in _ESCAPED for character in text)


def fits(text: str) -> bool:
    """Whether it is one SMS."""
    units = units_of(text)
    return units is not None and units <= UNITS_MAX


def plain(text: str) -> str:
    """The same in basic characters, one unit each: accents go, and what is left becomes ``?``."""
    bare = unicodedata.normalize("NFKD", text)
    kept = (character for character in bare if not unicodedata.combining(character))
    return "".join(character if character in _BASIC else "?" for character in kept)
