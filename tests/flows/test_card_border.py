"""What a card message says is read whole: how it ended, in which money, for which bank, what for."""

from __future__ import annotations

import pytest

from machines import FEE, Machines, machines_of
from paper import PaperRail
from stories import ANA, BUDI, RUPIAH, account_of, balance, count_of, proved
from tangguh.app import Bank
from tangguh.core.outcome import Accepted, Declined, Refusal
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.message import Message
from tangguh.rails.iso8583.outbound.orders import CardData
from tangguh.work.terminals import TerminalDoor

CASH = 100_000 * RUPIAH


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


async def credit(machines: Machines, **more: str) -> Message:
    plain = {
        "de48": f"{'':30}{'REF':<16}{'SITI':<30}", "de100": "999", "de102": "5260000001",
        "de103": str(await account_of(machines.bank, BUDI)), "de127": "999",
    }  # fmt: skip
    return machines.ask("40", CASH, hsm.ZPK, **{**plain, **more})


def without(message: Message, *numbers: int) -> Message:
    return message.with_fields(dict.fromkeys(numbers, ""))


class TestTheAnswerInsideAnAdvice:
    """An advice tells how something ended; a no is not a payment."""

    @pytest.mark.parametrize("code", ["51", "05", "55", "91", "68"])
    @pytest.mark.parametrize("mti", ["0220", "0221"])
    async def test_a_declined_advice_posts_nothing(
        self, machines: Machines, mti: str, code: str
    ) -> None:
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        advice = Message(mti, {**request.fields, 39: code})
        answer = await machines.switch.handle(advice)
        assert answer is not None
        assert (answer.mti, answer.get(39)) == ("0230", "00")
        assert await machines.ana_has() == before
        assert await count_of(machines.bank, "payments") == 0

    async def test_a_declined_advice_of_a_transfer_credits_nobody(self, machines: Machines) -> None:
        request = await credit(machines)
        advice = Message("0220", {**request.fields, 39: "51"})
        assert await machines.elsewhere(advice) == "00"
        assert await count_of(machines.bank, "payments") == 0

    async def test_a_code_nobody_knows_is_neither(self, machines: Machines) -> None:
        """Not posted, and not acknowledged: whoever sent it has to look."""
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(Message("0220", {**request.fields, 39: "Q7"})) == "30"
        assert await count_of(machines.bank, "payments") == 0

    @pytest.mark.parametrize("code", ["00", "10", "11"])
    async def test_an_approved_advice_posts(self, machines: Machines, code: str) -> None:
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(Message("0220", {**request.fields, 39: code})) == "00"
        assert await machines.ana_has() == before - CASH - FEE


