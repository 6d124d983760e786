"""Breaks are repaired by two people, suspense has an age and an owner, merchants get their cut."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from paper import PaperRail
from stories import (
    ANA,
    RUPIAH,
    account_of,
    balance,
    count_of,
    give_back,
    now_is,
    pay,
    proved,
    put_state,
    refund,
    scan,
)
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import CreditOrder
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused
from tangguh.core.service import IN_QRIS
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.ledger.posting import Posting
from tangguh.payments import flow
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.payments.payment import Decided, Payment
from tangguh.settlement import repair as repairs
from tangguh.settlement.ageing import ageing
from tangguh.settlement.breaks import Break
from tangguh.settlement.cycle import BackOffice, Ran, expected_of, run
from tangguh.settlement.file import Expected
from tangguh.settlement.match import Kind
from tangguh.settlement.mend import RepairBreak
from tangguh.settlement.merchants.payout import pay_out
from tangguh.settlement.signed import Signed
from tangguh.settlement.store import open_breaks
from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)
HOUR = 3600.0
TWO = Signed(by="rani", approved_by="dewi", reason="seen in the network's books")


@pytest.fixture
def office(bank: Bank, clock: HandClock) -> BackOffice:
    """The back office of the bank under test."""
    return BackOffice(bank.desk, bank.pool, bank.book_id, clock)


def listed(payment: Payment | None, reference: str = "", minor: int = 0) -> SettlementLine:
    return SettlementLine(
        kind="PAY",
        side="O",
        reference=reference or (payment.reference if payment else ""),
        network_reference="Q1",
        amount_minor=minor or (payment.to_payee_minor if payment else 0),
        at="2026-03-20T06:00:00+00:00",
    )


async def settle(office: BackOffice, *lines: SettlementLine) -> list[Break]:
    """Run the afternoon's cycle; the breaks that are open after it."""
    asked = expected_of("qris", DAY, 2)
    assert isinstance(asked, Expected)
    text = file_of("qris", "BANKTANGGUH", DAY, 2, lines)
    done = await run(office, asked, text.encode())
    assert isinstance(done, Ran), done
    return await open_breaks(office.pool, office.book_id)


async def the_break(bank: Bank, office: BackOffice, clock: HandClock) -> Break:
    """A payment the network lists and we do not know: Rp 9.000."""
    clock.advance(13 * HOUR)
    (found,) = await settle(office, listed(None, "f" * 32, 9_000 * RUPIAH))
    return found


