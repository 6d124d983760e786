"""How a link writes its data elements: text, bitmaps, amounts, and what each element may hold.

Layout of ISO 8583:1987. Each peer has habits of its own, gathered in one ``Dialect``; the spec for
the codec library is made from it. Lengths are counted in characters.
"""

from __future__ import annotations

import re
from calendar import monthrange
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from iso8583.specs import default_ascii

Text = Literal["ascii", "cp037", "cp500"]
Bitmap = Literal["hex", "lower_hex", "binary"]
Amount = Literal["implied_decimals", "rupiah_and_three_zeros"]

AMOUNT_DIGITS: Final = 12
_RUPIAH_DIGITS: Final = 9
SEN_PER_RUPIAH: Final = 100


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One link's habits. ``text`` is the character set of everything but a binary bitmap.
    ``bitmap``: hexadecimal digits with capital letters, with small ones, or 8 bytes.

    ``amount``: DE4 with two implied decimals as in ISO, or nine digits of whole rupiah and three
    zeros as one bank host pads it.
    """

    text: Text = "ascii"
    bitmap: Bitmap = "hex"
    amount: Amount = "implied_decimals"


ASCII: Final = Dialect()

_NUMERIC: Final = frozenset((*range(2, 28), 32, 33, 49, 50, 51, *range(66, 91), 99, 100))
_SIGNED: Final = frozenset((28, 29, 30, 31, 97))
_HEX: Final = frozenset((52, 64, 65, 96, 128))
_TRACK_2: Final = re.compile(r"\d{8,19}[=D]\d{4}[0-9=D]*")
_DIGITS: Final = re.compile(r"[0-9]+")
_AMOUNT_SIGNED: Final = re.compile(r"[CD][0-9]+")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]+")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")
_FREE_TEXT: Final = re.compile(r"[\x20-\x7e\xa0-\xff]*")
_CHIP: Final = re.compile(r"[\x00-\xff]*")
_CHIP_DATA: Final = 55
_FREE: Final = frozenset((43, 44, 46, 47, 48, *range(56, 64), 104, *range(112, 127)))
"""Names and private data: a letter outside ASCII is somebody's name, not an error."""
_CODE: Final = re.compile(r"[0-9A-Z]{2}")
_AMENDED: Final = re.compile(r"[0-9]{24}[CD0-9][0-9]{8}[CD0-9][0-9]{8}")


@lru_cache(maxsize=16)
def spec_of(dialect: Dialect) -> dict[str, dict[str, Any]]:
    """The codec library's spec for this dialect.

    ASCII is read as Latin-1, its superset, so that one letter of a name, or a chip's binary data,
    does not make the rest unreadable; what each element may hold is judged afterwards.
    """
    text = "latin-1" if dialect.text == "ascii" else dialect.text
    spec = {name: dict(field) for name, field in default_ascii.items()}
    for name, field in spec.items():
        field["data_enc"] = text if name.isdigit() and name != "1" else dialect.text
        field["len_enc"] = dialect.text
        if name in ("p", "1") and dialect.bitmap == "binary":
            field["data_enc"] = "b"
            field["max_len"] = 8
    return spec


@lru_cache(maxsize=256)
def length_of(number: int) -> tuple[int, bool]:
    """The largest length of a data element in characters, and whether it is always that long."""
    field: dict[str, Any] = dict(default_ascii[str(number)])
    return int(field["max_len"]), field["len_type"] == 0


def complaint_about(number: int, value: str) -> str:
    """The rule a value breaks, as a short code with its sense in the README; empty when none."""
    if _SHAPES[number](value) is not None:
        return _out_of_calendar(number, value) if number in _CALENDAR else ""
    longest, fixed = length_of(number)
    if fixed and len(value) != longest:
        return "length_wrong"
    if not fixed and not 1 <= len(value) <= longest:
        return "length_wrong"
    if _PRINTABLE.fullmatch(value) is None:
        return "not_printable"
    pattern = _pattern_of(number)
    return _RULES.get(pattern, "not_printable") if pattern is not None else "not_printable"


def amount_text(minor: int, dialect: Dialect) -> str | None:
    """DE4 of an amount in sen; None where this dialect cannot express it."""
    if dialect.amount == "implied_decimals":
        text = f"{minor:0{AMOUNT_DIGITS}d}"
    else:
        rupiah, sen = divmod(minor, SEN_PER_RUPIAH)
        text = f"{rupiah:0{_RUPIAH_DIGITS}d}000"
        if sen:
            return None
    return text if minor >= 0 and len(text) == AMOUNT_DIGITS else None


def minor_of(text: str, dialect: Dialect) -> int | None:
    """Sen of a DE4 as this dialect writes it; None when it is none."""
    if len(text) != AMOUNT_DIGITS or _DIGITS.fullmatch(text) is None:
        return None
    if dialect.amount == "implied_decimals":
        return int(text)
    return int(text[:_RUPIAH_DIGITS]) * SEN_PER_RUPIAH if text.endswith("000") else None


_RULES: Final = {
    _DIGITS: "not_digits",
    _AMOUNT_SIGNED: "not_signed_amount",
    _HEXADECIMAL: "not_hexadecimal",
    _TRACK_2: "not_track_2",
    _CODE: "not_response_code",
    _AMENDED: "not_amounts",
}


@lru_cache(maxsize=256)
def _pattern_of(number: int) -> re.Pattern[str] | None:
    if number == 35:
        return _TRACK_2
    if number == 39:
        return _CODE
    if number == 95:
        return _AMENDED
    if number in _NUMERIC:
        return _DIGITS
    if number in _SIGNED:
        return _AMOUNT_SIGNED
    if number == _CHIP_DATA:
        return _CHIP
    if number in _FREE:
        return _FREE_TEXT
    return _HEXADECIMAL if number in _HEX else None


def _shape_of(number: int) -> re.Pattern[str]:
    """Length, characters and pattern at once: nearly every value is right, and judged once."""
    longest, fixed = length_of(number)
    least = longest if fixed else 1
    pattern = _pattern_of(number) or _PRINTABLE
    if pattern.pattern.endswith(("]+", "]*")) and pattern.pattern.count("[") == 1:
        return re.compile(f"{pattern.pattern[:-1]}{{{least},{longest}}}")
    return re.compile(rf"(?=[\x00-\xff]{{{least},{longest}}}\Z)(?:{pattern.pattern})")


_SHAPES: Final = {
    number: _shape_of(number).fullmatch for number in range(2, 129) if str(number) in default_ascii
}


_CALENDAR: Final = frozenset((7, 12, 13, 15, 16, 17))


def _out_of_calendar(number: int, value: str) -> str:
    """Days and hours that no calendar has. The public PLN vector sends DE7 as 0000005901, so an
    all-zero date is let pass; 29 February is, since no element has a year.
    """
    if number == 7:
        return "" if _is_day(value[:4]) and _is_time(value[4:]) else "not_a_time"
    if number == 12:
        return "" if _is_time(value) else "not_a_time"
    return "" if _is_day(value) else "not_a_date"


def _is_day(text: str) -> bool:
    return text == "0000" or "01" <= text[2:] <= _LAST_DAYS.get(text[:2], "00")


_LAST_DAYS: Final = {f"{month:02d}": f"{monthrange(2024, month)[1]}" for month in range(1, 13)}


def _is_time(text: str) -> bool:
    return text[:2] <= "23" and text[2:4] <= "59" and text[4:] <= "59"
