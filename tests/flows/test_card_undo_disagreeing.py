"""A reversal whose elements disagree, with each other or with what they undo, undoes nothing."""

from __future__ import annotations

import pytest

from machines import FEE, Machines, machines_of
from stories import ANA, BUDI, RUPIAH, account_of, balance, count_of, proved
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.customers import cards
from tangguh.customers.cards import Card
from tangguh.customers.demo import CARD_EXPIRES
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.message import Message, masked_pan
from tangguh.settlement import repair as repairs
from tangguh.settlement.breaks import Break
from tangguh.settlement.contradicted.listing import list_contradictions
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.match import Kind
from tangguh.settlement.signed import Signed

CASH = 100_000 * RUPIAH
HALF = CASH // 2
TWO = Signed(by="rani", approved_by="dewi", reason="the journal of the machine says so")


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


@pytest.fixture
def office(bank: Bank, clock: HandClock) -> BackOffice:
    return BackOffice(bank.desk, bank.pool, bank.book_id, clock)


async def credit(machines: Machines) -> Message:
    return machines.ask(
        "40", CASH, hsm.ZPK, de48=f"{'':30}{'REF':<16}{'SITI':<30}",
        de100="999", de102="5260000001",
        de103=str(await account_of(machines.bank, BUDI)), de127="999",
    )  # fmt: skip


async def twin_of(machines: Machines) -> str:
    """Another card of ours that looks the same when it is masked."""
    twin = f"{machines.pan[:8]}77{machines.pan[10:]}"
    assert masked_pan(twin) == masked_pan(machines.pan)
    card = Card(
        card_token=machines.security.token(twin),
        sealed_pan=machines.security.seal(twin),
        last_four=twin[-4:],
        expires=CARD_EXPIRES,
        account_id=await account_of(machines.bank, BUDI),
        customer_id=BUDI,
        pvv="0000",
    )
    await cards.issue(machines.bank.pool, machines.bank.book_id, card)
    return twin


class TestWithItself:
    """It is a format error, and takes nobody's name."""

    @pytest.mark.parametrize("key", [hsm.ZPK, hsm.TPK], ids=["elsewhere", "ours"])
    async def test_it_is_sent_by_another_than_it_names(self, machines: Machines, key: str) -> None:
        """One bank cannot undo, nor forbid, what another one sent."""
        ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
        request = machines.ask("01", CASH, key)
        assert await ask(machines.undo(request).with_fields({32: "014"})) == "30"
        assert await ask(request) == "00", "its name was not taken"
        has = await machines.ana_has()
        assert await ask(machines.undo(request).with_fields({32: "014"})) == "30"
        assert await machines.ana_has() == has
        await proved(machines.bank)

    async def test_what_it_undoes_is_a_reversal(self, machines: Machines) -> None:
        request = machines.ask("01", CASH, hsm.ZPK)
        undo = machines.undo(request)
        assert await machines.elsewhere(undo.with_fields({90: f"0420{undo.get(90)[4:]}"})) == "30"
        assert await count_of(machines.bank, "payments") == 0


DIFFERING = {
    "another sum": ({4: f"{CASH + 1:012d}"}, "13"),
    "a part without DE95": ({4: f"{HALF:012d}"}, "13"),
    "dollars": ({49: "840"}, "12"),
    "billed otherwise": ({6: f"{HALF:012d}", 51: "360"}, "13"),
    "billed in dollars": ({6: f"{CASH:012d}", 51: "840"}, "12"),
    "another kind": ({3: "401000"}, "25"),
    "another card": ({2: "9360099900009999999"}, "25"),
    "another merchant": ({42: "999000000000009"}, "25"),
}


