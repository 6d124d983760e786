"""The bank speaks first: what is seen becomes what is told, and a story ends with the last rupiah."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from paper import PaperRail
from stories import ANA, BUDI, RUPIAH, pay, proved, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.order import Origin
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused, Unanswered
from tangguh.disputes.case import About, Case
from tangguh.disputes.complaints import Complaint
from tangguh.guard.closure import Allowance, Closure, SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.notices.desk import Told
from tangguh.notices.inbox import Item
from tangguh.notices.notice import Notice
from tangguh.payments import flow
from tangguh.payments.decide import Conclude
from tangguh.payments.gates.change import ChangeClosure, Close
from tangguh.payments.payment import Payment
from tangguh.status.component import Condition
from tangguh.status.incident import Incident, IncidentState, Kind
from tangguh.work.incidents.settings import IncidentSettings

SILENT = Unanswered("timeout")
NO = Declined(Refusal.PARTNER_DECLINED, "x")
QRIS = "mobile.qris.offus"


@pytest.fixture(autouse=True)
def seeing(bank: Bank) -> None:
    """The guard's eyes are the desk's: they are fed by the desk's own observers in a story too."""
    assert bank.settings.guard.mode == "live"


async def close_qris(bank: Bank, **more: object) -> Closure:
    """A closure of outgoing QRIS, as the guard makes one."""
    closure = bank.guardian.draft(
        scope=Scope(rail="qris", direction="out"),
        signal_class=SignalClass.INTEGRITY,
        reason="unmatched_outflow",
        cause="money left without an order",
        evidence="{}",
        made_by="watch",
        message=("Bayar QRIS ditutup sementara.", "Paying by QRIS is closed for now."),
        **more,
    )
    closed = await bank.desk.decide(Close(closure=closure))
    assert isinstance(closed, Closure)
    return closed


async def look(bank: Bank, clock: HandClock, seconds: float = 5.0) -> list[Incident]:
    """So much later, one round of the desk; the incidents that are open then."""
    clock.advance(seconds)
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    return list(bank.care.incidents.open)


async def told(bank: Bank, customer_id: int) -> list[Item]:
    return await bank.care.notices.inbox(customer_id)


async def waits(bank: Bank, paper: PaperRail, key: str, by: int = ANA) -> Payment:
    paper.will("send", SILENT)
    return await pay(bank, await scan(bank, 54_000 * RUPIAH, key=key, by=by))


async def test_a_closure_is_told_at_the_next_look_with_everything_people_ask(
    bank: Bank, clock: HandClock
) -> None:
    await bank.care.keeper.look()
    await close_qris(bank)
    (incident,) = await look(bank, clock)
    assert (incident.state, incident.kind) == (
        IncidentState.PUBLISHED,
        Kind.PROTECTIVE_RESTRICTION,
    )
    assert QRIS in incident.components
    word = incident.updates[-1]
    assert word.next_update_at == clock.now() + timedelta(minutes=15)
    text = word.texts["id"]
    assert "Bayar QRIS" in text.headline or "layanan" in text.headline
    assert "Transfer" in text.works
    public = bank.care.incidents.snapshot()
    assert public is not None
    shown = {one.id: one.condition for one in public.components}
    assert shown[QRIS] is Condition.PROTECTIVE_RESTRICTION
    assert shown["mobile.transfer.bifast"] is Condition.OPERATIONAL
    await proved(bank)


