"""A whole household pays on every service; then every network's own file settles to the sen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from tangguh.app import Bank
from tangguh.cli.household import Household, temporary
from tangguh.cli.smoke import visiting
from tangguh.cli.smoke_walks import WALKS, Visit
from tangguh.config import load
from tangguh.core.clock import HandClock, SystemClock, business_date
from tangguh.customers.seed import DEMO_PIN
from tangguh.settlement.ageing import ageing
from tangguh.settlement.cycle import BackOffice, Ran, expected_of, run
from tangguh.settlement.file import Expected
from tangguh.settlement.formats import NETWORKS


@asynccontextmanager
async def household_in(path: Path) -> AsyncIterator[Household]:
    household = temporary(path, load(None), seed=1)
    try:
        await household.start()
        yield household
    finally:
        await household.stop()


async def take_back(visit: Visit) -> None:
    """Reversals, whole and in part, an advice, and a transfer that is returned."""
    control, card = visit.control, visit.card
    for dispensed in (0, 50_000_00):
        cash = {"pan": card.pan, "pin": DEMO_PIN, "amount_minor": 150_000_00}
        paid = await control.act("cards", "withdraw", cash)
        back = {"telegram": paid["telegram"], "dispensed_minor": dispensed}
        assert (await control.act("cards", "reverse", back))["code"] == "00"
    said = await control.act("cards", "advise", {"pan": card.pan, "amount_minor": 70_000_00})
    assert said["code"] == "00"
    rows = (await control.get("/networks/bifast/books?limit=50"))["transfers"]
    sent = next(row for row in rows if row["direction"] == "in" and row["state"] == "paid")
    returned = await control.act("bifast", "return", {"reference": sent["reference"]})
    assert returned["state"] == "paid"


async def settle_everything(office: BackOffice, control: str, day: date) -> int:
    """Every cycle of every network, from the address where it gives its file; lines read."""
    lines = 0
    for network in NETWORKS.values():
        for cycle in range(1, len(network.cut_offs) + 1):
            asked = expected_of(network.name, day, cycle)
            assert isinstance(asked, Expected)
            ran = await run(office, asked, f"{control}/networks/{network.name}/settlement")
            assert isinstance(ran, Ran), (network.name, ran)
            assert ran.found == (), (network.name, ran.found)
            lines += ran.lines
    return lines


@pytest.mark.drill
async def test_every_networks_file_agrees_with_the_book(tmp_path: Path) -> None:
    """No break on any network, nothing left on any settlement account, and the proof holds."""
    clock = SystemClock()
    first_day = business_date(clock.now())
    async with household_in(tmp_path) as household:
        async with visiting(household, clock) as visit:
            for walk in WALKS.values():
                await walk(visit)
            await take_back(visit)
        assert household.bank is not None
        await household.bank.stop()
        bank = await Bank.open(load(None), household.dsn, rails={})
        try:
            days = sorted({first_day, business_date(clock.now())})
            tomorrow = HandClock(clock.now() + timedelta(days=1))
            office = BackOffice(bank.desk, bank.pool, bank.book_id, tomorrow)
            control = household.addresses["control"]
            lines = [await settle_everything(office, control, day) for day in days]
            assert sum(lines) > 30
            aged = await ageing(bank.pool, bank.book_id, tomorrow.now())
            assert not [one for one in aged.standing if one.account_id // 1_000 == 102]
            assert aged.suspended == []
            assert (await bank.prove()).passed
        finally:
            await bank.close()
