"""A network over HTTP as a thing that can be opened, shut and told to fail.

What every network that listens on one HTTP port shares; its books and its rules are its own.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp

from tangguh.sim.faults import Dealt, Faults, Plan
from tangguh.sim.listener import Listener


class Port:
    """One app on one port with one plan of faults."""

    def __init__(self, app: ASGIApp, faults: Faults, host: str, port: int) -> None:
        self._faults = faults
        self._listener = Listener(app, host, port)
        self._obeying = asyncio.Lock()

    @property
    def address(self) -> str:
        """Where to call it; the same while it is down."""
        return self._listener.url

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self._listener.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening; requests in hand have that long to end."""
        await self._listener.close(grace_seconds)

    async def settle(self) -> None:
        """Wait until no request is being worked on."""
        await self._listener.settle()

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong from now on, and nothing else."""
        async with self._obeying:
            self._faults.put(plan)
            if self._faults.is_down:
                await self._listener.shut()
            else:
                await self._listener.open()

    def dealt(self) -> Dealt:
        """The plan in force and how often each fault has struck."""
        return self._faults.dealt()