class TestWithItsOriginal:
    """Whatever differs: refused, nothing moves, and somebody is told."""

    @pytest.mark.parametrize("what", [*DIFFERING, "another terminal"])
    async def test_elsewhere(self, machines: Machines, office: BackOffice, what: str) -> None:
        changes, code = DIFFERING.get(what, ({41: "ATM99802"}, "25"))
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        has = await machines.ana_has()
        assert await machines.elsewhere(machines.undo(request).with_fields(changes)) == code
        assert await machines.ana_has() == has
        (opened,) = await list_contradictions(office)
        assert (opened.network, opened.kind, opened.owner) == (
            "cards", Kind.STATE_DIFFERS, "card desk",
        )  # fmt: skip
        await proved(machines.bank)

    @pytest.mark.parametrize("what", DIFFERING)
    async def test_at_our_machine(self, machines: Machines, office: BackOffice, what: str) -> None:
        changes, code = DIFFERING[what]
        request = machines.ask("01", CASH, hsm.TPK)
        assert await machines.at_ours(request) == "00"
        has = await machines.ana_has()
        assert await machines.at_ours(machines.undo(request).with_fields(changes)) == code
        assert await machines.ana_has() == has
        (opened,) = await list_contradictions(office)
        assert (opened.network, opened.owner) == ("atm", "cash desk")

    @pytest.mark.parametrize("where", ["elsewhere", "ours"])
    async def test_another_card_that_looks_the_same(self, machines: Machines, where: str) -> None:
        """A masked number is for people: two cards may share it."""
        twin = await twin_of(machines)
        key, ask = {
            "elsewhere": (hsm.ZPK, machines.elsewhere),
            "ours": (hsm.TPK, machines.at_ours),
        }[where]
        request = machines.ask("01", CASH, key)
        assert await ask(request) == "00"
        has = await machines.ana_has()
        assert await ask(machines.undo(request).with_fields({2: twin})) == "25"
        by_stripe = {2: "", 35: f"{twin}={CARD_EXPIRES}"}
        assert await ask(machines.undo(request).with_fields(by_stripe)) == "25"
        assert await machines.ana_has() == has
        own_stripe = {2: "", 35: request.get(35)}
        assert await ask(machines.undo(request).with_fields(own_stripe)) == "00"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [({4: f"{HALF:012d}"}, "13"), ({103: "10109999999"}, "25"), ({102: "77"}, "25"),
         ({3: "011000"}, "25"), ({49: "840"}, "12")],
        ids=["sum", "payee", "payer", "kind", "currency"],
    )  # fmt: skip
    async def test_a_transfer_that_came_in(
        self, machines: Machines, changes: dict[int, str], code: str
    ) -> None:
        budi = await account_of(machines.bank, BUDI)
        request = await credit(machines)
        assert await machines.elsewhere(request) == "00"
        has = (await balance(machines.bank, budi)).posted_minor
        named = {102: request.get(102), 103: request.get(103)}
        undo = machines.undo(request).with_fields(named)
        assert await machines.elsewhere(undo.with_fields(changes)) == code
        assert (await balance(machines.bank, budi)).posted_minor == has
        assert await machines.elsewhere(undo) == "00"
        assert (await balance(machines.bank, budi)).posted_minor == has - CASH

    @pytest.mark.parametrize("changes", [{4: f"{40_00:012d}"}, {49: "840"}, {49: "360"}])
    async def test_ringgit(self, machines: Machines, changes: dict[int, str]) -> None:
        request = machines.ask("01", 30_00, hsm.ZPK, de49="458", de6=f"{CASH:012d}", de51="360")
        assert await machines.elsewhere(request) == "00"
        has = await machines.ana_has()
        undo = machines.undo(request).with_fields({49: "458"})
        assert await machines.elsewhere(undo.with_fields(changes)) in {"12", "13"}
        assert await machines.ana_has() == has
        billed = {6: f"{CASH:012d}", 51: "360"}
        assert await machines.elsewhere(undo.with_fields(billed)) == "00"

    async def test_its_break_ends_by_two_people_or_by_the_right_reversal(
        self, machines: Machines, office: BackOffice
    ) -> None:
        """The right one comes after all: the book agrees, and nobody has to sign."""
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        undo = machines.undo(request)
        assert await machines.elsewhere(undo.with_fields({41: "ATM99802"})) == "25"
        (opened,) = await list_contradictions(office)
        assert await machines.elsewhere(undo) == "00"
        assert await list_contradictions(office) == []
        now = await repairs.catch_up(office, opened.break_id)
        assert now is not None
        assert now.state == "closed"
        await proved(machines.bank)


