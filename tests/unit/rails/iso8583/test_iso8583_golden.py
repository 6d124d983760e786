"""The golden messages, byte for byte both ways, and built by the builders from facts alone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID

import pytest

from tangguh.core.order import ToBank, ToCash
from tangguh.rails.iso8583 import management
from tangguh.rails.iso8583.framing.frames import Frames, framed
from tangguh.rails.iso8583.message import Message, decode, encode, reply_to
from tangguh.rails.iso8583.outbound import orders
from tangguh.rails.iso8583.required import judge
from tangguh.rails.iso8583.trace import Trace
from tangguh.rails.rail import Instruction

LOCATION = f"{'ATM GAMBIR':<25}{'JAKARTA':<13}ID"
AT = datetime(2025, 3, 29, 4, 11, 22, tzinfo=UTC)
PAN = "9360011130000000183"

GOLDEN = {
    "G1": ("003c", "080082200000800000000400000000000000032904000000000103111001"),
    "G2": ("003c", "080082200000800000000400000000000000032904003000000203111301"),
    "G2r": ("003e", "08108220000082000000040000000000000003290400300000020311100301"),
    "G3": (
        "00fa",
        "0200F23A440128E0900000000000100000001993600111300000001830110000000500000000329041122"
        "00012311112203290330601102103014329360011130000000183=301210100000508804000123ATM00001"
        f"014000000000001{LOCATION}36098350FB9BEC9364303111",
    ),
    "G3r": (
        "00a5",
        "0210F23A40010EC08000000000001000000019936001113000000018301100000005000000003290411220001"
        "2311112203290330601103014508804000123A1234500ATM0000101400000000000136003111",
    ),
    "G4": (
        "011b",
        "0420F23A40010AE080000000004210000000199360011130000000183011000000050000000032904115700"
        f"01241111570329033060110301450880400012368ATM00001014000000000001{LOCATION}3600200000123"
        "032904112200000000014000000000000000000000000000000000000000000000000000000" + "3111",
    ),
    "G6": (
        "0136",
        "0200F23A440108E1800000000000160000021993600111300000001834010000001000000000329041122000"
        f"12311112203290330601902103014508804000123ATM00001014000000000001{LOCATION}076"
        f"{'SITI AMINAH':<30}REF0000000000001{'BUDI SANTOSO':<30}"
        "360030141110108000001105260000001003014",
    ),
}
PLN = "080082200000800000000400000000000000000000590100000103123001"


def golden(name: str) -> bytes:
    return GOLDEN[name][1].encode("ascii")


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_is_read_and_written_back_byte_for_byte(name: str) -> None:
    message = decode(golden(name))
    assert isinstance(message, Message), message
    assert judge(message) == ()
    assert encode(message) == golden(name)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_header_is_the_length_of_the_body(name: str) -> None:
    whole = framed(golden(name))
    assert whole[:2].hex() == GOLDEN[name][0]
    assert Frames(4096).feed(whole) == [golden(name)]


def test_the_public_vector_of_a_biller_is_read_too() -> None:
    message = decode(PLN.encode())
    assert isinstance(message, Message)
    assert (message.get(7), message.get(33), message.get(70)) == ("0000005901", "123", "001")
    assert encode(message) == PLN.encode()


def network_trace(stan: str, second: int) -> Trace:
    return Trace(datetime(2025, 3, 29, 4, 0, second, tzinfo=UTC), stan, "")


def test_sign_on_and_echo_are_built_as_the_golden_ones() -> None:
    sign_on = management.request_for("001", network_trace("000001", 0), "111")
    echo = management.request_for("301", network_trace("000002", 30), "111")
    assert encode(sign_on) == golden("G1")
    assert encode(echo) == golden("G2")
    assert encode(reply_to(echo, "00")) == golden("G2r")


ORIGIN = orders.Origin(
    institution="014",
    pan_prefix="93600014",
    terminal="ATM00001",
    acceptor="014000000000001",
    location=LOCATION,
    cut_over=time(0, 0),
)


def instruction(payee: ToBank | ToCash, rupiah: int) -> Instruction:
    return Instruction(
        payment_id=UUID(int=123),
        reference="REF0000000000001",
        payee=payee,
        amount_minor=rupiah * 100,
        tip_minor=0,
        currency="IDR",
        debtor_account=10108000001,
        accepted_at=AT,
        debtor_name="BUDI SANTOSO",
    )


def withdrawal() -> Instruction:
    place = f"{'ATM GAMBIR':<25}JAKARTA"
    return instruction(ToCash(terminal="ATM00001", acquirer="014", location=place), 500_000)


def test_transfer_is_built_as_the_golden_one() -> None:
    payee = ToBank(bank="014", account="5260000001", name="SITI AMINAH")
    message = orders.transfer(ORIGIN, instruction(payee, 1_000_000), PAN)
    assert message is not None
    assert encode(message) == golden("G6")


def test_withdrawal_is_built_as_the_golden_one() -> None:
    card = orders.CardData(pan=PAN, track_2=f"{PAN}=301210100000", pin_block="", pin_key="tpk")
    message = orders.withdrawal(ORIGIN, withdrawal(), card, "98350FB9BEC93643")
    assert message is not None
    assert encode(message) == golden("G3")


def test_reversal_is_built_as_the_golden_one() -> None:
    at = datetime(2025, 3, 29, 4, 11, 57, tzinfo=UTC)
    message = orders.reversal(ORIGIN, withdrawal(), PAN, at, repeat=False)
    assert message is not None
    assert encode(message) == golden("G4")


def test_the_repeat_of_a_reversal_differs_in_type_and_time_only() -> None:
    later = datetime(2025, 3, 29, 4, 13, 57, tzinfo=UTC)
    repeat = orders.reversal(ORIGIN, withdrawal(), PAN, later, repeat=True)
    first = decode(golden("G4"))
    assert isinstance(first, Message)
    assert repeat is not None
    assert repeat.mti == "0421"
    changed = {number for number in first.fields if first.get(number) != repeat.get(number)}
    assert changed == {7, 12}


def test_partial_reversal_says_how_much_came_out() -> None:
    at = datetime(2025, 3, 29, 4, 11, 57, tzinfo=UTC)
    partial = orders.reversal(
        ORIGIN, withdrawal(), PAN, at, repeat=False, dispensed_minor=200_000_00
    )
    assert partial is not None
    assert partial.get(39) == "32"
    assert partial.get(95) == "000020000000" + "0" * 30
