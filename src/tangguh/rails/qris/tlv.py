"""EMVCo text TLV: two digits of field, two digits of length, then the value; and its CRC.

Knows no field by name. ``walk`` never raises: it reads as far as the text makes sense and says
where and why it stopped. Lengths count characters, the CRC counts UTF-8 bytes.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

import msgspec

CRC_FIELD: Final = "63"
VALUE_LENGTH_MAX: Final = 99
_TWO_DIGITS: Final = {f"{number:02d}": number for number in range(100)}


class CannotEncode(ValueError):
    """A value does not fit its field: 1 to 99 characters."""


class Broken(msgspec.Struct, frozen=True):
    """Where a walk had to stop.

    ``rule`` is ``truncated``, ``tag_malformed`` or ``length_malformed``; ``at`` counts characters
    from the start of the level; ``field`` is the one being read, or else the last one read.
    """

    rule: str
    at: int
    field: str


class Level(msgspec.Struct, frozen=True):
    """One level of fields as written. Of a repeated field only the first value is kept."""

    values: dict[str, str]
    repeated: tuple[str, ...] = ()
    broken: Broken | None = None


def walk(text: str) -> Level:
    """Read one level of fields, as far as the text makes sense."""
    values: dict[str, str] = {}
    repeated: list[str] = []
    at, end = 0, len(text)
    while at < end:
        field = text[at : at + 2]
        length = _TWO_DIGITS.get(text[at + 2 : at + 4])
        if length is None or field not in _TWO_DIGITS or at + 4 + length > end:
            last = next(reversed(values), "")
            return Level(values, tuple(repeated), _broken(text[at : at + 4], at, last))
        at += 4 + length
        if field in values:
            repeated.append(field)
        else:
            values[field] = text[at - length : at]
    return Level(values, tuple(repeated))


def _broken(header: str, at: int, last: str) -> Broken:
    field, length = header[:2], header[2:]
    if len(header) < 4 and header.isascii() and header.isdigit():
        return Broken("truncated", at, field if len(field) == 2 else last)
    if field not in _TWO_DIGITS:
        return Broken("tag_malformed", at, last)
    if length not in _TWO_DIGITS:
        return Broken("length_malformed", at, field)
    return Broken("truncated", at, field)


def offset_of(text: str, field: str) -> int:
    """Where the first such field of a level that walks to its end begins; -1 if there is none."""
    at = 0
    while at < len(text):
        if text[at : at + 2] == field:
            return at
        at += 4 + _TWO_DIGITS.get(text[at + 2 : at + 4], VALUE_LENGTH_MAX)
    return -1


def crc(text: str) -> str:
    """CRC-16/CCITT-FALSE of the text as four upper-case hexadecimal digits."""
    return f"{crc_hqx(text.encode(), 0xFFFF):04X}"


def write(field: str, value: str) -> str:
    """One field as text. Raises CannotEncode when the value has no room or is empty."""
    if not 0 < len(value) <= VALUE_LENGTH_MAX:
        raise CannotEncode(f"field {field} holds 1 to 99 characters, not {len(value)}")
    return f"{field}{len(value):02d}{value}"


def seal(body: str) -> str:
    """The finished payload: the body, and the CRC over the body and the CRC's own header."""
    unsigned = f"{body}{CRC_FIELD}04"
    return unsigned + crc(unsigned)
