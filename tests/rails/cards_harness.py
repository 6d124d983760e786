"""The card rail with its switch on real TCP, on one clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from tangguh.core.clock import HandClock
from tangguh.core.order import ToBank, ToCash
from tangguh.rails.iso8583.orders import CardData
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.iso8583.settings import Iso8583Settings
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.rails.rail import Instruction
from tangguh.sim.cards.directory import CARDS
from tangguh.sim.cards.switch import CardSwitch, CardSwitchSettings
from tangguh.sim.faults import AnyFault, Plan

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
        payee=ToBank(bank="998", account="5260000001", name="RINA UJI"),
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


class CardsHarness:
    """Both sides in this event loop. Nothing moves time but ``passing`` and ``until``."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.clock = HandClock(NOON)
        self.switch = CardSwitch(switch_settings(folder, **changes), self.clock)
        self._rails: list[Iso8583Rail] = []

    async def open(self, **changes: Any) -> CardsHarness:
        """The switch listens, the bank is signed on."""
        await self.switch.open()
        self.rail = await self.another_rail(**changes)
        return self

    async def another_rail(self, handler: Any = None, **changes: Any) -> Iso8583Rail:
        """A rail as after a restart: it knows nothing of the one before."""
        rail = Iso8583Rail(
            rail_settings(self.switch.port, **changes),
            self.clock,
            security=SoftHsm(KEYS),
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

    async def break_with(self, *faults: AnyFault) -> None:
        """Put a plan of these faults."""
        await self.switch.put_plan(Plan(faults=faults))

    def paid_minor(self) -> int:
        """Proven first: what came to accounts out there and was not given back."""
        totals = self._totals()
        return totals.in_minor - totals.in_back_minor

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
