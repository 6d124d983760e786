"""Customers pay over a failing network until nothing is open; then both sides' books are compared.

A real book on PostgreSQL, the real rail over TCP, the simulated network with its own books. For
each fault: every payment ends once, what we posted is what the network paid, nothing is left held,
the bank's proof holds. Where the network lies, the difference is exactly what its settlement file
shows. By default 25 payments a fault, rail after rail; as a drill a thousand.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from conftest import NOON as TODAY
from conftest import QUICK
from rails import bifast_harness, partner_harness
from rails.bifast_harness import BifastHarness
from rails.cards_harness import CardsHarness, cards, rail_settings
from rails.harness import MERCHANTS, NOON, Far, Keys, payee_of, running
from rails.partner_harness import DODI, OPEN_BILL, RINA
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import JAKARTA
from tangguh.core.ids import Ids
from tangguh.core.order import Payee, PaymentOrder, ToBank, ToWallet
from tangguh.core.outcome import Refused
from tangguh.core.service import BILL, QRIS_OFFUS, TOPUP, TRANSFER_BIFAST, TRANSFER_CARDS
from tangguh.customers.seed import demo
from tangguh.payments import flow
from tangguh.payments.payment import Payment, State
from tangguh.payments.store import every_payment
from tangguh.rails.onus import OnUs
from tangguh.rails.rail import Rail
from tangguh.sim import faults

AT_ONCE = 25
ROUNDS_MAX = 60
ENDED = {State.POSTED, State.VOIDED, State.REFUSED}

FAULTS: dict[str, tuple[faults.AnyFault, ...]] = {
    "none": (),
    "drop_request": (faults.DropRequest(seconds=0, probability=0.5),),
    "drop_reply": (faults.DropReply(seconds=0, probability=0.5),),
    "late": (faults.Late(seconds=30, probability=0.5),),
    "late_arrival": (faults.Late(seconds=30, carried_out="late", probability=0.4),),
    "twice": (faults.Twice(probability=1.0),),
    "decline": (faults.Decline(probability=0.5),),
    "pending_paid": (faults.Pending(seconds=20, probability=0.5),),
    "pending_failed": (faults.Pending(seconds=20, becomes="failed", probability=0.5),),
    "down": (faults.Down(),),
    "crawl": (faults.Crawl(seconds_per_byte=1, probability=0.3),),
    "lie_failed": (faults.Lie(books="failed", probability=0.4),),
    "lie_paid": (faults.Lie(books="paid", probability=0.4),),
    **{
        f"garbage_{form}": (faults.Garbage(form=form, probability=0.5),)
        for form in (
            "malformed",
            "truncated",
            "oversized",
            "empty",
            "other_service",
            "other_reference",
            "bad_signature",
        )
    },
    "everything": (
        faults.DropReply(seconds=0, probability=0.2),
        faults.DropRequest(seconds=0, probability=0.2),
        faults.Decline(probability=0.2),
        faults.Pending(seconds=20, probability=0.2),
        faults.Garbage(form="truncated", probability=0.2),
    ),
}
LIES = {"lie_failed", "lie_paid"}


class TwoPatiences:
    """The rail, patient or hurried: HTTP's patience is real time, and most faults need none."""

    def __init__(self, far: Far, hurried: Rail) -> None:
        self.name = far.rail.name
        self.is_hurried = False
        self._far = far
        self._hurried = hurried

    def __getattr__(self, name: str) -> object:
        return getattr(self._hurried if self.is_hurried else self._far.rail, name)


