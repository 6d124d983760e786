"""The guard a second time: what is half-open closes again, what is explained is not told twice."""

from __future__ import annotations

from datetime import timedelta

from flows.test_gates import close, shut
from owner import owners_line
from paper import PaperRail
from stories import ANA, BUDI, RUPIAH, account_of, pay, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import NotSent
from tangguh.guard.budget import rule_on
from tangguh.guard.closure import SignalClass, State
from tangguh.guard.rules import DEFAULT_RULES, Mode
from tangguh.guard.scope import Facts, Scope
from tangguh.payments.gates.change import ReadBoard
from tangguh.work.guardian import Guardian, GuardSettings, thinned
from unit.guard.test_closure import closure

SILENT = next(rule for rule in DEFAULT_RULES if rule.id == "partner-silent")
CHANGE = (
    "UPDATE accounts SET posted_minor = posted_minor + 100000"
    " WHERE book_id = $1 AND account_id = ANY($2::bigint[])"
)


async def test_what_is_half_open_can_be_closed_again(bank: Bank, clock: HandClock) -> None:
    """A health closure whose time is over only probes; the same trouble again closes it anew."""
    health = {"signal_class": SignalClass.HEALTH, "expires_at": clock.now() + timedelta(minutes=1)}
    first = await close(bank, shut(bank, **health))
    clock.advance(61)
    second = await close(bank, shut(bank, signal_class=SignalClass.HEALTH))
    assert second.id != first.id
    assert second.replaces == first.id
    board = await bank.desk.decide(ReadBoard())
    assert [one.id for one in board.closures] == [second.id]


async def test_a_partner_still_silent_is_closed_for_longer(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """Closed for a minute, probed, still silent: closed for two."""
    guardian = Guardian(bank.desk, bank.ids, GuardSettings(rules=(SILENT,)))
    for number in range(100):  # so that the partner is less than a tenth of all
        await pay(bank, await transfer(bank, RUPIAH, key=f"t{number}"))
    spans = []
    for number in range(2):
        for again in range(SILENT.threshold):
            paper.will("send", NotSent("refused"))
            await pay(bank, await scan(bank, RUPIAH, key=f"{number}-{again}"))
        for made in await guardian.round():
            spans.append((made.expires_at - made.made_at).total_seconds())
            clock.advance(spans[-1] + 1)
    guardian.close()
    assert spans == [60, 120]


async def test_a_mad_rule_does_not_make_the_others_forget(bank: Bank, paper: PaperRail) -> None:
    """Four silent payments before another rule is distrusted, the fifth after it."""
    guardian = Guardian(bank.desk, bank.ids, GuardSettings(rules=DEFAULT_RULES))
    for number in range(SILENT.threshold):
        if number == SILENT.threshold - 1:
            await guardian._distrust(next(r for r in DEFAULT_RULES if r.id == "account-spread"))
        paper.will("send", NotSent("refused"))
        await pay(bank, await scan(bank, RUPIAH, key=f"k{number}"))
    made = await guardian.round()
    guardian.close()
    assert SILENT.reason in {one.reason for one in made}
    assert {rule.mode for rule in guardian.rules if rule.id == "account-spread"} == {Mode.SHADOW}


async def test_a_sum_that_changed_rows_explain_is_no_second_trouble(bank: Bank) -> None:
    """Two rows changed by SQL: these two accounts are closed, and nothing else is."""
    accounts = [await account_of(bank, ANA), await account_of(bank, BUDI)]
    async with owners_line(bank) as connection:
        await connection.execute(CHANGE, bank.book_id, accounts)
    await bank.pulse.round()
    board = await bank.desk.decide(ReadBoard())
    assert {one.scope.account for one in board.closures} == set(accounts)
    assert {one.state for one in board.closures} == {State.CONTAINED}


async def test_a_sum_that_no_row_explains_is_told(bank: Bank) -> None:
    """More rows than are looked at: outgoing payments are capped and people are asked."""
    bank.pulse._settings = GuardSettings(tampered_accounts_max=1)
    accounts = [await account_of(bank, ANA), await account_of(bank, BUDI)]
    async with owners_line(bank) as connection:
        await connection.execute(CHANGE, bank.book_id, accounts)
    await bank.pulse.round()
    board = await bank.desk.decide(ReadBoard())
    assert State.AWAITING_PEOPLE in {one.state for one in board.closures}


def test_a_second_rule_on_the_same_account_asks_nobody() -> None:
    """It stops nobody who is not stopped already; another account is for people to say."""
    hot, other = Scope(account=1, direction="out"), Scope(account=2, direction="out")
    facts = [seen_of(number) for number in range(1, 6)]
    closed = [closure(scope=hot, signal_class=SignalClass.ABUSE)]
    assert rule_on(hot, SignalClass.ABUSE, 200, closed, facts).alone
    assert not rule_on(other, SignalClass.ABUSE, 200, closed, facts).alone


def test_weighing_takes_an_even_sample() -> None:
    """From the first to near the last, never more than asked."""
    facts = [seen_of(number) for number in range(1, 5_002)]
    kept = thinned(facts, 1_000)
    assert len(kept) <= 1_000
    assert kept[0].account == 1
    assert kept[-1].account > 4_990
    assert thinned(facts[:5], 1_000) == facts[:5]
    assert thinned([]) == []


def seen_of(account: int) -> Facts:
    """An order of an account."""
    return Facts(service="", rail="onus", direction="out", channel="mobile", account=account)
