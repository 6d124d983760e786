"""What we send, what the settings refuse, and what the switch's requests say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.cards_harness import KEYS, NOON, rail_settings, transfer
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.money import Money
from tangguh.core.order import ToBank, ToWallet
from tangguh.rails.iso8583 import management, required
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.inbound import address, money, original
from tangguh.rails.iso8583.inbound import asked as inbound
from tangguh.rails.iso8583.message import Message, decode, encode, judge_format
from tangguh.rails.iso8583.outbound import orders
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.iso8583.required import judge
from tangguh.rails.iso8583.settings import origin_of
from unit.rails.iso8583.test_iso8583_golden import golden

ORIGIN = origin_of(rail_settings(1))
PAN = orders.account_pan("93600999", 108)


def of(name: str, **changes: str) -> Message:
    message = decode(golden(name))
    assert isinstance(message, Message)
    return message.with_fields({int(name[2:]): value for name, value in changes.items()})


class TestOrders:
    @given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 10**12 - 1))
    def test_any_name_makes_a_message_in_order(self, payee: str, payer: str, minor: int) -> None:
        order = transfer(
            payee=ToBank(bank="998", account="5260000001", name=payee),
            debtor_name=payer,
            amount_minor=minor,
        )
        message = orders.transfer(ORIGIN, order, PAN)
        assert message is not None
        assert judge_format(message) == ()
        assert judge(message) == ()
        assert len(message.get(48)) == 76

    def test_accents_lose_their_marks(self) -> None:
        order = transfer(payee=ToBank(bank="998", account="1", name="José Ñuñez 李"))
        message = orders.transfer(ORIGIN, order, PAN)
        assert message is not None
        assert message.get(48)[:12] == "Jose Nunez ?"

    @given(st.integers(0, 10**10 - 1))
    def test_card_numbers_of_accounts_have_their_check_digit(self, account: int) -> None:
        pan = orders.account_pan("93600999", account)
        assert len(pan) == 19
        total = 0
        for place, digit in enumerate(reversed(pan)):
            doubled = int(digit) * (1 + place % 2)
            total += doubled - 9 * (doubled > 9)
        assert total % 10 == 0

    def test_machines_and_phones_are_told_apart(self) -> None:
        phone = orders.transfer(ORIGIN, transfer(service="mobile.transfer.cards"), PAN)
        machine = orders.transfer(ORIGIN, transfer(service="atm.transfer.cards"), PAN)
        assert phone is not None
        assert machine is not None
        assert (phone.get(18), machine.get(18)) == ("6019", "6011")

    def test_tip_goes_along(self) -> None:
        message = orders.transfer(ORIGIN, transfer(tip_minor=500), PAN)
        assert message is not None
        assert message.get(4) == "000010000500"

    def test_what_is_for_other_rails_is_not_said(self) -> None:
        other = transfer(payee=ToWallet(wallet="gopay", number="1"))
        card = orders.CardData(pan=PAN, track_2="", pin_block="", pin_key="tpk")
        assert orders.transfer(ORIGIN, other, PAN) is None
        assert orders.withdrawal(ORIGIN, other, card, "") is None
        assert orders.reversal(ORIGIN, other, PAN, NOON, repeat=False) is None

    def test_a_link_without_sen_carries_whole_rupiah(self) -> None:
        whole = msgspec.structs.replace(ORIGIN, dialect=Dialect(amount="rupiah_and_three_zeros"))
        message = orders.transfer(whole, transfer(), PAN)
        assert message is not None
        assert message.get(4) == "000100000000"
        assert orders.transfer(whole, transfer(amount_minor=150), PAN) is None

    def test_a_reversal_is_in_order(self) -> None:
        message = orders.reversal(ORIGIN, transfer(), PAN, NOON, repeat=False)
        assert message is not None
        assert judge(message) == ()
        assert isinstance(encode(message), bytes)
        assert message.get(37) == orders.trace_for(transfer()).rrn
        assert not {48, 52, 35} & set(message.fields)

    def test_card_data_is_not_shown(self) -> None:
        card = orders.CardData(pan=PAN, track_2=PAN, pin_block="AB", pin_key="tpk")
        assert repr(card) == "CardData(...)"


class TestSettings:
    @pytest.mark.parametrize(
        "changes",
        [
            {"port": 0}, {"institution": ""}, {"pan_prefix": "1"}, {"pan_prefix": "9360099X"},
            {"cut_over": "noon"}, {"location": "short"}, {"keys": {}},
            {"keys": {"zpk": "zz", "seal": "00" * 16, "mak": "00" * 16}},
            {"response_codes": {"05": "maybe"}},
        ],
    )  # fmt: skip
    def test_what_cannot_work_is_said_at_once(self, changes: dict[str, Any]) -> None:
        with pytest.raises(Misconfigured):
            Iso8583Rail(rail_settings(**{"port": 1, **changes}), HandClock(NOON))

    def test_keys_are_not_shown(self) -> None:
        shown = repr(rail_settings(1)) + repr(
            Iso8583Rail(rail_settings(1), HandClock(NOON)).security
        )
        assert not any(key in shown for key in KEYS.values())

    def test_an_unknown_setting_is_refused(self) -> None:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"prot": 1}, type(rail_settings(1)))

    def test_a_key_that_travels_is_not_shown(self) -> None:
        message = Message("0800", {48: "ZPK" + "A" * 32 + "B" * 6})
        new = management.key_in(message)
        assert repr(new) == "NewKey(zpk)"
        assert "AAAA" not in repr(message)
        assert management.key_in(Message("0800", {48: "XPK" + "A" * 38})) is None


class TestInbound:
    def test_a_card_at_a_machine(self) -> None:
        asked = inbound.card_in(of("G3"), original.switch_name(of("G3"), NOON))
        assert asked is not None
        assert asked.kind == required.CASH
        assert asked.money == Money(500_000_00)
        assert (asked.terminal, asked.acquirer, asked.trace) == ("ATM00001", "014", "000123")
        assert asked.reference == "iso8583:14-20250329041122-000123"
        assert asked.settled == "0329041122000123508804000123"
        assert "9360011130000000183" not in repr(asked)
        assert not asked.advice

    def test_a_card_known_by_its_track_alone(self) -> None:
        asked = inbound.card_in(of("G3", de2=""), "iso8583:1")
        assert asked is not None
        assert asked.pan == "9360011130000000183"

    def test_a_reversal_names_its_original(self) -> None:
        named = original.original_at_switch(of("G4", de37="508804999999"), NOON)
        assert named == original.switch_name(of("G3"), NOON)
        reversal = inbound.reversal_in(of("G4"), named)
        assert reversal is not None
        assert (reversal.original, reversal.dispensed.minor) == (named, 0)

    @pytest.mark.parametrize("told", ["01400000000", "00000000014", "00000000000", "14000000000"])
    def test_however_the_acquirer_stands_in_it(self, told: str) -> None:
        elements = of("G4").get(90)
        reversal = of("G4", de90=f"{elements[:20]}{told}{elements[31:]}", de32="014")
        named = original.original_at_switch(reversal, NOON)
        assert named == original.switch_name(of("G3", de32="014"), NOON)

    def test_the_year_is_the_latest_that_has_been(self) -> None:
        """A day ahead is a clock that runs before ours; more is last year's."""
        for at, year in (("0329041122", 2025), ("0330045959", 2025), ("0331041122", 2024)):
            assert f"-{year}{at}-" in original.switch_name(of("G3", de7=at), NOON)

    def test_a_terminal_takes_back_its_own(self) -> None:
        named = original.original_at_terminal(of("G4"), NOON)
        assert named == "atm:ATM00001-20250329041122-000123"
        assert named == original.terminal_name(of("G3"), NOON)
        assert original.original_at_terminal(of("G4", de90="0" * 42), NOON) is None

    def test_a_partial_reversal_says_what_came_out(self) -> None:
        reversal = inbound.reversal_in(of("G4", de95="000020000000" + "0" * 30), "iso8583:1")
        assert reversal is not None
        assert reversal.dispensed.minor == 200_000_00

    @pytest.mark.parametrize(
        ("message", "named"),
        [(of("G3"), "iso8583:1"), (of("G4"), None),
         (of("G4", de49="840", de95="000020000000" + "0" * 30), "iso8583:1")],
    )  # fmt: skip
    def test_what_is_no_reversal(self, message: Message, named: str | None) -> None:
        assert inbound.reversal_in(message, named) is None

    def test_a_credit(self) -> None:
        credit = inbound.credit_in(of("G6"), "iso8583:14-1-1", "in.transfer.cards")
        assert credit is not None
        assert (credit.rail, credit.reference) == ("iso8583", "14-1-1")
        assert credit.creditor == "5260000001"
        assert (credit.amount_minor, credit.currency) == (1_000_000_00, "IDR")
        assert credit.sender_name == "BUDI SANTOSO"
        assert credit.note == "REF0000000000001"
        assert credit.sender_account == "10108000001"

    def test_what_is_no_credit(self) -> None:
        for message in (of("G3"), of("G6", de103=""), of("G6", de4=""), of("G6", de49="")):
            assert inbound.credit_in(message, "iso8583:1", "in.transfer.cards") is None

    def test_money_of_another_country_keeps_its_name(self) -> None:
        charged = money.charged_in(of("G3", de49="840"), Dialect())
        assert charged is not None
        assert charged.currency == "840"
        assert not money.is_in_rupiah(of("G3", de51="840"))

    def test_whom_a_message_is_for(self) -> None:
        assert address.addressee_of(of("G6")) == "14"
        assert address.addressee_of(of("G6", de127="008")) is None
        assert address.is_for(of("G6"), "014", must_say=True)
        assert not address.is_for(of("G6"), "999", must_say=True)
        assert not address.is_for(of("G6", de100="", de127=""), "014", must_say=True)
        assert address.is_for(of("G6", de100="", de127=""), "014", must_say=False)

    def test_answers_that_say_more(self) -> None:
        named = inbound.name_answer(of("G6"), "RINA UJI")
        assert orders.name_in(named) == "RINA UJI"
        balance = inbound.balance_answer(of("G3"), -150_00)
        assert balance.get(54) == "1002360D000000015000"
        assert inbound.balance_answer(of("G3"), 10**13).get(39) == "96"
        for answer in (named, balance):
            assert isinstance(encode(answer), bytes)
