"""The switch's own rules and books, without a socket; and that its codec is a second opinion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import HandClock
from tangguh.rails.iso8583.message import Message, decode, encode
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.sim import faults
from tangguh.sim.cards.counter import Counter, CounterSettings
from tangguh.sim.cards.directory import CARDS, Directory
from tangguh.sim.cards.foreign import numbered
from tangguh.sim.cards.wire import (
    NotATelegram,
    Telegram,
    load_key,
    mac_fits,
    mac_of,
    pin_block,
    pin_in,
    read,
    wrap_key,
    write,
)
from tangguh.sim.passbook import Passbook
from unit.rails.iso8583.test_iso8583_golden import GOLDEN, golden

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
KEY = load_key("0123456789ABCDEFFEDCBA9876543210")
RP100K = 100_000_00


class Desk:
    """A counter with its books."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(NOON)
        self.books = Passbook(str(folder / "books.sqlite"))
        directory = Directory()
        directory.enrol(self.books)
        self.counter = Counter(CounterSettings(), self.books, directory, self.clock, KEY)

    def say(self, telegram: Telegram, fault: faults.AnyFault | None = None) -> str:
        return self.counter.decide(telegram, fault).get(39)

    def paid(self) -> int:
        proof = self.books.prove()
        assert proof.holds, proof
        totals = proof.totals
        return totals.in_minor - totals.in_back_minor - totals.out_minor + totals.out_back_minor


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.books.close()


def transfer(stan: str = "000001", minor: int = RP100K, **more: str) -> Telegram:
    fields = numbered(NOON, stan) | {
        3: "401000", 4: f"{minor:012d}", 32: "999", 41: "APP00001", 49: "360", 48: " " * 76,
        100: "998", 102: "108", 103: "5260000001", 127: "998",
    }  # fmt: skip
    return Telegram("0200", fields | {int(k[2:]): v for k, v in more.items()})


def withdrawal(stan: str = "000009", pin: str = CARDS[0].pin, minor: int = RP100K) -> Telegram:
    card = CARDS[0]
    fields = numbered(NOON, stan) | {
        2: card.pan, 3: "011000", 4: f"{minor:012d}", 32: "999", 41: "ATM00001", 49: "360",
        52: pin_block(pin, card.pan, KEY),
    }  # fmt: skip
    return Telegram("0200", fields)


def reversal_of(original: Telegram, dispensed: int = 0) -> Telegram:
    elements = f"0200{original.get(11)}{original.get(7)}{'999':0>11}{'':0>11}"
    fields = {k: v for k, v in original.fields.items() if k not in (48, 52)}
    more = {11: "900000", 90: elements, 95: f"{dispensed:012d}".ljust(42, "0")}
    return Telegram("0420", fields | more)


class TestTransfers:
    def test_paid_once_however_often_it_comes(self, desk: Desk) -> None:
        assert [desk.say(transfer()) for _ in range(3)] == ["00"] * 3
        assert desk.paid() == RP100K

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"de103": "1"}, "76"), ({"de103": "5260000002"}, "62"), ({"de103": "5260000003"}, "78"),
            ({"de127": "777"}, "76"), ({"de4": "0" * 12}, "13"), ({"de4": "999999999999"}, "61"),
            ({"de3": "990000"}, "12"),
        ],
    )  # fmt: skip
    def test_refusals(self, desk: Desk, more: dict[str, str], code: str) -> None:
        assert desk.say(transfer(**more)) == code
        assert desk.paid() == 0

    def test_same_trace_other_content(self, desk: Desk) -> None:
        desk.say(transfer())
        assert desk.say(transfer(minor=1)) == "94"
        assert desk.say(transfer(de103="1370000000001", de127="008")) == "94"
        assert desk.paid() == RP100K

    def test_inquiry_moves_nothing(self, desk: Desk) -> None:
        answer = desk.counter.decide(transfer(de3="391000"), None)
        assert answer.get(48)[:30].strip() == "RINA PUSPITA"
        assert desk.say(transfer(de3="391000", de103="1")) == "76"
        assert desk.paid() == 0


