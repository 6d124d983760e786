"""What every simulated network offers the control port, the drills and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from tangguh.sim.faults import Dealt, Plan


class Network(Protocol):
    """One network with its own port, books and faults. ``name`` is its place under the control."""

    name: str

    @property
    def address(self) -> str:
        """Where to call it; the same while it is down."""
        ...

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        ...

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening and let go of the books; requests in hand have that long to end."""
        ...

    async def settle(self) -> None:
        """Wait until it works on no request."""
        ...

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with it from now on, and nothing else."""
        ...

    def dealt(self) -> Dealt:
        """The plan in force and how often each fault has struck."""
        ...

    def prove(self) -> Any:
        """Count every row of the books again: a struct with ``holds`` and both sides."""
        ...

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Totals and rows that match the filters (``reference``, ``state``, ``limit`` ...)."""
        ...

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """The settlement file of one cycle of a Jakarta day; cycle 0 is the day so far."""
        ...

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Do something of its own accord, such as sending a credit. ValueError: it cannot."""
        ...
