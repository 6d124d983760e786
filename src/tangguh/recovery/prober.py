"""Payments of the bank to itself over a rail: the rehearsal before any customer is let in.

Each is an ordinary payment from the bank's own account, with its hold, its signature and its end;
the gate lets that account through on the way back and nobody else.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import structlog

from tangguh.core.client import Client
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.order import Origin, Payee, PaymentOrder
from tangguh.core.outcome import Refused
from tangguh.core.service import SERVICES
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.payments import flow
from tangguh.payments.desk import Desk
from tangguh.payments.gates.facts import facts_of
from tangguh.payments.payment import Decided, State
from tangguh.rails.rail import Asked, Found

log = structlog.get_logger("recovery.prober")

THE_BANK: Final = 0
_ORIGIN: Final = Origin(client=Client.BANK)
_NAME: Final = "BANK TANGGUH"


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One synthetic payment: which service, to whom, how much (minor units)."""

    service: str
    payee: Payee
    amount_minor: int = 10_000


class Tried(msgspec.Struct):
    """What became of the probes of one climb: how many ended, and how many not as they should."""

    sent: int = 0
    right: int = 0
    wrong: int = 0
    seconds: float = 0.0
    last_wrong: str = ""

    @property
    def ended(self) -> int:
        """How many have ended."""
        return self.right + self.wrong


class Prober:
    """Sends probes over the rails it has one for."""

    def __init__(self, desk: Desk, ids: Ids, probes: tuple[Probe, ...], at_once: int = 8) -> None:
        self._desk = desk
        self._ids = ids
        self._probes = probes
        self._at_once = asyncio.Semaphore(at_once)

    def fitting(self, scope: Scope) -> tuple[Probe, ...]:
        """The probes whose payments a scope covers."""
        return tuple(one for one in self._probes if scope.covers(facts_of(self._order(one))))

    def beside(self, scope: Scope) -> tuple[Probe, ...]:
        """The probes of rails a scope does not cover: the control cohort of a quiet hour."""
        return tuple(one for one in self._probes if one not in self.fitting(scope))

    async def feed(self, probes: tuple[Probe, ...], count: int, tried: Tried) -> None:
        """Send so many, one after the other through the probes, and count their ends."""
        if not probes or count <= 0:
            return
        ready = [found for probe in probes if (found := await self._asked(probe)) is not None]
        if not ready:
            tried.wrong += 1
            tried.last_wrong = "nobody says who the payee is"
            log.warning("prober.wrong", service=probes[0].service, why=tried.last_wrong)
            return
        began = self._desk.clock.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._send(ready[number % len(ready)], tried))
        tried.seconds += self._desk.clock.monotonic() - began

    async def _asked(self, probe: Probe) -> Probe | None:
        """The probe with its payee as the network knows it: a customer, too, is shown the name."""
        rail = self._desk.enquirer(SERVICES[probe.service].rail)
        if rail is None:
            return probe
        found = await rail.look_up(
            Asked(
                reference=self._ids.next().hex,
                payee=probe.payee,
                amount_minor=probe.amount_minor,
                debtor_account=chart.PROBES,
                debtor_name=_NAME,
                asked_at=self._desk.clock.now(),
            )
        )
        if not isinstance(found, Found):
            return None
        return msgspec.structs.replace(probe, payee=found.payee)

    async def _send(self, probe: Probe, tried: Tried) -> None:
        async with self._at_once:
            tried.sent += 1
            try:
                done = await flow.pay(self._desk, self._order(probe), _ORIGIN)
            except TangguhError as trouble:
                tried.wrong += 1
                tried.last_wrong = type(trouble).__name__
                return
        if isinstance(done, Decided) and done.payment.state is State.POSTED:
            tried.right += 1
            return
        tried.wrong += 1
        said = done.code if isinstance(done, Refused) else done.payment.refusal
        tried.last_wrong = str(said or "no answer")
        log.warning("prober.wrong", service=probe.service, why=tried.last_wrong)

    def _order(self, probe: Probe) -> PaymentOrder:
        return PaymentOrder(
            customer_id=THE_BANK,
            idempotency_key=f"probe-{self._ids.next().hex}",
            service=probe.service,
            debtor=chart.PROBES,
            payee=probe.payee,
            amount_minor=probe.amount_minor,
            debtor_name=_NAME,
            note="UJI",
        )


def rail_of(scope: Scope) -> str:
    """The rail a scope is about; empty when it is about several."""
    return scope.rail or (SERVICES[scope.service].rail if scope.service in SERVICES else "")
