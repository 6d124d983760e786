"""Somebody with all rights in the database changes what the book says; it is seen, live and proved.

The bank runs meanwhile. Each story is one of somebody who wants money, or wants a trace to be gone.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from owner import owners_line
from paper import PaperRail
from stories import ANA, BUDI, give_back, pay, proved, refund, scan, transfer
from tangguh.app import Bank
from tangguh.core.outcome import Accepted, Refusal, Unanswered
from tangguh.guard.closure import SignalClass
from tangguh.payments.gates.change import ReadBoard
from tangguh.payments.payment import State


async def by_sql(bank: Bank, *statements: str) -> None:
    """As a database administrator who puts the guards aside."""
    async with owners_line(bank) as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)


async def lived(bank: Bank, paper: PaperRail) -> None:
    """Enough life for every kind of row: paid inside and outside, given back, open, refused."""
    await pay(bank, await transfer(bank, 1_000_00, key="a"))
    paper.will("send", Accepted("R1"))
    paid = await pay(bank, await scan(bank, 2_000_00, key="b"))
    assert paid.state is State.POSTED
    await refund(bank, give_back(paid, 500_00, key="c"))
    paper.will("send", Unanswered("silence"))
    await pay(bank, await scan(bank, 3_000_00, key="d"))
    await pay(bank, await transfer(bank, 10**14, key="e"))
    await pay(bank, await transfer(bank, 4_000_00, key="f", by=BUDI, to=ANA))


async def seen_live(bank: Bank) -> list[str]:
    """The rules the pulse finds broken at its next look, and that people are called for it."""
    found = [one.rule for one in await bank.pulse.round()]
    if found:
        board = await bank.desk.decide(ReadBoard())
        assert SignalClass.INTEGRITY in {one.signal_class for one in board.closures}
    return found


async def broken_in_proof(bank: Bank) -> list[str]:
    proof = await bank.prove()
    assert proof.passed == (not [one for one in proof.invariants if one.holds is not True])
    return [one.name for one in proof.invariants if one.holds is not True]


LAST = "(SELECT max(batch_no) FROM batches)"

STORIES: Sequence[tuple[str, tuple[str, ...]]] = [
    (
        "an overdraft for a thief",
        ("UPDATE accounts SET floor_minor = -100000000000 WHERE owner_id = 2",),
    ),
    (
        "held money is let go",
        ("UPDATE accounts SET held_minor = 0 WHERE held_minor > 0",),
    ),
    (
        "a hold and its sum are made smaller together",
        (
            "UPDATE holds SET amount_minor = 1 WHERE state = 'held'",
            "UPDATE accounts SET held_minor = 1 WHERE held_minor > 0",
        ),
    ),
    (
        "an old entry",
        (
            "UPDATE entries SET amount_minor = amount_minor + 1"
            " WHERE (account_id, seq) IN (SELECT account_id, min(seq) FROM entries"
            " GROUP BY account_id)",
        ),
    ),
    (
        "a payment that was posted is shown as voided",
        ("UPDATE payments SET state = 'voided', refusal = 'declined' WHERE order_key = '1:a'",),
    ),
    (
        "a payment that was posted is there a second time, open",
        (
            "CREATE TEMP TABLE twin ON COMMIT DROP AS SELECT * FROM payments"
            " WHERE state = 'posted' AND events > 1 LIMIT 1",
            "UPDATE twin SET resolve_at = accepted_at, concluded_at = NULL, state = 'unanswered'",
            "INSERT INTO payments SELECT * FROM twin",
        ),
    ),
    (
        "a payment that was posted is as its first event left it",
        (
            "UPDATE payments SET state = 'held', events = 1, concluded_at = NULL,"
            " resolve_at = accepted_at WHERE state = 'posted' AND events > 1",
        ),
    ),
    (
        "the payee of an open payment is somebody else",
        (
            'UPDATE payments SET order_json = replace(order_json::text, \'"acquirer":"93600914"\','
            " '\"acquirer\":\"93600915\"')::json WHERE state = 'unanswered'",
        ),
    ),
    (
        "an open payment and its hold are made smaller together",
        (
            "UPDATE payments SET amount_minor = 1 WHERE state = 'unanswered'",
            "UPDATE holds SET amount_minor = 1 WHERE state = 'held'",
            "UPDATE accounts SET held_minor = 1 WHERE held_minor > 0",
        ),
    ),
    (
        "an account is given to somebody else",
        ("UPDATE accounts SET owner_id = 2 WHERE owner_id = 1",),
    ),
    (
        "a customer's account becomes one of the bank's, which has no floor",
        ("UPDATE accounts SET kind = 'vault', floor_minor = NULL WHERE owner_id = 2",),
    ),
    (
        "what was used of a limit is forgotten",
        ("UPDATE limit_usage SET used_minor = 0",),
    ),
    (
        "the two newest entries, consistently",
        (
            "UPDATE entries SET amount_minor = amount_minor + sign(amount_minor)::bigint,"
            " balance_minor = balance_minor + sign(amount_minor)::bigint"
            " WHERE batch_no = (SELECT max(batch_no) FROM entries)",
            "UPDATE accounts AS a SET posted_minor = (SELECT balance_minor FROM entries AS e"
            " WHERE e.account_id = a.account_id ORDER BY seq DESC LIMIT 1)"
            " WHERE EXISTS (SELECT FROM entries AS e WHERE e.account_id = a.account_id)",
        ),
    ),
    (
        "the last five links are cut off",
        (
            f"DELETE FROM batches WHERE batch_no > {LAST} - 5",
            f"UPDATE books SET batch_no = {LAST},"
            f" head_hash = (SELECT hash FROM batches WHERE batch_no = {LAST})",
        ),
    ),
    ("the head's hash is forged", ("UPDATE books SET head_hash = sha256('x')",)),
]


@pytest.mark.parametrize(("story", "statements"), STORIES, ids=[story for story, _ in STORIES])
async def test_what_is_changed_by_sql_is_seen_live_and_by_the_proof(
    bank: Bank, paper: PaperRail, story: str, statements: tuple[str, ...]
) -> None:
    await lived(bank, paper)
    assert await seen_live(bank) == []
    await proved(bank)
    await by_sql(bank, *statements)
    assert await broken_in_proof(bank) != []
    if "head" not in story and "links" not in story:
        assert await seen_live(bank) != []
    else:
        assert [one.rule for one in await bank.pulse.look()] != []


async def test_one_name_of_a_network_for_two_payments_is_proved_wrong(
    bank: Bank, paper: PaperRail
) -> None:
    """What is open lies apart from what ended, so no index of the whole keeps the names apart."""
    await lived(bank, paper)
    await by_sql(
        bank,
        "UPDATE payments SET wire_reference = 'in:1' WHERE payment_id IN"
        " (SELECT max(payment_id::text)::uuid FROM payments WHERE rail = 'qris' GROUP BY state)",
    )
    assert "no_network_name_has_two_payments" in await broken_in_proof(bank)


async def test_an_invented_floor_buys_nothing(bank: Bank, dsn: str, paper: PaperRail) -> None:
    """An overdraft by SQL, on an account the bank has not in memory: the order is refused."""
    await lived(bank, paper)
    await by_sql(
        bank,
        "UPDATE accounts SET floor_minor = -100000000000, kind = 'vault' WHERE owner_id = 1",
    )
    again = await Bank.open(bank.settings, dsn, rails=bank.rails, clock=bank.clock, ids=bank.ids)
    try:
        paid = await pay(again, await transfer(again, 90_000_000_00, key="z"))
        assert paid.refusal is Refusal.INSUFFICIENT_FUNDS
    finally:
        await again.close()


async def test_a_change_that_was_put_back_and_made_again_calls_people_again(
    bank: Bank, paper: PaperRail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tries once, undoes it and waits is not overlooked the second time."""
    await lived(bank, paper)
    called: list[str] = []
    monkeypatch.setattr(
        bank.pulse._guardian, "notice", lambda name, key, detail="": called.append(f"{name} {key}")
    )
    change = f"UPDATE accounts SET floor_minor = {{}} WHERE account_id = {10100000021}"
    await by_sql(bank, change.format(-100_000_000))
    assert await bank.pulse.round()
    first = sum("row.differs" in one for one in called)
    assert first
    for _ in range(5):
        assert await bank.pulse.round()
    assert sum("row.differs" in one for one in called) == first, "once, however long it lasts"
    await by_sql(bank, change.format(0))
    assert await bank.pulse.round() == []
    await by_sql(bank, change.format(-100_000_000))
    assert await bank.pulse.round()
    assert sum("row.differs" in one for one in called) == 2 * first
