"""Messages: what is read, what is refused and why, what people may see."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.rails.iso8583.fields import (
    Dialect,
    Text,
    amount_text,
    complaint_about,
    length_of,
    minor_of,
)
from tangguh.rails.iso8583.message import (
    FRAME_BYTES_MAX,
    Finding,
    Malformed,
    Message,
    decode,
    encode,
    format_error,
    judge_format,
    mac_field_of,
    masked,
    masked_pan,
    reply_to,
)
from tangguh.rails.iso8583.required import judge, needed_in
from unit.rails.iso8583.test_iso8583_golden import golden

DIALECTS = [
    Dialect(text=text, bitmap=bitmap)
    for text in ("ascii", "cp037", "cp500")
    for bitmap in ("hex", "lower_hex", "binary")
]
DIGITS = string.digits


def of(name: str) -> Message:
    message = decode(golden(name))
    assert isinstance(message, Message)
    return message


@st.composite
def messages(draw: st.DrawFn) -> Message:
    numbers = draw(st.sets(st.sampled_from([n for n in range(2, 129) if n != 65]), min_size=1))
    fields = {}
    for number in numbers:
        longest, fixed = length_of(number)
        size = longest if fixed else draw(st.integers(1, min(longest, 40)))
        value = draw(st.text(DIGITS, min_size=size, max_size=size))
        fields[number] = {
            7: "0329041122", 12: "235959", 13: "1231", 15: "0101", 16: "0329", 17: "0329",
            28: "C00000001", 29: "D00000001", 30: "C00000000", 31: "C12345678",
            35: "9360011130000000183=3012", 97: "C" + "0" * 16,
        }.get(number, value)  # fmt: skip
    return Message(draw(st.sampled_from(["0200", "0210", "0420", "0800"])), fields)


class TestRoundTrip:
    @given(messages(), st.sampled_from(DIALECTS))
    def test_what_is_written_is_read_again(self, message: Message, dialect: Dialect) -> None:
        raw = encode(message, dialect)
        assert isinstance(raw, bytes), raw
        assert decode(raw, dialect) == message

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_golden_survives_every_dialect(self, dialect: Dialect) -> None:
        raw = encode(of("G6"), dialect)
        assert isinstance(raw, bytes)
        assert decode(raw, dialect) == of("G6")

    def test_binary_bitmaps_take_half_the_room(self) -> None:
        raw = encode(of("G3"), Dialect(bitmap="binary"))
        assert isinstance(raw, bytes)
        assert len(raw) == len(golden("G3")) - 16

    def test_ebcdic_is_no_ascii(self) -> None:
        raw = encode(of("G1"), Dialect(text="cp500"))
        assert isinstance(raw, bytes)
        assert raw[:4] == bytes([0xF0, 0xF8, 0xF0, 0xF0])
        assert isinstance(decode(raw), Malformed)


BROKEN = [
    (b"", "t", "layout"),
    (b"0200", "p", "layout"),
    (golden("G1").replace(b"0800", b"08X0", 1), "t", "type_unknown"),
    (golden("G1").replace(b"0800", b"0999", 1), "t", "type_unknown"),
    (golden("G1")[:-1], "70", "layout"),
    (golden("G1") + b"9", "70", "layout"),
    (golden("G1").replace(b"8220000080000000", b"82200000800000zz", 1), "p", "layout"),
    (golden("G2")[:-3] + b"3A1", "70", "not_digits"),
    (golden("G2")[:-3] + b"3\x001", "70", "not_printable"),
    (golden("G3").replace(b"000050000000", b"00005000000X", 1), "4", "not_digits"),
    (golden("G3").replace(b"0329041122", b"1329041122", 1), "7", "not_a_time"),
    (golden("G3").replace(b"0329041122", b"0329246122", 1), "7", "not_a_time"),
    (golden("G3").replace(b"98350FB9", b"98350FG9", 1), "52", "not_hexadecimal"),
    (golden("G3").replace(b"=30121", b"x30121", 1), "35", "not_track_2"),
    (golden("G3").lower().replace(b"atm", b"ATM"), "p", "bitmap_not_upper_hexadecimal"),
    (golden("G1").replace(b"03111", b"+3111", 1), "33", "length_not_digits"),
    (golden("G3") * 20, "frame", "too_long"),
    (b"0" * (FRAME_BYTES_MAX + 1), "frame", "too_long"),
]


class TestRefusals:
    @pytest.mark.parametrize(("raw", "field", "rule"), BROKEN)
    def test_what_is_broken_is_named(self, raw: bytes, field: str, rule: str) -> None:
        broken = decode(raw)
        assert isinstance(broken, Malformed)
        assert (broken.findings[0].field, broken.findings[0].rule) == (field, rule)
        assert broken.why == f"{field}: {rule}"

    def test_tertiary_bitmap_is_refused(self) -> None:
        for third in (b"0" * 16, b"0200000000000000"):
            broken = decode(b"0800" + b"8000000000000000" * 2 + third)
            assert isinstance(broken, Malformed)
            assert broken.findings[0].field == "65"

    def test_empty_second_bitmap_is_refused(self) -> None:
        broken = decode(b"0800" + b"8020000000000000" + b"0" * 16 + b"000001")
        assert isinstance(broken, Malformed)
        assert broken.findings[0].rule == "bitmap_empty"

    @pytest.mark.parametrize(
        "fields",
        [
            {4: "1"},
            {0: "1"},
            {1: "1"},
            {129: "1"},
            {65: "1"},
            {102: ""},
            {48: "中"},
            {103: "é"},
            {48: "\x07"},
        ],
    )
    def test_what_cannot_be_read_is_not_written(self, fields: dict[int, str]) -> None:
        assert isinstance(encode(Message("0200", fields)), Malformed)

    def test_response_code_may_hold_letters_but_no_more(self) -> None:
        assert complaint_about(39, "N7") == ""
        assert complaint_about(39, "n7") == "not_response_code"

    def test_what_was_read_before_the_break_is_kept_for_people(self) -> None:
        broken = decode(golden("G3")[:80])
        assert isinstance(broken, Malformed)
        assert broken.mti == "0200"
        assert broken.seen[3] == "011000"


class TestRequired:
    @pytest.mark.parametrize("name", ["G1", "G2r", "G3", "G3r", "G4", "G6"])
    def test_every_needed_field_is_missed(self, name: str) -> None:
        whole = of(name)
        for number in needed_in(whole):
            if number == 3:
                continue  # without it the kind is another
            findings = judge(whole.with_fields({number: ""}))
            assert [(one.field, one.rule) for one in findings] == [(str(number), "missing")]

    def test_cash_needs_a_card(self) -> None:
        findings = judge(of("G3").with_fields({2: "", 35: ""}))
        assert [one.field for one in findings] == ["2"]

    def test_track_2_is_of_the_card(self) -> None:
        findings = judge(of("G3").with_fields({2: "9360011130000000000"}))
        assert [one.rule for one in findings] == ["other_card"]

    def test_transfer_inside_needs_no_other_bank(self) -> None:
        inside = of("G6").with_fields({3: "400000", 48: "", 100: "", 127: ""})
        assert judge(inside) == ()


class TestMasks:
    def test_people_see_no_card_no_track_no_pin_block(self) -> None:
        shown = masked(of("G3"))
        assert shown["2"] == "936001*********0183"
        assert shown["35"] == "936001*********0183=************"
        assert shown["52"] == "*" * 16
        assert shown["4"] == "000050000000"

    def test_people_see_no_names(self) -> None:
        assert masked(of("G6"))["48"] == "(76 characters)"

    def test_repr_is_masked(self) -> None:
        assert "9360011130000000183" not in repr(of("G3"))
        assert "98350FB9BEC93643" not in repr(of("G3"))
        assert "SITI" not in repr(of("G6"))

    @given(st.text(DIGITS, max_size=12))
    def test_short_numbers_are_hidden_whole(self, pan: str) -> None:
        assert masked_pan(pan) == "*" * len(pan)

    @given(st.text(DIGITS, min_size=13, max_size=19))
    def test_at_least_three_digits_are_hidden(self, pan: str) -> None:
        assert masked_pan(pan).count("*") >= 3
        assert len(masked_pan(pan)) == len(pan)


class TestAnswers:
    def test_the_golden_answer_follows_from_its_question(self) -> None:
        answer = reply_to(of("G3"), "00", {38: "A12345"})
        assert encode(answer) == golden("G3r")

    def test_answer_gives_back_no_secret(self) -> None:
        answer = reply_to(of("G3"), "00")
        assert not {35, 52, 48} & set(answer.fields)

    def test_a_repeat_is_answered_as_the_first(self) -> None:
        again = Message("0421", of("G4").fields)
        assert reply_to(again, "00").mti == "0430"

    def test_mac_stands_in_the_last_field_of_the_last_bitmap(self) -> None:
        assert mac_field_of(Message("0200", {3: "1"})) == 64
        assert mac_field_of(of("G3")) == 128


class TestAmounts:
    @given(st.integers(0, 10**12 - 1))
    def test_implied_decimals(self, minor: int) -> None:
        text = amount_text(minor, Dialect())
        assert text is not None
        assert minor_of(text, Dialect()) == minor

    @given(st.integers(0, 10**9 - 1))
    def test_nine_digits_and_three_zeros(self, rupiah: int) -> None:
        padded = Dialect(amount="rupiah_and_three_zeros")
        text = amount_text(rupiah * 100, padded)
        assert text == f"{rupiah:09d}000"
        assert minor_of(text, padded) == rupiah * 100

    def test_what_does_not_fit_is_not_said(self) -> None:
        padded = Dialect(amount="rupiah_and_three_zeros")
        assert amount_text(10**12, Dialect()) is None
        assert amount_text(-1, Dialect()) is None
        assert amount_text(150, padded) is None
        assert amount_text(10**11, padded) is None

    @pytest.mark.parametrize("text", ["", "1", "00000000001x", "000000000001"])
    def test_what_is_no_amount_is_none(self, text: str) -> None:
        assert minor_of(text, Dialect(amount="rupiah_and_three_zeros")) is None

    def test_judge_format_names_every_field_once(self) -> None:
        findings = judge_format(Message("9999", {4: "x", 7: "y"}))
        assert [one.field for one in findings] == ["t", "4", "7"]


class TestCalendar:
    @pytest.mark.parametrize(
        "day", ["0230", "0231", "0431", "0631", "0931", "1131", "1301", "0100"]
    )
    def test_days_that_no_month_has(self, day: str) -> None:
        for number, value in ((7, f"{day}041122"), (13, day), (15, day)):
            assert complaint_about(number, value), (number, value)

    @pytest.mark.parametrize("day", ["0229", "0430", "1231", "0131", "0000"])
    def test_days_that_there_are(self, day: str) -> None:
        """No element has a year, so 29 February is one; all zeros come in a public vector."""
        for number, value in ((7, f"{day}041122"), (13, day), (15, day)):
            assert not complaint_about(number, value), (number, value)


class TestCarried:
    def test_a_letter_in_a_name_and_a_chip_s_bytes(self) -> None:
        """Read, kept and written back byte for byte."""
        message = of("G3").with_fields(
            {43: "ATM CAF\xc9".ljust(38) + "ID", 55: "".join(map(chr, range(40)))}
        )
        raw = encode(message)
        assert isinstance(raw, bytes)
        assert decode(raw) == message

    @pytest.mark.parametrize(
        "fields", [{43: "ATM\x07".ljust(40)}, {43: "ATM\x85".ljust(40)}, {41: "ATM\xc90001"}]
    )
    def test_control_characters_and_names_of_things_are_not(self, fields: dict[int, str]) -> None:
        assert isinstance(encode(of("G3").with_fields(fields)), Malformed)


class TestFormatError:
    @pytest.mark.parametrize(
        ("mti", "answer"),
        [("0120", "0130"), ("0302", "0312"), ("0500", "0510"), ("0620", "0630"), ("0820", "0830"),
         ("1200", "1210"), ("0201", "0210"), ("0421", "0430")],
    )  # fmt: skip
    def test_requests_and_advices_are_answered(self, mti: str, answer: str) -> None:
        said = format_error(Malformed((Finding("t", "type_unknown"),), mti, of("G3").fields))
        assert said is not None
        code = "30" if mti in {"0201", "0421"} else "12"
        assert (said.mti, said.get(39), said.get(11)) == (answer, code, "000123")
        assert 52 not in said.fields

    @pytest.mark.parametrize("mti", ["0130", "0140", "0150", "0210", "0999", "12", "02X0", ""])
    def test_answers_and_notifications_are_not(self, mti: str) -> None:
        assert format_error(Malformed((Finding("t", "x"),), mti, of("G3").fields)) is None

    def test_what_could_not_be_read_is_not_told_back(self) -> None:
        bad = Malformed((Finding("11", "not_digits"),), "0200", {11: "00000X", 32: "999"})
        assert format_error(bad) == Message("0210", {32: "999", 39: "30"})


class TestSmallLetters:
    """One public library writes its bitmaps so; a link that is set to it reads and answers so."""

    @pytest.mark.parametrize("text", ["ascii", "cp037"])
    @pytest.mark.parametrize("name", ["G1", "G3", "G4", "G6"])
    def test_a_link_of_small_letters(self, name: str, text: Text) -> None:
        capital, small = Dialect(text=text), Dialect(text=text, bitmap="lower_hex")
        message = decode(golden(name))
        assert isinstance(message, Message)
        raw, wide = encode(message, small), encode(message, capital)
        assert isinstance(raw, bytes)
        assert isinstance(wide, bytes)
        end = 36 if max(message.fields) > 64 else 20
        assert raw[4:end].decode(text) == wide[4:end].decode(text).lower()
        assert (raw[:4], raw[end:]) == (wide[:4], wide[end:])
        assert decode(raw, small) == message

    def test_each_link_has_one_spelling(self) -> None:
        small = Dialect(bitmap="lower_hex")
        broken = decode(golden("G3"), small)
        assert isinstance(broken, Malformed)
        assert broken.why == "p: bitmap_not_lower_hexadecimal"
        raw = encode(Message("0200", decode(golden("G3")).fields), small)  # type: ignore[union-attr]
        assert isinstance(decode(raw), Malformed)  # type: ignore[arg-type]