class TestWhatNetworksDoOtherwise:
    """Legitimate habits: none of them is a disagreement."""

    @pytest.mark.parametrize(
        "changes",
        [{4: f"{CASH - 30_000_00:012d}"}, {49: "360"}, {49: ""}, {42: "999000000000001"},
         {37: "607999999999"}, {7: "0321010101"}, {11: "777777"}, {2: ""},
         {3: "010000"}, {6: f"{CASH:012d}", 51: "360"}],
        ids=["DE4 is what goes back", "says rupiah", "says no currency", "names the merchant",
             "DE37", "DE7", "DE11", "no card", "account types", "billed too"],
    )  # fmt: skip
    async def test_a_part(self, machines: Machines, changes: dict[int, str]) -> None:
        before = await machines.ana_has()
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        undo = machines.undo(request, 30_000_00).with_fields(changes)
        assert await machines.elsewhere(undo) == "00"
        assert await machines.ana_has() == before - 30_000_00 - FEE
        await proved(machines.bank)


class TestWhatWasTakenBackTookPlaceAfterAll:
    """A part was reversed, and then the network says that all of it came out: somebody owns it."""

    @pytest.mark.parametrize("mti", ["0220", "0221"])
    @pytest.mark.parametrize("dispensed", [HALF, 0], ids=["a part", "all of it"])
    async def test_an_advice_of_the_whole(
        self, machines: Machines, office: BackOffice, mti: str, dispensed: int
    ) -> None:
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        assert await machines.elsewhere(machines.undo(request, dispensed)) == "00"
        has = await machines.ana_has()
        for _ in range(2):
            assert await machines.elsewhere(Message(mti, {**request.fields, 39: "00"})) == "94"
        assert await machines.ana_has() == has
        (opened,) = await list_contradictions(office)
        assert (opened.ours_minor, opened.theirs_minor) == (dispensed, CASH)
        assert (opened.owner, opened.state) == ("card desk", "open")
        done = await repairs.repair(office, opened.break_id, TWO, to_customer=False)
        assert isinstance(done, Break), done
        await proved(machines.bank)

    async def test_an_advice_of_the_part_agrees(
        self, machines: Machines, office: BackOffice
    ) -> None:
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        assert await machines.elsewhere(machines.undo(request, HALF)) == "00"
        part = Message("0220", {**request.fields, 4: f"{HALF:012d}", 39: "00"})
        await machines.elsewhere(part)
        assert await list_contradictions(office) == []

    @pytest.mark.parametrize("key", [hsm.ZPK, hsm.TPK], ids=["elsewhere", "ours"])
    async def test_a_later_reversal_says_that_more_came_out(
        self, machines: Machines, office: BackOffice, key: str
    ) -> None:
        ask = machines.elsewhere if key == hsm.ZPK else machines.at_ours
        request = machines.ask("01", CASH, key)
        assert await ask(request) == "00"
        first = machines.undo(request, HALF)
        assert await ask(first) == "00"
        assert await ask(Message("0421", first.fields)) == "00"
        has = await machines.ana_has()
        assert await ask(machines.undo(request, CASH)) == "21"
        assert await machines.ana_has() == has
        (opened,) = await list_contradictions(office)
        assert (opened.ours_minor, opened.theirs_minor) == (HALF, CASH)
        await proved(machines.bank)

    async def test_a_late_copy_of_a_reversal_is_none(
        self, machines: Machines, office: BackOffice
    ) -> None:
        """First half, then nothing came out; the first is told once more, late."""
        request = machines.ask("01", CASH, hsm.ZPK)
        assert await machines.elsewhere(request) == "00"
        half = machines.undo(request, HALF)
        assert await machines.elsewhere(half) == "00"
        assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await machines.elsewhere(Message("0421", half.fields)) == "00"
        assert await list_contradictions(office) == []

    @pytest.mark.parametrize("kind", ["cash", "credit"])
    async def test_an_advice_that_what_we_approved_was_declined(
        self, machines: Machines, office: BackOffice, kind: str
    ) -> None:
        """Acknowledged, nothing moves, and it is not forgotten."""
        ana = await account_of(machines.bank, ANA)
        request = machines.ask("01", CASH, hsm.ZPK) if kind == "cash" else await credit(machines)
        assert await machines.elsewhere(request) == "00"
        has = (await balance(machines.bank, ana)).posted_minor
        assert await machines.elsewhere(Message("0220", {**request.fields, 39: "51"})) == "00"
        assert (await balance(machines.bank, ana)).posted_minor == has
        (opened,) = await list_contradictions(office)
        assert (abs(opened.ours_minor), opened.theirs_minor) == (CASH, 0)
        assert await machines.elsewhere(machines.undo(request)) == "00"
        assert await list_contradictions(office) == []
        now = await repairs.catch_up(office, opened.break_id)
        assert now is not None
        assert now.state == "closed"
