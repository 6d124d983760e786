"""The guard at work on the real book: the smallest scope, its budget, its words, its humility."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec
import pytest

from paper import PaperRail
from stories import ANA, BUDI, CITRA, RUPIAH, account_of, pay, proved, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.marks import MARKS
from tangguh.core.outcome import Accepted, NotSent, Refusal, Unanswered
from tangguh.guard.budget import CAPS
from tangguh.guard.closure import SignalClass, State
from tangguh.guard.rules import DEFAULT_RULES, Mode, Rule
from tangguh.payments.gates.change import ReadBoard
from tangguh.payments.payment import State as PaymentState
from tangguh.work.guardian import Guardian, GuardSettings, Said

RULES = {rule.id: rule for rule in DEFAULT_RULES}
_numbers = count()


def guarded(bank: Bank, *rules: Rule, mode: str = "live") -> Guardian:
    settings = GuardSettings(rules=rules or DEFAULT_RULES, mode=mode)  # type: ignore[arg-type]
    return Guardian(bank.desk, bank.ids, settings)


@pytest.fixture
def guard(bank: Bank) -> Iterator[Guardian]:
    found = guarded(bank)
    yield found
    found.close()


async def inside(bank: Bank, times: int) -> None:
    """So many payments inside the bank, by three people in turn."""
    for number in range(times):
        by = (ANA, BUDI, CITRA)[number % 3]
        to = BUDI if by == ANA else ANA
        await pay(bank, await transfer(bank, RUPIAH, key=f"i{next(_numbers)}", by=by, to=to))


async def silent(bank: Bank, paper: PaperRail, times: int) -> None:
    """So many QRIS payments that nobody answers."""
    for _ in range(times):
        paper.will("send", Unanswered("silence"))
        await pay(bank, await scan(bank, RUPIAH, key=f"s{next(_numbers)}"))


async def test_a_silent_partner_alone_is_closed(
    bank: Bank, guard: Guardian, paper: PaperRail
) -> None:
    """Five unanswered: that service of that rail, with words in two languages; others go on."""
    await inside(bank, 60)
    await silent(bank, paper, 5)
    made = await guard.round()
    closures = (await bank.desk.decide(ReadBoard())).closures
    assert made
    assert {one.scope.service for one in closures} == {"mobile.qris.offus"}
    assert all(one.message_id and one.message_en and one.next_word_at for one in closures)
    assert all(msgspec.json.decode(one.evidence)["payments"] for one in closures)
    refused = await pay(bank, await scan(bank, RUPIAH, key="x"))
    assert refused.refusal in {Refusal.PROTECTIVE_CLOSURE, Refusal.PROTECTIVE_LIMIT}
    await inside(bank, 3)
    await proved(bank)


async def test_what_is_over_the_budget_waits_for_people(
    bank: Bank, guard: Guardian, paper: PaperRail
) -> None:
    """QRIS is half of all that is paid: it is capped and proposed, not closed."""
    paper.will("send", Accepted("R"))
    for number in range(20):
        await pay(bank, await scan(bank, RUPIAH, key=f"ok{number}"))
    await inside(bank, 20)
    await silent(bank, paper, 5)
    await guard.round()
    waiting = [
        one
        for one in (await bank.desk.decide(ReadBoard())).closures
        if one.reason == "partner_silent"
    ]
    assert [one.state for one in waiting] == [State.AWAITING_PEOPLE]
    assert waiting[0].allowance == CAPS
    assert "may stop" in waiting[0].cause


async def test_in_shadow_it_only_says_so(bank: Bank, paper: PaperRail) -> None:
    """What it would have closed is heard, and nothing is."""
    heard: list[Said] = []
    guard = guarded(bank, msgspec.structs.replace(RULES["partner-silent"], mode=Mode.SHADOW))
    guard.listen(heard.append)
    await inside(bank, 60)
    await silent(bank, paper, 5)
    assert await guard.round() == []
    guard.close()
    assert [one.did for one in heard] == ["nothing: in shadow"]
    assert (await bank.desk.decide(ReadBoard())).closures == ()


async def test_one_account_too_fast_is_limited_alone(
    bank: Bank, guard: Guardian, clock: HandClock
) -> None:
    await inside(bank, 30)
    for number in range(121):
        await pay(bank, await transfer(bank, RUPIAH, key=f"v{number}", by=CITRA, to=ANA))
    await guard.round()
    (one,) = (await bank.desk.decide(ReadBoard())).closures
    assert one.scope.account == await account_of(bank, CITRA)
    assert one.signal_class is SignalClass.ABUSE
    assert one.allowance is not None
    assert (await pay(bank, await transfer(bank, RUPIAH, key="w", by=ANA))).refusal is None


async def test_what_our_own_gates_refuse_feeds_no_rule(
    bank: Bank, guard: Guardian, paper: PaperRail
) -> None:
    """A closure must not be the reason for the next one."""
    await inside(bank, 60)
    await silent(bank, paper, 5)
    await guard.round()
    before = (await bank.desk.decide(ReadBoard())).version
    for number in range(30):
        stopped = await pay(bank, await scan(bank, 2_000_000 * RUPIAH, key=f"r{number}"))
        assert stopped.state is PaymentState.REFUSED
    assert await guard.round() == []
    assert (await bank.desk.decide(ReadBoard())).version == before


async def test_what_is_no_payment_calls_people(bank: Bank, guard: Guardian) -> None:
    """A broken mark, an unauthorised message, staff refused three times: said, and an act."""
    heard: list[Said] = []
    guard.listen(heard.append)
    MARKS.always("entries_balance", holds=False, detail="book 1")
    guard.notice("message.unauthorised", "bifast:1", "bad signature")
    for _ in range(3):
        guard.notice("staff.denied", "staff:7", "same_person")
    await guard.round()
    assert [(one.what, one.signal_class) for one in heard] == [
        ("mark.broken", "A"),
        ("message.unauthorised", "A"),
        ("staff.denied", "D"),
    ]
    rows = await bank.pool.fetch("SELECT subject FROM acts WHERE what = 'signal.raised'")
    assert len(rows) == 3
    assert (await bank.desk.decide(ReadBoard())).closures == (), "customers are not touched"


async def test_a_network_that_refuses_connections_counts_as_sick(
    bank: Bank, guard: Guardian, paper: PaperRail
) -> None:
    await inside(bank, 60)
    for number in range(5):
        paper.will("send", NotSent("connection refused"))
        await pay(bank, await scan(bank, RUPIAH, key=f"n{number}"))
    await guard.round()
    assert (await bank.desk.decide(ReadBoard())).closures


async def test_failed_logins_from_one_place_are_heard(bank: Bank) -> None:
    """The door tells the guard; thirty within a minute call people."""
    heard: list[Said] = []
    bank.guardian.listen(heard.append)
    for _ in range(30):
        bank.door.notice("login.failed", "10.0.0.7")
    await bank.guardian.round()
    assert [one.what for one in heard] == ["login.failed"]
