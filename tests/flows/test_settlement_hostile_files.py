"""A settlement file with a good hash and absurd content: refused whole, and nothing was done."""

from __future__ import annotations

from datetime import date

import pytest

from stories import RUPIAH, count_of, pay, proved, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.settlement.cycle import BackOffice, expected_of, run
from tangguh.settlement.file import Expected, FileRefused
from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)
MOST = 10**17 - 1
"""The largest amount a line can have."""


@pytest.mark.parametrize("what", ["strays", "one payment", "fees"])
async def test_sums_no_bank_can_hold(bank: Bank, clock: HandClock, what: str) -> None:
    """A hundred lines of the largest amount there is: more than PostgreSQL's numbers hold."""
    payment = await pay(bank, await scan(bank, 25_000 * RUPIAH))
    lines = [
        SettlementLine(
            kind="PAY" if what != "one payment" else "REV",
            side="O",
            reference=payment.id.hex if what == "one payment" else f"STRAY-{number}",
            network_reference=f"Q{number}",
            amount_minor=100 if what == "fees" else MOST,
            fee_minor=MOST if what == "fees" else 0,
            at="2026-03-20T06:00:00+00:00",
        )
        for number in range(100)
    ]
    clock.advance(24 * 3600)
    asked = expected_of("qris", DAY, 2)
    assert isinstance(asked, Expected)
    office = BackOffice(bank.desk, bank.pool, bank.book_id, clock)
    ran = await run(office, asked, file_of("qris", "BANKTANGGUH", DAY, 2, lines).encode())
    assert isinstance(ran, FileRefused), ran
    assert ran.field == ("fee" if what == "fees" else "amount")
    assert await count_of(bank, "settlement_files") == 0
    assert await count_of(bank, "settlement_breaks") == 0
    await proved(bank)
