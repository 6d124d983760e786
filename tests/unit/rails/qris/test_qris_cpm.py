"""Customer-presented codes: the vectors byte for byte, the rules, and the way back."""

from __future__ import annotations

import binascii

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangguh.rails.qris import ber
from tangguh.rails.qris.cpm import CpmCode, decode, encode, looks_like_cpm
from tangguh.rails.qris.nns import MEMBERS, name_of
from tangguh.rails.qris.tlv import Broken, CannotEncode
from unit.rails.qris.payloads import CPM_MALFORMED, CPM_VALID, VALID

GOPAY = CpmCode(pan="9360091430100531720", token="cheque:95677249509051898074", language="iden")
BANK_DKI = CpmCode(
    pan="9360011130000000183",
    token="2503290001JKTTOKEN00000001",
    holder_name="BUDI",
    language="iden",
)
PARTS = {"4F": "A0000006022020", "50": b"QRISCPM".hex(), "5A": "9360011130000000183F"}
TOKEN = ber.write("9F74", b"12345678")


def write(parts: dict[str, str], transparent: bytes = TOKEN, begin: str = "85054350563031") -> str:
    """Base64 of a code with these hexadecimal parts in template 61."""
    body = b"".join(ber.write(tag, bytes.fromhex(value)) for tag, value in parts.items())
    application = ber.write("61", body + ber.write("63", transparent))
    return binascii.b2a_base64(bytes.fromhex(begin) + application, newline=False).decode()


def errors_of(payload: str | bytes) -> tuple[str, ...]:
    """Only the codes of the errors."""
    return tuple(finding.code for finding in decode(payload).errors)


@pytest.mark.parametrize(("name", "code"), [("GoPay", GOPAY), ("Bank DKI", BANK_DKI)])
def test_vectors_both_ways(name: str, code: CpmCode) -> None:
    """Read, a vector gives its facts; written, the facts give the vector, byte for byte."""
    reading = decode(CPM_VALID[name])
    assert (reading.valid, reading.warnings, reading.code) == (True, (), code)
    assert encode(code) == CPM_VALID[name]
    assert name_of(code.nns) == name


@pytest.mark.parametrize(("payload", "errors"), CPM_MALFORMED.values(), ids=CPM_MALFORMED)
def test_malformed_vectors(payload: str, errors: tuple[str, ...]) -> None:
    """Each is refused for the listed reason."""
    assert errors_of(payload) == errors
    assert decode(payload).code is None


@pytest.mark.parametrize(
    ("payload", "errors"),
    [
        ("", ("payload_empty",)),
        ("h" * 513, ("payload_too_long",)),
        (b"\xff\xfe", ("payload_not_text",)),
        ("hQV*", ("not_base64",)),
        ("hQVé", ("not_base64",)),
        ("hQVDUFYwMQ=", ("not_base64",)),
        (write(PARTS), ()),
        (write(PARTS, begin="85054350563032"), ("cpm_format_unknown",)),
        (write(PARTS, begin=""), ("cpm_format_not_first",)),
        (write(PARTS, begin="8505435056303185054350563031"), ("duplicate_85",)),
        (write(PARTS | {"4F": "A0000006022021"}), ("adf_not_qris",)),
        (write(PARTS | {"50": b"QRIS".hex()}), ("label_not_qris",)),
        (write(PARTS | {"5A": "93600111300000"}), ()),
        (write(PARTS | {"5A": "9360F1113000"}), ("pan_malformed",)),
        (write(PARTS | {"5A": "936001"}), ("field_5A_length_wrong", "pan_malformed")),
        (write(PARTS | {"5F20": b"BUDI\x1b[2J".hex()}), ("field_5F20_not_text",)),
        (write(PARTS | {"5F20": "42"}), ("field_5F20_length_wrong",)),
        (write(PARTS, transparent=b""), ("field_9F74_missing",)),
        (write(PARTS, transparent=ber.write("9F74", b"short")), ("field_9F74_length_wrong",)),
        (write(PARTS, transparent=TOKEN + TOKEN), ("duplicate_9F74",)),
        (write(PARTS, transparent=TOKEN + b"\x9f"), ("tag_malformed",)),
        (write(PARTS, transparent=TOKEN + b"\x9f\x26\x80"), ("length_malformed",)),
        (write(PARTS, transparent=TOKEN + b"\x9f\x26"), ("truncated",)),
        (write({"4F": PARTS["4F"], "50": PARTS["50"]}), ("cpm_account_missing",)),
    ],
)
def test_rules(payload: str | bytes, errors: tuple[str, ...]) -> None:
    """What breaks one rule is refused by that rule."""
    assert errors_of(payload) == errors


