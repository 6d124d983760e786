"""Two banks count their messages alike: same second, same trace number, same retrieval reference."""

from __future__ import annotations

import pytest

from machines import FEE, Machines, machines_of
from stories import BUDI, RUPIAH, account_of, balance, count_of, proved
from tangguh.app import Bank
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message

CASH = 100_000 * RUPIAH


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


def alike(machines: Machines, acquirer: str, **more: str) -> Message:
    """A withdrawal whose DE7, DE11 and DE37 another bank's has as well."""
    same = {"de11": "000777", "de37": "607905000777", "de32": acquirer}
    return machines.ask("01", CASH, hsm.ZPK, **same, **more)


@pytest.mark.parametrize("mti", ["0200", "0220"])
async def test_two_machines_that_count_alike_both_pay(
    bank: Bank, machines: Machines, mti: str
) -> None:
    """Each is its own withdrawal, and a repeat of the second is no third."""
    before = await machines.ana_has()
    more = {39: "00"} if mti == "0220" else {}
    for acquirer in ("998", "014", "014"):
        asked = Message(mti, {**alike(machines, acquirer).fields, **more})
        assert await machines.elsewhere(asked) == "00"
    assert await machines.ana_has() == before - 2 * (CASH + FEE)
    assert await count_of(bank, "payments") == 2
    await proved(bank)


async def test_two_transfers_that_count_alike_both_arrive(bank: Bank, machines: Machines) -> None:
    budi = await account_of(bank, BUDI)
    before = (await balance(bank, budi)).posted_minor
    for acquirer in ("998", "014", "014"):
        told = {
            "de48": f"{'':30}{'REF':<16}{'SITI':<30}", "de100": "999", "de102": "5260000001",
            "de103": str(budi), "de127": "999", "de11": "000777", "de37": "607905000777",
        }  # fmt: skip
        asked = machines.ask("40", CASH, hsm.ZPK, **told, de32=acquirer)
        assert await machines.elsewhere(asked) == "00"
    assert (await balance(bank, budi)).posted_minor == before + 2 * CASH
    await proved(bank)
