"""Stories of people who complain, and of the bank that mostly knows the answer already."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pypdfium2
import pytest
from PIL import Image

from paper import PaperRail
from plain_words import unread
from stories import (
    ANA,
    BUDI,
    RUPIAH,
    account_of,
    balance,
    now_is,
    pay,
    proved,
    scan,
    transfer,
)
from tangguh.app import Bank
from tangguh.core.client import Client
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.ids import Ids
from tangguh.core.order import Origin, PaymentOrder, ToBiller, ToCash, ToPurse
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused, Unanswered
from tangguh.core.service import BILL, CARD_CASH, TOPUP_CARD
from tangguh.customers.demo import purse_of
from tangguh.db.objects import Objects, ObjectSettings
from tangguh.disputes import complaints
from tangguh.disputes.case import About, Case, CaseState, Outcome
from tangguh.disputes.complaints import Complaint, Complaints, number_of
from tangguh.disputes.evidence.locker import Locker
from tangguh.disputes.letters import letter
from tangguh.disputes.store import CaseStore
from tangguh.disputes.verdict import Seen
from tangguh.payments import store as payments
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.incoming.tap import LoadChip
from tangguh.payments.payment import Decided, Payment, State
from tangguh.work.care import eyes as work_eyes


class Eyes:
    """What the bank is told it sees of settlement."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.listed: int | None = None
        self.is_break = False
        self.file_closed = False

    async def __call__(self, payment_id: UUID | None) -> Seen:
        if payment_id is None:
            return Seen(payment=None, assured_at=self.bank.clock.now())
        payment = await payments.find(self.bank.pool, self.bank.book_id, payment_id)
        return Seen(
            payment=payment,
            listed_minor=self.listed,
            is_break=self.is_break,
            file_closed=self.file_closed,
            is_inside=payment is not None and payment.rail == "onus",
        )


@pytest.fixture
def eyes(bank: Bank) -> Eyes:
    return Eyes(bank)


@pytest.fixture
async def desk(
    bank: Bank, eyes: Eyes, clock: HandClock, tmp_path: Path
) -> AsyncIterator[Complaints]:
    store = CaseStore(bank.pool, bank.book_id)
    locker = Locker(Objects(ObjectSettings(url=str(tmp_path))), clock)
    yield Complaints(bank.desk, store, locker, Ids(clock, random.Random(5)), eyes)


NUMBERS = iter(range(1, 10_000))


def says(about: About = About.FAILED_DEBITED, **more: object) -> Complaint:
    values = {
        "case_id": UUID(int=random.Random(next(NUMBERS)).getrandbits(128)),
        "customer_id": ANA,
        "about": about,
        "text": "Sudah terpotong tetapi kasir bilang belum masuk.",
        "channel": "app",
    } | more
    return Complaint(**values)  # type: ignore[arg-type]


async def opened(desk: Complaints, said: Complaint) -> Case:
    case = await desk.open(said)
    assert isinstance(case, Case), case
    return case


async def test_debited_and_unanswered_waits_on_the_payments_own_clock_and_then_decides_itself(
    bank: Bank, desk: Complaints, paper: PaperRail, clock: HandClock
) -> None:
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(payment_id=payment.id))
    assert case.state is CaseState.WAITING
    await bank.desk.decide(
        Conclude(payment.id, Declined(Refusal.PARTNER_DECLINED, "x"), bank.desk.rules)
    )
    assert await desk.round() == 1
    case = (await desk.store.find(case.id)) or case
    assert (case.state, case.outcome, case.decided_by) == (
        CaseState.DECIDED,
        Outcome.MONEY_FREE,
        "bank",
    )
    await proved(bank)


