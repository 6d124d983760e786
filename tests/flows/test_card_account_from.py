"""A card pays from its own account: whatever account a machine names beside it decides nothing."""

from __future__ import annotations

import pytest

from machines import FEE, Machines, machines_of
from stories import ANA, BUDI, CITRA, RUPIAH, account_of, balance, count_of
from tangguh.app import Bank
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message

CASH = 100_000 * RUPIAH


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


async def transfer(machines: Machines, kind: str, payer: str) -> Message:
    """From ``payer`` to Citra, by Ana's card at our machine."""
    to = str(await account_of(machines.bank, CITRA))
    bank = {"de100": "999", "de127": "999"}
    named = {"de102": payer, "de103": to, "de48": f"{'CITRA':<30}{'':46}", **bank}
    return machines.ask(kind, CASH, hsm.TPK, **named)


@pytest.mark.parametrize("kind", ["40", "39"], ids=["transfer", "inquiry"])
async def test_another_persons_account_is_named_as_the_payer(machines: Machines, kind: str) -> None:
    """Refused (77): neither the named person pays, nor Ana without having asked for it."""
    bank, budi = machines.bank, await account_of(machines.bank, BUDI)
    request = await transfer(machines, kind, str(budi))
    has = await machines.ana_has(), (await balance(bank, budi)).posted_minor
    assert await machines.at_ours(request) == "77"
    assert (await machines.ana_has(), (await balance(bank, budi)).posted_minor) == has
    assert await count_of(bank, "payments") == 0


async def test_no_account_at_all_is_named(machines: Machines) -> None:
    """Letters in DE102 are another account too."""
    assert await machines.at_ours(await transfer(machines, "40", "ANA")) == "77"


async def test_the_cards_own_account_in_any_writing(machines: Machines) -> None:
    """With zeros before it, or left out as zeros: machines differ."""
    ana = await account_of(machines.bank, ANA)
    before = await machines.ana_has()
    for payer in (str(ana), f"{ana:0>19}", "0000000000"):
        assert await machines.at_ours(await transfer(machines, "40", payer)) == "00"
    assert await machines.ana_has() == before - 3 * CASH


@pytest.mark.parametrize("kind", ["01", "31"], ids=["cash", "balance"])
@pytest.mark.parametrize("key", [hsm.ZPK, hsm.TPK], ids=["elsewhere", "ours"])
async def test_cash_and_balance_of_another_account(machines: Machines, key: str, kind: str) -> None:
    budi = str(await account_of(machines.bank, BUDI))
    ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
    assert await ask(machines.ask(kind, CASH, key, de102=budi)) == "77"
    assert await count_of(machines.bank, "payments") == 0
    own = str(await account_of(machines.bank, ANA))
    assert await ask(machines.ask(kind, CASH, key, de102=own)) == "00"


async def test_a_wrong_pin_is_told_first(machines: Machines) -> None:
    """Nobody learns without the PIN which account a card belongs to."""
    budi = str(await account_of(machines.bank, BUDI))
    request = machines.ask("01", CASH, hsm.TPK, "999999", de102=budi)
    assert await machines.at_ours(request) == "55"


async def test_an_advice_posts_to_the_cards_account(machines: Machines) -> None:
    """The notes are gone: the card says whose they were."""
    before = await machines.ana_has()
    budi = str(await account_of(machines.bank, BUDI))
    request = machines.ask("01", CASH, hsm.ZPK, de102=budi)
    assert await machines.elsewhere(Message("0220", {**request.fields, 39: "00"})) == "00"
    assert await machines.ana_has() == before - CASH - FEE
