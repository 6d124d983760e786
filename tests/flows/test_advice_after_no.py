"""The switch stood in for us after our no came too late: the money is gone, and somebody owns it."""

from __future__ import annotations

import pytest

from machines import Machines, machines_of
from stories import BUDI, RUPIAH, account_of, balance, proved
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.ledger import chart
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message
from tangguh.settlement import repair as repairs
from tangguh.settlement.breaks import Break
from tangguh.settlement.contradicted.listing import list_contradictions
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.match import Kind
from tangguh.settlement.signed import Signed

CASH = 150_000 * RUPIAH
TOO_MUCH = 9_000_000 * RUPIAH
TWO = Signed(by="rani", approved_by="dewi", reason="the journal of the machine says so")


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


@pytest.fixture
def office(bank: Bank, clock: HandClock) -> BackOffice:
    return BackOffice(bank.desk, bank.pool, bank.book_id, clock)


def advice(request: Message, mti: str = "0220", **more: str) -> Message:
    return Message(mti, {**request.fields, 39: "00", **{int(n[2:]): v for n, v in more.items()}})


async def test_cash_we_had_refused_and_the_switch_gave_is_a_break_at_once(
    machines: Machines, office: BackOffice
) -> None:
    """Acknowledged however often it is told, owned once, and ended by two people."""
    bank, before = machines.bank, await machines.ana_has()
    request = machines.ask("01", TOO_MUCH, hsm.ZPK)
    assert await machines.elsewhere(request) == "61"
    for mti in ("0220", "0221"):
        assert await machines.elsewhere(advice(request, mti)) == "00"
    assert await machines.ana_has() == before
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.ours_minor, opened.state) == (Kind.STATE_DIFFERS, 0, "open")
    assert opened.account_id == chart.SETTLEMENT_CARDS
    assert opened.theirs_minor >= TOO_MUCH
    done = await repairs.repair(office, opened.break_id, TWO)
    assert isinstance(done, Break), done
    await proved(bank)


@pytest.mark.parametrize("minor", [50_000 * RUPIAH, 300_000 * RUPIAH], ids=["less", "more"])
async def test_an_advice_of_another_sum_than_was_approved_is_a_break_at_once(
    machines: Machines, office: BackOffice, minor: int
) -> None:
    """Nothing moves for it, it is a duplicate, and the difference has an owner."""
    request = machines.ask("01", CASH, hsm.ZPK)
    assert await machines.elsewhere(request) == "00"
    has = await machines.ana_has()
    assert await machines.elsewhere(advice(request, de4=f"{minor:012d}")) == "94"
    assert await machines.ana_has() == has
    (opened,) = await list_contradictions(office)
    assert opened.kind == Kind.AMOUNT_DIFFERS


async def test_a_transfer_we_had_refused_and_the_switch_settled_is_a_break_at_once(
    machines: Machines, office: BackOffice
) -> None:
    """A credit that was refused, then told as done."""
    request = machines.ask(
        "40", CASH, hsm.ZPK, de48=f"{'':30}{'REF':<16}{'SITI':<30}",
        de100="999", de102="5260000001", de103="10109999999", de127="999",
    )  # fmt: skip
    assert await machines.elsewhere(request) == "76"
    assert await machines.elsewhere(advice(request)) == "00"
    (opened,) = await list_contradictions(office)
    assert (opened.kind, opened.ours_minor, opened.theirs_minor) == (Kind.STATE_DIFFERS, 0, -CASH)
    await proved(machines.bank)


async def test_an_advice_of_what_was_approved_is_no_break(
    machines: Machines, office: BackOffice
) -> None:
    """The same word again, of cash and of a transfer; after a reversal too it pays nothing."""
    bank = machines.bank
    budi = await account_of(bank, BUDI)
    cash = machines.ask("01", CASH, hsm.ZPK)
    transfer = machines.ask(
        "40", CASH, hsm.ZPK, de48=f"{'':30}{'REF':<16}{'SITI':<30}",
        de100="999", de102="5260000001", de103=str(budi), de127="999",
    )  # fmt: skip
    for request in (cash, transfer):
        assert await machines.elsewhere(request) == "00"
        assert await machines.elsewhere(advice(request)) == "00"
    undone = machines.ask("01", CASH, hsm.ZPK)
    assert await machines.elsewhere(machines.undo(undone)) == "25"
    has = await machines.ana_has(), (await balance(bank, budi)).posted_minor
    assert await machines.elsewhere(advice(undone)) == "94"
    assert (await machines.ana_has(), (await balance(bank, budi)).posted_minor) == has
    assert await list_contradictions(office) == []
