"""More comes than can be done: who waits too long is told so before anything is begun for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from serving import Phone, phones
from stories import BUDI, RUPIAH, balance, count_of, give_back, pay, proved, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import Ambiguous, Overloaded, StoreUnavailable
from tangguh.payments import flow
from tangguh.payments.payment import Decided


class Gate:
    """The book's disk: nothing is written while it is shut."""

    def __init__(self, bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self.open.set()
        commit = bank.writer._lines.commit

        async def wait(batch: Any) -> None:
            await self.open.wait()
            await commit(batch)

        monkeypatch.setattr(bank.writer._lines, "commit", wait)
        one = msgspec.structs.replace(bank.writer.settings, batch_commands_max=1)
        monkeypatch.setattr(bank.writer, "settings", one)


@pytest.fixture
def disk(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(bank, monkeypatch)


@pytest.fixture
async def phone(bank: Bank, clock: HandClock) -> AsyncIterator[Phone]:
    async with phones(bank, clock) as make:
        yield await make(1)


async def started(bank: Bank, count: int, prefix: str = "k") -> list[asyncio.Task[Any]]:
    """So many transfers of one rupiah handed in: one is flying, one decided, the others wait."""
    orders = [await transfer(bank, RUPIAH, key=f"{prefix}-{number}") for number in range(count)]
    tasks = [asyncio.create_task(flow.pay(bank.desk, order)) for order in orders]
    async with asyncio.timeout(5):
        while not bank.writer._open:
            await asyncio.sleep(0)
    return tasks


async def test_an_order_that_waited_too_long_is_not_begun(
    bank: Bank, disk: Gate, clock: HandClock
) -> None:
    """Its customer was told long ago to ask again; asked again, it is paid once."""
    disk.open.clear()
    early = await started(bank, 6)
    clock.advance(bank.writer.settings.new_money_seconds_max + 1)
    late = await started(bank, 2, "late")
    disk.open.set()
    answers = await asyncio.gather(*early, *late, return_exceptions=True)
    begun = [one for one in answers[:6] if isinstance(one, Decided)]
    lapsed = [one for one in answers[:6] if isinstance(one, Overloaded)]
    assert (len(begun), len(lapsed)) == (2, 4), "one was flying, one decided, four only waited"
    assert all(isinstance(one, Decided) for one in answers[6:]), "who came later is served"
    assert (bank.writer.queued, bank.writer.shed) == (0, 4)
    assert await count_of(bank, "payments") == 4
    again = [
        await pay(bank, await transfer(bank, RUPIAH, key=f"k-{number}")) for number in range(6)
    ]
    assert len({one.id for one in again}) == 6
    assert await count_of(bank, "payments") == 8
    await proved(bank)


async def test_money_on_its_way_back_and_words_of_networks_never_lapse(
    bank: Bank, disk: Gate, clock: HandClock
) -> None:
    """Only new money can be refused for want of time."""
    paid = await pay(bank, await transfer(bank, 10 * RUPIAH, key="paid"))
    disk.open.clear()
    waiting = await started(bank, 3)
    order = give_back(paid, RUPIAH, by=BUDI)
    refunds = asyncio.create_task(flow.refund(bank.desk, order))
    for _ in range(20):
        await asyncio.sleep(0)
    clock.advance(3600)
    disk.open.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(await refunds, Decided)
    assert isinstance(waiting[2].exception(), Overloaded)


async def test_new_orders_are_turned_away_while_others_wait(
    phone: Phone, bank: Bank, disk: Gate, clock: HandClock
) -> None:
    """At once, each with another time to come back; what can be paid again is paid again."""
    friend = str((await transfer(bank, RUPIAH)).payee.account_id)  # type: ignore[union-attr]
    disk.open.clear()
    waiting = await started(bank, 12)
    clock.advance(bank.door.settings.queued_seconds_max + 0.5)
    answers = [await phone.pay(phone.transfer(friend), key=f"new-{number}") for number in range(40)]
    assert {(one.status, one.code, one.body["money"]) for one in answers} == {
        (503, "overloaded", "not_moved")
    }
    told = [int(one.headers["Retry-After"]) for one in answers]
    assert len(set(told)) > 3, "not all in the same second"
    disk.open.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await phone.pay(phone.transfer(friend), key="new-0")).status == 201, "it is over"


async def test_an_order_paid_before_is_not_said_to_be_unpaid(
    phone: Phone, bank: Bank, disk: Gate, clock: HandClock
) -> None:
    """The answer was lost; asked again in the crowd it is the payment, not "not moved"."""
    order = await transfer(bank, RUPIAH)
    friend = str(order.payee.account_id)  # type: ignore[union-attr]
    first = await phone.pay(phone.transfer(friend), key="lost answer")
    disk.open.clear()
    waiting = await started(bank, 12)
    clock.advance(bank.door.settings.queued_seconds_max + 0.5)
    again = await phone.pay(phone.transfer(friend), key="lost answer")
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    other = await phone.pay(phone.transfer(friend, "7.00"), key="lost answer")
    assert other.code == "idempotency_key_reused"
    disk.open.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await balance(bank, int(friend))).posted_minor > 0


async def test_an_order_that_is_being_decided_is_not_said_to_be_unpaid(
    phone: Phone, bank: Bank, disk: Gate, clock: HandClock
) -> None:
    """Asked twice at once, the second in the crowd: nobody knows yet."""
    order = await transfer(bank, RUPIAH)
    friend = str(order.payee.account_id)  # type: ignore[union-attr]
    disk.open.clear()
    first = asyncio.create_task(phone.pay(phone.transfer(friend), key="twice"))
    async with asyncio.timeout(5):
        while not bank.writer._flying:
            await asyncio.sleep(0)
    waiting = await started(bank, 12)
    clock.advance(bank.door.settings.queued_seconds_max + 0.5)
    second = await phone.pay(phone.transfer(friend), key="twice")
    assert (second.status, second.code, second.body["money"]) == (503, "ambiguous", "unknown")
    disk.open.set()
    assert (await first).status == 201
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_an_order_nobody_can_look_up_is_not_said_to_be_unpaid(
    phone: Phone, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book is away; whether this key paid before, nobody can tell."""
    order = await transfer(bank, RUPIAH)
    friend = str(order.payee.account_id)  # type: ignore[union-attr]
    assert (await phone.pay(phone.transfer(friend), key="before")).status == 201

    async def away(*_: Any) -> Any:
        raise StoreUnavailable

    monkeypatch.setattr(bank.writer, "decide", away)
    monkeypatch.setattr("tangguh.payments.store.find_by_key", away)
    again = await phone.pay(phone.transfer(friend), key="before")
    assert (again.status, again.code, again.body["money"]) == (503, "ambiguous", "unknown")


def test_what_is_unknown_is_no_kind_of_full() -> None:
    """Nobody who turns people away may take an unknown end for "nothing happened"."""
    assert not issubclass(Ambiguous, Overloaded)
