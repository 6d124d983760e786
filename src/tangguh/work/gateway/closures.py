"""The gateway's own closures: which rail and direction it forwards nothing for, and why.

The seam for whoever decides that: the gateway asks ``covers`` before it forwards a paying message
and hands on every order whose signature holds. What is here is kept in memory.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Close or open one rail in one direction. ``at`` is when it was given, seconds since 1970."""

    do: Literal["close", "open"]
    rail: str
    direction: Literal["in", "out"]
    reason: str
    at: float


class Closures(Protocol):
    """What the gateway asks, and tells."""

    def covers(self, rail: str, direction: str) -> str | None:
        """Why nothing goes that way now; None when it may."""
        ...

    def obey(self, order: Order) -> None:
        """Take an order whose signature held."""
        ...

    def in_force(self) -> list[dict[str, str]]:
        """Every closure: rail, direction and reason."""
        ...


class ClosuresInMemory:
    """Closures that last as long as the process."""

    def __init__(self) -> None:
        self._closed: dict[tuple[str, str], str] = {}

    def covers(self, rail: str, direction: str) -> str | None:
        """The reason it was closed for."""
        return self._closed.get((rail, direction))

    def obey(self, order: Order) -> None:
        """Closing twice keeps the last reason; opening what is open does nothing."""
        way = (order.rail, order.direction)
        if order.do == "close":
            self._closed[way] = order.reason
        else:
            self._closed.pop(way, None)

    def in_force(self) -> list[dict[str, str]]:
        """As asked."""
        return [
            {"rail": rail, "direction": direction, "reason": reason}
            for (rail, direction), reason in sorted(self._closed.items())
        ]
