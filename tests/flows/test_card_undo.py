"""What a terminal or the switch takes back: whatever order it comes in, however late, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from machines import FEE, Machines, machines_of
from stories import BUDI, RUPIAH, account_of, balance, proved
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.service import ATM_CARDLESS, ATM_CASH, CARD_CASH
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message

CASH = 150_000 * RUPIAH


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


def later(machines: Machines, passed: timedelta) -> None:
    clock = machines.bank.clock
    assert isinstance(clock, HandClock)
    clock.advance(passed.total_seconds())


async def credit(machines: Machines) -> Message:
    return machines.ask(
        "40", CASH, hsm.ZPK, de48=f"{'':30}{'REF':<16}{'SITI':<30}",
        de100="999", de102="5260000001",
        de103=str(await account_of(machines.bank, BUDI)), de127="999",
    )  # fmt: skip


class TestNamedByTheNetwork:
    """The original is found by DE90, whatever else the reversal carries."""

    @pytest.mark.parametrize("key", [hsm.ZPK, hsm.TPK], ids=["elsewhere", "ours"])
    async def test_a_reversal_with_a_number_of_its_own(self, machines: Machines, key: str) -> None:
        before = await machines.ana_has()
        request = machines.ask("01", CASH, key)
        ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
        assert await ask(request) == "00"
        undo = machines.undo(request).with_fields({37: "607999999999"})
        assert await ask(undo) == "00"
        assert await machines.ana_has() == before
        await proved(machines.bank)

    @pytest.mark.parametrize("acquirer", ["99800000000", "00000000000"], ids=["left", "zeros"])
    async def test_an_acquirer_written_another_way(self, machines: Machines, acquirer: str) -> None:
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        undo = machines.undo(request)
        elements = f"{undo.get(90)[:20]}{acquirer}{'':0>11}"
        assert await machines.elsewhere(undo.with_fields({90: elements})) == "00"
        assert await machines.ana_has() == before

    async def test_another_card_does_not_get_it(self, machines: Machines) -> None:
        """A reversal that names the withdrawal and another card is no reversal of it."""
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        undo = machines.undo(request).with_fields({2: "9360099900009999999"})
        assert await machines.elsewhere(undo) == "25"
        assert await machines.ana_has() == before - CASH - FEE

    async def test_a_year_turns_between(self, machines: Machines) -> None:
        """DE7 has no year: an original of December is found in January."""
        later(machines, timedelta(days=285))
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK, de7="1231235959")
        late = machines.bank.clock.now().replace(month=12, day=31, hour=23, minute=59)
        later(machines, late - machines.bank.clock.now())
        assert await machines.elsewhere(request) == "00"
        later(machines, timedelta(days=3))
        assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await machines.ana_has() == before


class TestInAnyOrder:
    """Whatever was reversed stays reversed."""

    @pytest.mark.parametrize("key", [hsm.ZPK, hsm.TPK], ids=["elsewhere", "ours"])
    async def test_the_same_request_after_its_reversal(self, machines: Machines, key: str) -> None:
        """A machine that repeats what was reversed gets no yes, and no notes leave it."""
        before = await machines.ana_has()
        ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
        request = machines.ask("01", CASH, key)
        assert await ask(request) == "00"
        assert await ask(machines.undo(request)) == "00"
        for _ in range(2):
            assert await ask(request) == "94"
            assert await ask(Message("0201", request.fields)) == "94"
        assert await machines.ana_has() == before

    async def test_the_same_request_after_a_part_of_it_was_reversed(
        self, machines: Machines
    ) -> None:
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        assert await machines.elsewhere(machines.undo(request, 50_000 * RUPIAH)) == "00"
        has = await machines.ana_has()
        assert await machines.elsewhere(request) == "94"
        assert await machines.ana_has() == has

    @pytest.mark.parametrize("kind", ["elsewhere", "advice", "credit", "ours", "cardless"])
    async def test_the_reversal_comes_first(self, machines: Machines, kind: str) -> None:
        """Unmatched is said (25), and remembered: the late original pays nothing."""
        bank = machines.bank
        ana, budi = await machines.ana_has(), await account_of(bank, BUDI)
        has = (await balance(bank, budi)).posted_minor
        await machines.code("12345678", CASH)
        request = {
            "elsewhere": machines.ask("01", CASH, hsm.ZPK),
            "advice": Message("0220", {**machines.ask("01", CASH, hsm.ZPK).fields, 39: "00"}),
            "credit": await credit(machines),
            "ours": machines.ask("01", CASH, hsm.TPK),
            "cardless": machines.ask("94", CASH, hsm.TPK, de48="12345678"),
        }[kind]
        ask = machines.at_ours if request.get(32) == "999" else machines.elsewhere
        for _ in range(2):
            assert await ask(machines.undo(request)) == "25"
        for _ in range(2):
            assert await ask(request) == "94"
        assert await machines.ana_has() == ana
        assert (await balance(bank, budi)).posted_minor == has
        await proved(bank)

    async def test_a_code_s_withdrawal_repeated_after_the_code_s_time(
        self, machines: Machines
    ) -> None:
        """The answer was lost and the machine asks again: it is told the same, and pays once."""
        await machines.code("12345678", CASH)
        before = await machines.ana_has()
        request = machines.ask("94", CASH, hsm.TPK, de48="12345678")
        assert await machines.at_ours(request) == "00"
        later(machines, timedelta(minutes=31))
        assert await machines.at_ours(Message("0201", request.fields)) == "00"
        assert await machines.ana_has() == before - CASH
        await machines.code("87654321", CASH)
        later(machines, timedelta(minutes=31))
        unused = machines.ask("94", CASH, hsm.TPK, de48="87654321")
        assert await machines.at_ours(unused) == "14"

    async def test_a_credit_again_after_its_reversal(self, machines: Machines) -> None:
        bank, budi = machines.bank, await account_of(machines.bank, BUDI)
        has = (await balance(bank, budi)).posted_minor
        request = await credit(machines)
        assert await machines.elsewhere(request) == "00"
        undo = machines.undo(request).with_fields({37: "607999999999"})
        assert await machines.elsewhere(undo) == "00"
        assert await machines.elsewhere(request) == "94"
        assert (await balance(bank, budi)).posted_minor == has
        await proved(bank)

    async def test_all_of_it_after_a_part(self, machines: Machines) -> None:
        """A first word said some notes came out, a later one that none did: the fee returns too."""
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        await machines.elsewhere(request)
        assert await machines.elsewhere(machines.undo(request, 50_000 * RUPIAH)) == "00"
        for _ in range(2):
            assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await machines.ana_has() == before
        await proved(machines.bank)

    async def test_more_notes_than_were_asked_for(self, machines: Machines) -> None:
        request = machines.ask("01", CASH, hsm.ZPK)
        await machines.elsewhere(request)
        has = await machines.ana_has()
        assert await machines.elsewhere(machines.undo(request, CASH + 1)) == "30"
        assert await machines.ana_has() == has


class TestCashWithoutACard:
    """The notes jam: the code is over, the money is not."""

    @pytest.mark.parametrize("passed", [timedelta(), timedelta(minutes=30, seconds=30),
                                        timedelta(days=1), timedelta(days=40)])  # fmt: skip
    @pytest.mark.parametrize("named", [True, False], ids=["with its code", "without"])
    async def test_jammed(self, machines: Machines, passed: timedelta, *, named: bool) -> None:
        before = await machines.ana_has()
        await machines.code("12345678", CASH)
        request = machines.ask("94", CASH, hsm.TPK, de48="12345678")
        assert await machines.at_ours(request) == "00"
        assert await machines.ana_has() == before - CASH
        later(machines, passed)
        undo = machines.undo(request)
        for _ in range(2):
            assert await machines.at_ours(undo if named else undo.with_fields({48: ""})) == "00"
        assert await machines.ana_has() == before
        await proved(machines.bank)

    async def test_its_code_pays_once_all_the_same(self, machines: Machines) -> None:
        """Another request with the same code is refused, before and after the notes jammed."""
        await machines.code("12345678", CASH)
        request = machines.ask("94", CASH, hsm.TPK, de48="12345678")
        assert await machines.at_ours(request) == "00"
        again = machines.ask("94", CASH, hsm.TPK, de48="12345678")
        assert await machines.at_ours(again) == "94"
        assert await machines.at_ours(machines.undo(request)) == "00"
        has = await machines.ana_has()
        assert await machines.at_ours(machines.ask("94", CASH, hsm.TPK, de48="12345678")) == "94"
        assert await machines.ana_has() == has

    async def test_a_refused_attempt_does_not_use_the_code_up(self, machines: Machines) -> None:
        has = await machines.ana_has()
        await machines.code("12345678", CASH)
        taken = machines.ask("01", CASH, hsm.ZPK, de4=f"{CASH:012d}")
        advice = Message("0220", {**taken.fields, 4: f"{has - FEE:012d}", 39: "00"})
        assert await machines.elsewhere(advice) == "00"
        request = machines.ask("94", CASH, hsm.TPK, de48="12345678")
        assert await machines.at_ours(request) == "51"
        assert await machines.elsewhere(machines.undo(advice)) == "00"
        assert await machines.at_ours(machines.ask("94", CASH, hsm.TPK, de48="12345678")) == "00"


class TestLimits:
    """What was undone was never counted."""

    async def test_four_times_nothing_came_out(self, machines: Machines) -> None:
        """Ten times a million is the day's limit; none of it came out, so all of it is left."""
        for _ in range(10):
            request = machines.ask("01", 1_000_000 * RUPIAH, hsm.ZPK)
            assert await machines.elsewhere(request) == "00"
            assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await machines.used(CARD_CASH) == 0
        assert await machines.elsewhere(machines.ask("01", 100_000 * RUPIAH, hsm.ZPK)) == "00"

    @pytest.mark.parametrize(
        ("service", "kind", "key"),
        [(CARD_CASH, "01", hsm.ZPK), (ATM_CASH, "01", hsm.TPK), (ATM_CARDLESS, "94", hsm.TPK)],
    )
    async def test_a_part_counts_as_that_part(
        self, machines: Machines, service: str, kind: str, key: str
    ) -> None:
        ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
        await machines.code("12345678", CASH)
        more = {"de48": "12345678"} if kind == "94" else {}
        request = machines.ask(kind, CASH, key, **more)
        assert await ask(request) == "00"
        assert await machines.used(service) == CASH
        for _ in range(2):
            assert await ask(machines.undo(request, 50_000 * RUPIAH)) == "00"
        assert await machines.used(service) == 50_000 * RUPIAH

    async def test_undone_the_next_day_frees_the_day_it_was_counted_on(
        self, machines: Machines
    ) -> None:
        request = machines.ask("01", CASH, hsm.ZPK)
        await machines.elsewhere(request)
        later(machines, timedelta(days=1))
        other = machines.ask("01", 100_000 * RUPIAH, hsm.ZPK, de7="0321050000")
        await machines.elsewhere(other)
        assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await machines.used(CARD_CASH) == 100_000 * RUPIAH
        later(machines, timedelta(days=-1))
        assert await machines.used(CARD_CASH) == 0
