"""The card rail with its switch on real TCP, on one clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from rails.harness import Far
from rails.traits import TRAITS
from rails.wire import Wire
from tangguh.core.clock import HandClock
from tangguh.core.order import Payee, ToBank, ToCash
from tangguh.rails.iso8583.outbound.orders import CardData
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.iso8583.settings import Iso8583Settings
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.rails.rail import Instruction, Rail
from tangguh.sim.cards.directory import CARDS
from tangguh.sim.cards.switch import CardSwitch, CardSwitchSettings
from tangguh.sim.faults import AnyFault, Down, Plan

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
RP100K = 100_000_00
KEYS = {
    "zmk": "1111222233334444AAAABBBBCCCCDDDD",
    "zpk": "0123456789ABCDEFFEDCBA9876543210",
    "tpk": "89ABCDEF0123456776543210FEDCBA98",
    "tak": "13579BDF02468ACEECA86420FDB97531",
    "mak": "FEDCBA98765432100123456789ABCDEF",
    "pvk": "5555666677778888EEEEFFFF00001111",
    "seal": "00112233445566778899AABBCCDDEEFF" * 2,
    "token": "FFEEDDCCBBAA99887766554433221100",
}
RP = 100
T = TypeVar("T")


def rail_settings(port: int, **changes: Any) -> Iso8583Settings:
    """A link of Bank Tangguh whose patience is ten seconds."""
    plain = Iso8583Settings(
        port=port,
        institution="999",
        pan_prefix="93600999",
        keys=KEYS,
        reply_timeout_seconds=10.0,
        location=f"{'BANK TANGGUH MOBILE':<25}{'JAKARTA':<13}ID",
    )
    return msgspec.structs.replace(plain, **changes)


def switch_settings(folder: Path, **changes: Any) -> CardSwitchSettings:
    """The switch with the same keys."""
    plain = CardSwitchSettings(
        books_path=str(folder / "cards.sqlite"),
        pin_key=KEYS["zpk"],
        mac_key=KEYS["mak"],
        zone_key=KEYS["zmk"],
    )
    return msgspec.structs.replace(plain, **changes)


def transfer(**changes: Any) -> Instruction:
    """Rp100.000 to an account of Bank Uji Antar."""
    plain = Instruction(
        payment_id=UUID(int=123_000_456_000_123),
        reference="20250329TGHCRD000000000001",
        payee=ToBank(bank="998", account="5260000001", name="RINA PUSPITA"),
        amount_minor=RP100K,
        tip_minor=0,
        currency="IDR",
        debtor_account=108,
        accepted_at=NOON,
        debtor_name="PEMILIK UJI",
    )
    return msgspec.structs.replace(plain, **changes)


def cash(rail: Iso8583Rail, **changes: Any) -> Instruction:
    """Rp100.000 at our ATM for the card of Bank Uji Antar."""
    payee = ToCash(
        terminal="ATM00001",
        acquirer="999",
        location="ATM GAMBIR",
        trace="000777",
        rrn="508805000777",
        card="936009******1119",
        sealed_pan=rail.security.seal(CARDS[0].pan),
    )
    return transfer(**{"payee": payee, "reference": "20250329TGHATM000000000001", **changes})


def card_in_hand(rail: Iso8583Rail, pin: str = CARDS[0].pin) -> CardData:
    """What our terminal read of that card, the PIN block under the terminal's key."""
    card = CARDS[0]
    block = rail.security.encrypt_pin(pin, card.pan, "tpk")
    return CardData(pan=card.pan, track_2=card.track_2, pin_block=block, pin_key="tpk")


