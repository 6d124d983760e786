"""The switch speaks first: our cards at foreign ATMs, credits, advices, reversals, new keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from rails.cards_harness import KEYS, RP100K, CardsHarness, cards, rail_settings, transfer
from tangguh.core.errors import StoreUnavailable
from tangguh.core.outcome import Accepted
from tangguh.rails.iso8583 import required
from tangguh.rails.iso8583.hsm import KeptKey
from tangguh.rails.iso8583.message import Message, reply_to
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.sim.cards.wire import frame, write

OUR_PAN = "9360099900000001083"
PIN = "112233"


class Bank:
    """The smallest issuer: one account, one card, and what was done under which trace."""

    def __init__(self) -> None:
        self.balance = 1_000_000_00
        self.done: dict[str, int] = {}
        self.dead: set[str] = set()
        self.silent = False
        self.heard: list[str] = []
        self.security: SoftHsm

    async def answer(self, request: Message) -> Message | None:
        """What an issuer decides."""
        self.heard.append(request.mti)
        if request.mti[1] == "4":
            elements = request.get(90)
            trace = elements[10:20] + elements[4:10] + request.get(37)
            known = self.done.pop(trace, None)
            self.dead.add(trace)
            dispensed = int(request.get(95)[:12] or "0")
            self.balance -= (known or 0) + (dispensed if known and known < 0 else 0)
            return None if self.silent else reply_to(request, "00" if known else "25")
        code = self._decide(request)
        more = {54: f"1002360C{self.balance:012d}"} if request.get(3) == "310000" else {}
        return None if self.silent else reply_to(request, code, more)

    def _decide(self, request: Message) -> str:
        trace = request.get(7) + request.get(11) + request.get(37)
        if trace in self.done:
            return "00"
        if trace in self.dead:
            return "12"
        if block := request.get(52):
            value = self.security.pin_value(
                self.security.encrypt_pin(PIN, OUR_PAN, "zpk"), OUR_PAN, key="zpk"
            )
            if not self.security.verify_pin(block, OUR_PAN, key="zpk", value=value or ""):
                return "55"
        amount = int(request.get(4) or "0")
        kind = required.kind_of(request)
        if kind == required.CASH and request.mti == "0200" and amount > self.balance:
            return "51"
        moved = {required.CASH: -amount, required.TRANSFER: amount}.get(kind, 0)
        self.balance += moved
        self.done[trace] = moved
        return "00"


class Drawer:
    """Where keys are kept, in memory, and may jam."""

    def __init__(self, *, jammed: bool = False) -> None:
        self.rows: dict[str, KeptKey] = {}
        self.jammed = jammed

    async def keep(self, key: str, sealed: str, instead_of: str) -> None:
        if self.jammed:
            raise StoreUnavailable("it jams")
        self.rows[key] = KeptKey(key, sealed, instead_of)

    async def kept(self) -> list[KeptKey]:
        return list(self.rows.values())


class Pair(CardsHarness):
    """A switch and a bank that answers."""

    bank: Bank


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Pair]:
    harness = Pair(tmp_path, answer_seconds=5.0)
    harness.bank = Bank()
    await harness.switch.open()
    harness.rail = await harness.another_rail(harness.bank.answer)
    assert isinstance(harness.rail.security, SoftHsm)
    harness.bank.security = harness.rail.security
    yield harness
    await harness.close()


async def withdraw(far: Pair, amount: int = RP100K, pin: str = PIN) -> dict[str, object]:
    fields = {"pan": OUR_PAN, "pin": pin, "amount_minor": amount}
    return await far.passing(far.switch.act("withdraw", fields))


async def credit_under(far: Pair, mac_key: bytes | None) -> None:
    """A credit written under that MAC key; nobody waits for its answer."""
    parties = {48: " " * 76, 100: "999", 102: "1", 103: "108", 127: "999"}
    telegram = far.switch.foreign.telegram("0200", "401000", RP100K, parties)
    (channel,) = far.switch._channels
    await channel.send_bytes(frame(write(telegram, mac_key)))


class TestCards:
    async def test_our_card_at_a_foreign_machine(self, far: Pair) -> None:
        said = await withdraw(far)
        assert said["code"] == "00"
        assert far.bank.balance == 900_000_00
        assert far.paid_minor() == RP100K

    async def test_wrong_pin_and_no_funds(self, far: Pair) -> None:
        assert (await withdraw(far, pin="999999"))["code"] == "55"
        assert (await withdraw(far, amount=2_000_000_00))["code"] == "51"
        assert far.paid_minor() == 0

    async def test_balance(self, far: Pair) -> None:
        said = await far.switch.act("balance", {"pan": OUR_PAN, "pin": PIN})
        assert said["balance"] == "1002360C000100000000"

    async def test_notes_jammed_over_there(self, far: Pair) -> None:
        said = await withdraw(far)
        reversed_ = await far.switch.act("reverse", {"telegram": said["telegram"]})
        assert reversed_["code"] == "00"
        assert far.bank.balance == 1_000_000_00
        assert far.paid_minor() == 0

    async def test_half_of_the_notes_came_out(self, far: Pair) -> None:
        said = await withdraw(far)
        fields = {"telegram": said["telegram"], "dispensed_minor": RP100K // 2}
        await far.switch.act("reverse", fields)
        assert far.bank.balance == 950_000_00
        assert far.paid_minor() == RP100K // 2

    async def test_bank_without_an_answer_is_reversed_until_it_answers(self, far: Pair) -> None:
        far.bank.silent = True
        said = await withdraw(far)
        assert said["answered"] is False
        assert far.bank.balance == 900_000_00, "it debited, and its answer was lost"
        await far.until(lambda: far.bank.heard.count("0420") >= 2)
        far.bank.silent = False
        await far.until(lambda: far.switch.foreign.owed == 0)
        assert far.bank.balance == 1_000_000_00
        assert far.paid_minor() == 0

    async def test_stand_in_advice(self, far: Pair) -> None:
        said = await far.switch.act("advise", {"pan": OUR_PAN, "amount_minor": 1_500_000_00})
        assert said["code"] == "00"
        assert far.bank.balance == -500_000_00, "an advice is not declined for funds"

    async def test_an_advice_is_repeated_until_it_is_answered(self, far: Pair) -> None:
        far.bank.silent = True
        fields = {"pan": OUR_PAN, "amount_minor": RP100K}
        said = await far.passing(far.switch.act("advise", fields))
        assert said["answered"] is False
        await far.until(lambda: far.bank.heard.count("0221") >= 2)
        far.bank.silent = False
        await far.until(lambda: far.switch.foreign.owed == 0)
        assert far.bank.balance == 900_000_00, "told three times or more, posted once"


class TestCredits:
    async def test_money_from_another_bank(self, far: Pair) -> None:
        fields = {"account": "108", "amount_minor": RP100K, "sender_name": "RINA UJI"}
        said = await far.switch.act("credit", fields)
        assert said["code"] == "00"
        assert far.bank.balance == 1_100_000_00
        assert far.drawn_minor() == RP100K

    async def test_the_same_credit_again_is_one(self, far: Pair) -> None:
        said = await far.switch.act("credit", {"account": "108", "amount_minor": RP100K})
        telegram = said["telegram"]
        answer = await far.switch.originate("0200", telegram)
        assert answer is not None
        assert answer.get(39) == "00"
        assert far.bank.balance == 1_100_000_00

    async def test_a_reversal_that_comes_first_stops_the_credit(self, far: Pair) -> None:
        made = far.switch.foreign.telegram(
            "0200", "401000", RP100K, {48: " " * 76, 100: "999", 102: "1", 103: "108", 127: "999"}
        )
        answer = await far.switch.act("reverse", {"telegram": made.fields})
        assert answer["code"] == "25"
        late = await far.switch.originate("0200", made.fields)
        assert late is not None
        assert late.get(39) == "12"
        assert far.bank.balance == 1_000_000_00


class TestManagement:
    async def test_echo_cut_over_and_signing_off_and_on(self, far: Pair) -> None:
        for what in ("echo", "cut_over", "sign_off", "sign_on"):
            assert (await far.switch.act(what, {}))["code"] == "00", what
        assert far.rail.link.cut_overs == 1
        assert far.rail.link.is_signed_on

    async def test_new_keys_are_in_force_for_both(self, far: Pair) -> None:
        before = far.rail.security.key_check_value("mak")
        assert await far.switch.act("change_keys", {}) == {"ZPK": "00", "MAK": "00"}
        assert far.rail.security.key_check_value("mak") != before
        assert isinstance(await far.rail.send(transfer()), Accepted)
        assert (await withdraw(far))["code"] == "00"

    async def test_new_keys_outlive_the_process(self, far: Pair) -> None:
        """Kept before they are acknowledged; the next process has them, and nobody reads them."""
        store = Drawer()
        far.rail.link.keys = store
        assert await far.switch.act("change_keys", {}) == {"ZPK": "00", "MAK": "00"}
        changed = far.rail.security.key_check_value("mak")
        assert changed != SoftHsm(KEYS).key_check_value("mak")
        await far.rail.close()
        heir = Iso8583Rail(
            rail_settings(port=far.switch.port), far.clock,
            handler=far.bank.answer, source=Random(9),
        )  # fmt: skip
        await heir.open(store)
        await far.until(lambda: heir.link.is_signed_on)
        assert isinstance(heir.security, SoftHsm)
        far.bank.security = heir.security
        assert heir.security.key_check_value("mak") == changed
        assert isinstance(await heir.send(transfer()), Accepted)
        assert (await withdraw(far))["code"] == "00"
        await heir.close()

    async def test_a_key_set_by_people_since_counts(self, far: Pair) -> None:
        store = Drawer()
        far.rail.link.keys = store
        await far.switch.act("change_keys", {})
        theirs = KEYS | {"mak": "00112233445566778899AABBCCDDEEFF"}
        heir = Iso8583Rail(rail_settings(port=far.switch.port, keys=theirs), far.clock)
        await heir.open(store)
        assert heir.security.key_check_value("mak") == SoftHsm(theirs).key_check_value("mak")
        await heir.close()

    async def test_a_key_that_cannot_be_kept_is_not_taken(self, far: Pair) -> None:
        """Else it would be gone with the process, and the switch would not know."""
        before = far.rail.security.key_check_value("mak")
        far.rail.link.keys = Drawer(jammed=True)
        assert await far.switch.act("change_keys", {}) == {"ZPK": "96", "MAK": "96"}
        assert far.rail.security.key_check_value("mak") == before
        assert (await withdraw(far))["code"] == "00"

    async def test_old_and_new_are_understood_for_a_while(self, far: Pair) -> None:
        """What was on its way under the old keys is right; after the window it is not."""
        old = far.switch._mac_key
        await far.switch.act("change_keys", {})
        await credit_under(far, old)
        await far.until(lambda: far.bank.balance == 1_100_000_00)
        far.clock.advance(301)
        await credit_under(far, old)
        await far.until(lambda: far.rail.link.traffic.mac_wrong == 1)
        assert far.bank.balance == 1_100_000_00
        said = await far.switch.act("credit", {"account": "108", "amount_minor": RP100K})
        assert said["code"] == "00"

    async def test_the_switch_says_that_the_old_keys_are_over(self, far: Pair) -> None:
        old = far.switch._mac_key
        await far.switch.act("change_keys", {})
        said = await far.switch._tell("101", {})
        assert said is not None
        assert said.get(39) == "00"
        await credit_under(far, old)
        await far.until(lambda: far.rail.link.traffic.mac_wrong == 1)
        assert far.bank.balance == 1_000_000_00

    async def test_which_keys_we_have_is_told_by_their_check_values(self, far: Pair) -> None:
        said = await far.switch._tell("162", {})
        assert said is not None
        soft = SoftHsm(KEYS)
        values = f"ZPK{soft.key_check_value('zpk')}MAK{soft.key_check_value('mak')}"
        assert (said.get(39), said.get(48)) == ("00", values)

    async def test_what_a_switch_cannot_do(self, far: Pair) -> None:
        for what, fields in (("dance", {}), ("withdraw", {}), ("reverse", {"telegram": 1})):
            with pytest.raises(ValueError, match=what):
                await far.switch.act(what, fields)

    async def test_books_are_shown(self, far: Pair) -> None:
        await withdraw(far)
        books = far.switch.books({"kind": "01"})
        assert [row.state for row in books["transfers"]] == ["paid"]
        assert books["signed_on"]
        assert far.switch.address.endswith(str(far.switch.port))


async def test_without_a_handler_the_bank_is_inoperative(tmp_path: Path) -> None:
    async with cards(tmp_path) as far:
        assert isinstance(far.rail, Iso8583Rail)
        said = await far.switch.act("credit", {"account": "108", "amount_minor": RP100K})
        assert said["code"] == "91"
        bank = Bank()
        far.rail.appoint(bank.answer)
        said = await far.switch.act("credit", {"account": "108", "amount_minor": RP100K})
        assert (said["code"], bank.balance) == ("00", 1_100_000_00)
