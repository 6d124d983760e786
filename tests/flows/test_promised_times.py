"""One time is promised for a payment: on its page, in the API and in messages; kept, moved openly."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from paper import PaperRail
from stories import ANA, RUPIAH, now_is, pay, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.format import clock_time
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.guard.closure import SignalClass
from tangguh.guard.scope import Scope
from tangguh.payments.decide import Conclude
from tangguh.payments.gates.change import Close
from tangguh.payments.payment import Payment, next_word_at

SILENT = Unanswered("timeout")


@pytest.fixture
async def waiting(bank: Bank, paper: PaperRail) -> Payment:
    paper.will("send", SILENT)
    return await pay(bank, await scan(bank, 54_000 * RUPIAH, key="q-1"))


async def said(bank: Bank) -> list[str]:
    """What Ana was told, oldest first, as whole messages."""
    items = await bank.care.notices.inbox(ANA)
    return [f"{one.title}\n{one.text}" for one in reversed(items)]


def promise(payment: Payment, clock: HandClock) -> str:
    """The time the payment's page shows now."""
    word = next_word_at(payment, clock.now())
    assert word is not None
    return f"pukul {clock_time(word, 'id')}"


async def test_a_promised_time_is_kept_by_a_word_that_promises_the_next(
    bank: Bank, clock: HandClock, waiting: Payment
) -> None:
    """Before the time is over there is a word, and it and the page name the same next time."""
    clock.advance(21)
    await bank.care.word.round()
    first = promise(waiting, clock)
    assert first in (await said(bank))[-1]
    for number in range(2, 5):
        word = next_word_at(waiting, clock.now())
        assert word is not None
        clock.advance((word - clock.now()).total_seconds() - 40)
        await bank.care.word.round()
        assert len(await said(bank)) == number - 1
        clock.advance(15)
        await bank.care.word.round()
        await bank.care.word.round()
        told = await said(bank)
        assert len(told) == number
        assert "masih menunggu kepastian" in told[-1]
        assert promise(waiting, clock) in told[-1]


async def test_the_times_between_words_grow_and_none_is_skipped(
    bank: Bank, clock: HandClock, waiting: Payment
) -> None:
    """A quarter, half an hour, one, two, four, eight hours; then every eight."""
    minutes = []
    for _ in range(8):
        word = next_word_at(waiting, clock.now())
        assert word is not None
        minutes.append((word - waiting.accepted_at) // timedelta(minutes=1))
        clock.advance((word - clock.now()).total_seconds())
    assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440]


async def test_an_incident_promises_the_payments_own_time(
    bank: Bank, clock: HandClock, waiting: Payment
) -> None:
    """No second promise beside the one on the payment's page, and the first is kept."""
    closure = bank.guardian.draft(
        scope=Scope(rail="qris", direction="out"), signal_class=SignalClass.INTEGRITY,
        reason="unmatched_outflow", cause="money left without an order", evidence="{}",
        made_by="watch", message=("Bayar QRIS ditutup sementara.", "Paying by QRIS is closed."),
    )  # fmt: skip
    await bank.desk.decide(Close(closure=closure))
    clock.advance(120)
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    await bank.care.word.round()
    (told,) = await said(bank)
    assert promise(waiting, clock) in told
    clock.advance(13 * 60)
    await bank.care.word.round()
    told = (await said(bank))[-1]
    assert "masih menunggu kepastian" in told
    assert promise(waiting, clock) in told


async def test_nothing_more_is_promised_once_it_has_ended(
    bank: Bank, clock: HandClock, waiting: Payment
) -> None:
    clock.advance(21)
    await bank.care.word.round()
    await bank.desk.decide(Conclude(waiting.id, Accepted("RRN"), bank.desk.rules))
    clock.advance(3600)
    await bank.care.word.round()
    told = await said(bank)
    assert len(told) == 2
    assert next_word_at(await now_is(bank, waiting), clock.now()) is None


async def test_who_waits_for_a_closed_service_is_kept_informed_too(
    bank: Bank, clock: HandClock
) -> None:
    """A parked payment promises a time on its page: the same word keeps it."""
    closure = bank.guardian.draft(
        scope=Scope(rail="qris", direction="out"), signal_class=SignalClass.HEALTH,
        reason="partner", cause="the switch is away", evidence="{}", made_by="watch",
        message=("Bayar QRIS ditutup sementara.", "Paying by QRIS is closed."),
    )  # fmt: skip
    await bank.desk.decide(Close(closure=msgspec.structs.replace(closure, parks=True)))
    parked = await pay(bank, await scan(bank, 54_000 * RUPIAH, key="q-9"))
    assert parked.state == "parked"
    clock.advance(30)
    await bank.care.word.round()
    assert await said(bank) == []
    clock.advance(15 * 60)
    await bank.care.word.round()
    (told,) = await said(bank)
    assert "menunggu layanan dibuka" in told
    assert promise(parked, clock) in told
