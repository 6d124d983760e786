"""Bugs that other ledgers and switches had, each as a story here.

Not here, because others have them or because the bank has not what they were bugs of:
- a refund and a chargeback of one payment together: there are no disputes yet (S18);
- settlement run twice: tests/flows/test_settlement_cycle.py and the drill settlement-twice have it;
- a stale owner of a recovery: one resolver per book runs inside its writer's process, and the
  fence stops both together (tests/store/test_writer_failures.py);
- interest posted twice on a day: there is no interest yet;
- an upgrade with data in place: there has been no release to upgrade from.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from owner import owners_line
from paper import PaperRail
from stories import (
    BUDI,
    account_of,
    balance,
    give_back,
    is_refused,
    now_is,
    pay,
    proved,
    refund,
    refused_by,
    scan,
    told,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.ids import Ids
from tangguh.core.order import ToAccount
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused, Unanswered
from tangguh.db.pool import COMMAND_TIMEOUT_SECONDS, Pool
from tangguh.ledger import chart, statement
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import (
    ExpireHold,
    OpenAccount,
    PlaceHold,
    Post,
    PostHold,
    Reverse,
    VoidHold,
)
from tangguh.ledger.hold import HoldState
from tangguh.ledger.posting import Posting
from tangguh.ledger.writer import Writer
from tangguh.payments import flow
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.proof import prove


def uuid(number: int) -> UUID:
    return UUID(int=number)


@pytest.fixture
async def purse(bank: Bank) -> int:
    """An account with exactly 1,000.00 on it."""
    await bank.writer.decide(OpenAccount(10_000_000_001, Kind.CUSTOMER, 999))
    entries = ((chart.VAULT, -1_000_00), (10_000_000_001, 1_000_00))
    await bank.writer.decide(Post(uuid(1), "opening", entries))
    return 10_000_000_001


async def test_commits_in_parallel_take_the_hold_once(bank: Bank, purse: int) -> None:
    """Midaz 1519: a hundred commits of one hold at the same time post it once."""
    await bank.writer.decide(PlaceHold(uuid(2), purse, 400_00))
    credit = ((chart.SETTLEMENT_QRIS, 400_00),)
    answers = await asyncio.gather(
        *(
            bank.writer.decide(PostHold(uuid(2), uuid(100 + number), "payment", credit))
            for number in range(100)
        )
    )
    assert sum(isinstance(answer, Posting) for answer in answers) == 1
    refusals = {answer.code for answer in answers if isinstance(answer, Refused)}
    assert refusals == {Refusal.HOLD_ALREADY_POSTED}
    assert (await balance(bank, purse)).posted_minor == 600_00


async def test_parallel_refunds_do_not_exceed_what_was_captured(bank: Bank) -> None:
    """Hyperswitch 13182: two refunds of 60 % cannot both pass a check made before either."""
    payment = await pay(bank, await transfer(bank, 1_000_00))
    answers = await asyncio.gather(
        *(flow.refund(bank.desk, give_back(payment, 600_00, key=f"r-{n}")) for n in range(2))
    )
    assert sum(isinstance(answer, Decided) for answer in answers) == 1
    assert (await now_is(bank, payment)).refunded_minor == 600_00


async def test_credits_to_one_account_in_parallel_all_arrive(bank: Bank) -> None:
    """Blnk 238: the credit side is raced too; three hundred credits are all in the balance."""
    payee = await account_of(bank, BUDI)
    before = (await balance(bank, payee)).posted_minor
    orders = [
        await transfer(bank, 7, key=f"k-{number}", by=1 if number % 2 else 3)
        for number in range(300)
    ]
    await asyncio.gather(*(flow.pay(bank.desk, order) for order in orders))
    assert (await balance(bank, payee)).posted_minor == before + 300 * 7
    await proved(bank)


async def test_what_is_held_is_not_available(bank: Bank, purse: int) -> None:
    """Blnk 181: money on hold cannot be spent a second time, nor held twice."""
    await bank.writer.decide(PlaceHold(uuid(2), purse, 700_00))
    spend = Post(uuid(3), "payment", ((purse, -300_01), (chart.VAULT, 300_01)))
    again = PlaceHold(uuid(4), purse, 300_01)
    for command in (spend, again):
        answer = await bank.writer.decide(command)  # type: ignore[var-annotated]
        assert is_refused(answer, Refusal.INSUFFICIENT_FUNDS)
    assert (await balance(bank, purse)).available_minor == 300_00


async def test_a_commit_after_a_reject_is_refused(bank: Bank, purse: int) -> None:
    """Blnk 182: a hold that was given back cannot be posted any more."""
    await bank.writer.decide(PlaceHold(uuid(2), purse, 400_00))
    await bank.writer.decide(VoidHold(uuid(2)))
    late = PostHold(uuid(2), uuid(5), "payment", ((chart.VAULT, 400_00),))
    assert is_refused(await bank.writer.decide(late), Refusal.HOLD_ALREADY_VOIDED)  # type: ignore[arg-type]
    assert (await balance(bank, purse)).posted_minor == 1_000_00


async def test_a_void_twice_gives_back_once(bank: Bank, purse: int) -> None:
    """Blnk 41: the second void is refused, and the held sum does not go below zero."""
    await bank.writer.decide(PlaceHold(uuid(2), purse, 400_00))
    await bank.writer.decide(PlaceHold(uuid(3), purse, 100_00))
    answers = await bank.writer.submit([VoidHold(uuid(2)), VoidHold(uuid(2))])
    assert is_refused(answers[1], Refusal.HOLD_ALREADY_VOIDED)
    assert (await balance(bank, purse)).held_minor == 100_00


async def test_paid_word_after_the_void_moves_nothing(bank: Bank, paper: PaperRail) -> None:
    """Blnk 42: the network's late "paid" finds the payment voided: noted, not posted."""
    paper.will("send", Declined(Refusal.PARTNER_DECLINED))
    payment = await pay(bank, await scan(bank, 1_000_00))
    before = await balance(bank, payment.debtor)
    await bank.desk.decide(Conclude(payment.id, Accepted("late"), bank.rules))
    assert (await now_is(bank, payment)).state is State.VOIDED
    assert await balance(bank, payment.debtor) == before
    assert (await told(bank, payment))[-1] == "contradicted"
    await proved(bank)


