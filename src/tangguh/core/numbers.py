"""Phone and account numbers as people type and paste them, and numbers that machines send. Pure.

Phones and web pages put into a copied number what nobody sees and what nobody means: marks of
direction, no-break spaces and hyphens, dots, brackets, digits of another width or script. The same
number must be the same number at every border, so this is the only place that reads one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

TYPED_MAX: Final = 64
"""Longer than any number with all its separators; what is longer is no number."""

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_PLUS: Final = frozenset("+\N{FULLWIDTH PLUS SIGN}\N{SMALL PLUS SIGN}")
_BETWEEN: Final = frozenset("./()\N{MINUS SIGN}\N{FULLWIDTH FULL STOP}\N{MIDDLE DOT}")
_BRACKETS: Final = str.maketrans(
    "\N{FULLWIDTH LEFT PARENTHESIS}\N{FULLWIDTH RIGHT PARENTHESIS}", "()"
)
_TRUNK_ZERO: Final = re.compile(r"\(\s*0\s*\)", re.ASCII)
_INDONESIA: Final = "62"
_E164: Final = re.compile(r"[1-9]\d{7,14}", re.ASCII)


def whole(sent: str, most: int, least: int = 0) -> int | None:
    """A whole number in a parameter or header, from ``least`` to ``most``; None when it is none.

    Plain digits only: no sign, no exponent, no separators, no digits of another script.
    """
    if _WHOLE.fullmatch(sent) is None:
        return None
    found = int(sent)
    return found if least <= found <= most else None


def decimal(sent: str, most: float) -> float | None:
    """A number with a fraction or without, from nothing to ``most``; None when it is none.

    Plain digits only, so neither ``nan`` nor ``inf`` nor ``1e400`` is one.
    """
    if _DECIMAL.fullmatch(sent) is None:
        return None
    found = float(sent)
    return found if found <= most else None


def digits(typed: str) -> str:
    """The digits of an account, customer or card number; empty when anything else is in it."""
    if len(typed) > TYPED_MAX:
        return ""
    found = _bare(typed)
    return found if found.isascii() and found.isdigit() else ""


def phone(typed: str) -> str:
    """A phone number in E.164 without the plus (ITU-T E.164); empty when it is none.

    ``0811…``, ``+62 811…``, ``0062811…``, ``+62 (0)811…`` and ``+620811…`` are one number. A number
    without a country and without a zero is never guessed.
    """
    if len(typed) > TYPED_MAX:
        return ""
    text = typed.translate(_BRACKETS).strip()
    text = text[4:] if text[:4].lower() == "tel:" else text
    bare = _bare(text)
    if bare.startswith(("+", "00")):
        bare = _bare(_TRUNK_ZERO.sub("", text)).removeprefix("+").removeprefix("00")
    elif bare.startswith("0"):
        bare = _INDONESIA + bare[1:]
    if bare.startswith(f"{_INDONESIA}0"):
        bare = _INDONESIA + bare[3:]
    return bare if _E164.fullmatch(bare) else ""


def _bare(text: str) -> str:
    """ASCII digits and a leading plus; whatever is neither a separator nor a digit stays."""
    found: list[str] = []
    for mark in text:
        digit = unicodedata.decimal(mark, None)
        if digit is not None:
            found.append(str(digit))
        elif mark in _PLUS:
            found.append("+")
        elif mark not in _BETWEEN and unicodedata.category(mark) not in {"Zs", "Pd", "Cf"}:
            found.append(mark)
    return "".join(found)