async def test_a_payment_the_settled_file_lists_is_answered_with_the_proof(
    bank: Bank, desk: Complaints, eyes: Eyes
) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    eyes.listed = 54_000 * RUPIAH
    case = await opened(desk, says(payment_id=payment.id))
    assert case.outcome is Outcome.ARRIVED
    text = read(letter(case, await now_is(bank, payment), "Bank Tangguh", "id"))
    assert "RRN000000001" in text
    assert "LAPS SJK" in text
    again = await desk.write(case, "Kasir tetap bilang belum.", f"customer:{ANA}")
    assert isinstance(again, Case)
    assert (again.state, again.has_objected) == (CaseState.WITH_STAFF, True)


async def test_a_payment_no_file_lists_is_given_back_for_good_once_the_network_agrees(
    bank: Bank, desk: Complaints, eyes: Eyes, paper: PaperRail
) -> None:
    before = await balance(bank, await account_of(bank, ANA))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    eyes.is_break, eyes.file_closed = True, True
    paper.will("inquire", Declined(Refusal.PARTNER_DECLINED, "x"))
    case = await opened(desk, says(payment_id=payment.id))
    assert case.outcome is Outcome.CAME_BACK
    assert (await balance(bank, before.account_id)).posted_minor == before.posted_minor
    assert (await now_is(bank, payment)).state is State.REFUNDED
    await proved(bank)


async def test_a_network_that_takes_its_time_keeps_nobody_waiting_and_still_has_its_say(
    bank: Bank,
    desk: Complaints,
    eyes: Eyes,
    paper: PaperRail,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The person has their number at once; what the network says is done when it says it."""
    monkeypatch.setattr(complaints, "_WAIT_SECONDS", 0.05)
    payments_ = [
        await pay(bank, await scan(bank, 54_000 * RUPIAH, key=f"slow-{number}"))
        for number in range(3)
    ]
    eyes.is_break, eyes.file_closed = True, True
    paper.asking = asyncio.Event()
    paper.will("inquire", Declined(Refusal.PARTNER_DECLINED, "x"))
    async with asyncio.timeout(5):
        cases = [await opened(desk, says(payment_id=payment.id)) for payment in payments_]
        await desk.round()
    assert {case.state for case in cases} == {CaseState.RECEIVED}
    paper.asking.set()
    await desk.close()
    for case in cases:
        found = await desk.store.find(case.id)
        assert found is not None
        assert found.outcome is Outcome.CAME_BACK
    assert [kind for kind, _ in paper.asked].count("inquire") == 3
    await proved(bank)


@pytest.mark.parametrize("said", [Accepted("RRN"), Unanswered("timeout")])
async def test_listed_nowhere_and_the_network_does_not_agree_goes_to_people(
    bank: Bank, desk: Complaints, eyes: Eyes, paper: PaperRail, said: Accepted | Unanswered
) -> None:
    """While it is silent the customer has the bank's money; when it says paid, people look."""
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    eyes.is_break, eyes.file_closed = True, True
    paper.will("inquire", said)
    case = await opened(desk, says(payment_id=payment.id))
    assert case.state is CaseState.WITH_STAFF
    silent = isinstance(said, Unanswered)
    assert (await now_is(bank, payment)).advanced_minor == 54_000 * RUPIAH * silent
    await proved(bank)


async def test_people_claim_it_back_and_the_advance_is_repaid_when_it_comes(
    bank: Bank, desk: Complaints, eyes: Eyes, paper: PaperRail
) -> None:
    before = await balance(bank, await account_of(bank, ANA))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(About.NOT_MINE, payment_id=payment.id))
    paper.will("refund", Unanswered("timeout"))
    claimed = await desk.claim(case, "the code on the counter was replaced", "staff:6")
    assert isinstance(claimed, Case)
    assert claimed.outcome is Outcome.CLAIMED
    assert (await balance(bank, before.account_id)).available_minor == before.available_minor
    paper.will("inquire_refund", Accepted("CB-1"))
    bank.clock.advance(120)
    await bank.resolver.round()
    found = await now_is(bank, payment)
    assert (found.state, found.advanced_minor) == (State.REFUNDED, 0)
    assert (await balance(bank, before.account_id)).posted_minor == before.posted_minor
    await proved(bank)