def test_track_2_also_names_the_account() -> None:
    """Without 5A the PAN stands before the D of the track 2 data."""
    parts = {tag: value for tag, value in PARTS.items() if tag != "5A"}
    reading = decode(write(parts | {"57": "9360011130000000183D2512201F"}))
    assert (reading.valid, reading.seen.account_pan) == (True, "9360011130000000183")


def test_a_second_application_is_told() -> None:
    """The first one counts."""
    data = binascii.a2b_base64(CPM_VALID["GoPay"])
    twice = binascii.b2a_base64(data + data[7:], newline=False).decode()
    reading = decode(twice)
    assert [finding.code for finding in reading.warnings] == ["several_applications"]
    assert reading.code == GOPAY


@pytest.mark.parametrize(
    "code",
    [
        CpmCode(pan="93600111x", token="12345678"),
        CpmCode(pan="9360011130000000183", token="tøken"),
        CpmCode(pan="9360011130000000183", token="12345678", version="xyz"),
        CpmCode(token="12345678", transparent=(("9F10", "00" * 70_000),)),
    ],
)
def test_what_cannot_be_written(code: CpmCode) -> None:
    """The writer says so instead of making a code nobody can read."""
    with pytest.raises(CannotEncode):
        encode(code)


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (CPM_VALID["GoPay"], True),
        (CPM_VALID["GoPay"].encode(), True),
        (VALID["S1"].payload, False),
        (VALID["S1"].payload.encode(), False),
        ("", False),
    ],
)
def test_which_of_the_two_it_is(payload: str | bytes, answer: bool) -> None:
    """A merchant's code begins with a digit, a customer's with the letters of tag 85."""
    assert looks_like_cpm(payload) is answer


@pytest.mark.parametrize(
    ("data", "broken"),
    [
        (b"", None),
        (b"\x50\x01A", None),
        (b"\x50\x81\x01A", None),
        (b"\x50\x82\x00\x01A", None),
        (b"\x50\x02A", Broken("truncated", 0, "50")),
        (b"\x50", Broken("truncated", 0, "50")),
        (b"\x50\x82\x00", Broken("truncated", 0, "50")),
        (b"\x50\x80", Broken("length_malformed", 0, "50")),
        (b"\x50\x84\x00\x00\x00\x01A", Broken("length_malformed", 0, "50")),
        (b"\x50\x01A\x9f", Broken("tag_malformed", 3, "50")),
        (b"\x9f\x81\x82\x83", Broken("tag_malformed", 0, "")),
    ],
)
def test_ber_walk(data: bytes, broken: Broken | None) -> None:
    """Lengths of one to three bytes, tags of one to three; the rest is refused where it stands."""
    elements, stopped = ber.walk(data)
    assert stopped == broken
    assert broken is not None or elements == ([("50", b"A")] if data else [])


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535])
def test_ber_lengths_read_back(size: int) -> None:
    """Short, one-byte and two-byte lengths."""
    assert ber.walk(ber.write("9F74", bytes(size))) == ([("9F74", bytes(size))], None)


_PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
_PANS = st.builds(
    str.__add__,
    st.sampled_from(sorted(MEMBERS)),
    st.text("0123456789", max_size=11),
)


def text(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Printable ASCII of such a length, or nothing."""
    return st.just("") | st.text(_PRINTABLE, min_size=shortest, max_size=longest)


_CODES = st.builds(
    CpmCode,
    token=st.text(_PRINTABLE, min_size=8, max_size=64),
    pan=_PANS,
    holder_name=text(2, 26),
    language=text(2, 8),
    issuer_url=text(1, 40),
    version=st.sampled_from(["", "0002"]),
    token_requestor=text(11, 11),
    account_reference=text(29, 29),
    last_digits=text(4, 4),
    transparent=st.sampled_from([(), (("9F26", "0011223344556677"), ("9F27", "80"))]),
    unnamed=st.sampled_from([(), (("9F6E", "AB"),)]),
)


@given(_CODES)
def test_a_written_code_reads_back_the_same(code: CpmCode) -> None:
    """Writing and reading are each other's inverse."""
    payload = encode(code)
    reading = decode(payload)
    assert (reading.errors, reading.code) == ((), code)
    assert encode(reading.seen) == payload


def _as_base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


@settings(max_examples=300)
@given(st.text(max_size=300) | st.binary(max_size=300).map(_as_base64))
def test_any_input_gets_an_answer(payload: str | bytes) -> None:
    """Reading never raises, and a refusal says which field and why."""
    reading = decode(payload)
    assert reading.valid == (reading.code is not None)
    assert all(finding.field and finding.detail for finding in reading.errors)
