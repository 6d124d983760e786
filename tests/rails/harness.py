"""What the contract suite needs to know of a rail: how to build it, break it and read its books."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Protocol
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tangguh.core.clock import HandClock
from tangguh.core.order import ToAccount, ToQris
from tangguh.rails.onus import OnUs
from tangguh.rails.qris.rail import QrisIssuer, QrisSettings
from tangguh.rails.rail import Instruction, Rail, Refunding
from tangguh.sim.faults import AnyFault, Plan
from tangguh.sim.process import SimSettings, World
from tangguh.sim.qris.merchants import Merchant, demo_merchants
from tangguh.sim.qris.switch import SwitchSettings

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
MERCHANTS = {label: merchant for merchant in demo_merchants() for label in merchant.payloads}
CLIENT = "tangguh-test"
SECRET = "not-a-secret-outside-tests"


class Keys:
    """Two key pairs in PEM files, short because a long one takes long to check."""

    def __init__(self, folder: Path) -> None:
        self.bank = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.switch = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.bank_private = str(folder / "bank.pem")
        self.bank_public = str(folder / "bank.pub.pem")
        self.switch_private = str(folder / "switch.pem")
        _write(self.bank, self.bank_private, self.bank_public)
        _write(self.switch, self.switch_private, str(folder / "switch.pub.pem"))


def _write(key: rsa.RSAPrivateKey, private_path: str, public_path: str) -> None:
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    Path(private_path).write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    )
    Path(public_path).write_bytes(
        key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def payee_of(merchant: Merchant, payload: str = "") -> ToQris:
    """The payee a scanned code of this merchant gives."""
    return ToQris(
        payload=payload or next(iter(merchant.payloads.values())),
        merchant_pan=merchant.pan,
        merchant_id=merchant.merchant_id,
        nmid=merchant.nmid,
        acquirer=merchant.acquirer_nns,
        merchant_name=merchant.name,
        merchant_city=merchant.city,
        category_code=merchant.category_code,
        criteria=merchant.criteria,
        terminal="A01",
    )


def instruction_to(payee: ToQris | ToAccount, **changes: Any) -> Instruction:
    """A payment of Rp600.000, or of whatever the changes make of it."""
    plain = Instruction(
        payment_id=UUID(int=7),
        reference="20250329TGHQRS000000000001",
        payee=payee,
        amount_minor=600_000_00,
        tip_minor=0,
        currency="IDR",
        debtor_account=108,
        accepted_at=NOON,
    )
    return msgspec.structs.replace(plain, **changes)


def refund_of(original: Instruction, amount_minor: int, reference: str = "RF1") -> Refunding:
    """A refund of part or all of a payment."""
    return Refunding(
        reference=reference, amount_minor=amount_minor, reason="not delivered", original=original
    )


class WatchedClock(HandClock):
    """A clock moved by hand that tells, by one release each, when somebody falls asleep on it."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.sleeper = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        """Sleep, and let whoever waits for a sleeper know."""
        self.sleeper.release()
        await super().sleep(seconds)


class Harness(Protocol):
    """One rail with its far side."""

    rail: Rail

    def instruction(self, **changes: Any) -> Instruction:
        """A payment this rail can carry."""
        ...

    async def break_with(self, *faults: AnyFault) -> None:
        """Let these faults, and no others, be in force on the far side."""
        ...

    def paid_minor(self) -> int:
        """What the far side's own books say was paid, all payments together."""
        ...

    def refunded_minor(self) -> int:
        """What the far side's own books say was given back."""
        ...

    async def close(self) -> None:
        """Take both sides down."""
        ...


class QrisHarness:
    """The issuer over real TCP to a simulated switch in this event loop."""

    def __init__(self, keys: Keys, folder: Path, **changes: Any) -> None:
        self.clock = HandClock(NOON)
        self.sim_clock = WatchedClock(NOON)
        self.keys = keys
        self.world = World(sim_settings(keys, folder, **changes), self.sim_clock)
        self._rails: list[QrisIssuer] = []

    async def open(self) -> QrisHarness:
        """Listen, then call."""
        await self.world.open()
        self.rail = self.another_rail()
        return self

    def another_rail(self, **changes: Any) -> QrisIssuer:
        """One more issuer, with these settings changed."""
        settings = qris_settings(self.keys, self.world.addresses.switch)
        seed = Random(len(self._rails))
        rail = QrisIssuer(msgspec.structs.replace(settings, **changes), self.clock, seed)
        self._rails.append(rail)
        return rail

    def instruction(self, **changes: Any) -> Instruction:
        """A payment to the donut shop."""
        return instruction_to(payee_of(MERCHANTS["V3"]), **changes)

    async def break_with(self, *faults: AnyFault) -> None:
        """Put a plan of these faults."""
        await self.world.put_plan(Plan(faults=faults))

    def paid_minor(self) -> int:
        """Proven first: totals, rows and balances agree."""
        proof = self.world.books.prove()
        assert proof.holds, proof
        return proof.totals.paid_minor

    def refunded_minor(self) -> int:
        """Proven first."""
        proof = self.world.books.prove()
        assert proof.holds, proof
        return proof.totals.refund_minor

    async def close(self) -> None:
        """The bank first."""
        for rail in self._rails:
            await rail.close()
        await self.world.close()


@asynccontextmanager
async def running(keys: Keys, folder: Path, **changes: Any) -> AsyncIterator[QrisHarness]:
    """A QRIS issuer and its switch, with the switch's settings changed."""
    harness = await QrisHarness(keys, folder, **changes).open()
    try:
        yield harness
    finally:
        await harness.close()


class OnUsHarness:
    """The rail without a far side."""

    def __init__(self) -> None:
        self.rail = OnUs()

    def instruction(self, **changes: Any) -> Instruction:
        """A payment to an account of this bank."""
        return instruction_to(ToAccount(account_id=109), **changes)

    async def close(self) -> None:
        """Nothing to take down."""
        await self.rail.close()


def qris_settings(keys: Keys, url: str) -> QrisSettings:
    """An issuer whose patience is beyond any test's; those about time-outs shorten it."""
    return QrisSettings(
        url=url,
        client_id=CLIENT,
        client_secret=SECRET,
        private_key_path=keys.bank_private,
        partner_id="TGH",
        channel_id="95221",
        issuer_nns="93600998",
    )


def sim_settings(keys: Keys, folder: Path, **changes: Any) -> SimSettings:
    """A switch whose one member is that issuer."""
    switch = SwitchSettings(
        client_id=CLIENT,
        client_secret=SECRET,
        partner_id="TGH",
        channel_id="95221",
        bank_public_key_path=keys.bank_public,
        switch_private_key_path=keys.switch_private,
        books_path=str(folder / "switch.sqlite"),
    )
    return SimSettings(switch=msgspec.structs.replace(switch, **changes))
