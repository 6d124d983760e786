"""SNAP amounts become money here and nowhere else: value and currency together. Pure.

Source: ASPI's SNAP developer site, the ``amount`` object. An amount that is there and is not an
amount of rupiah says something, and not what was asked: it is never the same as one that is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tangguh.core.money import IDR, NotMoney, format_decimal, parse_decimal


def amount_of(minor: int, currency: str = IDR) -> dict[str, str]:
    """An amount as SNAP writes it: ``{"value": "10000.00", "currency": "IDR"}``."""
    return {"value": format_decimal(minor), "currency": currency}


def minor_of(amount: object) -> int | None:
    """Minor units of a SNAP amount; None when it is not an amount of rupiah."""
    if not isinstance(amount, dict) or amount.get("currency") != IDR:
        return None
    value = amount.get("value")
    try:
        return parse_decimal(value) if isinstance(value, str) else None
    except NotMoney:
        return None


def names_other(fields: Mapping[str, Any], field: str, minor: int) -> bool:
    """Whether a message names an amount in this field that is not this sum of rupiah.

    A field that is not there, or null, names none.
    """
    said = fields.get(field)
    return said is not None and minor_of(said) != minor
