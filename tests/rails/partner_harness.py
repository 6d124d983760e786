"""Wallets and billers under test: a SNAP rail on one side, the simulated partner on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from rails.harness import (
    CLIENT,
    NOON,
    PATIENCE_SECONDS,
    SECRET,
    Far,
    Keys,
    WatchedClock,
    place_of,
)
from rails.traits import TRAITS
from rails.wire import Wire
from tangguh.core.clock import HandClock
from tangguh.core.order import Payee, ToBiller, ToWallet
from tangguh.rails.billers.rail import BillersRail
from tangguh.rails.ewallet.rail import EwalletRail
from tangguh.rails.rail import Asked, Instruction, Rail
from tangguh.rails.snap_partner import SnapPartnerSettings
from tangguh.sim.billers.aggregator import Aggregator, AggregatorSettings
from tangguh.sim.faults import AnyFault, Plan
from tangguh.sim.wallets.wallet import Wallet, WalletSettings

RINA = "628121110001"
DODI = "628121110002"
OPEN_BILL = ToBiller(biller="va", customer_no="0812000002", name="TABUNGAN QURBAN UJI", bill="INQ")
TOKEN = ToBiller(biller="prepaid", customer_no="14512340001", name="RUMAH KENANGA 7", bill="INQ")
SCHOOL_FEE = ToBiller(biller="school", customer_no="20260001", name="SISWA UJI", bill="INQ")


class PartnerHarness(Far):
    """A rail over real TCP to one simulated SNAP partner in this event loop.

    ``partner``: a wallet's name, or ``billers``.
    """

    rail: EwalletRail | BillersRail

    def __init__(self, keys: Keys, folder: Path, partner: str = "gopay", **changes: Any) -> None:
        self.clock = HandClock(NOON)
        self.sim_clock = WatchedClock(NOON)
        self.keys = keys
        self.partner = partner
        self.traits = TRAITS["billers" if partner == "billers" else "ewallet"]
        self.network = self._network(folder, changes)
        self._rails: list[EwalletRail | BillersRail] = []

    async def open(self) -> PartnerHarness:
        """The partner listens, then the rail calls."""
        await self.network.open()
        self.rail = self.another_rail()
        return self

    def settings(self, **changes: Any) -> SnapPartnerSettings:
        """How this partner is reached."""
        plain = SnapPartnerSettings(
            url=self.network.address,
            client_id=CLIENT,
            client_secret=SECRET,
            private_key_path=self.keys.bank_private,
            partner_id="TGH",
            channel_id="95221",
        )
        return msgspec.structs.replace(plain, **changes)

    def another_rail(self, **changes: Any) -> EwalletRail | BillersRail:
        """One more rail, with these settings changed."""
        settings, source = self.settings(**changes), Random(len(self._rails))
        rail: EwalletRail | BillersRail
        if self.partner == "billers":
            rail = BillersRail(settings, self.clock, source)
        else:
            rail = EwalletRail({self.partner: settings}, self.clock, source)
        self._rails.append(rail)
        return rail

    async def hurried(self) -> Rail:
        """Three tenths of a second."""
        return self.another_rail(total_timeout_seconds=PATIENCE_SECONDS)

    async def stranger(self) -> Rail:
        """One with another secret."""
        return self.another_rail(client_secret="somebody else's")

    async def restarted(self) -> Rail:
        """The next rail."""
        return self.another_rail()

    async def over(self, wire: Wire) -> Rail:
        """The same by that port."""
        return self.another_rail(url=f"http://127.0.0.1:{wire.port}")

    def whereabouts(self) -> tuple[str, int]:
        """The partner's port."""
        return place_of(self.network.address)

    def payee(self) -> ToWallet | ToBiller:
        """Rina's wallet, or a bill that takes any sum."""
        if self.partner == "billers":
            return OPEN_BILL
        return ToWallet(self.partner, RINA, "RINA PUSPITA")

    def other_payee(self) -> Payee:
        """Dodi's wallet, or a meter."""
        return TOKEN if self.partner == "billers" else ToWallet(self.partner, DODI, "DODI SAPUTRA")

    def instruction(self, **changes: Any) -> Instruction:
        """Rp600.000; another reference is another payment."""
        reference = changes.get("reference", "20250329TGHSNP000000000001")
        plain = Instruction(
            payment_id=UUID(bytes=sha256(reference.encode()).digest()[:16]),
            reference=reference,
            payee=self.payee(),
            amount_minor=600_000_00,
            tip_minor=0,
            currency="IDR",
            debtor_account=108,
            accepted_at=NOON,
            debtor_name="BUDI SANTOSO",
        )
        return msgspec.structs.replace(plain, **changes)

    def asked(self, payee: ToWallet | ToBiller, amount_minor: int = 600_000_00) -> Asked:
        """Who is that, and what is owed?"""
        return Asked(
            reference=f"LOOK{amount_minor}",
            payee=payee,
            amount_minor=amount_minor,
            debtor_account=108,
            debtor_name="BUDI SANTOSO",
            asked_at=NOON,
        )

    async def advance(self, seconds: float) -> None:
        """Both sides' clocks."""
        self.clock.advance(seconds)
        self.sim_clock.advance(seconds)

    async def asleep(self) -> None:
        """The partner's clock tells."""
        await self.sim_clock.sleeper.acquire()

    async def settle(self) -> None:
        """Nothing is under way."""
        await self.network.settle()

    async def break_with(self, *faults: AnyFault) -> None:
        """Put a plan of these faults."""
        await self.network.put_plan(Plan(faults=faults))

    def paid_minor(self) -> int:
        """Proven first: totals, rows and balances agree."""
        proof = self.network.prove()
        assert proof.holds, proof
        return proof.totals.in_minor

    def paid_count(self) -> int:
        """Rows."""
        return self.network.ledger.totals().in_count

    async def close(self) -> None:
        """The bank first."""
        for rail in self._rails:
            await rail.close()
        await self.network.close()

    def _network(self, folder: Path, changes: dict[str, Any]) -> Wallet | Aggregator:
        member = {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "partner_id": "TGH",
            "channel_id": "95221",
            "bank_public_key_path": self.keys.bank_public,
            "switch_private_key_path": self.keys.switch_private,
            "books_path": str(folder / f"{self.partner}.sqlite"),
            **changes,
        }
        if self.partner == "billers":
            return Aggregator(AggregatorSettings(**member), self.sim_clock)
        return Wallet(WalletSettings(**member, wallet=self.partner), self.sim_clock)


@asynccontextmanager
async def running(
    keys: Keys, folder: Path, partner: str = "gopay", **changes: Any
) -> AsyncIterator[PartnerHarness]:
    """A rail and its partner."""
    harness = await PartnerHarness(keys, folder, partner, **changes).open()
    try:
        yield harness
    finally:
        await harness.close()