async def test_a_claim_the_network_declines_stays_with_people(
    bank: Bank, desk: Complaints, paper: PaperRail
) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(About.NOT_MINE, payment_id=payment.id))
    paper.will("refund", Declined(Refusal.PARTNER_DECLINED, "x"))
    said = await desk.claim(case, "why", "staff:6")
    assert isinstance(said, Refused)
    assert said.code is Refusal.PARTNER_DECLINED
    assert (await now_is(bank, payment)).advanced_minor == 0


async def died(*_: object) -> Case | Refused:
    raise StoreUnavailable("the bank died")


async def test_a_claim_asked_for_again_after_the_bank_died_is_the_same_claim(
    bank: Bank, desk: Complaints, paper: PaperRail
) -> None:
    """The claim was in the book, its case was not answered yet."""
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(About.NOT_MINE, payment_id=payment.id))
    paper.will("refund", Unanswered("timeout"))
    answered, desk.step = desk.step, died  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await desk.claim(case, "the code on the counter was replaced", "staff:6")
    desk.step = answered  # type: ignore[method-assign]
    again = await desk.claim(case, "the code on the counter was replaced", "staff:6")
    assert isinstance(again, Case), again
    assert again.outcome is Outcome.CLAIMED
    assert (await now_is(bank, payment)).refunding_minor == 54_000 * RUPIAH
    await proved(bank)


async def test_cash_that_did_not_come_out_elsewhere_was_not_credited_inside_the_bank(
    bank: Bank, desk: Complaints
) -> None:
    """Our card at another bank's machine is decided by our book, and paid out by another's."""
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key="998-0101000000-000001-000001",
        service=CARD_CASH,
        debtor=await account_of(bank, ANA),
        payee=ToCash(terminal="ATM99801", acquirer="998"),
        amount_minor=100_000 * RUPIAH,
    )
    origin = Origin(client=Client.CARD_SWITCH)
    decided = await bank.desk.decide(Accept(order, bank.desk.rules, origin=origin))
    assert isinstance(decided, Decided)
    assert decided.payment.state is State.POSTED
    own_eyes = work_eyes.Eyes(bank.pool, bank.book_id, lambda: None)
    assert not (await own_eyes(decided.payment.id)).is_inside


async def test_until_the_file_is_here_nobody_says_anything_is_missing(
    bank: Bank, desk: Complaints, clock: HandClock
) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(payment_id=payment.id))
    assert case.state is CaseState.WAITING
    clock.advance(37 * 3600)
    await desk.round()
    found = await desk.store.find(case.id)
    assert found is not None
    assert found.state is CaseState.WITH_STAFF


async def test_a_second_report_of_the_same_payment_joins_the_first(
    bank: Bank, desk: Complaints, paper: PaperRail, clock: HandClock
) -> None:
    """What was written first is read first, whatever the ids that came with it."""
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    last_id, first_id = UUID(int=1), UUID(int=2)
    first = await opened(desk, says(payment_id=payment.id, text="satu", case_id=first_id))
    clock.advance(1)
    second = await opened(desk, says(payment_id=payment.id, text="dua", case_id=last_id))
    assert first.id == second.id
    assert [one.body for one in await desk.store.messages(first.id)] == ["satu", "dua"]


async def test_the_same_report_sent_twice_is_one(bank: Bank, desk: Complaints) -> None:
    said = says(About.NO_WORD)
    first, second = await opened(desk, said), await opened(desk, said)
    assert first == second
    assert len(await desk.store.of_customer(ANA)) == 1
    assert len(await desk.store.messages(first.id)) == 1


async def test_nobody_complains_about_somebody_elses_payment(bank: Bank, desk: Complaints) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    for said in (says(payment_id=payment.id, customer_id=BUDI), says(payment_id=UUID(int=9))):
        answer = await desk.open(said)
        assert isinstance(answer, Refused)
        assert answer.code is Refusal.PAYMENT_NOT_FOUND


