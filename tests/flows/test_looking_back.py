"""What an account looked like: history with running balance, and the balance at an instant."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from paper import PaperRail
from stories import ANA, RUPIAH, account_of, balance, give_back, pay, refund, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Unanswered
from tangguh.ledger import statement
from tangguh.payments import store as payments


async def test_every_line_follows_from_the_one_before(bank: Bank, clock: HandClock) -> None:
    """Newest first, numbered without gaps, each balance the one before plus the amount."""
    for number in range(7):
        clock.advance(60)
        await pay(bank, await transfer(bank, (number + 1) * RUPIAH, key=f"t-{number}"))
    account = await account_of(bank, ANA)
    lines = await statement.history(bank.pool, 1, account)
    assert [line.seq for line in lines] == list(range(8, 0, -1))
    for newer, older in pairwise(lines):
        assert newer.balance_minor == older.balance_minor + newer.amount_minor
    assert lines[0].balance_minor == (await balance(bank, account)).posted_minor
    assert lines[-1].kind == "opening"


async def test_page_by_page(bank: Bank) -> None:
    """Pages by cursor are the whole, without a line twice or missing."""
    for number in range(7):
        await pay(bank, await transfer(bank, RUPIAH, key=f"t-{number}"))
    account = await account_of(bank, ANA)
    seen: list[int] = []
    before = statement.NEWEST
    while page := await statement.history(bank.pool, 1, account, before, 3):
        seen += [line.seq for line in page]
        before = page[-1].seq
    assert seen == list(range(8, 0, -1))


async def test_held_money_is_not_history(bank: Bank, paper: PaperRail) -> None:
    """A hold is shown among the holds and becomes a line only when it is posted."""
    paper.will("send", Unanswered("timeout"))
    await pay(bank, await scan(bank, 5_000 * RUPIAH))
    account = await account_of(bank, ANA)
    assert len(await statement.history(bank.pool, 1, account)) == 1
    holds = await statement.open_holds(bank.pool, 1, account)
    assert [hold.amount_minor for hold in holds] == [5_000 * RUPIAH]


async def test_the_balance_at_an_instant(bank: Bank, clock: HandClock) -> None:
    """Just before, at, and after each payment, and before there was anything."""
    account = await account_of(bank, ANA)
    opened = (await balance(bank, account)).posted_minor
    began = clock.now()
    for number in range(3):
        clock.advance(3600)
        await pay(bank, await transfer(bank, 1_000 * RUPIAH, key=f"t-{number}"))
    for number in range(3):
        paid_at = began + timedelta(hours=number + 1)
        before = paid_at - timedelta(microseconds=1)
        assert await statement.balance_at(bank.pool, 1, account, before) == (
            opened - number * 1_000 * RUPIAH
        )
        assert await statement.balance_at(bank.pool, 1, account, paid_at) == (
            opened - (number + 1) * 1_000 * RUPIAH
        )
    assert await statement.balance_at(bank.pool, 1, account, began - timedelta(days=1)) == 0


async def test_payments_newest_first_with_their_refunds(bank: Bank) -> None:
    """A customer's list pages by cursor; a payment's refunds are listed with it."""
    made = [await pay(bank, await transfer(bank, RUPIAH, key=f"t-{n}")) for n in range(5)]
    first = await payments.of_customer(bank.pool, 1, ANA, count_max=3)
    rest = await payments.of_customer(bank.pool, 1, ANA, first[-1].id, 3)
    assert [one.id for one in (*first, *rest)] == [one.id for one in reversed(made)]
    given = [await refund(bank, give_back(made[0], 10, key=f"r-{n}")) for n in range(2)]
    found = await payments.refunds(bank.pool, 1, made[0].id)
    assert [one.id for one in found] == [one.id for one in given]


async def test_what_is_still_open(bank: Bank, paper: PaperRail) -> None:
    """The list of payments without an end has exactly those."""
    paper.will("send", Unanswered("timeout"))
    waiting = await pay(bank, await scan(bank, RUPIAH))
    await pay(bank, await transfer(bank, RUPIAH))
    found = await payments.open_of_customer(bank.pool, 1, ANA)
    assert [one.id for one in found] == [waiting.id]