class Street:
    """One bank with one rail to one network, and customers who pay over it."""

    def __init__(
        self, far: Far, bank: Bank, rail: TwoPatiences, service: str, payees: tuple[Payee, ...]
    ) -> None:
        self.far = far
        self.bank = bank
        self._rail = rail
        self._service = service
        self._payees = payees
        self._accounts = demo(1)[1]
        self._orders = 0
        self._filed: set[str] = set()
        self._till = getattr(far, "receiver", None)

    async def rehearse(self, name: str, payments: int, seed: int) -> list[Payment]:
        """So many payments under one fault, then until nothing is open, then the comparison."""
        before = self.far.paid_minor()
        known = {payment.id for payment in await self._payments()}
        source = random.Random(seed)
        self._hear_notices(name not in LIES)
        self._rail.is_hurried = name in SLOW
        struck = 0
        for first in range(0, payments, AT_ONCE):
            struck += await self._pay_some(name, min(AT_ONCE, payments - first), source)
        self._rail.is_hurried = False
        await self._until_ended()
        made = [one for one in await self._payments() if one.id not in known]
        assert len(made) == payments
        await self._compare(name, made, struck, self.far.paid_minor() - before)
        return made

    async def _compare(
        self, name: str, made: list[Payment], struck: int, paid_there_minor: int
    ) -> None:
        assert {one.state for one in made} <= ENDED, "every payment ended"
        posted = [one for one in made if one.state is State.POSTED]
        ours = {one.reference: one.to_payee_minor for one in posted}
        assert len(ours) == len(posted)
        theirs = self._newly_filed()
        assert sum(theirs.values()) == paid_there_minor, "the file is what the books say"
        if name in LIES:
            assert len(ours.keys() ^ theirs.keys()) == struck, "every lie is in the file, no other"
        else:
            assert ours == theirs
            assert sum(ours.values()) == paid_there_minor
        assert (struck > 0) == (name not in {"none", "down"}), "the fault struck"
        proof = await self.bank.prove()
        assert proof.passed, [one for one in proof.invariants if not one.holds]
        row = await self.bank.pool.fetchrow("SELECT sum(held_minor) AS held FROM accounts")
        assert row["held"] == 0, "nothing is left held"

    async def _pay_some(self, name: str, count: int, source: random.Random) -> int:
        """How often the fault struck."""
        await self.far.ready()
        if name != "down":
            plan = faults.Plan(seed=source.randrange(10**6), faults=FAULTS[name])
            await self.far.network.put_plan(plan)
        paying = asyncio.gather(*(self._pay(source) for _ in range(count)))
        if name == "down":
            await asyncio.sleep(0.05 * source.random())
            await self.far.network.put_plan(faults.Plan(faults=FAULTS[name]))
        await self.far.passing(paying)
        struck = sum(self.far.network.dealt().struck)
        await self.far.break_with()
        return struck

    async def _pay(self, source: random.Random) -> None:
        customer, account, _ = source.choice(self._accounts[:56])
        self._orders += 1
        order = PaymentOrder(
            customer_id=customer,
            idempotency_key=f"order-{self._orders}",
            service=self._service,
            debtor=account,
            payee=source.choice(self._payees),
            amount_minor=source.randint(10, 20) * 1_000_00,
            debtor_name="PEMBAYAR UJI",
        )
        assert not isinstance(await flow.pay(self.bank.desk, order), Refused)

    async def _until_ended(self) -> None:
        """The resolver's rounds, each when the first payment is due; then all wanderers arrive."""
        for _ in range(ROUNDS_MAX):
            due = await self.bank.pool.fetchrow("SELECT min(resolve_at) AS due FROM payments")
            if due["due"] is None:
                break
            seconds = (due["due"] - self.far.clock.now()).total_seconds()
            await self.far.advance(max(seconds, 0) + 0.001)
            await self.far.ready()
            await self.far.passing(self.bank.resolver.round())
        await self.far.advance(3_600)
        await self.far.settle()
        await self.far.ready()

    async def _payments(self) -> list[Payment]:
        found = await every_payment(self.bank.pool, self.bank.book_id)
        return [payment for payment in found if payment.service == self._service]

    def _newly_filed(self) -> dict[str, int]:
        """What the network's settlement files show as paid and not given back, by reference."""
        day, last = TODAY.astimezone(JAKARTA).date(), self.far.clock.now().astimezone(JAKARTA)
        paid: dict[str, int] = {}
        while day <= last.date():
            for line in self.far.network.settlement_file(day).splitlines():
                parts = line.split("|")
                if parts[0] == "D":
                    sign = 1 if parts[2] == "PAY" else -1
                    minor = int(parts[6].replace(".", ""))
                    paid[parts[4]] = paid.get(parts[4], 0) + sign * minor
            day += timedelta(days=1)
        fresh = {name: sum_ for name, sum_ in paid.items() if sum_ and name not in self._filed}
        self._filed |= paid.keys()
        return fresh

    def _hear_notices(self, by_the_bank: bool) -> None:
        """BI-FAST's notices go to the bank, but where it lies: they would undo the lie."""
        if isinstance(self.far, BifastHarness):
            self.far.receiver = self.bank.bifast if by_the_bank else self._till


