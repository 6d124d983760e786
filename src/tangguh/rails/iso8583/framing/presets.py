"""How each peer frames its messages: a setting of each link, with presets of what is in use. Pure.

Sources: the two-byte length and the TPDU (a five-byte header: id, destination, origin) as public
acquirer stacks have them; the twelve characters that begin with ISO as Base24's published external
message header; four ASCII or BCD digits of length as public host adapters offer them.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from tangguh.core.errors import Misconfigured

Length = Literal["binary", "ascii", "bcd"]
Header = Literal["none", "tpdu", "base24"]

LENGTH_BYTES: Final[dict[str, int]] = {"binary": 2, "ascii": 4, "bcd": 2}
LENGTH_MAX: Final[dict[str, int]] = {"binary": 0xFFFF, "ascii": 9999, "bcd": 9999}
TPDU_BYTES: Final = 5
BASE24_BYTES: Final = 12


class Framing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``length``: two bytes, four ASCII digits, or two bytes of BCD. ``counts_itself``: the length
    is part of what it counts. ``header``: what stands between length and message; ``tpdu`` (ten hex
    digits) and ``base24`` (twelve characters) are what our own questions carry, answers carry what
    the question had.
    """

    length: Length = "binary"
    counts_itself: bool = False
    header: Header = "none"
    tpdu: str = "6000000000"
    base24: str = "ISO026000010"


PLAIN: Final = Framing()
PRESETS: Final[dict[str, Framing]] = {
    "plain": PLAIN,
    "inclusive": Framing(counts_itself=True),
    "ascii": Framing(length="ascii"),
    "ascii_inclusive": Framing(length="ascii", counts_itself=True),
    "bcd": Framing(length="bcd"),
    "tpdu": Framing(header="tpdu"),
    "base24": Framing(header="base24"),
}
"""By name, for settings that need no more than one of these."""


def framing_of(named: str | Framing) -> Framing:
    """The framing a setting means. Raises Misconfigured for a name nobody knows."""
    if isinstance(named, str):
        if named not in PRESETS:
            raise Misconfigured(f"iso8583: framing is one of {', '.join(PRESETS)}, or its parts")
        return PRESETS[named]
    if re.fullmatch(r"[0-9A-Fa-f]{10}", named.tpdu) is None:
        raise Misconfigured("iso8583: framing.tpdu is ten hexadecimal digits")
    if re.fullmatch(r"ISO[0-9]{9}", named.base24) is None:
        raise Misconfigured("iso8583: framing.base24 is ISO and nine digits")
    return named
