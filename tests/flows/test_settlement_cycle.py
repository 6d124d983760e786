"""A day's settlement: files prove what nobody answered, positions are posted once, breaks age."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from paper import PaperRail
from stories import ANA, RUPIAH, account_of, balance, count_of, now_is, pay, proved, scan, told
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.order import CreditOrder, RefundOrder, ToWallet
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused, Unanswered
from tangguh.core.service import IN_BIFAST, IN_QRIS, TOPUP
from tangguh.ledger import chart
from tangguh.payments import flow
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.payments.incoming.receiving import Receiving
from tangguh.payments.payment import Decided, Payment, State
from tangguh.rails.rail import Incoming
from tangguh.settlement import store
from tangguh.settlement.cycle import BackOffice, Ran, expected_of, run
from tangguh.settlement.file import Expected, FileRefused
from tangguh.settlement.match import Kind
from tangguh.settlement.signed import Signed
from tangguh.settlement.source import name_of
from tangguh.settlement.store import open_breaks
from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)
HOUR = 3600.0
TWO = Signed(by="rani", approved_by="dewi", reason="the network sent a corrected file")


@pytest.fixture
def office(bank: Bank, clock: HandClock) -> BackOffice:
    """The back office of the bank under test."""
    return BackOffice(bank.desk, bank.pool, bank.book_id, clock)


def awaited(network: str = "qris", day: date = DAY, cycle: int = 2) -> Expected:
    expected = expected_of(network, day, cycle)
    assert isinstance(expected, Expected)
    return expected


def line_of(payment: Payment, **changes: object) -> SettlementLine:
    """How the network lists a payment of ours; all stories are in the afternoon of 20 March."""
    line = SettlementLine(
        kind="PAY",
        side="O",
        reference=payment.reference,
        network_reference="Q000000000000001",
        amount_minor=payment.to_payee_minor,
        at="2026-03-20T06:00:00+00:00",
    )
    return msgspec.structs.replace(line, **changes)


def written(*lines: SettlementLine, asked: Expected | None = None) -> bytes:
    """The file, by the outside world's own writer."""
    asked = asked or awaited()
    network = asked.network
    text = file_of(network.name, network.participants[0], asked.day, asked.cycle, lines)
    return text.encode()


async def ran(office: BackOffice, content: bytes, asked: Expected | None = None) -> Ran:
    done = await run(office, asked or awaited(), content)
    assert isinstance(done, Ran), done
    return done


async def test_a_cycle_pays_its_net_once(bank: Bank, office: BackOffice, clock: HandClock) -> None:
    """What we owe leaves the nostro; a second run of the same file changes nothing."""
    first = await pay(bank, await scan(bank, 20_000 * RUPIAH, key="a"))
    second = await pay(bank, await scan(bank, 5_000 * RUPIAH, key="b"))
    nostro = (await balance(bank, chart.NOSTRO)).posted_minor
    clock.advance(13 * HOUR)
    content = written(line_of(first), line_of(second))
    done = await ran(office, content)
    assert (done.matched, done.breaks, done.net_minor) == (2, 0, 25_000 * RUPIAH)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    assert (await balance(bank, chart.NOSTRO)).posted_minor == nostro + 25_000 * RUPIAH
    before = [await count_of(bank, table) for table in ("postings", "acts", "settlement_matches")]
    again = await ran(office, content)
    assert again.repeated
    assert again.posting_id == done.posting_id
    tables = ("postings", "acts", "settlement_matches")
    assert [await count_of(bank, table) for table in tables] == before
    await proved(bank)


async def test_the_file_proves_what_nobody_answered(
    bank: Bank, office: BackOffice, clock: HandClock, paper: PaperRail
) -> None:
    """An unanswered payment the network lists is paid; one it lists and takes back is not."""
    paper.will("send", Unanswered("silence"))
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH, key="a"))
    undone = await pay(bank, await scan(bank, 7_000 * RUPIAH, key="b"))
    assert paid.state is State.UNANSWERED
    clock.advance(13 * HOUR)
    done = await ran(
        office,
        written(line_of(paid), line_of(undone), line_of(undone, kind="REV", side="I")),
    )
    assert (done.accepted, done.declined, done.breaks) == (1, 1, 0)
    assert (await now_is(bank, paid)).state is State.POSTED
    assert (await now_is(bank, paid)).network_reference == "Q000000000000001"
    assert (await now_is(bank, undone)).state is State.VOIDED
    assert (await told(bank, paid))[-1] == "posted"
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    await proved(bank)


