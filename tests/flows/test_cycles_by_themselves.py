"""The back office runs cycles by itself: when they are over, once, and not again and again."""

from __future__ import annotations

from pathlib import Path

from paper import PaperRail
from stories import ANA, RUPIAH, account_of, balance, count_of, pay, proved, scan
from tangguh.app import Bank
from tangguh.core.order import PaymentOrder, ToMerchant
from tangguh.core.outcome import Accepted
from tangguh.core.service import QRIS_ONUS
from tangguh.customers import merchants
from tangguh.ledger import chart
from tangguh.payments.payment import State
from tangguh.settlement import cycle, store
from tangguh.settlement.cycle import BackOffice, expected_of
from tangguh.settlement.file import Expected, Totals
from tangguh.sim.settlement import SettlementLine, file_of
from tangguh.work.cycles import Cycles, CycleSettings

HOURS = 3600
AT_CUT_OFF = "936009990000000003"
"""A shop whose contract pays it at the cut-off."""


def office(bank: Bank, folder: Path) -> Cycles:
    """The back office with its files in a folder, for QRIS only."""
    settings = CycleSettings(source=str(folder), networks=("qris",))
    return Cycles(BackOffice(bank.desk, bank.pool, bank.book_id, bank.clock), settings)


async def test_a_cycle_is_run_once_it_is_over(bank: Bank, paper: PaperRail, tmp_path: Path) -> None:
    """Nothing before the cut-off; then the position is posted, once, whoever looks again."""
    paper.will("send", Accepted("Q000000000000001"))
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    cycles = office(bank, tmp_path)
    assert await cycles.round() == 0
    line = SettlementLine(
        kind="PAY",
        side="O",
        reference=paid.id.hex,
        network_reference="Q000000000000001",
        amount_minor=20_000 * RUPIAH,
        at=paid.accepted_at.isoformat(),
    )
    day = paid.business_date
    name = f"qris-{day.isoformat()}-2.txt"
    (tmp_path / name).write_text(file_of("qris", "BANKTANGGUH", day, 2, [line]))
    bank.clock.advance(13 * HOURS)  # type: ignore[attr-defined]
    assert await cycles.round() == 1
    assert await cycles.round() == 0
    assert await office(bank, tmp_path).round() == 0
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 0
    assert await count_of(bank, "settlement_breaks") == 0
    await proved(bank)


async def test_a_file_that_is_wrong_waits_for_people(bank: Bank, tmp_path: Path) -> None:
    """Refused once, kept as an act, and tried again a quarter of an hour later, not each minute."""
    day = bank.clock.now().date()
    text = file_of("qris", "BANKTANGGUH", day, 1, [])
    (tmp_path / f"qris-{day.isoformat()}-1.txt").write_text(text.replace("T|0|", "T|1|"))
    bank.clock.advance(1 * HOURS)  # type: ignore[attr-defined]
    cycles = office(bank, tmp_path)
    before = await count_of(bank, "acts")
    for _ in range(5):
        assert await cycles.round() == 0
        bank.clock.advance(60)  # type: ignore[attr-defined]
    assert await count_of(bank, "acts") == before + 1
    (tmp_path / f"qris-{day.isoformat()}-1.txt").write_text(text)
    bank.clock.advance(900)  # type: ignore[attr-defined]
    assert await cycles.round() == 1


async def test_a_cycle_that_was_cut_short_is_taken_up_again(bank: Bank, tmp_path: Path) -> None:
    """The file was kept, and then the bank died before the position: the next round ends it."""
    day = bank.clock.now().date()
    content = file_of("qris", "BANKTANGGUH", day, 1, [])
    (tmp_path / f"qris-{day.isoformat()}-1.txt").write_text(content)
    asked = expected_of("qris", day, 1)
    assert isinstance(asked, Expected)
    totals = Totals(0, 0, 0, 0, content.splitlines()[-1].split("|")[-1])
    await store.keep_file(bank.pool, bank.book_id, asked, 1, totals, bank.clock.now())
    bank.clock.advance(1 * HOURS)  # type: ignore[attr-defined]
    cycles = office(bank, tmp_path)
    assert await cycles.round() == 1
    assert await cycles.round() == 0


async def test_a_merchant_is_paid_though_the_bank_died_after_the_position(
    bank: Bank, tmp_path: Path
) -> None:
    """The cycle is posted, the payout is not: the next process pays what waited, once."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, AT_CUT_OFF)
    assert shop is not None
    payee = ToMerchant(
        merchant_id=shop.merchant_id,
        nmid=shop.nmid,
        merchant_name=shop.name,
        merchant_city=shop.city,
    )
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key="s-1",
        service=QRIS_ONUS,
        debtor=await account_of(bank, ANA),
        payee=payee,
        amount_minor=50_000 * RUPIAH,
    )
    assert (await pay(bank, order)).state is State.POSTED
    waited = (await balance(bank, shop.waiting_id)).posted_minor
    before = (await balance(bank, shop.account_id)).posted_minor
    day = bank.clock.now().date()
    for number in (1, 2):
        content = file_of("qris", "BANKTANGGUH", day, number, [])
        (tmp_path / f"qris-{day.isoformat()}-{number}.txt").write_text(content)
    bank.clock.advance(13 * HOURS)  # type: ignore[attr-defined]
    back_office = BackOffice(bank.desk, bank.pool, bank.book_id, bank.clock)
    asked = expected_of("qris", day, 2)
    assert isinstance(asked, Expected)
    await cycle.run(back_office, asked, tmp_path)
    for _ in range(2):
        await office(bank, tmp_path).round()
        assert (await balance(bank, shop.account_id)).posted_minor == before + waited > before
        assert (await balance(bank, shop.waiting_id)).posted_minor == 0
    await proved(bank)