@pytest.mark.parametrize("change", ["amount", "account", "after a failure"])
async def test_the_same_key_with_other_content(bank: Bank, change: str) -> None:
    """FINERACT-2485: a reused key is never taken for the first order, nor carried out anew."""
    amount = 1_000_00 if change != "after a failure" else 10**13
    order = await transfer(bank, amount)
    first = await pay(bank, order)
    theirs = ToAccount(await account_of(bank, 5))
    more: dict[str, Any] = {"payee": theirs} if change == "account" else {"amount_minor": 2_000_00}
    answer = await flow.pay(bank.desk, msgspec.structs.replace(order, **more))
    assert is_refused(answer, Refusal.IDEMPOTENCY_KEY_REUSED)
    assert await now_is(bank, first) == first


async def test_the_same_key_twice_inside_one_batch(bank: Bank) -> None:
    """formance stack 1633: two orders of one key that meet in one batch are one payment."""
    order = await transfer(bank, 1_000_00)
    before = await balance(bank, order.debtor)
    accept = Accept(order, bank.rules)
    batches = bank.writer.batches
    answers = await bank.writer.submit([accept, accept])
    assert bank.writer.batches == batches + 1
    assert answers[0].payment == answers[1].payment
    assert [answer.repeated for answer in answers] == [False, True]
    assert (await balance(bank, order.debtor)).posted_minor == before.posted_minor - 1_000_00
    await proved(bank)