async def test_what_two_days_do_not_list_never_took_place(
    bank: Bank, office: BackOffice, clock: HandClock, paper: PaperRail
) -> None:
    """After its own day and the next one an unlisted payment is given back, not a file sooner."""
    paper.will("send", Unanswered("silence"))
    lost = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    clock.advance(13 * HOUR)
    next_day = DAY + timedelta(days=1)
    for asked in (awaited(cycle=1), awaited(cycle=2)):
        assert (await ran(office, written(asked=asked), asked)).absent == 0
    clock.advance(24 * HOUR)
    first, last = awaited(day=next_day, cycle=1), awaited(day=next_day, cycle=2)
    assert (await ran(office, written(asked=first), first)).absent == 0
    assert (await now_is(bank, lost)).state is State.UNANSWERED
    assert (await ran(office, written(asked=last), last)).absent == 1
    given_back = await now_is(bank, lost)
    assert given_back.state is State.VOIDED
    assert "settlement" in given_back.refusal_detail
    await proved(bank)


async def test_absence_proves_nothing_while_a_file_is_missing(
    bank: Bank, office: BackOffice, clock: HandClock, paper: PaperRail
) -> None:
    """The first cycle of its day was never read: it may be in there."""
    paper.will("send", Unanswered("silence"))
    lost = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    clock.advance(40 * HOUR)
    next_day = DAY + timedelta(days=1)
    for asked in (awaited(), awaited(day=next_day, cycle=1), awaited(day=next_day, cycle=2)):
        assert (await ran(office, written(asked=asked), asked)).absent == 0
    assert (await now_is(bank, lost)).state is State.UNANSWERED


async def test_every_kind_of_break_is_found(
    bank: Bank, office: BackOffice, clock: HandClock, paper: PaperRail
) -> None:
    """Unlisted, unknown, another sum, voided here and paid there, and listed a second time."""
    unlisted = await pay(bank, await scan(bank, 1_000 * RUPIAH, key="a"))
    other_sum = await pay(bank, await scan(bank, 2_000 * RUPIAH, key="b"))
    twice = await pay(bank, await scan(bank, 3_000 * RUPIAH, key="c"))
    paper.will("send", Declined(Refusal.PARTNER_DECLINED, "51"))
    voided = await pay(bank, await scan(bank, 4_000 * RUPIAH, key="d"))
    assert voided.state is State.VOIDED
    clock.advance(13 * HOUR)
    done = await ran(
        office,
        written(
            line_of(other_sum, amount_minor=2_500 * RUPIAH),
            line_of(twice),
            line_of(voided),
            line_of(twice, reference="b" * 32, amount_minor=9_000 * RUPIAH),
        ),
    )
    found = {one.kind: one for one in await open_breaks(bank.pool, bank.book_id)}
    assert set(found) == {
        Kind.MISSING_IN_FILE,
        Kind.AMOUNT_DIFFERS,
        Kind.STATE_DIFFERS,
        Kind.MISSING_IN_BOOK,
    }
    assert done.breaks == 4
    assert found[Kind.MISSING_IN_FILE].payment_id == unlisted.id
    assert found[Kind.AMOUNT_DIFFERS].difference_minor == 500 * RUPIAH
    assert found[Kind.STATE_DIFFERS].difference_minor == 4_000 * RUPIAH
    assert {one.owner for one in found.values()} == {"qris desk"}
    left = sum(-one.difference_minor for one in found.values())
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == left
    clock.advance(12 * HOUR)
    tomorrow = awaited(day=DAY + timedelta(days=1), cycle=1)
    late = line_of(twice, at="2026-03-20T20:00:00+00:00")
    await ran(office, written(late, asked=tomorrow), tomorrow)
    again = [one for one in await open_breaks(bank.pool, bank.book_id) if one.day != DAY]
    assert [(one.kind, one.payment_id) for one in again] == [(Kind.DUPLICATE, twice.id)]
    await proved(bank)