async def test_a_break_is_repaired_by_two_people_once(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """The settlement account becomes whole, suspense takes the difference, the list says who."""
    found = await the_break(bank, office, clock)
    done = await repairs.repair(office, found.break_id, TWO)
    assert isinstance(done, Break)
    assert (done.state, done.repaired_by, done.approved_by) == ("repaired", "rani", "dewi")
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    assert (await balance(bank, chart.SUSPENSE)).posted_minor == -9_000 * RUPIAH
    rows = [await count_of(bank, table) for table in ("postings", "acts")]
    again = await repairs.repair(office, found.break_id, TWO)
    assert isinstance(again, Break)
    assert [await count_of(bank, table) for table in ("postings", "acts")] == rows
    other = Signed(by="rani", approved_by="budi", reason="once more")
    refused = await repairs.repair(office, found.break_id, other)
    assert isinstance(refused, Refused)
    assert refused.field == "break"
    assert await open_breaks(bank.pool, bank.book_id) == []
    await proved(bank)


@pytest.mark.parametrize(
    ("signed", "field"),
    [
        (Signed(by="rani", approved_by="rani", reason="x"), "approved_by"),
        (Signed(by="rani", approved_by=" RANI ", reason="x"), "approved_by"),
        (Signed(by="rani", approved_by="", reason="x"), "approved_by"),
        (Signed(by="", approved_by="dewi", reason="x"), "by"),
        (Signed(by="rani", approved_by="dewi", reason="  "), "reason"),
    ],
)
async def test_nobody_repairs_alone(
    bank: Bank, office: BackOffice, clock: HandClock, signed: Signed, field: str
) -> None:
    """One person, however spelled, no name or no reason: refused, and nothing moved."""
    found = await the_break(bank, office, clock)
    before = await count_of(bank, "postings")
    refused = await repairs.repair(office, found.break_id, signed)
    assert isinstance(refused, Refused)
    assert refused.field == field
    assert await count_of(bank, "postings") == before
    assert len(await open_breaks(bank.pool, bank.book_id)) == 1


async def test_a_repair_of_another_sum_is_refused(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Not the break's difference, or hidden in another account of the bank's own."""
    found = await the_break(bank, office, clock)
    minor = found.difference_minor
    wrong = (
        ((found.account_id, minor - 1), (chart.SUSPENSE, 1 - minor)),
        ((found.account_id, minor), (chart.FEES, -minor)),
        ((chart.SETTLEMENT_BIFAST, minor), (chart.SUSPENSE, -minor)),
    )
    for entries in wrong:
        refused = await repairs.repair(office, found.break_id, TWO, entries=entries)
        assert isinstance(refused, Refused)
        assert refused.field == "entries"
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    split = ((found.account_id, minor), (chart.SUSPENSE, 100 - minor), (account, -100))
    assert isinstance(await repairs.repair(office, found.break_id, TWO, entries=split), Break)
    assert (await balance(bank, account)).posted_minor == before - 100
    await proved(bank)


async def test_a_crash_between_the_book_and_the_list_is_made_good(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """The book has the repair with both names; the list is written again from it."""
    found = await the_break(bank, office, clock)
    posted = await bank.desk.decide(RepairBreak(broken=found, entries=found.entries(), signed=TWO))
    assert isinstance(posted, Posting)
    assert len(await open_breaks(bank.pool, bank.book_id)) == 1
    known = await repairs.catch_up(office, found.break_id)
    assert known is not None
    assert (known.state, known.approved_by, known.reason) == ("repaired", "dewi", TWO.reason)
    assert await open_breaks(bank.pool, bank.book_id) == []


async def test_a_repair_whose_line_is_taken_back_is_a_break_again(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """The corrected file lacks the line two people repaired: the repair is to be undone, by two."""
    found = await the_break(bank, office, clock)
    assert isinstance(await repairs.repair(office, found.break_id, TWO), Break)
    asked = expected_of("qris", DAY, 2)
    assert isinstance(asked, Expected)
    empty = file_of("qris", "BANKTANGGUH", DAY, 2, []).encode()
    for _ in range(2):
        assert isinstance(await run(office, asked, empty, supersede=TWO), Ran)
        (again,) = await open_breaks(bank.pool, bank.book_id)
    assert again.difference_minor == -9_000 * RUPIAH
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 9_000 * RUPIAH
    assert isinstance(await repairs.repair(office, again.break_id, TWO), Break)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    assert (await balance(bank, chart.SUSPENSE)).posted_minor == 0
    await proved(bank)


async def test_what_the_customer_owes_is_taken_from_the_customer(
    bank: Bank, office: BackOffice, clock: HandClock, paper: PaperRail
) -> None:
    """Voided here and paid there: with two names the customer pays what the merchant got."""
    paper.will("send", Declined(Refusal.PARTNER_DECLINED, "51"))
    voided = await pay(bank, await scan(bank, 4_000 * RUPIAH))
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    clock.advance(13 * HOUR)
    (found,) = await settle(office, listed(voided))
    assert found.kind is Kind.STATE_DIFFERS
    done = await repairs.repair(office, found.break_id, TWO, to_customer=True)
    assert isinstance(done, Break)
    assert (await balance(bank, account)).posted_minor == before - 4_000 * RUPIAH
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    await proved(bank)


async def test_a_repair_to_the_payer_and_every_other_way_back_exclude_each_other(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Listed nowhere: two people give it back once, and a refund of it after that is refused."""
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    first = await pay(bank, await scan(bank, 4_000 * RUPIAH, key="a"))
    second = await pay(bank, await scan(bank, 5_000 * RUPIAH, key="b"))
    clock.advance(13 * HOUR)
    breaks = {one.payment_id: one.break_id for one in await settle(office)}
    assert isinstance(await repairs.repair(office, breaks[first.id], TWO, to_customer=True), Break)
    await refund(bank, give_back(second, 5_000 * RUPIAH))
    again = await flow.refund(bank.desk, give_back(first, 1_000, key="r-2"))
    late = await repairs.repair(office, breaks[second.id], TWO, to_customer=True)
    for said in (again, late):
        assert isinstance(said, Refused)
        assert said.code is Refusal.WAY_BACK_TAKEN
    assert (await balance(bank, account)).posted_minor == before
    await proved(bank)


async def test_what_the_network_does_not_list_is_asked_about(
    bank: Bank, office: BackOffice, clock: HandClock, paper: PaperRail
) -> None:
    """Its answer is kept as an act; a line that comes after the repair is a duplicate."""
    paid = await pay(bank, await scan(bank, 6_000 * RUPIAH))
    clock.advance(13 * HOUR)
    (found,) = await settle(office)
    paper.will("inquire", Accepted("Q7"))
    assert await repairs.inquire(office, found.break_id, "rani") == Accepted("Q7")
    assert isinstance(await repairs.repair(office, found.break_id, TWO), Break)
    assert (await balance(bank, chart.SUSPENSE)).posted_minor == 6_000 * RUPIAH
    clock.advance(12 * HOUR)
    next_day = DAY + timedelta(days=1)
    asked = expected_of("qris", next_day, 1)
    assert isinstance(asked, Expected)
    late = msgspec.structs.replace(listed(paid), at="2026-03-20T20:00:00+00:00")
    text = file_of("qris", "BANKTANGGUH", next_day, 1, [late])
    await run(office, asked, text.encode())
    (again,) = await open_breaks(bank.pool, bank.book_id)
    assert (again.kind, again.difference_minor) == (Kind.DUPLICATE, 6_000 * RUPIAH)
    assert (await now_is(bank, paid)).state == "posted"
    await proved(bank)


async def test_suspense_has_an_age_and_an_owner_until_two_people_clear_it(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Each entry by itself; what is cleared is gone from the list, and is cleared once."""
    found = await the_break(bank, office, clock)
    clock.advance(48 * HOUR)
    seen = await ageing(bank.pool, bank.book_id, clock.now())
    assert [(one.account_id, one.age_days) for one in seen.standing if one.account_id ==
            chart.SETTLEMENT_QRIS] == [(chart.SETTLEMENT_QRIS, 2)]  # fmt: skip
    assert [one.age(clock.now()).days for one in seen.breaks] == [2]
    done = await repairs.repair(office, found.break_id, TWO)
    assert isinstance(done, Break)
    assert done.posting_id is not None
    clock.advance(24 * HOUR)
    seen = await ageing(bank.pool, bank.book_id, clock.now())
    (entry,) = seen.suspended
    assert (entry.owner, entry.age_days, entry.amount_minor) == ("qris desk", 1, -9_000 * RUPIAH)
    assert chart.SETTLEMENT_QRIS not in {one.account_id for one in seen.standing}
    account = await account_of(bank, ANA)
    alone = msgspec.structs.replace(TWO, approved_by="rani")
    assert isinstance(await repairs.clear(office, done.posting_id, account, alone), Refused)
    for _ in range(2):
        assert isinstance(await repairs.clear(office, done.posting_id, account, TWO), Posting)
    assert (await balance(bank, chart.SUSPENSE)).posted_minor == 0
    assert (await ageing(bank.pool, bank.book_id, clock.now())).suspended == []
    other = await account_of(bank, 2)
    assert isinstance(await repairs.clear(office, done.posting_id, other, TWO), Refused)
    await proved(bank)


async def test_every_step_of_a_break_is_in_the_journal(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Opened, repaired: acts with the names, in the hash chain that the proof walks."""
    found = await the_break(bank, office, clock)
    await repairs.repair(office, found.break_id, TWO)
    rows = await bank.pool.fetch(
        "SELECT actor, what FROM acts WHERE subject = $1 ORDER BY act_id",
        f"break:{found.break_id}",
    )
    assert [(row["actor"], row["what"]) for row in rows] == [
        ("bank:settlement", "break.opened"),
        ("staff:rani", "break.repaired"),
    ]
    await proved(bank)


async def test_merchants_are_paid_once_at_the_cut_off(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """What waited at noon is paid once; what came after noon waits for the evening."""
    shops = await bank.pool.fetch("SELECT * FROM merchants WHERE waiting_id <> 0 ORDER BY 1, 2")
    shop, closed = shops[0], shops[1]
    clock.advance(21 * HOUR)
    next_day = DAY + timedelta(days=1)
    for number, one in enumerate((shop, closed)):
        await received(bank, one, 50_000 * RUPIAH, f"V{number}")
    clock.advance(4 * HOUR)
    await received(bank, shop, 7_000 * RUPIAH, "V9")
    before = (await balance(bank, shop["account_id"])).posted_minor
    await put_state(bank, closed["account_id"], AccountState.CLOSED)
    for _ in range(2):
        paid = {one.merchant_id: one for one in await pay_out(office, next_day, 1)}
        assert paid[shop["merchant_id"]].amount_minor == 50_000 * RUPIAH
        assert paid[closed["merchant_id"]].refused is not None
    assert (await balance(bank, shop["account_id"])).posted_minor == before + 50_000 * RUPIAH
    assert (await balance(bank, shop["waiting_id"])).posted_minor == 7_000 * RUPIAH
    with pytest.raises(ValueError, match="ends at"):
        await pay_out(office, next_day, 2)
    clock.advance(12 * HOUR)
    evening = {one.merchant_id: one for one in await pay_out(office, next_day, 2)}
    assert evening[shop["merchant_id"]].amount_minor == 7_000 * RUPIAH
    await proved(bank)


async def test_a_deposit_is_filled_once_a_day_by_two(bank: Bank, office: BackOffice) -> None:
    """From the nostro to the partner; another sum on the same day is another matter."""
    before = (await balance(bank, chart.PARTNER_OF_WALLET["ovo"])).posted_minor
    for _ in range(2):
        posted = await repairs.fill_deposit(office, "ovo", 1_000 * RUPIAH, TWO)
        assert isinstance(posted, Posting)
    after = (await balance(bank, chart.PARTNER_OF_WALLET["ovo"])).posted_minor
    assert after == before - 1_000 * RUPIAH
    refused = await repairs.fill_deposit(office, "ovo", 2_000 * RUPIAH, TWO)
    assert isinstance(refused, Refused)
    assert isinstance(await repairs.fill_deposit(office, "qris", 1, TWO), Refused)
    await proved(bank)


async def received(bank: Bank, shop: msgspec.Struct, minor: int, reference: str) -> None:
    """A visitor pays the shop by QRIS."""
    order = CreditOrder(
        rail="qris",
        idempotency_key=f"qris:{reference}",
        service=IN_QRIS,
        creditor=shop["waiting_id"],
        amount_minor=minor,
        merchant_id=shop["merchant_id"],
    )
    decided = await bank.desk.decide(ReceiveCredit(order, bank.desk.rules, at_once=True))
    assert isinstance(decided, Decided)