class TestWhichMoney:
    """An amount is nothing without its currency: rupiah is charged, or nothing is."""

    @pytest.mark.parametrize("where", ["elsewhere", "ours", "advice"])
    async def test_dollars_are_no_rupiah(self, machines: Machines, where: str) -> None:
        before = await machines.ana_has()
        key = hsm.TPK if where == "ours" else hsm.ZPK
        request = machines.ask("01", CASH, key, de49="840")
        if where == "advice":
            request = Message("0220", {**request.fields, 39: "00"})
        ask = machines.at_ours if where == "ours" else machines.elsewhere
        assert await ask(request) == "12"
        assert await machines.ana_has() == before

    async def test_a_credit_in_dollars(self, machines: Machines) -> None:
        assert await machines.elsewhere(await credit(machines, de49="840")) == "12"
        assert await count_of(machines.bank, "payments") == 0

    async def test_ringgit_billed_in_rupiah_charges_the_rupiah(self, machines: Machines) -> None:
        """DE4 and DE49 are what the machine pays out, DE6 and DE51 what the account is charged."""
        before = await machines.ana_has()
        request = machines.ask("01", 30_00, hsm.ZPK, de49="458", de6=f"{CASH:012d}", de51="360")
        assert await machines.elsewhere(request) == "00"
        assert await machines.ana_has() == before - CASH - FEE
        assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await machines.ana_has() == before
        await proved(machines.bank)

    async def test_ringgit_of_which_a_part_came_out(self, machines: Machines) -> None:
        """In ringgit it cannot be reckoned here; in the money that is settled it can."""
        before = await machines.ana_has()
        request = machines.ask("01", 30_00, hsm.ZPK, de49="458", de6=f"{CASH:012d}", de51="360")
        assert await machines.elsewhere(request) == "00"
        undo = machines.undo(request, 15_00).with_fields({49: "458"})
        assert await machines.elsewhere(undo) == "30"
        settled = undo.with_fields({50: "360", 95: f"{15_00:012d}{CASH // 2:012d}{'':0>18}"})
        assert await machines.elsewhere(settled) == "00"
        assert await machines.ana_has() == before - CASH // 2 - FEE
        await proved(machines.bank)

    @pytest.mark.parametrize(
        "more",
        [{"de51": "360"}, {"de6": f"{CASH:012d}"}, {"de6": f"{CASH + 1:012d}", "de51": "360"},
         {"de5": f"{CASH:012d}"}, {"de5": f"{CASH * 2:012d}", "de50": "360"}],
        ids=["a unit alone", "a sum alone", "two sums", "settled in nothing", "settled otherwise"],
    )  # fmt: skip
    async def test_elements_that_disagree(self, machines: Machines, more: dict[str, str]) -> None:
        assert await machines.elsewhere(machines.ask("01", CASH, hsm.ZPK, **more)) == "30"
        assert await count_of(machines.bank, "payments") == 0

    @pytest.mark.parametrize("mti", ["0200", "0220"])
    async def test_no_currency_at_all(self, machines: Machines, mti: str) -> None:
        request = without(machines.ask("01", CASH, hsm.ZPK), 49)
        assert await machines.elsewhere(Message(mti, {**request.fields, 39: "00"})) == "30"
        assert await count_of(machines.bank, "payments") == 0

    async def test_a_balance_says_its_own_money(self, machines: Machines) -> None:
        answer = await machines.switch.handle(machines.ask("31", 0, hsm.ZPK, de4="", de49="458"))
        assert answer is not None
        assert answer.get(54)[4:7] == "360"

    async def test_a_link_that_writes_whole_rupiah(self, machines: Machines) -> None:
        """Nine digits and three zeros: what the link is set to, the door reads."""
        before = await machines.ana_has()
        machines.speak(Dialect(amount="rupiah_and_three_zeros"))
        request = machines.ask("01", 0, hsm.ZPK, de4="000100000000")
        assert await machines.elsewhere(request) == "00"
        assert await machines.ana_has() == before - CASH - FEE


class TestForWhom:
    """Only what is addressed to this bank is ours."""

    @pytest.mark.parametrize(
        "more",
        [{"de100": "014", "de127": "014"}, {"de100": "014"}, {"de127": "014"}],
        ids=["another bank", "its receiver", "its payee's bank"],
    )
    async def test_a_credit_for_another_bank(
        self, machines: Machines, more: dict[str, str]
    ) -> None:
        assert await machines.elsewhere(await credit(machines, **more)) == "92"
        assert await count_of(machines.bank, "payments") == 0

    async def test_a_credit_for_nobody_in_particular(self, machines: Machines) -> None:
        request = await credit(machines, de3="400000", de100="", de127="")
        assert await machines.elsewhere(request) == "92"
        assert await count_of(machines.bank, "payments") == 0

    async def test_a_code_with_zeros_before_it_is_the_same(self, machines: Machines) -> None:
        request = await credit(machines, de100="00000000999", de127="000999")
        assert await machines.elsewhere(request) == "00"

    async def test_nobody_s_name_is_told_for_another_bank(self, machines: Machines) -> None:
        request = (await credit(machines)).with_fields({3: "391000"})
        assert await machines.elsewhere(request) == "00"
        assert await machines.elsewhere(request.with_fields({100: "014", 127: "014"})) == "92"

    async def test_cash_for_another_bank_s_card(self, machines: Machines) -> None:
        assert await machines.elsewhere(machines.ask("01", CASH, hsm.ZPK, de100="014")) == "92"
        assert await machines.elsewhere(machines.ask("01", CASH, hsm.ZPK, de100="999")) == "00"

    async def test_a_transfer_at_our_machine_that_names_two_banks(self, machines: Machines) -> None:
        budi = str(await account_of(machines.bank, BUDI))
        ana = str(await account_of(machines.bank, ANA))
        request = machines.ask("40", CASH, hsm.TPK, de3="400000", de102=ana, de103=budi)
        torn = request.with_fields({100: "014", 127: "999"})
        assert await machines.at_ours(torn) == "30"
        has = (await balance(machines.bank, int(budi))).posted_minor
        assert await machines.at_ours(request.with_fields({100: "999", 127: "999"})) == "00"
        assert (await balance(machines.bank, int(budi))).posted_minor == has + CASH