async def test_nobody_is_told_it_is_final_while_it_is_not(bank: Bank, paper: PaperRail) -> None:
    """Mojaloop 4275: at each moment the answer shows the state the book has, and no better."""
    paper.will("send", Unanswered("timeout"))
    shown: list[Any] = []
    bank.desk.watch(shown.append)
    payment = await pay(bank, await scan(bank, 1_000_00))
    assert [one.state for one in shown] == [State.HELD, State.UNANSWERED]
    assert payment.concluded_at is None
    again = await flow.pay(bank.desk, await scan(bank, 1_000_00))
    assert isinstance(again, Decided)
    assert again.payment.is_open


async def test_a_time_out_releases_the_hold_once(bank: Bank, purse: int, clock: HandClock) -> None:
    """Mojaloop 868: expiry and void at the same moment free the money once."""
    due = PlaceHold(uuid(2), purse, 400_00, clock.now())
    await bank.writer.decide(due)
    await bank.writer.decide(PlaceHold(uuid(3), purse, 50_00))
    clock.advance(1)
    answers = await bank.writer.submit(
        [ExpireHold(uuid(2)), ExpireHold(uuid(2)), VoidHold(uuid(2))]
    )
    assert answers[0].state is HoldState.EXPIRED
    assert all(is_refused(one, Refusal.HOLD_ALREADY_EXPIRED) for one in answers[1:])
    assert (await balance(bank, purse)).held_minor == 50_00


async def test_a_payment_of_nothing(bank: Bank, purse: int) -> None:
    """Mojaloop 3673: zero is refused as an order, as a hold, as an entry and as a refund."""
    assert await refused_by(bank, await transfer(bank, 0)) is Refusal.AMOUNT_NOT_POSITIVE
    hold = await bank.writer.decide(PlaceHold(uuid(2), purse, 0))
    entry = await bank.writer.decide(Post(uuid(3), "test", ((purse, 0), (chart.VAULT, 0))))
    for answer in (hold, entry):
        assert is_refused(answer, Refusal.AMOUNT_NOT_POSITIVE)  # type: ignore[arg-type]


async def test_to_oneself_and_less_than_nothing(bank: Bank) -> None:
    """Blnk's recent fixes: a self-transfer and a negative amount are refused."""
    own = ToAccount(await account_of(bank, 1))
    same = await refused_by(bank, await transfer(bank, 1_000, key="a", payee=own))
    less = await refused_by(bank, await transfer(bank, -1_000, key="b"))
    assert (same, less) == (Refusal.ACCOUNTS_MUST_BE_DIFFERENT, Refusal.AMOUNT_NOT_POSITIVE)


async def test_a_burst_then_a_restart(dsn: str, clock: HandClock) -> None:
    """Mojaloop 485: two bursts of five thousand, a new writer, and every sen is there."""
    for burst in (1, 2):
        writer = Writer(dsn, clock, Ids(clock, random.Random(burst)))
        await writer.start()
        await writer.decide(OpenAccount(1, Kind.VAULT))
        await writer.decide(OpenAccount(2, Kind.CUSTOMER, 1))
        posts = [
            Post(uuid(burst * 10_000 + number), "test", ((1, -7), (2, 7)))
            for number in range(5_000)
        ]
        waiting = [writer.submit(posts[first : first + 100]) for first in range(0, 5_000, 100)]
        for answers in await asyncio.gather(*waiting):
            assert all(isinstance(answer, Posting) for answer in answers)
        await writer.stop()
    pool = await Pool.open(dsn)
    found = await statement.balance(pool, 1, 2)
    assert found is not None
    assert (found.posted_minor, found.entry_seq) == (10_000 * 7, 10_000)
    async with pool.connection() as connection:
        assert (await prove(connection, 1)).passed
    await pool.close()


