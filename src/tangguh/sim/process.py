"""The simulator as a process: two ports, one file of books, a ready line, a clean end.

``run`` is the process. ``World`` is the same thing inside somebody's event loop, for tests and
drills. The switch's port can be closed and opened while the control port stays up.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from tangguh.core.clock import Clock, SystemClock
from tangguh.sim.books import Books
from tangguh.sim.control import Control
from tangguh.sim.faults import Faults, Plan
from tangguh.sim.listener import Listener
from tangguh.sim.merchants import demo_merchants
from tangguh.sim.switch import Switch, SwitchSettings

_GRACE_SECONDS: Final = 2.0
"""How long requests in hand may take to end when the process is told to stop."""


class SimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The outside world. ``control_port`` 0 takes any free one.

    ``ready_path``: a file written once both ports listen, with their addresses as JSON.
    """

    switch: SwitchSettings
    control_host: str = "127.0.0.1"
    control_port: int = 0
    ready_path: str = ""


class Addresses(msgspec.Struct, frozen=True):
    """Where to call the switch and the control port."""

    switch: str
    control: str


class World:
    """The outside world, running. ``async with World(...)`` opens and closes it."""

    def __init__(self, settings: SimSettings, clock: Clock) -> None:
        """Raises Misconfigured when a key cannot be read."""
        self._settings = settings
        self.books = Books(settings.switch.books_path)
        self.faults = Faults()
        self.switch = Switch(settings.switch, self.books, self.faults, clock)
        self.merchants = demo_merchants()
        self._obeying = asyncio.Lock()
        control = Control(
            books=self.books,
            faults=self.faults,
            merchants=self.merchants,
            put_plan=self.put_plan,
            clock=clock,
        )
        self._switch_port = Listener(self.switch.app, settings.switch.host, settings.switch.port)
        self._control_port = Listener(control.app, settings.control_host, settings.control_port)

    @property
    def addresses(self) -> Addresses:
        """Where it listens; the switch's address stays the same while it is down."""
        return Addresses(switch=self._switch_port.url, control=self._control_port.url)

    async def open(self) -> None:
        """Listen on both ports. Raises OSError when one is taken."""
        self.books.enrol(self.merchants)
        await self._switch_port.open()
        await self._control_port.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening; requests in hand have that long to end."""
        await self._switch_port.close(grace_seconds)
        await self._control_port.close(grace_seconds)
        await self.switch.notifier.close()
        self.books.close()

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with the network from now on, and nothing else."""
        async with self._obeying:
            self.faults.put(plan)
            if self.faults.is_down:
                await self._switch_port.shut()
            else:
                await self._switch_port.open()

    async def settle(self) -> None:
        """Wait until the switch works on no request."""
        await self._switch_port.settle()

    async def __aenter__(self) -> World:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def run(settings: SimSettings) -> None:
    """Be the outside world until SIGTERM or SIGINT. Prints one line of JSON when ready."""
    asyncio.run(_serve(settings, SystemClock()))


async def _serve(settings: SimSettings, clock: Clock) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    world = World(settings, clock)
    await world.open()
    try:
        _announce(world.addresses, settings.ready_path)
        await told_to_stop.wait()
    finally:
        await world.close(_GRACE_SECONDS)


def _announce(addresses: Addresses, ready_path: str) -> None:
    line = msgspec.json.encode(addresses).decode()
    if ready_path:
        # Written aside and moved, so that a watcher never reads half a file.
        aside = Path(f"{ready_path}.{os.getpid()}")
        aside.write_text(line + "\n", "utf-8")
        aside.replace(ready_path)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