SLOW = {"late", "late_arrival", "crawl"}


@asynccontextmanager
async def far_of(name: str, keys: Keys, folder: Path) -> AsyncIterator[Far]:
    """The rail's harness; ``bifast`` speaks XML, which is the slower of its two forms."""
    runs = {
        "qris": lambda: running(keys, folder),
        "ewallet": lambda: partner_harness.running(keys, folder),
        "billers": lambda: partner_harness.running(keys, folder, "billers"),
        "bifast": lambda: bifast_harness.running(keys, folder, "xml"),
        "iso8583": lambda: cards(folder),
    }
    async with runs[name]() as far:
        yield far


SERVICES: dict[str, tuple[str, tuple[Payee, ...]]] = {
    "qris": (QRIS_OFFUS, (payee_of(MERCHANTS["V3"]), payee_of(MERCHANTS["V5"]))),
    "ewallet": (TOPUP["gopay"], (ToWallet("gopay", RINA), ToWallet("gopay", DODI))),
    "billers": (BILL["va"], (OPEN_BILL,)),
    "bifast": (
        TRANSFER_BIFAST,
        (ToBank(bank="998", account="9980000001"), ToBank(bank="014", account="0149990001")),
    ),
    "iso8583": (
        TRANSFER_CARDS,
        (ToBank(bank="998", account="5260000001"), ToBank(bank="014", account="5260000001")),
    ),
}


@pytest.fixture(params=list(SERVICES))
async def bank(
    request: pytest.FixtureRequest, dsn: str, keys: Keys, tmp_path: Path
) -> AsyncIterator[Street]:
    """A bank with the demo's people whose one rail goes over TCP to its simulated network."""
    async with far_of(request.param, keys, tmp_path) as far:
        await far.advance((TODAY - NOON).total_seconds())
        await far.ready()
        rail = TwoPatiences(far, await far.hurried())
        rails = {"onus": OnUs(), "emoney": OnUs("emoney"), far.rail.name: rail}
        ids = Ids(far.clock, random.Random(20250329))
        opened = await Bank.open(settings_of(far), dsn, rails=rails, clock=far.clock, ids=ids)
        await opened.fill_demo(seed=1)
        yield Street(far, opened, rail, *SERVICES[request.param])
        await opened.close()


def settings_of(far: Far) -> Settings:
    """The sections that decide how the book names this rail's payments."""
    if isinstance(far, BifastHarness):
        return msgspec.structs.replace(QUICK, bifast=far.settings(far.hub.address))
    if isinstance(far, CardsHarness):
        return msgspec.structs.replace(QUICK, iso8583=rail_settings(far.switch.port))
    return QUICK


async def test_every_fault_in_turn(bank: Street) -> None:
    """Twenty-five payments under each fault, one fault after the other, over one book."""
    for number, name in enumerate(FAULTS):
        made = await bank.rehearse(name, 25, seed=number)
        if name == "none":
            assert {one.state for one in made} == {State.POSTED}


@pytest.mark.drill
@pytest.mark.parametrize("name", FAULTS)
async def test_a_thousand_payments(bank: Street, name: str) -> None:
    """A thousand payments under one fault."""
    await bank.rehearse(name, 1_000, seed=1)
