"""The walk is cut off at every await, before and after what it awaits; the bank starts anew.

Whatever was cut: the resolver brings the payment to the end the network knows, money that is held
has a resolver, asking again with the same key gives the same payment, and the proof holds.
"""

from __future__ import annotations

import ast
import inspect
import random
from typing import Any

import pytest

from conftest import QUICK
from interrupts.network import Network
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.order import PaymentOrder, RefundOrder, ToQris
from tangguh.core.outcome import Refused
from tangguh.core.service import QRIS_OFFUS
from tangguh.customers.store import accounts_of
from tangguh.payments import flow
from tangguh.payments import store as payments
from tangguh.payments.payment import State

MANNERS = ("accepts", "declines", "paid_silently", "lost_silently", "not_sent")
PAY_AWAITS = 3
REFUND_AWAITS = 4


class Cut(BaseException):
    """The process died here."""


class Cutter:
    """Lets so many awaits pass and dies at the next, before or after it is done."""

    def __init__(self, at: int, side: str) -> None:
        self.at, self.side, self.seen = at, side, 0
        self.struck = False

    async def run(self, awaited: Any) -> Any:
        here = self.seen == self.at
        self.seen += 1
        if here and self.side == "before":
            awaited.close() if inspect.iscoroutine(awaited) else awaited.cancel()
            self.struck = True
            raise Cut
        result = await awaited
        if here:
            self.struck = True
            raise Cut
        return result


class CutDesk:
    """The desk with every await of the walk under the cutter."""

    def __init__(self, desk: Any, cutter: Cutter) -> None:
        self._desk, self._cutter = desk, cutter
        self.rules, self.clock = desk.rules, desk.clock

    async def decide(self, command: Any) -> Any:
        return await self._cutter.run(self._desk.decide(command))

    def authorise(self, payment: Any) -> Any:
        return self._desk.authorise(payment)

    def rail_of(self, payment: Any) -> Any:
        return CutRail(self._desk.rail_of(payment), self._cutter)


class CutRail:
    def __init__(self, rail: Any, cutter: Cutter) -> None:
        self._rail, self._cutter = rail, cutter

    async def send(self, instruction: Any) -> Any:
        return await self._cutter.run(self._rail.send(instruction))

    async def refund(self, refunding: Any) -> Any:
        return await self._cutter.run(self._rail.refund(refunding))


async def open_bank(dsn: str, network: Network, clock: HandClock, seed: int) -> Bank:
    bank = await Bank.open(
        QUICK,
        dsn,
        rails={"onus": network, "qris": network},
        clock=clock,
        ids=Ids(clock, random.Random(seed)),
    )
    await bank.fill_demo(seed=1)
    return bank


def qris(customer_id: int, account: int, key: str) -> PaymentOrder:
    merchant = ToQris(
        payload="(scanned)", merchant_pan="936009143280099914", merchant_id="G280099914",
        nmid="ID1099999000014", acquirer="93600914", merchant_name="KOPI CONTOH",
        merchant_city="JEPARA", category_code="5499",
    )  # fmt: skip
    return PaymentOrder(
        customer_id=customer_id, idempotency_key=key, service=QRIS_OFFUS, debtor=account,
        payee=merchant, amount_minor=25_000_00,
    )  # fmt: skip


async def settle(bank: Bank, clock: HandClock) -> None:
    """Let time pass until the resolver has nothing left to do."""
    for _ in range(10):
        clock.advance(400)
        await bank.resolver.round()


def test_every_await_of_the_walk_is_cut_below() -> None:
    """Counts the awaits in flow.py, so that a new one cannot go untested."""
    tree = ast.parse(inspect.getsource(flow))
    functions = {
        node.name: sum(isinstance(inner, ast.Await) for inner in ast.walk(node))
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef)
    }
    # Awaiting dispatch is awaiting what dispatch awaits.
    assert functions["pay"] - 1 + functions["dispatch"] == PAY_AWAITS
    assert functions["refund"] - 1 + functions["dispatch_refund"] == REFUND_AWAITS
    assert set(functions) == {"pay", "refund", "dispatch", "dispatch_refund"}


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("at", range(PAY_AWAITS))
async def test_a_payment_cut_anywhere_ends_as_the_network_knows(
    dsn: str, clock: HandClock, at: int, side: str
) -> None:
    """For every manner of the network."""
    for number, manner in enumerate(MANNERS):
        network = Network(manner)
        bank = await open_bank(dsn, network, clock, seed=number * 2)
        account = (await accounts_of(bank.pool, 1, 1))[0].account_id
        order = qris(1, account, f"{manner}-{at}-{side}")
        cutter = Cutter(at, side)
        with pytest.raises(Cut):
            await flow.pay(CutDesk(bank.desk, cutter), order)  # type: ignore[arg-type]
        assert cutter.struck
        await bank.close()

        again = await open_bank(dsn, network, clock, seed=number * 2 + 1)
        assert (await again.prove()).passed, "held money must have its resolver"
        repeat = await flow.pay(again.desk, order)
        assert not isinstance(repeat, Refused)
        await settle(again, clock)
        payment = await payments.find(again.pool, 1, repeat.payment.id)
        assert payment is not None
        paid = payment.reference in network.paid
        assert payment.state is (State.POSTED if paid else State.VOIDED)
        assert sum(network.paid.values()) == (25_000_00 if paid else 0), "paid once or never"
        assert len(await payments.of_customer(again.pool, 1, 1)) == number + 1
        assert (await again.prove()).passed
        await again.close()


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("at", range(REFUND_AWAITS))
async def test_a_refund_cut_anywhere_ends_as_the_network_knows(
    dsn: str, clock: HandClock, at: int, side: str
) -> None:
    """The customer gets the money exactly when the network gave it, and never twice."""
    for number, manner in enumerate(MANNERS):
        network = Network("accepts")
        bank = await open_bank(dsn, network, clock, seed=number * 2)
        account = (await accounts_of(bank.pool, 1, 1))[0].account_id
        paid = await flow.pay(bank.desk, qris(1, account, f"pay-{manner}"))
        assert not isinstance(paid, Refused)
        assert paid.payment.state is State.POSTED
        network.manner = manner
        order = RefundOrder(
            requested_by=0, idempotency_key=f"back-{manner}", payment_id=paid.payment.id,
            amount_minor=10_000_00,
        )  # fmt: skip
        with pytest.raises(Cut):
            await flow.refund(CutDesk(bank.desk, Cutter(at, side)), order)  # type: ignore[arg-type]
        await bank.close()

        again = await open_bank(dsn, network, clock, seed=number * 2 + 1)
        assert (await again.prove()).passed
        repeat = await flow.refund(again.desk, order)
        assert not isinstance(repeat, Refused)
        # A refund that may have been sent ends only when the network can be told of it again.
        network.manner = "accepts"
        await settle(again, clock)
        original = await payments.find(again.pool, 1, paid.payment.id)
        assert original is not None
        assert original.refunding_minor == 0
        assert original.refunded_minor == sum(network.refunded.values())
        assert original.refunded_minor in (0, 10_000_00)
        assert (await again.prove()).passed
        await again.close()
