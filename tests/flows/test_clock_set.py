"""The wall clock is set an hour ahead and back while people pay: times, dates and promises hold."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import RUPIAH, pay, scan
from tangguh.app import Bank
from tangguh.core.clock import business_date
from tangguh.core.ids import Ids
from tangguh.core.outcome import Unanswered
from unit.core.test_clock import EVENING, Machine


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def bank(dsn: str, machine: Machine, paper: PaperRail) -> AsyncIterator[Bank]:
    clock = machine.clock
    opened = await Bank.open(
        QUICK, dsn, rails=paper_rails(paper), clock=clock, ids=Ids(clock, random.Random(1))
    )
    await opened.fill_demo(seed=1)
    yield opened
    await opened.close()


async def test_payments_after_the_clock_was_put_right_have_the_right_time_and_day(
    bank: Bank, machine: Machine
) -> None:
    machine.set(3600)
    machine.wait(5)
    during = await pay(bank, await scan(bank, RUPIAH, key="during"))
    machine.set(-3600)
    accepted = []
    for number in range(3):
        at = machine.wait(5)
        payment = await pay(bank, await scan(bank, RUPIAH, key=f"after-{number}"))
        assert payment.accepted_at == at
        accepted.append(payment.accepted_at)
    assert during.accepted_at == EVENING + timedelta(seconds=5)
    assert len(set(accepted)) == 3
    assert {business_date(at) for at in accepted} == {business_date(EVENING)}


@pytest.mark.parametrize("jump", [3600, -3600])
async def test_an_unanswered_payment_is_asked_about_when_it_was_promised(
    bank: Bank, machine: Machine, paper: PaperRail, jump: float
) -> None:
    """Three seconds after it was sent, not an hour and three seconds."""
    paper.will("send", Unanswered("timeout"))
    machine.set(jump)
    await pay(bank, await scan(bank, RUPIAH, key="k"))
    machine.set(-jump)
    machine.wait(4)
    await bank.resolver.round()
    assert [kind for kind, _ in paper.asked][:2] == ["send", "inquire"]
