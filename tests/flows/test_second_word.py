"""A network says twice what became of a payment, and differently: never booked as if it agreed."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from paper import PaperRail
from stories import ANA, RUPIAH, account_of, balance, pay, proved, scan, told, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused, Unanswered
from tangguh.core.service import IN_BIFAST
from tangguh.ledger import chart
from tangguh.payments.decide import Conclude
from tangguh.payments.incoming.doubt import Doubt
from tangguh.payments.payment import Decided, Payment
from tangguh.rails.rail import Facts, Incoming
from tangguh.settlement import repair as repairs
from tangguh.settlement.ageing import ageing
from tangguh.settlement.breaks import Break
from tangguh.settlement.contradicted.listing import list_contradictions
from tangguh.settlement.cycle import BackOffice, Ran, expected_of, run
from tangguh.settlement.file import Expected
from tangguh.settlement.match import Kind
from tangguh.settlement.signed import Signed
from tangguh.settlement.store import open_breaks
from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)
HOUR = 3600.0
SUM = 150_000 * RUPIAH
REFERENCE = "20260320UJIAIDJ1010O0100000001"
NO = Declined(Refusal.PARTNER_DECLINED)
TWO = Signed(by="rani", approved_by="dewi", reason="both banks looked")


@pytest.fixture
def office(bank: Bank, clock: HandClock) -> BackOffice:
    """The back office of the bank under test."""
    return BackOffice(bank.desk, bank.pool, bank.book_id, clock)


async def announced(bank: Bank) -> int:
    """Rp 150.000 for Ana are announced; her account."""
    account = await account_of(bank, ANA)
    incoming = Incoming(
        rail="bifast",
        service=IN_BIFAST,
        reference=REFERENCE,
        creditor=str(account),
        amount_minor=SUM,
        currency="IDR",
        sender_name="BUDI",
        sender_bank="998",
        sender_account="770000001",
    )
    assert isinstance(await bank.receiving.announce(incoming), Accepted)
    return account


async def settle(office: BackOffice, clock: HandClock, minor: int) -> Ran:
    """The day's file lists this sum of it."""
    clock.advance(24 * HOUR)
    asked = expected_of("bifast", DAY, 1)
    assert isinstance(asked, Expected)
    line = SettlementLine(
        kind="CRE", side="I", reference=REFERENCE, network_reference="S1", amount_minor=minor,
        at="2026-03-20T06:00:00+00:00",
    )  # fmt: skip
    done = await run(office, asked, file_of("bifast", "TGUHIDJ1", DAY, 1, (line,)).encode())
    assert isinstance(done, Ran), done
    await list_contradictions(office)
    return done


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (Facts(amount_minor=SUM + 50_000 * RUPIAH), Kind.AMOUNT_DIFFERS),
        (Facts(amount_minor=SUM, account="10100000021"), Kind.ACCOUNT_DIFFERS),
    ],
)
async def test_what_was_settled_otherwise_than_announced_is_nobodys_until_people_looked(
    bank: Bank, office: BackOffice, facts: Facts, kind: Kind
) -> None:
    """It waits in suspense, and a named desk owns the difference at once."""
    account = await announced(bank)
    before = (await balance(bank, account)).posted_minor
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), facts)
    assert (await balance(bank, account)).posted_minor == before
    assert (await balance(bank, chart.SUSPENSE)).posted_minor == SUM
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.owner, opened.state) == (kind, "transfer desk", "open")
    assert await list_contradictions(office) == []
    assert await open_breaks(bank.pool, bank.book_id) == [opened]
    aged = await ageing(bank.pool, bank.book_id, office.clock.now())
    assert [one.owner for one in aged.suspended] == ["transfer desk"]
    await proved(bank)


async def test_the_same_facts_are_booked_as_before(bank: Bank, office: BackOffice) -> None:
    account = await announced(bank)
    before = (await balance(bank, account)).posted_minor
    facts = Facts(amount_minor=SUM, account=f"000{account}")
    for _ in range(2):
        await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), facts)
    assert (await balance(bank, account)).posted_minor == before + SUM
    assert await list_contradictions(office) == []


