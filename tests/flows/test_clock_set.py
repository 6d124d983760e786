"""The wall clock is set an hour ahead and back while people pay: times, dates and promises hold."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from sql_blocks import BLOCKS
from stories import ANA, RUPIAH, pay, scan
from tangguh.access.attempts import Asker, new_attempt
from tangguh.access.people import Role, Staff
from tangguh.access.session import Kind
from tangguh.app import Bank
from tangguh.core.clock import business_date
from tangguh.core.ids import Ids
from tangguh.core.outcome import Unanswered
from tangguh.customers.store import accounts_of
from tangguh.ledger.command import PlaceHold
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


DAY = 24 * 3600.0


async def test_a_day_ahead_ends_no_hold_no_session_and_no_code_before_its_time(
    bank: Bank, machine: Machine
) -> None:
    """And a day back lengthens none: each ends when its seconds have passed."""
    account = (await accounts_of(bank.pool, bank.book_id, ANA))[0]
    hold_id = bank.ids.next()
    await bank.writer.decide(
        PlaceHold(hold_id, account.account_id, 5_000, machine.clock.now() + timedelta(hours=1))
    )
    browser = await bank.sessions.open(ANA, Kind.BROWSER)
    attempt = new_attempt()
    code = await bank.door.attempts.make_code(
        ANA, attempt, Asker("a host"), bank.door.devices.settings
    )
    day = business_date(machine.clock.now())
    for jump in (DAY, -2 * DAY):
        machine.set(jump)
        machine.wait(5)
        await bank.resolver.round()
        assert await bank.sessions.find(browser.token) is not None
        payment = await pay(bank, await scan(bank, RUPIAH, key=f"after {jump}"))
        assert payment.business_date == day
        assert await held(bank) == 5_000
    assert isinstance(code, str)
    settings = bank.door.devices.settings
    assert await bank.door.attempts.take_code(ANA, attempt, code, settings)
    machine.wait(15 * 60)
    assert await bank.sessions.find(browser.token) is None
    machine.wait(3600)
    await bank.resolver.round()
    assert await held(bank) == 0


async def test_a_member_of_staff_stays_in_and_goes_out_by_seconds_that_passed(
    bank: Bank, machine: Machine
) -> None:
    """No jump ends a session in the middle of an incident, and none keeps one open."""
    await bank.staff.add(Staff(id="staff:17", hr_id="H17", roles=frozenset({Role.RAIL_OWNER})))
    device = await bank.staff.devices.issue_first("staff:17")
    assert isinstance(device, str)
    secret = await bank.staff.open_session(await bank.staff.add_token("staff:17"), device)
    for jump in (DAY, -2 * DAY):
        machine.set(jump)
        machine.wait(5)
        assert await bank.staff.find_by_session(secret) is not None
    machine.wait(DAY)
    assert await bank.staff.find_by_session(secret) is None


async def held(bank: Bank) -> int:
    return (await accounts_of(bank.pool, bank.book_id, ANA))[0].held_minor


def test_no_statement_asks_the_databases_clock() -> None:
    """It is set apart from ours: one that compared the two would end things early."""
    asking = re.compile(
        r"\bnow\(\)|\b\w+_timestamp\(\)|\bcurrent_(date|time|timestamp)\b", re.IGNORECASE
    )
    found = {name for _, name, _, sql in BLOCKS if asking.search(sql)}
    assert found == {"database_clock"}, "only the watch over the clocks, which compares them"
