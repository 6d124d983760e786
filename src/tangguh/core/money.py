"""Money as whole minor units with its currency; never a float (ADR-0007).

The rupiah's minor unit is the sen: IDR has exponent 2 in ISO 4217, so Rp1.500 is 150000 units.
Inside the book amounts are plain ``int`` in the book's one currency; ``Money`` is for the borders.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

IDR: Final = "IDR"
EXPONENTS: Final = {IDR: 2}
RUPIAH: Final = 100
"""Minor units in one rupiah."""
MINOR_MAX: Final = 10**17
"""One thousand million million rupiah: above any real sum, far below a signed 64-bit integer."""

_DECIMAL = re.compile(r"\d{1,16}(?:\.(\d{0,2}))?")


class NotMoney(ValueError):
    """The text is not an amount this currency can have."""


class Money(msgspec.Struct, frozen=True, gc=False):
    """An amount in minor units (sen for IDR) and its ISO 4217 currency."""

    minor: int
    currency: str = IDR

    def __str__(self) -> str:
        return f"{self.currency} {format_decimal(self.minor)}"


def parse_decimal(text: str) -> int:
    """Minor units of a plain decimal such as ``25000``, ``25000.`` or ``25000.00``.

    Raises NotMoney on signs, separators, more than two decimals, or anything but ASCII digits.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None or not text.isascii():
        raise NotMoney(f"amount must be digits with at most two decimals, got {text[:20]!r}")
    whole, _, fraction = text.partition(".")
    minor = int(whole) * 100 + int((fraction + "00")[:2])
    if minor > MINOR_MAX:
        raise NotMoney("amount is larger than any this bank can hold")
    return minor


def format_decimal(minor: int) -> str:
    """The amount as networks write it: two decimals, no separators (SNAP, ISO 20022)."""
    if not minor:
        return "0.00"
    if minor < 0:
        return f"-{format_decimal(-minor)}"
    return f"{minor // 100}.{minor % 100:02d}"