class TestReversals:
    def test_full_then_again(self, desk: Desk) -> None:
        desk.say(transfer())
        assert [desk.say(reversal_of(transfer())) for _ in range(3)] == ["00"] * 3
        assert desk.paid() == 0
        assert desk.say(transfer()) == "12", "the original comes once more"

    def test_of_the_unknown_is_remembered(self, desk: Desk) -> None:
        assert [desk.say(reversal_of(transfer())) for _ in range(2)] == ["25", "25"]
        assert desk.say(transfer()) == "12"
        assert desk.paid() == 0

    def test_of_a_declined_one(self, desk: Desk) -> None:
        desk.say(transfer(de103="1"))
        assert desk.say(reversal_of(transfer(de103="1"))) == "00"

    def test_partial(self, desk: Desk) -> None:
        assert desk.say(withdrawal()) == "00"
        assert [desk.say(reversal_of(withdrawal(), RP100K // 2)) for _ in range(2)] == ["00", "00"]
        assert desk.paid() == -RP100K // 2

    def test_of_a_pending_one_ends_it(self, desk: Desk) -> None:
        assert desk.say(transfer(), faults.Pending(seconds=10)) == "68"
        assert desk.say(transfer()) == "68"
        assert desk.say(reversal_of(transfer())) == "00"
        desk.clock.advance(11)
        assert desk.say(transfer()) == "12"
        assert desk.paid() == 0

    def test_after_a_day_it_is_settled(self, desk: Desk) -> None:
        desk.say(transfer())
        desk.clock.advance(86_401)
        assert desk.say(reversal_of(transfer())) == "21"
        assert desk.paid() == RP100K


class TestCards:
    def test_three_wrong_pins_close_the_card(self, desk: Desk) -> None:
        said = [desk.say(withdrawal(f"00001{n}", "000000")) for n in range(4)]
        assert said == ["55", "55", "55", "75"]
        assert desk.say(withdrawal("000020")) == "75"

    def test_a_right_pin_forgets_the_wrong_ones(self, desk: Desk) -> None:
        for number in range(6):
            desk.say(withdrawal(f"00003{number}", "000000" if number % 2 else CARDS[0].pin))
        assert desk.say(withdrawal("000040")) == "00"

    def test_funds(self, desk: Desk) -> None:
        assert desk.say(withdrawal(minor=6_000_000_00)) == "51"

    def test_balance(self, desk: Desk) -> None:
        fields = dict(withdrawal().fields) | {3: "310000"}
        fields.pop(4)
        answer = desk.counter.decide(Telegram("0200", fields), None)
        assert answer.get(54) == "1002360C000500000000"

    def test_unknown_card(self, desk: Desk) -> None:
        fields = dict(withdrawal().fields) | {2: "9360099800000000000"}
        assert desk.say(Telegram("0200", fields)) == "14"


class TestWire:
    @pytest.mark.parametrize("name", GOLDEN)
    def test_both_codecs_read_and_write_the_same(self, name: str) -> None:
        ours, theirs = decode(golden(name)), read(golden(name))
        assert isinstance(ours, Message)
        assert (ours.mti, ours.fields) == (theirs.mti, theirs.fields)
        assert write(theirs) == encode(ours) == golden(name)

    @given(st.binary(max_size=200))
    def test_both_modules_make_the_same_mac(self, data: bytes) -> None:
        soft = SoftHsm({"mak": "0123456789ABCDEFFEDCBA9876543210"})
        assert mac_of(data, KEY) == soft.mac(data, "mak")

    def test_mac_is_written_and_checked(self) -> None:
        raw = write(transfer(), KEY)
        telegram = read(raw)
        assert mac_fits(raw, telegram, KEY)
        assert not mac_fits(raw, telegram, load_key("00" * 16))
        assert not mac_fits(write(transfer()), transfer(), KEY)
        echo = Telegram("0800", {7: "0329041122", 11: "000001", 70: "301"})
        assert mac_fits(write(echo, KEY), echo, KEY)

    def test_pins(self) -> None:
        assert pin_block("123456", "9360011130000000183", KEY) == "98350FB9BEC93643"
        assert pin_in("98350FB9BEC93643", "9360011130000000183", KEY) == "123456"
        assert pin_in("00", "9360011130000000183", KEY) == ""

    def test_a_wrapped_key_is_taken_by_the_other_module(self) -> None:
        soft = SoftHsm({"zmk": "1111222233334444AAAABBBBCCCCDDDD", "seal": "00" * 16})
        wrapped, check = wrap_key(KEY, load_key("1111222233334444AAAABBBBCCCCDDDD"))
        sealed = soft.unwrap_key("zpk", wrapped, check)
        assert sealed is not None
        assert soft.use_key("zpk", sealed)
        assert soft.key_check_value("zpk") == "08D7B4"

    @pytest.mark.parametrize("raw", [b"", b"02", b"0x00" + b"0" * 16, b"\xff" * 30])
    def test_what_is_no_telegram(self, raw: bytes) -> None:
        with pytest.raises(NotATelegram):
            read(raw)

    def test_invented_cards_have_check_digits(self) -> None:
        for card in CARDS:
            digits = [int(digit) for digit in reversed(card.pan)]
            total = sum(d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits))
            assert total % 10 == 0
