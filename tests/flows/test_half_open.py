"""A network that was away for a moment is tried again in seconds, and one that lies is not."""

from __future__ import annotations

import pytest

from paper import PaperRail
from stories import RUPIAH, pay, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.known import Tristate
from tangguh.core.outcome import Accepted, NotSent, Outcome, Refusal, Unanswered
from tangguh.guard.rules import DEFAULT_RULES
from tangguh.payments.gates.change import Lapse, ReadBoard
from tangguh.work.guardian import Guardian, GuardSettings

SILENT = next(rule for rule in DEFAULT_RULES if rule.id == "partner-silent")
REFUSED = NotSent("connection refused")


@pytest.fixture
def guardian(bank: Bank) -> Guardian:
    return Guardian(bank.desk, bank.ids, GuardSettings(rules=(SILENT,)))


async def is_closed(bank: Bank, key: str) -> bool:
    return (await pay(bank, await scan(bank, RUPIAH, key=key))).refusal is (
        Refusal.PROTECTIVE_CLOSURE
    )


async def fail(bank: Bank, paper: PaperRail, guardian: Guardian, name: str, how: Outcome) -> None:
    """Five payments in a row fail so, and the guard closes the network."""
    for number in range(100):  # so that it is less than a tenth of all
        await pay(bank, await transfer(bank, RUPIAH, key=f"{name}-t{number}"))
    paper.will("send", how)
    for number in range(SILENT.threshold):
        await pay(bank, await scan(bank, RUPIAH, key=f"{name}-{number}"))
    await guardian.round()
    paper.will("send", Accepted("RRN000000002"))


async def asked(bank: Bank, clock: HandClock, seconds: float = 2.0) -> None:
    clock.advance(seconds)
    await bank.care.probes.ask_all()
    await bank.care.reopening.round()


async def test_half_a_second_without_a_network_costs_seconds_and_not_minutes(
    bank: Bank, paper: PaperRail, clock: HandClock, guardian: Guardian
) -> None:
    await fail(bank, paper, guardian, "a", REFUSED)
    assert await is_closed(bank, "closed")
    await asked(bank, clock)
    assert not await is_closed(bank, "half open")
    await bank.climber.look()
    assert not await is_closed(bank, "no ladder shuts it again")
    clock.advance(20)
    assert len(await bank.desk.decide(Lapse())) == 1
    assert (await bank.desk.decide(ReadBoard())).closures == ()


async def test_half_open_lets_a_few_through_and_not_everybody(
    bank: Bank, paper: PaperRail, clock: HandClock, guardian: Guardian
) -> None:
    await fail(bank, paper, guardian, "a", REFUSED)
    await asked(bank, clock)
    told = [
        (await pay(bank, await scan(bank, RUPIAH, key=f"k{number}"))).refusal
        for number in range(12)
    ]
    assert told == [None] * 10 + [Refusal.PROTECTIVE_LIMIT] * 2


async def test_an_echo_proves_nothing_when_payments_left_and_were_lost(
    bank: Bank, paper: PaperRail, clock: HandClock, guardian: Guardian
) -> None:
    """The network answered our questions all the time."""
    await asked(bank, clock)
    await fail(bank, paper, guardian, "a", Unanswered("timeout"))
    await asked(bank, clock)
    assert await is_closed(bank, "still")


async def test_lost_answers_and_failed_questions_that_are_answered_again_are_over(
    bank: Bank, paper: PaperRail, clock: HandClock, guardian: Guardian
) -> None:
    await fail(bank, paper, guardian, "a", Unanswered("connection reset"))
    paper.there = Tristate.NO
    await asked(bank, clock)
    await asked(bank, clock)
    assert await is_closed(bank, "still away")
    paper.there = Tristate.YES
    await asked(bank, clock)
    assert not await is_closed(bank, "back")


async def test_what_comes_and_goes_waits_its_whole_time_the_second_time(
    bank: Bank, paper: PaperRail, clock: HandClock, guardian: Guardian
) -> None:
    await fail(bank, paper, guardian, "a", REFUSED)
    await asked(bank, clock)
    await fail(bank, paper, guardian, "b", REFUSED)
    (closure,) = (await bank.desk.decide(ReadBoard())).closures
    assert closure.half_open_at is None
    await asked(bank, clock)
    assert await is_closed(bank, "closed for longer")