async def test_a_late_line_closes_its_break(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """What one file did not list and the next one does is no break any more."""
    late = await pay(bank, await scan(bank, 1_000 * RUPIAH))
    clock.advance(13 * HOUR)
    assert (await ran(office, written())).breaks == 1
    clock.advance(12 * HOUR)
    tomorrow = awaited(day=DAY + timedelta(days=1), cycle=1)
    line = line_of(late, at="2026-03-20T20:00:00+00:00")
    assert (await ran(office, written(line, asked=tomorrow), tomorrow)).matched == 1
    assert await open_breaks(bank.pool, bank.book_id) == []
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0


async def test_a_refund_may_stand_in_the_file_as_itself_or_as_a_reversal(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """A refund under its own reference, and one told as a reversal of its payment."""
    first = await pay(bank, await scan(bank, 20_000 * RUPIAH, key="a"))
    second = await pay(bank, await scan(bank, 10_000 * RUPIAH, key="b"))
    returned: list[Payment] = []
    for number, payment in enumerate((first, second)):
        order = RefundOrder(
            requested_by=0, idempotency_key=f"r{number}", payment_id=payment.id,
            amount_minor=4_000 * RUPIAH,
        )  # fmt: skip
        decided = await flow.refund(bank.desk, order)
        assert isinstance(decided, Decided)
        returned.append(decided.payment)
    clock.advance(13 * HOUR)
    own = line_of(
        first, kind="REF", side="I", reference=returned[0].reference,
        amount_minor=4_000 * RUPIAH,
    )  # fmt: skip
    reversal = line_of(second, kind="REV", side="I", amount_minor=4_000 * RUPIAH)
    done = await ran(office, written(line_of(first), line_of(second), own, reversal))
    assert (done.breaks, done.net_minor) == (0, 22_000 * RUPIAH)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    await proved(bank)


async def test_a_credit_is_settled_from_the_nostro(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """A visitor paid a merchant of ours: the network owes us, and pays at the cut-off."""
    shop = await bank.pool.fetchrow("SELECT * FROM merchants WHERE waiting_id = 0 LIMIT 1")
    order = CreditOrder(
        rail="qris", idempotency_key="qris:V0000001", service=IN_QRIS,
        creditor=shop["account_id"], amount_minor=50_000 * RUPIAH,
        merchant_id=shop["merchant_id"],
    )  # fmt: skip
    decided = await bank.desk.decide(ReceiveCredit(order, bank.desk.rules, at_once=True))
    assert isinstance(decided, Decided)
    clock.advance(13 * HOUR)
    line = line_of(decided.payment, kind="CRE", side="I", reference="V0000001")
    done = await ran(office, written(line))
    assert (done.matched, done.net_minor) == (1, -50_000 * RUPIAH)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    await proved(bank)


async def test_an_announced_credit_is_settled_by_the_file_or_never(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """The notice got lost: the file credits Ana; what two days do not list is not hers."""
    receiving = Receiving(bank.desk, bank.pool, bank.book_id)
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    for number in (1, 2):
        asked = Incoming(
            rail="bifast",
            service=IN_BIFAST,
            reference=f"20260320UJIAIDJ1010O000000000{number}",
            creditor=str(account),
            amount_minor=150_000 * RUPIAH,
            currency="IDR",
        )
        assert isinstance(await receiving.announce(asked), Accepted)
    clock.advance(13 * HOUR)
    first = awaited("bifast", cycle=1)
    line = SettlementLine(
        kind="CRE",
        side="I",
        reference="20260320UJIAIDJ1010O0000000001",
        network_reference="FAST1",
        amount_minor=150_000 * RUPIAH,
        at="2026-03-20T06:00:00+00:00",
    )
    done = await ran(office, written(line, asked=first), first)
    assert (done.accepted, done.breaks, done.net_minor) == (1, 0, -150_000 * RUPIAH)
    assert (await balance(bank, account)).posted_minor == before + 150_000 * RUPIAH
    clock.advance(24 * HOUR)
    second = awaited("bifast", day=DAY + timedelta(days=1), cycle=1)
    assert (await ran(office, written(asked=second), second)).absent == 1
    assert (await balance(bank, account)).posted_minor == before + 150_000 * RUPIAH
    assert (await balance(bank, chart.SETTLEMENT_BIFAST)).held_minor == 0
    await proved(bank)


async def test_another_file_needs_two_names(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """A corrected file is refused unless two people sign; then only the difference is posted."""
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    clock.advance(13 * HOUR)
    await ran(office, written())
    content = written(line_of(paid))
    refused = await run(office, awaited(), content)
    assert isinstance(refused, Refused)
    assert refused.field == "file"
    alone = Signed(by="rani", approved_by="Rani", reason="x")
    refused = await run(office, awaited(), content, supersede=alone)
    assert isinstance(refused, Refused)
    assert refused.field == "approved_by"
    done = await run(office, awaited(), content, supersede=TWO)
    assert isinstance(done, Ran)
    assert (done.revision, done.breaks) == (2, 0)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    assert await open_breaks(bank.pool, bank.book_id) == []
    back = await run(office, awaited(), written(), supersede=TWO)
    assert isinstance(back, Ran)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 20_000 * RUPIAH
    await proved(bank)


async def test_a_refused_file_changes_nothing_but_the_journal(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """One wrong byte in the last line, and no line of the file was acted upon."""
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    clock.advance(13 * HOUR)
    content = written(line_of(paid)).replace(b"T|1|20000.00", b"T|1|20000.01")
    refused = await run(office, awaited(), content)
    assert isinstance(refused, FileRefused)
    assert (refused.line, refused.field) == (3, "owed")
    assert await count_of(bank, "settlement_files") == 0
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 20_000 * RUPIAH
    assert (await ran(office, written(line_of(paid)))).matched == 1


async def test_a_cycle_is_not_run_before_it_ends(bank: Bank, office: BackOffice) -> None:
    """The file of an open cycle is not the whole of it; the day so far may be looked at."""
    refused = await run(office, awaited(), written())
    assert isinstance(refused, Refused)
    assert refused.field == "cycle"
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    so_far = awaited(cycle=0)
    done = await ran(office, written(line_of(paid), asked=so_far), so_far)
    assert (done.matched, done.posting_id) == (1, None)
    assert await count_of(bank, "settlement_files") == 0


async def test_what_is_concluded_at_the_cut_off_belongs_to_either_file(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Paid there before noon, known here after it: the first file lists it and nothing breaks."""
    clock.advance(-30)
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    clock.advance(13 * HOUR)
    morning = awaited(cycle=1)
    line = line_of(paid, at="2026-03-20T04:59:29+00:00")
    assert (await ran(office, written(line, asked=morning), morning)).breaks == 0
    assert (await ran(office, written())).breaks == 0
    assert await open_breaks(bank.pool, bank.book_id) == []


async def test_a_deposit_under_its_floor_is_to_be_filled(
    bank: Bank, office: BackOffice, clock: HandClock, tmp_path: Path
) -> None:
    """A wallet is paid in advance: its position moves nothing and its deposit is watched."""
    order = await scan(bank, 50_000 * RUPIAH)
    order = msgspec.structs.replace(
        order, service=TOPUP["gopay"], payee=ToWallet(wallet="gopay", number="0811")
    )
    paid = await pay(bank, order)
    assert paid.state is State.POSTED
    clock.advance(13 * HOUR)
    asked = awaited("gopay", cycle=1)
    (tmp_path / name_of(asked)).write_bytes(written(line_of(paid), asked=asked))
    done = await run(office, asked, tmp_path)
    assert isinstance(done, Ran)
    assert (done.matched, done.posting_id) == (1, None)
    assert done.deposit is not None
    assert (
        done.deposit.deposit_minor
        == -(await balance(bank, chart.PARTNER_OF_WALLET["gopay"])).posted_minor
    )


async def test_a_run_that_is_cut_anywhere_is_simply_run_again(
    bank: Bank,
    office: BackOffice,
    clock: HandClock,
    paper: PaperRail,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database goes away before the first step, the second, and so on: the end is one."""
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH, key="a"))
    paper.will("send", Unanswered("silence"))
    open_one = await pay(bank, await scan(bank, 5_000 * RUPIAH, key="b"))
    unlisted = await pay(bank, await scan(bank, 3_000 * RUPIAH, key="c"))
    nostro = (await balance(bank, chart.NOSTRO)).posted_minor
    clock.advance(13 * HOUR)
    content = written(line_of(paid), line_of(open_one), line_of(paid, reference="e" * 32))
    left = cuts = 0

    def may_be_cut(touch: Callable[..., Any]) -> Callable[..., Any]:
        async def cut(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            if left == 0:
                raise StoreUnavailable
            left -= 1
            return await touch(*arguments, **more)

        return cut

    monkeypatch.setattr(bank.desk, "decide", may_be_cut(bank.desk.decide))
    for name in ("keep_file", "keep_matches", "add_breaks", "close_breaks", "finish_file"):
        monkeypatch.setattr(store, name, may_be_cut(getattr(store, name)))
    done = None
    while done is None:
        left = cuts
        try:
            done = await run(office, awaited(), content)
        except StoreUnavailable:
            cuts += 1
    assert cuts >= 6
    assert isinstance(done, Ran)
    assert (await now_is(bank, open_one)).state is State.POSTED
    assert (await now_is(bank, unlisted)).state is State.UNANSWERED
    assert len(await open_breaks(bank.pool, bank.book_id)) == 1
    assert (await balance(bank, chart.NOSTRO)).posted_minor == nostro + 45_000 * RUPIAH
    assert await count_of(bank, "settlement_files") == 1
    monkeypatch.undo()
    assert (await ran(office, content)).repeated
    await proved(bank)


async def test_two_runs_at_once_post_once(bank: Bank, office: BackOffice, clock: HandClock) -> None:
    """The schedule and a person press the button together."""
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    nostro = (await balance(bank, chart.NOSTRO)).posted_minor
    clock.advance(13 * HOUR)
    content = written(line_of(paid))
    both = await asyncio.gather(*(run(office, awaited(), content) for _ in range(2)))
    assert any(isinstance(one, Ran) for one in both)
    assert not any(isinstance(one, FileRefused) for one in both)
    assert (await balance(bank, chart.NOSTRO)).posted_minor == nostro + 20_000 * RUPIAH
    assert await count_of(bank, "settlement_files") == 1
    assert await count_of(bank, "settlement_matches") == 1
    await proved(bank)


async def test_a_reversal_of_last_weeks_payment_finds_it(
    bank: Bank, office: BackOffice, clock: HandClock
) -> None:
    """Too old to be loaded with the cycle, it is looked up by the line's own reference."""
    old = await pay(bank, await scan(bank, 8_000 * RUPIAH))
    clock.advance(13 * HOUR)
    assert (await ran(office, written(line_of(old)))).breaks == 0
    clock.advance(6 * 24 * HOUR)
    order = RefundOrder(
        requested_by=0, idempotency_key="r", payment_id=old.id, amount_minor=8_000 * RUPIAH
    )
    assert isinstance(await flow.refund(bank.desk, order), Decided)
    clock.advance(24 * HOUR)
    week = DAY + timedelta(days=7)
    asked = awaited(day=week, cycle=1)
    line = line_of(old, kind="REV", side="I", at="2026-03-26T20:00:00+00:00")
    done = await ran(office, written(line, asked=asked), asked)
    assert (done.matched, done.breaks) == (1, 0)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0


def test_an_unknown_network_or_cycle_is_refused() -> None:
    """By name, with what there is."""
    assert isinstance(expected_of("swift", DAY, 1), Refused)
    assert isinstance(expected_of("qris", DAY, 3), Refused)
