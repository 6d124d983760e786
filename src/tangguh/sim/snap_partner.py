"""A SNAP partner as one network of the outside world: its port, its passbook, its faults.

Wallets and billers are this, with operations of their own; what they decide is all they add.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from random import Random
from typing import Any, Final

from tangguh.core.clock import Clock
from tangguh.sim.faults import Dealt, Faults, Plan
from tangguh.sim.passbook import Passbook, PassbookProof
from tangguh.sim.port import Port
from tangguh.sim.snap_network import Operation, SnapDoor, SnapSettings

CUT_OFFS: Final = ("24:00",)


class SnapPartner:
    """One partner; ``ledger`` and ``faults`` are its own."""

    def __init__(
        self,
        name: str,
        settings: SnapSettings,
        clock: Clock,
        operations: tuple[Operation, ...],
        *,
        paying: str,
        aim: Callable[[Mapping[str, Any]], tuple[str, str]],
        accounts: tuple[tuple[str, str, str], ...],
    ) -> None:
        """``paying``: the service a fault without services strikes. ``accounts``: number, name and
        state of each it has from the first day. Raises Misconfigured when a key cannot be read.
        """
        self.name = name
        self.ledger = Passbook(settings.books_path)
        self.faults = Faults(paying)
        self._settings = settings
        self._clock = clock
        self._random = Random(settings.seed)  # noqa: S311  a rehearsal must be repeatable
        self._accounts = accounts
        door = SnapDoor(
            settings,
            self.ledger,
            self.faults,
            clock,
            operations,
            random=self._random,
            aim=aim,
            wake=lambda now: self.ledger.conclude_due(now, paid_code="20000", failed_code="40305"),
        )
        self._port = Port(door.app, self.faults, settings.host, settings.port)

    @property
    def address(self) -> str:
        """Where to call it; the same while it is down."""
        return self._port.address

    async def open(self) -> None:
        """Listen, with every account in the books. Raises OSError when the port is taken."""
        with self.ledger.transaction():
            for number, name, state in self._accounts:
                self.ledger.open_account(number, name, state=state)
        await self._port.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening; requests in hand have that long to end."""
        await self._port.close(grace_seconds)
        self.ledger.close()

    async def settle(self) -> None:
        """Wait until it works on no request."""
        await self._port.settle()

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with it from now on, and nothing else."""
        await self._port.put_plan(plan)

    def dealt(self) -> Dealt:
        """The plan in force and how often each fault has struck."""
        return self._port.dealt()

    def prove(self) -> PassbookProof:
        """Count everything again."""
        self._wake()
        return self.ledger.prove()

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Totals, accounts, and the newest payments that match."""
        self._wake()
        rows = self.ledger.transfers(
            reference=asked.get("reference", ""),
            state=asked.get("state", ""),
            account=asked.get("account", ""),
            limit=max(int(asked.get("limit", "100")), 0),
        )
        return {
            "totals": self.ledger.totals(),
            "accounts": self.ledger.accounts(),
            "transfers": rows,
        }

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """The settlement file of a Jakarta day."""
        self._wake()
        return self.ledger.settlement_file(
            self.name, self._settings.partner_id, day, cycle, CUT_OFFS
        )

    def _wake(self) -> None:
        with self.ledger.transaction():
            self.ledger.conclude_due(self._clock.now(), paid_code="20000", failed_code="40305")
