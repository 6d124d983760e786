"""What may be spent per payment and per day of the Jakarta calendar, however it is asked for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from paper import PaperRail
from stories import ANA, BUDI, account_of, pay, proved, refused_by, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.core.service import QRIS_OFFUS, TRANSFER_ONUS
from tangguh.customers.seed import demo
from tangguh.ledger import chart
from tangguh.ledger.command import Post
from tangguh.payments import flow
from tangguh.payments.payment import Decided, State
from tangguh.payments.rules import QRIS_TRANSACTION_MAX_MINOR
from tangguh.payments.store import used_today


@pytest.fixture
async def rich(bank: Bank) -> None:
    """Ana and Budi have far more than any limit."""
    assert demo(1)
    for customer in (ANA, BUDI):
        account = await account_of(bank, customer)
        entries = ((chart.VAULT, -(10**12)), (account, 10**12))
        await bank.writer.decide(Post(bank.ids.next(), "opening", entries))


@pytest.mark.usefixtures("rich")
async def test_per_payment(bank: Bank) -> None:
    """At the ceiling it goes, one sen above it does not; a tip counts."""
    ceiling = QRIS_TRANSACTION_MAX_MINOR
    assert await refused_by(bank, await scan(bank, ceiling, key="a")) is None
    above = await refused_by(bank, await scan(bank, ceiling + 1, key="b"))
    assert above is Refusal.LIMIT_PER_TRANSACTION
    with_tip = await refused_by(bank, await scan(bank, ceiling, tip_minor=1, key="c"))
    assert with_tip is Refusal.LIMIT_PER_TRANSACTION


@pytest.mark.usefixtures("rich")
async def test_per_day_in_parallel(bank: Bank) -> None:
    """Forty payments of a tenth of the day's limit at once: ten go, thirty are refused."""
    tenth = bank.rules.limits[QRIS_OFFUS].day_max_minor // 10
    orders = [await scan(bank, tenth, key=f"k-{number}") for number in range(40)]
    payments = await asyncio.gather(*(pay(bank, order) for order in orders))
    refusals = [payment.refusal for payment in payments]
    assert refusals.count(None) == 10
    assert refusals.count(Refusal.LIMIT_PER_DAY) == 30
    await proved(bank)


@pytest.mark.usefixtures("rich")
async def test_each_service_and_each_account_has_its_own(bank: Bank) -> None:
    """What was spent by QRIS, or by somebody else, leaves the transfers' limit alone."""
    day = bank.rules.limits[QRIS_OFFUS].day_max_minor
    for number in range(2):
        await pay(bank, await scan(bank, day // 2, key=f"k-{number}"))
    assert await refused_by(bank, await scan(bank, 1, key="over")) is Refusal.LIMIT_PER_DAY
    assert await refused_by(bank, await scan(bank, 1, key="budi", by=BUDI)) is None
    assert await refused_by(bank, await transfer(bank, 1, key="t")) is None


@pytest.mark.usefixtures("rich")
async def test_a_new_day_begins_at_midnight_in_jakarta(bank: Bank, clock: HandClock) -> None:
    """The limit is whole again at 17.00 UTC, not a second before."""
    half = bank.rules.limits[QRIS_OFFUS].day_max_minor // 2
    for number in range(2):
        await pay(bank, await scan(bank, half, key=f"k-{number}"))
    before_midnight = datetime(2026, 3, 20, 16, 59, 59, tzinfo=UTC)
    clock.advance((before_midnight - clock.now()).total_seconds())
    assert await refused_by(bank, await scan(bank, half, key="a")) is Refusal.LIMIT_PER_DAY
    clock.advance(1)
    paid = await pay(bank, await scan(bank, half, key="b"))
    assert (paid.refusal, str(paid.business_date)) == (None, "2026-03-21")
    await proved(bank)


@pytest.mark.usefixtures("rich")
async def test_given_back_when_voided(bank: Bank, paper: PaperRail) -> None:
    """What was not paid was not spent."""
    half = bank.rules.limits[QRIS_OFFUS].day_max_minor // 2
    paper.will("send", Declined(Refusal.PARTNER_DECLINED), Accepted("R"))
    for number in range(3):
        await pay(bank, await scan(bank, half, key=f"k-{number}"))
    today = clock_date(bank)
    used = await used_today(bank.pool, 1, await account_of(bank, ANA), QRIS_OFFUS, today)
    assert used == half * 2
    assert await refused_by(bank, await scan(bank, 1, key="over")) is Refusal.LIMIT_PER_DAY


@pytest.mark.usefixtures("rich")
async def test_given_back_to_the_day_it_was_taken_from(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """A payment of yesterday that is voided today gives yesterday's limit back, not today's."""
    half = bank.rules.limits[QRIS_OFFUS].day_max_minor // 2
    paper.will("send", Unanswered("timeout"), Accepted("R"))
    yesterday = clock_date(bank)
    await pay(bank, await scan(bank, half, key="old"))
    clock.advance(13 * 3600)
    await pay(bank, await scan(bank, half, key="new"))
    paper.will("inquire", Declined(Refusal.PARTNER_DECLINED))
    await bank.resolver.round()
    account = await account_of(bank, ANA)
    assert await used_today(bank.pool, 1, account, QRIS_OFFUS, yesterday) == 0
    assert await used_today(bank.pool, 1, account, QRIS_OFFUS, clock_date(bank)) == half


@pytest.mark.usefixtures("rich")
async def test_a_refused_payment_uses_nothing(bank: Bank) -> None:
    """Only held and posted money counts against the day."""
    await pay(bank, await transfer(bank, 10**14, key="too-much"))
    used = await used_today(
        bank.pool, 1, await account_of(bank, ANA), TRANSFER_ONUS, clock_date(bank)
    )
    assert used == 0


@pytest.mark.usefixtures("rich")
async def test_the_limit_answers_before_the_balance_does(bank: Bank) -> None:
    """Refusals come in the order of precedence: the limit is the one given."""
    answer = await flow.pay(bank.desk, await scan(bank, 10**13))
    assert isinstance(answer, Decided)
    assert answer.payment.state is State.REFUSED
    assert answer.payment.refusal is Refusal.LIMIT_PER_TRANSACTION


def clock_date(bank: Bank) -> object:
    """The bank's business date now."""
    from tangguh.core.clock import business_date

    return business_date(bank.clock.now())