class CardsHarness(Far):
    """Both sides in this event loop. ``passing``, ``until`` and ``advance`` move time."""

    traits = TRAITS["iso8583"]
    rail: Iso8583Rail

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.clock = HandClock(NOON)
        self.switch = CardSwitch(switch_settings(folder, **changes), self.clock)
        self.network = self.switch
        self._rails: list[Iso8583Rail] = []

    async def open(self, **changes: Any) -> CardsHarness:
        """The switch listens, the bank is signed on."""
        await self.switch.open()
        self.rail = await self.another_rail(**changes)
        return self

    async def another_rail(
        self, handler: Any = None, security: SoftHsm | None = None, **changes: Any
    ) -> Iso8583Rail:
        """A rail as after a restart: it knows nothing of the one before."""
        rail = Iso8583Rail(
            rail_settings(**{"port": self.switch.port, **changes}),
            self.clock,
            security=security or SoftHsm(KEYS, clock=self.clock),
            handler=handler,
            source=Random(len(self._rails)),
        )
        self._rails.append(rail)
        await rail.open()
        await self.until(lambda: rail.link.is_signed_on)
        return rail

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let things happen, a second of the clock at a time once the loop is idle."""
        for step in range(3000):
            if holds():
                return
            await asyncio.sleep(0.001)
            if step % 10 == 9:
                self.clock.advance(1.0)
        raise AssertionError("it never came to hold")

    async def passing(self, asking: Awaitable[T]) -> T:
        """Let time pass until it ends."""
        task = asyncio.ensure_future(asking)
        await self.until(task.done)
        return task.result()

    async def hurried(self) -> Rail:
        """The same: its patience runs out on the clock that ``passing`` moves."""
        return self.rail

    async def stranger(self) -> Rail:
        """One with another key for its MACs."""
        keys = KEYS | {"mak": "00112233445566778899AABBCCDDEEFF"}
        return await self.another_rail(security=SoftHsm(keys))

    async def restarted(self) -> Rail:
        """The next process, after the first one has gone."""
        await self.rail.close()
        return await self.another_rail()

    async def over(self, wire: Wire) -> Rail:
        """The same by that port."""
        return await self.another_rail(port=wire.port)

    def whereabouts(self) -> tuple[str, int]:
        """The switch's port."""
        return "127.0.0.1", self.switch.port

    def instruction(self, **changes: Any) -> Instruction:
        """Rp600.000 to Rina; another reference is another payment."""
        reference = changes.get("reference", "20250329TGHCRD000000000001")
        plain = transfer(
            payment_id=UUID(bytes=sha256(reference.encode()).digest()[:16]),
            amount_minor=600_000_00,
            accepted_at=NOON,
        )
        return msgspec.structs.replace(plain, **changes)

    def other_payee(self) -> Payee:
        """An account at another bank."""
        return ToBank(bank="014", account="5260000001", name="DODI SAPUTRA")

    async def ready(self) -> None:
        """Wait until the switch has signed us on again."""
        await self.until(lambda: self.rail.link.is_signed_on)

    async def advance(self, seconds: float) -> None:
        """One clock for both; what it wakes comes first."""
        self.clock.advance(seconds)
        await asyncio.sleep(0.01)

    async def asleep(self) -> None:
        """``passing`` has let the switch fall asleep already."""

    async def settle(self) -> None:
        """Nothing is under way."""
        await self.switch.settle()

    async def break_with(self, *faults: AnyFault) -> None:
        """Put a plan of these faults."""
        await self.switch.put_plan(Plan(faults=faults))
        if any(isinstance(fault, Down) for fault in faults):
            await self.until(lambda: not self.rail.link.is_signed_on)

    def paid_minor(self) -> int:
        """Proven first: what came to accounts out there and was not given back."""
        totals = self._totals()
        return totals.in_minor - totals.in_back_minor

    def paid_count(self) -> int:
        """Rows that were not given back whole."""
        rows = self.switch.ledger.transfers(state="paid", limit=1_000_000)
        return sum(1 for row in rows if row.given_back_minor < row.amount_minor)

    def drawn_minor(self) -> int:
        """Proven first: what was taken from accounts out there and not given back."""
        totals = self._totals()
        return totals.out_minor - totals.out_back_minor

    def _totals(self) -> Any:
        proof = self.switch.prove()
        assert proof.holds, proof
        return proof.totals

    async def close(self) -> None:
        """The bank first."""
        for rail in self._rails:
            await rail.close()
        await self.switch.close()


@asynccontextmanager
async def cards(folder: Path, **changes: Any) -> AsyncIterator[CardsHarness]:
    """The rail and its switch; settings of the rail under ``rail``."""
    of_the_rail = changes.pop("rail", {})
    harness = CardsHarness(folder, **changes)
    try:
        yield await harness.open(**of_the_rail)
    finally:
        await harness.close()