async def test_a_person_with_three_payments_is_told_once_and_a_bystander_not_at_all(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    for number in range(3):
        await waits(bank, paper, f"q-{number}")
    await close_qris(bank)
    await look(bank, clock, 12)
    await look(bank, clock)
    (item,) = await told(bank, ANA)
    assert "3 pembayaran" in item.text
    assert "Rp162.000" in item.text
    assert await told(bank, BUDI) == []


async def test_nobody_is_written_to_again_while_their_story_stands_still(
    bank: Bank, paper: PaperRail, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is made when somebody is a step further, not every five seconds for everybody."""
    made: list[int] = []
    tell = bank.care.notices.tell

    async def counting(notices: Sequence[Notice]) -> Told:
        made.append(len(notices))
        return await tell(notices)

    monkeypatch.setattr(bank.care.notices, "tell", counting)
    mine = [await waits(bank, paper, f"q-{number}", by=number + 1) for number in range(3)]
    await close_qris(bank)
    await look(bank, clock, 12)
    told_of = sum(made)
    for _ in range(10):
        await look(bank, clock)
    assert told_of >= 3
    assert sum(made) == told_of
    await bank.desk.decide(Conclude(mine[0].id, NO, bank.desk.rules))
    await look(bank, clock)
    assert sum(made) == told_of + 1


async def test_it_is_not_over_while_one_payment_is_open_and_then_everybody_hears_the_end(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    mine = [await waits(bank, paper, f"q-{number}") for number in range(2)]
    closure = await close_qris(bank)
    await look(bank, clock, 12)
    lift = ChangeClosure(
        closure_id=closure.id,
        to=State.FALSE_POSITIVE,
        what="false_positive",
        by=("staff:1", "staff:3"),
    )
    assert not isinstance(await bank.desk.decide(lift), Refused)
    states = []
    for _ in range(3):
        (incident,) = await look(bank, clock, 301)
        states.append(incident.state)
    assert states == [
        IncidentState.MONITORING,
        IncidentState.SERVICE_RESTORED,
        IncidentState.SERVICE_RESTORED,
    ]
    assert incident.money.open == 2
    await bank.desk.decide(Conclude(mine[0].id, Accepted("RRN"), bank.desk.rules))
    await bank.desk.decide(Conclude(mine[1].id, NO, bank.desk.rules))
    assert await look(bank, clock) == []
    public = bank.care.incidents.snapshot()
    assert public is not None
    (story,) = public.incidents
    assert (story.state, story.money.open) == (IncidentState.MONEY_RESOLVED, 0)
    assert (story.money.arrived, story.money.came_back) == (1, 1)
    last = (await told(bank, ANA))[0]
    assert "2 pembayaran Anda sudah jelas" in last.text
    assert "Rp54.000" in last.text
    await proved(bank)


async def test_silence_of_a_network_is_told_without_any_closure(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    for number in range(12):
        await waits(bank, paper, f"q-{number}", by=number + 1)
    incidents: list[Incident] = []
    for _ in range(3):
        incidents = await look(bank, clock)
    (incident,) = incidents
    assert incident.state is IncidentState.PUBLISHED
    assert incident.kind in {Kind.PARTNER_OUTAGE, Kind.DEGRADED, Kind.DOWN}
    await look(bank, clock, 10)
    assert len(await told(bank, 7)) == 1


async def test_a_gate_that_is_open_in_part_without_a_climb_claims_no_stage(
    bank: Bank, clock: HandClock
) -> None:
    closure = await close_qris(bank)
    await look(bank, clock)
    part = ChangeClosure(
        closure_id=closure.id,
        to=State.RECOVERING,
        what="recovering",
        by=("staff:1",),
        allowance=Allowance(permille=50, salt="x"),
        sets_allowance=True,
    )
    assert not isinstance(await bank.desk.decide(part), Refused)
    (incident,) = await look(bank, clock)
    assert incident.state is IncidentState.PUBLISHED
    assert incident.updates[-1].state is IncidentState.PUBLISHED


async def test_the_promised_word_comes_even_when_nothing_has_changed(
    bank: Bank, clock: HandClock
) -> None:
    await close_qris(bank)
    (first,) = await look(bank, clock)
    (second,) = await look(bank, clock, 15 * 60 - 20)
    assert len(second.updates) == len(first.updates) + 1
    assert not second.is_overdue(clock.now())


async def test_people_who_keep_the_words_to_themselves_are_seen_to_be_late(
    bank: Bank, clock: HandClock
) -> None:
    bank.care.incidents.settings = IncidentSettings(words="people")
    await close_qris(bank)
    await look(bank, clock)
    (incident,) = await look(bank, clock, 16 * 60)
    assert len(incident.updates) == 1
    assert incident.is_overdue(clock.now())


async def test_your_money_is_safe_is_said_only_while_it_is_proved(
    bank: Bank, clock: HandClock
) -> None:
    await close_qris(bank)
    (incident,) = await look(bank, clock)
    assert "aman" not in incident.updates[-1].texts["id"].money
    public = bank.care.incidents.snapshot()
    assert public is not None
    assert public.assurance.proved_at is None


async def test_another_process_goes_on_with_the_story(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """Nothing of it was in memory: the same trouble opens no second incident, nobody hears twice."""
    await waits(bank, paper, "q-1")
    await close_qris(bank)
    await look(bank, clock, 12)
    before = await told(bank, ANA)
    again = type(bank.care)(bank)
    clock.advance(5)
    await again.incidents.round()
    assert [one.id for one in again.incidents.open] == [one.id for one in bank.care.incidents.open]
    assert await told(bank, ANA) == before


async def test_who_waits_alone_is_told_by_the_payment_and_hears_its_end(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """No incident: one payment without an answer, one word that we wait, one word of the end."""
    payment = await waits(bank, paper, "q-1")
    clock.advance(21)
    await bank.care.word.round()
    await bank.care.word.round()
    (item,) = await told(bank, ANA)
    assert item.title == "Pembayaran Anda menunggu kepastian"
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
    await bank.care.word.round()
    assert [one.title for one in await told(bank, ANA)] == [
        "Pembayaran batal, dana dikembalikan",
        "Pembayaran Anda menunggu kepastian",
    ]


async def test_an_advance_is_told_when_given_and_before_it_is_taken(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    payment = await waits(bank, paper, "q-1")
    clock.advance(900)
    await bank.redress.round()
    await bank.care.word.round()
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN"), bank.desk.rules))
    await bank.care.word.round()
    titles = [one.title for one in await told(bank, ANA)]
    assert "Kami memberi talangan" in titles
    assert "Talangan akan kami tarik" in titles


async def test_a_payment_answered_at_once_costs_nobody_a_message(bank: Bank) -> None:
    await flow.pay(bank.desk, await scan(bank, 1_000 * RUPIAH), Origin())
    await bank.care.word.round()
    assert await told(bank, ANA) == []


async def test_the_bank_complains_for_its_customer_once_its_own_limit_is_over(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """E27: a number and a clock without a tap, also when the sum is too large for an advance."""
    small = await waits(bank, paper, "q-1")
    large = await pay(bank, await scan(bank, 1_100_000 * RUPIAH, key="q-2"))
    clock.advance(900)
    await bank.redress.round()
    assert await bank.care.own.round() == 2
    for payment in (small, large):
        (case,) = await bank.care.complaints.store.of_payment(payment.id)
        assert (case.channel, case.is_open) == ("bank", True)
    await bank.care.word.round()
    titles = [one.title for one in await told(bank, ANA)]
    assert titles.count("Laporan Anda kami terima") == 2
    await bank.redress.round()
    assert await bank.care.own.round() == 0


async def test_silence_closure_and_silence_again_are_one_story_and_one_message(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """A network falls silent, is closed for it, and is still silent when people open it."""
    for number in range(12):
        await waits(bank, paper, f"q-{number}", by=number + 1)
    for _ in range(3):
        await look(bank, clock)
    closure = await close_qris(bank)
    await look(bank, clock)
    lift = ChangeClosure(
        closure_id=closure.id,
        to=State.FALSE_POSITIVE,
        what="false_positive",
        by=("staff:1", "staff:3"),
    )
    await bank.desk.decide(lift)
    for _ in range(4):
        incidents = await look(bank, clock)
    assert len(incidents) == 1
    assert len(await told(bank, 7)) == 1


async def test_more_time_for_a_report_is_told_before_it_was_due(
    bank: Bank, clock: HandClock
) -> None:
    """POJK 22/2023: ten working days more only with notice before they are needed."""
    case = await bank.care.complaints.open(
        Complaint(case_id=UUID(int=5), customer_id=ANA, about=About.OTHER, text="x", channel="app")
    )
    assert isinstance(case, Case)
    await bank.care.complaints.extend(case.id, "the acquirer has not answered", "staff:6")
    await bank.care.word.round()
    assert "Jawaban laporan perlu waktu lebih" in [one.title for one in await told(bank, ANA)]


async def test_a_bank_that_died_before_it_opened_the_case_opens_it_when_it_is_back(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    payment = await waits(bank, paper, "q-1")
    clock.advance(900)
    await bank.redress.round()
    anew = type(bank.care)(bank)
    assert await anew.own.start() == 1
    assert await anew.own.round() == 1
    assert len(await bank.care.complaints.store.of_payment(payment.id)) == 1
    assert await anew.own.start() == 0


async def test_a_case_that_could_not_be_opened_at_once_is_opened_by_the_next_round(
    bank: Bank, paper: PaperRail, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await waits(bank, paper, "q-1")
    clock.advance(900)
    await bank.redress.round()
    asked = asyncio.Event()

    async def gone(_: object) -> Case:
        asked.set()
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(bank.care.complaints, "open", gone)
        running = asyncio.create_task(bank.care.own.run())
        await asked.wait()
        running.cancel()
    assert await bank.care.own.round() == 1
    assert len(await bank.care.complaints.store.of_payment(payment.id)) == 1


async def test_an_end_the_bank_died_with_untold_is_told_when_it_is_back(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """What was heard dies with the process; what the book has is read on from where it was told."""
    payment = await waits(bank, paper, "q-1")
    clock.advance(21)
    await bank.care.word.round()
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
    anew = type(bank.care)(bank)
    await anew.word.round()
    titles = [one.title for one in await told(bank, ANA)]
    assert titles[0] == "Pembayaran batal, dana dikembalikan"
    clock.advance(61)
    await anew.word.round()
    assert [one.title for one in await told(bank, ANA)] == titles


async def test_an_advance_and_a_case_the_bank_died_with_untold_are_told_when_it_is_back(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    await bank.care.word.round()
    await waits(bank, paper, "q-1")
    clock.advance(900)
    await bank.redress.round()
    assert await bank.care.own.round() == 1
    anew = type(bank.care)(bank)
    await anew.word.round()
    titles = [one.title for one in await told(bank, ANA)]
    assert "Kami memberi talangan" in titles
    assert "Laporan Anda kami terima" in titles
    clock.advance(61)
    assert await anew.word.round() == 0


async def test_word_that_finds_no_database_is_told_by_the_next_round(
    bank: Bank, paper: PaperRail, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await waits(bank, paper, "q-1")
    await bank.care.word.round()
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))

    asked = asyncio.Event()

    async def gone(_: object) -> Told:
        asked.set()
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(bank.care.notices, "tell", gone)
        running = asyncio.create_task(bank.care.word.run())
        await asked.wait()
        running.cancel()
    assert await told(bank, ANA) == []
    await bank.care.word.round()
    assert [one.title for one in await told(bank, ANA)] == ["Pembayaran batal, dana dikembalikan"]


async def test_a_book_that_was_never_told_of_is_not_told_from_its_first_day(
    bank: Bank, paper: PaperRail
) -> None:
    """A bank that is upgraded wakes nobody for last year."""
    payment = await waits(bank, paper, "q-1")
    await bank.desk.decide(Conclude(payment.id, NO, bank.desk.rules))
    anew = type(bank.care)(bank)
    await anew.word.round()
    assert await told(bank, ANA) == []
