"""The simulator as a process: a port for each network and one to control them, a clean end.

``run`` is the process. ``World`` is the same thing inside somebody's event loop, for tests and
drills. A network's port can be closed and opened while the control port stays up.
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
from tangguh.core.errors import Misconfigured
from tangguh.sim.bifast.hub import Hub, HubSettings
from tangguh.sim.billers.aggregator import Aggregator, AggregatorSettings
from tangguh.sim.cards.switch import CardSwitch, CardSwitchSettings
from tangguh.sim.control import Control
from tangguh.sim.faults import Faults, Plan
from tangguh.sim.healing import Healing
from tangguh.sim.listener import Listener
from tangguh.sim.network import Network
from tangguh.sim.post.post import Post, PostSettings
from tangguh.sim.qris.books import Books
from tangguh.sim.qris.switch import Switch, SwitchSettings
from tangguh.sim.transit.operator import Operator, OperatorSettings
from tangguh.sim.wallets.wallet import Wallet, WalletSettings

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_GRACE_SECONDS: Final = 2.0
"""How long requests in hand may take to end when the process is told to stop."""


class SimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The outside world: the QRIS switch always, every other network when it is configured.

    ``control_port`` 0 takes any free one; without ``control_token``, which every request then
    carries as its bearer, it listens to this machine alone. ``ready_path``: a file written once
    every port listens, with their addresses as JSON.
    """

    switch: SwitchSettings
    bifast: HubSettings | None = None
    cards: CardSwitchSettings | None = None
    wallets: tuple[WalletSettings, ...] = ()
    billers: AggregatorSettings | None = None
    transit: OperatorSettings | None = None
    post: PostSettings | None = None
    control_host: str = "127.0.0.1"
    control_token: str = ""
    control_port: int = 0
    ready_path: str = ""


class Addresses(msgspec.Struct, frozen=True):
    """Where to call the switch, the control port, and every network by its name."""

    switch: str
    control: str
    networks: dict[str, str] = {}


class World:
    """The outside world, running. ``async with World(...)`` opens and closes it."""

    def __init__(self, settings: SimSettings, clock: Clock) -> None:
        """Raises Misconfigured when a key cannot be read."""
        self._settings = settings
        self.switch = Switch(settings.switch, clock)
        self.merchants = self.switch.merchants
        self.networks: dict[str, Network] = {
            network.name: network for network in networks_of(self.switch, settings, clock)
        }
        if not settings.control_token and settings.control_host not in _LOOPBACK:
            raise Misconfigured("control_host: whoever may control the networks needs a token")
        self.healing = Healing(self.networks, clock)
        control = Control(
            self.networks, self.healing, self.merchants, clock, settings.control_token
        )
        self._control_port = Listener(control.app, settings.control_host, settings.control_port)

    @property
    def books(self) -> Books:
        """The QRIS switch's books."""
        return self.switch.ledger

    @property
    def faults(self) -> Faults:
        """The QRIS switch's faults."""
        return self.switch.faults

    @property
    def addresses(self) -> Addresses:
        """Where everything listens; an address stays the same while its network is down."""
        return Addresses(
            switch=self.switch.address,
            control=self._control_port.url,
            networks={name: network.address for name, network in self.networks.items()},
        )

    async def open(self) -> None:
        """Listen on every port. Raises OSError when one is taken."""
        for network in self.networks.values():
            await network.open()
        await self._control_port.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening; requests in hand have that long to end."""
        await self.healing.close()
        for network in self.networks.values():
            await network.close(grace_seconds)
        await self._control_port.close(grace_seconds)

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with the QRIS switch from now on, and nothing else."""
        await self.healing.put(self.switch.name, plan)

    async def settle(self) -> None:
        """Wait until no network works on a request."""
        for network in self.networks.values():
            await network.settle()

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


def networks_of(switch: Switch, settings: SimSettings, clock: Clock) -> list[Network]:
    """Every network that is configured, the QRIS switch first."""
    networks: list[Network] = [switch]
    if settings.bifast is not None:
        networks.append(Hub(settings.bifast, clock))
    if settings.cards is not None:
        networks.append(CardSwitch(settings.cards, clock))
    networks += [Wallet(wallet, clock) for wallet in settings.wallets]
    if settings.billers is not None:
        networks.append(Aggregator(settings.billers, clock))
    if settings.transit is not None:
        networks.append(Operator(settings.transit, clock))
    if settings.post is not None:
        networks.append(Post(settings.post, clock))
    return networks


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