async def test_a_payment_one_does_not_know_is_for_people(bank: Bank, desk: Complaints) -> None:
    payment = await pay(bank, await transfer(bank, 10_000 * RUPIAH))
    case = await opened(desk, says(About.NOT_MINE, payment_id=payment.id))
    assert case.state is CaseState.WITH_STAFF


async def test_is_my_money_safe_is_answered_at_once_while_the_books_hold(desk: Complaints) -> None:
    case = await opened(desk, says(About.SAFETY))
    assert (case.state, case.outcome) == (CaseState.DECIDED, Outcome.ASSURED)


async def test_left_alone_it_goes_up_and_never_past_its_deadline(
    bank: Bank, desk: Complaints, clock: HandClock
) -> None:
    case = await opened(desk, says(About.OTHER))
    assert [one.id for one in await desk.store.queue()] == [case.id]
    clock.advance((case.act_by - clock.now()).total_seconds() + 1)
    await desk.round()
    found = await desk.store.find(case.id)
    assert found is not None
    assert (found.state, found.owner) == (CaseState.ESCALATED, "head of complaints")
    assert not found.is_overdue(clock.now())


async def test_a_file_that_came_is_the_papers_that_were_asked_for(
    bank: Bank, desk: Complaints
) -> None:
    case = await opened(desk, says(About.OTHER))
    asked = await desk.ask_papers(case.id, "the receipt", "staff:6")
    assert isinstance(asked, Case)
    made = io.BytesIO()
    Image.new("RGB", (40, 40)).save(made, "PNG")
    back = await desk.attach(asked, made.getvalue(), f"customer:{ANA}")
    assert isinstance(back, Case)
    assert (back.state, len(back.evidence)) == (CaseState.WITH_STAFF, 1)
    told = [event.what for event in await desk.store.timeline(case.id)]
    assert told == ["opened", "with_staff", "papers_asked", "evidence", "papers_came"]
    await proved(bank)


async def test_who_decides_on_what_has_moved_is_told_so(bank: Bank, desk: Complaints) -> None:
    case = await opened(desk, says(About.OTHER))
    await desk.answer(case.id, Outcome.EXPLAINED, "so it is", "staff:6", case.events)
    late = await desk.answer(case.id, Outcome.REFUSED, "no", "staff:7", case.events)
    assert isinstance(late, Refused)
    assert late.code is Refusal.CASE_STEP_NOT_ALLOWED


async def test_a_restart_forgets_no_waiting_case(
    bank: Bank, desk: Complaints, eyes: Eyes, paper: PaperRail, clock: HandClock
) -> None:
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(payment_id=payment.id))
    anew = Complaints(bank.desk, desk.store, desk.locker, Ids(clock, random.Random(6)), eyes)
    await anew.start()
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN"), bank.desk.rules))
    eyes.listed = payment.to_payee_minor
    assert await anew.round() == 1
    found = await desk.store.find(case.id)
    assert found is not None
    assert found.outcome is Outcome.ARRIVED


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("outcome", [None, *Outcome])
async def test_every_letter_is_a_pdf_that_says_the_number_and_the_answer(
    bank: Bank, desk: Complaints, paper: PaperRail, language: str, outcome: Outcome | None
) -> None:
    paper.will("send", Unanswered("timeout"))
    payment: Payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(payment_id=payment.id))
    if outcome is not None:
        answered = await desk.answer(case.id, outcome, "alasan yang jelas", "staff:6")
        assert isinstance(answered, Case)
        case = answered
    text = read(letter(case, payment, "Bank Tangguh", language))
    assert case.number in text
    assert "Rp54.000" in text
    assert "{" not in text
    assert ("PIN" in text) and ("OTP" in text)
    assert unread(text) == []


