"""What the contract suite needs to know of a rail: how to build it, break it and read its books."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rails.traits import TRAITS, Traits
from rails.wire import Wire
from tangguh.core.clock import HandClock
from tangguh.core.order import Payee, ToAccount, ToQris
from tangguh.core.outcome import Outcome, Unanswered
from tangguh.rails.onus import OnUs
from tangguh.rails.qris.rail import QrisIssuer, QrisSettings
from tangguh.rails.rail import Instruction, Rail, Refunding
from tangguh.sim.faults import AnyFault, Plan
from tangguh.sim.network import Network
from tangguh.sim.process import SimSettings, World
from tangguh.sim.qris.merchants import Merchant, demo_merchants
from tangguh.sim.qris.switch import SwitchSettings

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
MERCHANTS = {label: merchant for merchant in demo_merchants() for label in merchant.payloads}
CLIENT = "tangguh-test"
SECRET = "not-a-secret-outside-tests"
PATIENCE_SECONDS = 0.3
T = TypeVar("T")


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


class Far(ABC):
    """One rail with its far side, both in this event loop. Nothing moves time but ``advance``."""

    traits: Traits
    rail: Rail
    network: Network
    clock: HandClock

    @abstractmethod
    def instruction(self, **changes: Any) -> Instruction:
        """A payment of Rp600.000 this rail can carry; another reference is another payment."""

    @abstractmethod
    def other_payee(self) -> Payee:
        """Somebody else whom this rail can pay as well."""

    @abstractmethod
    async def hurried(self) -> Rail:
        """A rail whose patience runs out within the test."""

    @abstractmethod
    async def stranger(self) -> Rail:
        """A rail whose signatures the network cannot verify."""

    @abstractmethod
    async def restarted(self) -> Rail:
        """A rail that remembers nothing of what the first one did."""

    @abstractmethod
    async def over(self, wire: Wire) -> Rail:
        """A rail that reaches the network by this wire."""

    @abstractmethod
    def whereabouts(self) -> tuple[str, int]:
        """Host and port of the network."""

    @abstractmethod
    async def break_with(self, *faults: AnyFault) -> None:
        """Let these faults, and no others, be in force on the far side."""

    @abstractmethod
    def paid_minor(self) -> int:
        """What the far side's own books say was paid and not given back by a reversal."""

    @abstractmethod
    def paid_count(self) -> int:
        """How many payments the far side's own books hold as paid."""

    @abstractmethod
    async def settle(self) -> None:
        """Wait until the network works on no request."""

    @abstractmethod
    async def close(self) -> None:
        """Take both sides down."""

    def refunded_minor(self) -> int:
        """What the far side's own books say was given back as refunds."""
        return 0

    async def advance(self, seconds: float) -> None:
        """Let time pass on both sides."""
        raise NotImplementedError

    async def ready(self) -> None:
        """Wait until the rail can send again. HTTP connects when it is asked to."""
        await asyncio.sleep(0)

    async def passing(self, asking: Awaitable[T]) -> T:
        """Let time pass until it ends. HTTP's patience is real time, and short here."""
        return await asking

    async def asleep(self) -> None:
        """Wait until the network sleeps over a request."""
        raise NotImplementedError

    # ---- what a payment's life asks of the rail ----------------------------------------------

    async def send(self, asked: Instruction, rail: Rail | None = None) -> Outcome:
        """Send it."""
        return await self.passing((rail or self.rail).send(asked))

    async def inquire(self, asked: Instruction, rail: Rail | None = None) -> Outcome:
        """Ask about it."""
        return await self.passing((rail or self.rail).inquire(asked))

    async def reverse(self, asked: Instruction, rail: Rail | None = None) -> Outcome:
        """Reverse it."""
        await self.ready()
        return await self.passing((rail or self.rail).reverse(asked))

    async def resolve(self, asked: Instruction, rail: Rail | None = None) -> Outcome:
        """What the resolver finds, asking by the rail's own schedule."""
        passed = 0.0
        outcome: Outcome = Unanswered("never asked")
        for due in self.rail.capabilities().inquiry_delays_seconds:
            await self.advance(due - passed)
            passed = due
            await self.ready()
            outcome = await self.inquire(asked, rail)
            if outcome == Unanswered("not_found"):
                outcome = await self.reverse(asked, rail)
            if not isinstance(outcome, Unanswered):
                break
        return outcome


class QrisHarness(Far):
    """The issuer over real TCP to a simulated switch in this event loop."""

    traits = TRAITS["qris"]

    def __init__(self, keys: Keys, folder: Path, **changes: Any) -> None:
        self.clock = HandClock(NOON)
        self.sim_clock = WatchedClock(NOON)
        self.keys = keys
        self.world = World(sim_settings(keys, folder, **changes), self.sim_clock)
        self.network = self.world.switch
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

    async def hurried(self) -> Rail:
        """Three tenths of a second."""
        return self.another_rail(total_timeout_seconds=PATIENCE_SECONDS)

    async def stranger(self) -> Rail:
        """One with another secret."""
        return self.another_rail(client_secret="somebody else's")

    async def restarted(self) -> Rail:
        """The next issuer."""
        return self.another_rail()

    async def over(self, wire: Wire) -> Rail:
        """The same issuer by that port."""
        return self.another_rail(url=f"http://127.0.0.1:{wire.port}")

    def whereabouts(self) -> tuple[str, int]:
        """The switch's port."""
        return place_of(self.world.addresses.switch)

    def instruction(self, **changes: Any) -> Instruction:
        """A payment to the donut shop."""
        payee = changes.pop("payee", payee_of(MERCHANTS["V3"]))
        return instruction_to(payee, **changes)

    def other_payee(self) -> Payee:
        """Another shop."""
        return payee_of(MERCHANTS["V5"])

    async def advance(self, seconds: float) -> None:
        """Both sides' clocks."""
        self.clock.advance(seconds)
        self.sim_clock.advance(seconds)

    async def asleep(self) -> None:
        """The switch's clock tells."""
        await self.sim_clock.sleeper.acquire()

    async def settle(self) -> None:
        """Nothing is under way."""
        await self.world.settle()

    async def break_with(self, *faults: AnyFault) -> None:
        """Put a plan of these faults."""
        await self.world.put_plan(Plan(faults=faults))

    def paid_minor(self) -> int:
        """Proven first: totals, rows and balances agree."""
        proof = self.world.books.prove()
        assert proof.holds, proof
        return proof.totals.paid_minor

    def paid_count(self) -> int:
        """Rows."""
        return len(self.world.books.payments(state="paid", limit=1_000_000))

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


def place_of(url: str) -> tuple[str, int]:
    """Host and port of an address."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


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
