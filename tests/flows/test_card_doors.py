"""Cards at our machines and at others': PINs, cash, partial notes, reversals before and after."""

from __future__ import annotations

import asyncio

import pytest

from machines import FEE, Machines, machines_of
from paper import PaperRail
from stories import ANA, BUDI, RUPIAH, account_of, balance, count_of, proved
from tangguh.app import Bank
from tangguh.customers import codes
from tangguh.customers.demo import OUR_NNS
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message
from tangguh.work.terminals import vault_of


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


async def test_cash_at_our_machine(machines: Machines) -> None:
    """The account falls, the cassette gives; no fee at our own machine."""
    before = await machines.ana_has()
    assert await machines.at_ours(machines.ask("01", 200_000 * RUPIAH, hsm.TPK)) == "00"
    assert await machines.ana_has() == before - 200_000 * RUPIAH
    cassette = await balance(machines.bank, vault_of("ATM00001"))
    filled = (await balance(machines.bank, vault_of("ATM00002"))).posted_minor
    assert cassette.posted_minor - filled == 200_000 * RUPIAH
    await proved(machines.bank)


async def test_cash_at_another_banks_machine_costs_a_fee(machines: Machines) -> None:
    """Posted before it is answered; the same request again pays nothing again."""
    before = await machines.ana_has()
    request = machines.ask("01", 150_000 * RUPIAH, hsm.ZPK)
    for _ in range(2):
        assert await machines.elsewhere(request) == "00"
    assert await machines.ana_has() == before - 150_000 * RUPIAH - FEE
    await proved(machines.bank)


async def test_three_wrong_pins_block_the_card(machines: Machines) -> None:
    """55, 55, 75; then the right PIN is refused too. A right one in between begins anew."""
    wrong, right = machines.ask("31", 0, hsm.ZPK, "999999"), machines.ask("31", 0, hsm.ZPK)
    assert [await machines.elsewhere(wrong) for _ in range(2)] == ["55", "55"]
    assert await machines.elsewhere(right) == "00"
    assert [await machines.elsewhere(wrong) for _ in range(3)] == ["55", "55", "75"]
    assert await machines.elsewhere(right) == "75"
    assert await count_of(machines.bank, "payments") == 0


async def test_many_guesses_at_once_are_three_tries(machines: Machines) -> None:
    """At twenty machines in one moment: the right PIN among them comes too late."""
    guesses = [machines.ask("31", 0, hsm.ZPK, f"{n:06d}") for n in range(20)]
    asked = [machines.elsewhere(one) for one in (*guesses, machines.ask("31", 0, hsm.ZPK))]
    codes = await asyncio.gather(*asked)
    assert (codes.count("55"), codes.count("75"), codes.count("00")) == (2, 19, 0)


async def test_a_card_that_may_not_be_used(machines: Machines) -> None:
    """Unknown, another expiry on its stripe, a block that does not open."""
    stranger = machines.ask(
        "01", 100_00, hsm.ZPK, de2=f"{OUR_NNS}0000000001", de35=f"{OUR_NNS}0000000001=3012"
    )
    assert await machines.elsewhere(stranger) == "14"
    copied = machines.ask("01", 100_00, hsm.ZPK, de35=f"{machines.pan}=280110100000")
    assert await machines.elsewhere(copied) == "54"
    assert await machines.elsewhere(machines.ask("01", 100_00, hsm.ZPK, de52="00" * 8)) in {
        "30",
        "55",
    }
    assert await count_of(machines.bank, "payments") == 0


async def test_too_much_is_declined_and_moves_nothing(machines: Machines) -> None:
    """51 beyond the balance, 61 beyond the limit."""
    before = await machines.ana_has()
    assert await machines.elsewhere(machines.ask("01", before, hsm.ZPK)) == "51"
    assert await machines.elsewhere(machines.ask("01", 2_600_000 * RUPIAH, hsm.ZPK)) == "61"
    assert await machines.ana_has() == before
    await proved(machines.bank)


async def test_notes_that_jammed_come_back_with_the_fee(machines: Machines) -> None:
    """Nothing came out: all of it and the fee return, once, however often it is said."""
    before = await machines.ana_has()
    request = machines.ask("01", 150_000 * RUPIAH, hsm.ZPK)
    await machines.elsewhere(request)
    for _ in range(2):
        assert await machines.elsewhere(machines.undo(request)) == "00"
    assert await machines.ana_has() == before
    await proved(machines.bank)