async def test_the_database_goes_away_while_payments_are_being_recovered(
    bank: Bank, clock: HandClock, paper: PaperRail, dsn: str
) -> None:
    """DBOS 716: a resolver whose database breaks under it goes on in the next round."""
    paper.will("send", Unanswered("timeout"))
    waiting = [
        await pay(bank, await scan(bank, 1_000_00, key=f"k-{number}", by=number + 1))
        for number in range(8)
    ]
    name = dsn.partition("@/")[2].partition("?")[0]
    admin = await asyncpg.connect(dsn.replace(f"/{name}?", "/postgres?"))

    cut = asyncio.Event()

    def breaks() -> Accepted:
        cut.set()
        return Accepted("RRN")

    paper.will("inquire", breaks)
    clock.advance(3)
    looking = asyncio.create_task(bank.resolver.round())
    await cut.wait()
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await asyncio.gather(looking, return_exceptions=True)
    await admin.close()
    # Lines that were cut are noticed one by one, so it may take a round for each of them; one cut
    # in the middle of a question is noticed only when the question's own time is over.
    async with asyncio.timeout(3 * COMMAND_TIMEOUT_SECONDS):
        while not await all_posted(bank, waiting):
            clock.advance(60)
            await asyncio.gather(bank.resolver.round(), return_exceptions=True)
    await proved(bank)


async def all_posted(bank: Bank, waiting: list[Payment]) -> bool:
    """Whether each of them is posted, as far as the database can be asked."""
    try:
        return {(await now_is(bank, payment)).state for payment in waiting} == {State.POSTED}
    except StoreUnavailable:
        return False


async def test_a_reversal_happens_once(bank: Bank, purse: int) -> None:
    """One posting, a hundred reversals at the same time: one of them is written."""
    await bank.writer.decide(Post(uuid(3), "test", ((purse, -100_00), (chart.VAULT, 100_00))))
    answers = await bank.writer.submit([Reverse(uuid(3), uuid(200 + n)) for n in range(100)])
    assert sum(isinstance(answer, Posting) for answer in answers) == 1
    assert (await balance(bank, purse)).posted_minor == 1_000_00
    await proved(bank)


@pytest.mark.parametrize(
    ("patch", "broken"),
    [
        ("UPDATE postings SET note = 'nothing to see'", "hash_chain_is_unbroken"),
        ("UPDATE batches SET hash = sha256('x') WHERE batch_no = 5", "hash_chain_is_unbroken"),
        ("DELETE FROM acts", "hash_chain_is_unbroken"),
        (
            "INSERT INTO acts SELECT book_id, gen_random_uuid(), 987654, at, actor, what, subject,"
            " detail FROM acts LIMIT 1",
            "hash_chain_is_unbroken",
        ),
        ("UPDATE payment_events SET detail = 'x' WHERE seq = 1", "hash_chain_is_unbroken"),
        (
            "UPDATE entries SET amount_minor = amount_minor + sign(amount_minor)",
            "running_balances_follow",
        ),
        ("UPDATE books SET head_hash = sha256('x')", "hash_chain_is_unbroken"),
        (
            "UPDATE accounts SET posted_minor = posted_minor + 100 WHERE owner_id = 1",
            "accounts_equal_their_entries",
        ),
        (
            "UPDATE payments SET refunded_minor = 1 WHERE kind = 'payment'",
            "refunds_add_up",
        ),
    ],
)
async def test_a_row_patched_behind_the_books_back_is_found(
    bank: Bank, patch: str, broken: str
) -> None:
    """Opencomplai 47: whoever changes history in the database breaks a proof that says where."""
    await bank.door.remember("customer:1", "session.opened")
    await pay(bank, await transfer(bank, 1_000_00))
    await refund(bank, give_back(await pay(bank, await scan(bank, 1_000_00)), 10_00, key="r"))
    await proved(bank)
    async with owners_line(bank) as connection:
        # The guards stop the bank's own role; a database administrator can put them aside.
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(patch)
    proof = await bank.prove()
    assert not proof.passed
    assert broken in {one.name for one in proof.invariants if not one.holds}