class Carrier:
    """The card rail as the terminals' door sees it: it takes the card, the paper answers."""

    def carry(self, reference: str, card: CardData) -> None:
        assert reference
        assert card.pin_block


class TestAnotherBanksCardAtOurMachine:
    """What its issuer says is what the machine is told."""

    FOREIGN = "9360001430000000183"

    def ask(self, machines: Machines) -> Message:
        doors = machines.bank
        machines.atm = TerminalDoor(
            doors.desk, doors.pool, doors.book_id, machines.office,
            Carrier(), None,  # type: ignore[arg-type]
        )  # fmt: skip
        return machines.ask(
            "01", CASH, hsm.TPK, de2=self.FOREIGN, de35=f"{self.FOREIGN}=301210100000"
        )

    @pytest.mark.parametrize("code", ["51", "54", "55", "75", "14", "41", "43", "62"])
    async def test_the_issuers_no_in_its_own_words(
        self, machines: Machines, paper: PaperRail, code: str
    ) -> None:
        paper.will("send", Declined(Refusal.PARTNER_DECLINED, code))
        request = self.ask(machines)
        assert await machines.at_ours(request) == code
        assert await machines.at_ours(Message("0201", request.fields)) == code

    async def test_a_no_our_machines_have_no_screen_for(
        self, machines: Machines, paper: PaperRail
    ) -> None:
        paper.will("send", Declined(Refusal.PARTNER_DECLINED, "Z9"))
        assert await machines.at_ours(self.ask(machines)) == "05"

    async def test_an_approval_keeps_its_number_and_is_repeated(
        self, machines: Machines, paper: PaperRail
    ) -> None:
        paper.will("send", Accepted("607905000001", "A12345"))
        request = self.ask(machines)
        for mti in ("0200", "0201", "0201"):
            answer = await machines.atm.handle(Message(mti, request.fields))
            assert answer is not None
            assert (answer.get(39), answer.get(38)) == ("00", "A12345")
        assert [kind for kind, _ in paper.asked] == ["send"], "carried once"
        other = request.with_fields({2: "9360001430000000191", 35: "9360001430000000191=3012"})
        assert await machines.at_ours(other) == "94", "another card is another request"


class TestHalfAFlow:
    """What cannot be held is not authorised: nothing is ever paid twice for one purchase."""

    @pytest.mark.parametrize("mti", ["0100", "0101"])
    async def test_an_authorisation_moves_nothing(self, machines: Machines, mti: str) -> None:
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        answer = await machines.switch.handle(Message(mti, request.fields))
        assert answer is not None
        assert (answer.mti, answer.get(39), answer.get(38)) == ("0110", "57", "")
        later = machines.ask("01", CASH, hsm.ZPK, de37=request.get(37), de38="123456")
        assert await machines.elsewhere(Message("0220", {**later.fields, 39: "00"})) == "00"
        assert await machines.ana_has() == before - CASH - FEE
        await proved(machines.bank)

    async def test_its_reversal_is_remembered(self, machines: Machines) -> None:
        request = Message("0100", machines.ask("01", CASH, hsm.ZPK).fields)
        assert await machines.elsewhere(request) == "57"
        assert await machines.elsewhere(machines.undo(request)) == "25"

    async def test_what_moves_nothing_may_be_asked_so(self, machines: Machines) -> None:
        """Some hosts inquire by 0100."""
        request = machines.ask("31", 0, hsm.ZPK, de4="")
        assert await machines.elsewhere(Message("0100", request.fields)) == "00"

    async def test_our_own_machines_pay_out_or_do_not(self, machines: Machines) -> None:
        request = machines.ask("01", CASH, hsm.TPK)
        for mti in ("0100", "0220"):
            assert await machines.at_ours(Message(mti, {**request.fields, 39: "00"})) == "57"
        assert await count_of(machines.bank, "payments") == 0