async def test_some_notes_came_out(machines: Machines) -> None:
    """DE95 says how many: the rest returns."""
    before = await machines.ana_has()
    request = machines.ask("01", 300_000 * RUPIAH, hsm.TPK)
    await machines.at_ours(request)
    assert await machines.at_ours(machines.undo(request, 100_000 * RUPIAH)) == "00"
    assert await machines.ana_has() == before - 100_000 * RUPIAH
    await proved(machines.bank)


async def test_a_reversal_overtakes_its_request(machines: Machines) -> None:
    """No such original yet (25), and its name is taken: the late request pays nothing."""
    before = await machines.ana_has()
    request = machines.ask("01", 150_000 * RUPIAH, hsm.ZPK)
    assert await machines.elsewhere(machines.undo(request)) == "25"
    assert await machines.elsewhere(request) != "00"
    assert await machines.ana_has() == before
    await proved(machines.bank)


async def test_stand_in_advice_posts_without_a_pin(machines: Machines) -> None:
    """0220: paid out while we were away, more than there is; told again it is the same."""
    has = await machines.ana_has()
    request = machines.ask("01", has + 10_000 * RUPIAH, hsm.ZPK)
    advice = Message("0220", {**request.fields, 39: "00"})
    for _ in range(2):
        assert await machines.elsewhere(advice) == "00"
    assert await machines.ana_has() == -10_000 * RUPIAH - FEE
    await proved(machines.bank)


async def test_a_transfer_comes_in_and_is_taken_back(machines: Machines) -> None:
    """Credited at once; the other bank's reversal takes it back, even when it was spent."""
    bank, account = machines.bank, await account_of(machines.bank, BUDI)
    before = (await balance(bank, account)).posted_minor
    request = machines.ask(
        "40", 500_000 * RUPIAH, hsm.ZPK, de48=f"{'':30}{'REF':<16}{'SITI':<30}",
        de100="999", de102="5260000001", de103=str(account), de127="999",
    )  # fmt: skip
    for _ in range(2):
        assert await machines.elsewhere(request) == "00"
    assert (await balance(bank, account)).posted_minor == before + 500_000 * RUPIAH
    assert await machines.elsewhere(machines.undo(request)) == "00"
    assert (await balance(bank, account)).posted_minor == before
    await proved(bank)


async def test_a_code_from_the_app_pays_once(machines: Machines) -> None:
    """The very sum, once; another sum, an unknown code and an old one pay nothing."""
    bank = machines.bank
    now = bank.clock.now()
    code = codes.Code(
        kind=codes.CASH,
        customer_id=ANA,
        account_id=await account_of(bank, ANA),
        amount_minor=100_000 * RUPIAH,
        expires_at=now + codes.LIVES[codes.CASH],
    )
    await codes.keep(bank.pool, bank.book_id, "12345678", code, now)
    before = await machines.ana_has()
    assert (
        await machines.at_ours(machines.ask("94", 50_000 * RUPIAH, hsm.TPK, de48="12345678"))
        == "13"
    )
    assert (
        await machines.at_ours(machines.ask("94", 100_000 * RUPIAH, hsm.TPK, de48="00000000"))
        == "14"
    )
    assert (
        await machines.at_ours(machines.ask("94", 100_000 * RUPIAH, hsm.TPK, de48="12345678"))
        == "00"
    )
    again = await machines.at_ours(machines.ask("94", 100_000 * RUPIAH, hsm.TPK, de48="12345678"))
    assert again == "94"
    assert await machines.ana_has() == before - 100_000 * RUPIAH
    bank.clock.advance(1_801)  # type: ignore[attr-defined]
    assert (
        await machines.at_ours(machines.ask("94", 100_000 * RUPIAH, hsm.TPK, de48="12345678"))
        == "14"
    )
    await proved(bank)


async def test_nothing_secret_is_written_down(machines: Machines, paper: PaperRail) -> None:
    """No full card number, no PIN block and no track in any row of a payment."""
    request = machines.ask("01", 200_000 * RUPIAH, hsm.TPK)
    await machines.at_ours(request)
    rows = await machines.bank.pool.fetch("SELECT order_json::text AS written FROM payments")
    for row in rows:
        for secret in (machines.pan, request.get(52), request.get(35)):
            assert secret not in row["written"]


async def test_a_malformed_request_is_a_format_error(machines: Machines) -> None:
    """30, and nothing is asked of the book."""
    request = machines.ask("01", 200_000 * RUPIAH, hsm.TPK)
    for number in (4, 37, 41, 52):
        fields = {n: value for n, value in request.fields.items() if n != number}
        assert await machines.at_ours(Message("0200", fields)) == "30"
    assert await count_of(machines.bank, "payments") == 0