async def test_declined_and_then_settled_is_a_break_at_once_and_reaches_its_owner(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Two people give Ana the money before the file comes; the file then agrees."""
    account = await announced(bank)
    before = (await balance(bank, account)).posted_minor
    await bank.receiving.settled("bifast", REFERENCE, NO)
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), Facts(SUM, str(account)))
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.theirs_minor, opened.ours_minor) == (Kind.STATE_DIFFERS, -SUM, 0)
    done = await repairs.repair(office, opened.break_id, TWO, to_customer=True)
    assert isinstance(done, Break), done
    assert (await balance(bank, account)).posted_minor == before + SUM
    ran = await settle(office, clock, SUM)
    assert (ran.breaks, ran.matched) == (0, 1)
    assert await open_breaks(bank.pool, bank.book_id) == []
    assert (await balance(bank, chart.SETTLEMENT_BIFAST)).posted_minor == 0
    await proved(bank)


async def test_a_file_that_comes_first_takes_the_break_over(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """One break at a time for one difference: it cannot be repaired twice."""
    await announced(bank)
    await bank.receiving.settled("bifast", REFERENCE, NO)
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), Facts(SUM))
    (opened,) = await list_contradictions(office)
    await settle(office, clock, SUM)
    (left,) = await open_breaks(bank.pool, bank.book_id)
    assert left.cycle == 1
    refused = await repairs.repair(office, opened.break_id, TWO, to_customer=True)
    assert isinstance(refused, Refused)


async def test_settled_and_then_declined_is_a_break_at_once(bank: Bank, office: BackOffice) -> None:
    await announced(bank)
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), Facts(SUM))
    await bank.receiving.settled("bifast", REFERENCE, NO)
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.ours_minor, opened.theirs_minor) == (Kind.STATE_DIFFERS, -SUM, 0)


async def test_what_a_network_denies_after_its_own_file_is_a_break(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """The file agreed with the book, and came before: it says nothing of what is said now."""
    account = await announced(bank)
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), Facts(SUM, str(account)))
    ran = await settle(office, clock, SUM)
    assert (ran.breaks, ran.matched) == (0, 1)
    clock.advance(HOUR)
    await bank.receiving.settled("bifast", REFERENCE, NO)
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.ours_minor, opened.theirs_minor) == (Kind.STATE_DIFFERS, -SUM, 0)
    assert await open_breaks(bank.pool, bank.book_id) == [opened]


async def test_an_account_named_later_is_ended_by_two_people(
    bank: Bank, office: BackOffice
) -> None:
    """Nothing moves; one person alone ends nothing."""
    await announced(bank)
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), Facts(SUM))
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"), Facts(SUM, "1234"))
    (opened,) = await list_contradictions(office)
    assert opened.kind == Kind.ACCOUNT_DIFFERS
    alone = msgspec.structs.replace(TWO, approved_by="rani")
    assert isinstance(await repairs.repair(office, opened.break_id, alone), Refused)
    done = await repairs.repair(office, opened.break_id, TWO)
    assert isinstance(done, Break)
    assert (done.state, await open_breaks(bank.pool, bank.book_id)) == ("closed", [])


async def unanswered(bank: Bank, paper: PaperRail) -> Payment:
    """A QRIS payment of Ana's of which nobody knows."""
    paper.will("send", Unanswered("silent"))
    return await pay(bank, await scan(bank, 25_000 * RUPIAH))


async def test_a_late_yes_of_another_sum_ends_no_payment_of_ours(
    bank: Bank, office: BackOffice, paper: PaperRail
) -> None:
    """It stays open, its owner is named, and the right word still ends it."""
    payment = await unanswered(bank, paper)
    assert payment.is_open, payment
    doubt = Conclude(payment.id, Accepted("N1"), bank.desk.rules, Facts(payment.to_payee_minor + 1))
    after = await bank.desk.decide(doubt)
    assert isinstance(after, Decided)
    assert after.payment.is_open
    assert (await told(bank, payment))[-1] == "contradicted"
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.difference_minor) == (Kind.AMOUNT_DIFFERS, 1)
    right = Conclude(payment.id, Accepted("N1"), bank.desk.rules, Facts(payment.to_payee_minor))
    ended = await bank.desk.decide(right)
    assert isinstance(ended, Decided)
    assert not ended.payment.is_open
    await proved(bank)


async def test_a_network_that_contradicts_itself_for_ever_fills_no_book(
    bank: Bank, office: BackOffice
) -> None:
    """It says no to what it settled, two hundred times: a few lines, one break, one owner."""
    await announced(bank)
    await bank.receiving.settled("bifast", REFERENCE, Accepted("CLR-1"))
    for _ in range(200):
        await bank.receiving.settled("bifast", REFERENCE, NO)
    found = await bank.receiving.find("bifast", REFERENCE)
    assert found is not None
    assert len(await told(bank, found)) <= 40
    assert len(await list_contradictions(office)) == 1
    await proved(bank)


async def test_a_long_silence_does_not_use_up_what_may_be_said(
    bank: Bank, office: BackOffice, paper: PaperRail
) -> None:
    """Asked fifty times without an answer, then no, then "paid after all": somebody is told."""
    paper.will("send", Unanswered("silence"))
    payment = await pay(bank, await scan(bank, 2_000_00, key="silent"))
    rules = bank.desk.rules
    for _ in range(50):
        await bank.desk.decide(Conclude(payment.id, Unanswered("silence"), rules))
    await bank.desk.decide(Conclude(payment.id, NO, rules))
    done = await bank.desk.decide(Conclude(payment.id, Accepted("LATE"), rules))
    assert isinstance(done, Decided)
    assert done.payment.events > 50
    assert len(await list_contradictions(office)) == 1


async def test_a_doubt_said_for_ever_fills_no_book(bank: Bank, paper: PaperRail) -> None:
    """A terminal that repeats its reversal until it likes the answer."""
    payment = await pay(bank, await transfer(bank, 1_000_00, key="doubted"))
    for _ in range(100):
        await bank.writer.decide(Doubt(payment_id=payment.id, taken_minor=5, why="amount"))
    assert len(await told(bank, payment)) <= 40
