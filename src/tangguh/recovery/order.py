"""Which closed scope may climb first: what others lean on comes before them. Pure.

A scope that waits may be explained, matched and rehearsed meanwhile; it lets nobody in. Scopes of
different rails do not wait for each other: QRIS is not kept shut by a card network's keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

import msgspec

from tangguh.core.errors import InvariantBroken


class Part(IntEnum):
    """The parts of the bank in the order they are opened. Refunds come before new payments."""

    LEDGER = 1
    SETTLEMENT = 2
    KEYS = 3
    REFUNDS = 4
    INCOMING = 5
    INQUIRIES = 6
    ONUS_OUT = 7
    ONUS_CASH = 8
    QRIS = 9
    OFFUS_LOW = 10
    OFFUS = 11
    BULK = 12
    LIMITS = 13


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One closure in force: its part, the rail it is about (empty: the whole bank), is it open."""

    closure_id: str
    part: Part
    rail: str = ""
    is_open: bool = False


class Order(msgspec.Struct, frozen=True):
    """Which may let customers in now, first things first, and for what the others wait."""

    may: tuple[str, ...]
    waits: dict[str, tuple[str, ...]]

    def waits_for(self, closure_id: str) -> tuple[str, ...]:
        """The closures this one waits for; none when it may climb."""
        return self.waits.get(closure_id, ())


def order_of(standings: Iterable[Standing]) -> Order:
    """The order between the closures in force. Raises InvariantBroken on one named twice."""
    ranked = sorted(standings, key=lambda one: (one.part, one.closure_id))
    if len({one.closure_id for one in ranked}) != len(ranked):
        raise InvariantBroken("a closure stands in the order once")
    waits = {
        one.closure_id: tuple(
            other.closure_id
            for other in ranked
            if other.part < one.part and not other.is_open and _touches(one, other)
        )
        for one in ranked
    }
    may = tuple(one.closure_id for one in ranked if not waits[one.closure_id])
    return Order(may, {key: value for key, value in waits.items() if value})


def _touches(one: Standing, other: Standing) -> bool:
    return one.rail == other.rail or "" in (one.rail, other.rail)