def read(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    text = "\n".join(document[n].get_textpage().get_text_range() for n in range(len(document)))
    document.close()
    return text.replace("\r\n", " ")


def test_a_number_can_be_read_aloud_and_not_guessed(clock: HandClock) -> None:
    ids = Ids(clock, random.Random(1))
    numbers = {number_of(ids.next(), clock.now()) for _ in range(5_000)}
    assert len(numbers) == 5_000
    assert all(len(one) == 14 and not set(one) & set("ILOU") for one in numbers)


async def test_what_people_wrote_is_not_in_the_chain(bank: Bank, desk: Complaints) -> None:
    await opened(desk, says(About.OTHER, text="rahasia saya"))
    rows = await bank.pool.fetch("SELECT detail, made_by FROM case_events")
    assert "rahasia" not in str(rows)
    assert (await desk.store.messages((await desk.store.of_customer(ANA))[0].id))[0].body


async def test_papers_are_late_and_the_person_still_gets_an_answer(
    bank: Bank, desk: Complaints, clock: HandClock
) -> None:
    case = await opened(desk, says(About.OTHER))
    asked = await desk.ask_papers(case.id, "the receipt", "staff:6")
    assert isinstance(asked, Case)
    clock.advance((asked.act_by - clock.now() + timedelta(seconds=1)).total_seconds())
    await desk.round()
    found = await desk.store.find(case.id)
    assert found is not None
    assert found.outcome is Outcome.NO_PAPERS


async def test_nobody_inside_the_bank_is_debited_by_a_claim(bank: Bank, desk: Complaints) -> None:
    """A claim goes to a network. What a customer of ours received is theirs, whatever staff write."""
    payment = await pay(bank, await transfer(bank, 54_000 * RUPIAH))
    case = await opened(desk, says(About.NOT_MINE, payment_id=payment.id))
    before = (await balance(bank, payment.creditor)).posted_minor
    said = await desk.claim(case, "they say so", "staff:6")
    assert isinstance(said, Refused)
    assert said.code is Refusal.PAYMENT_NOT_REFUNDABLE
    assert (await balance(bank, payment.creditor)).posted_minor == before


async def test_a_top_up_nobody_tapped_is_told_to_tap_and_after_the_tap_it_is_there(
    bank: Bank, clock: HandClock
) -> None:
    """The money is on the card's server; the chip has it after a reader."""
    purse = purse_of("card", 1, 0)
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key="e-1",
        service=TOPUP_CARD,
        debtor=await account_of(bank, ANA),
        payee=ToPurse(purse.top_up_id, purse.number, "card"),
        amount_minor=50_000 * RUPIAH,
    )
    payment = await pay(bank, order)
    own_eyes = work_eyes.Eyes(bank.pool, bank.book_id, lambda: None)
    assert (await own_eyes(payment.id)).waits_for_tap
    clock.advance(60)
    await bank.desk.decide(LoadChip(purse.number, 1, purse.pending_id, purse.account_id))
    assert not (await own_eyes(payment.id)).waits_for_tap


async def test_the_answer_about_a_power_token_has_its_digits(
    bank: Bank, desk: Complaints, paper: PaperRail
) -> None:
    """It came late: the case waited with the payment, and its answer is the token itself."""
    paper.will("send", Unanswered("timeout"))
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key="b-1",
        service=BILL["prepaid"],
        debtor=await account_of(bank, ANA),
        payee=ToBiller("prepaid", "32100000001"),
        amount_minor=50_000 * RUPIAH,
    )
    payment = await pay(bank, order)
    seeing = Complaints(
        bank.desk,
        desk.store,
        desk.locker,
        Ids(bank.clock, random.Random(8)),
        work_eyes.Eyes(bank.pool, bank.book_id, lambda: None),
    )
    case = await opened(seeing, says(payment_id=payment.id))
    assert case.state is CaseState.WAITING
    digits = "1234 5678 9012 3456 7890"
    await bank.desk.decide(Conclude(payment.id, Accepted("REF", digits), bank.desk.rules))
    await seeing.round()
    found = await desk.store.find(case.id)
    assert found is not None
    assert found.outcome is Outcome.TOKEN_GIVEN
    token = await payments.token_of(bank.pool, bank.book_id, payment)
    text = read(letter(found, await now_is(bank, payment), "Bank Tangguh", "id", token))
    assert digits in text
