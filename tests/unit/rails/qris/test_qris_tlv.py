"""The text TLV walk and its CRC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.rails.qris import tlv


def test_crc_of_the_published_check_text() -> None:
    """CRC-16/CCITT-FALSE of 123456789 is 29B1."""
    assert tlv.crc("123456789") == "29B1"


@pytest.mark.parametrize(
    ("text", "values", "broken"),
    [
        ("", {}, None),
        ("000201", {"00": "01"}, None),
        ("5900", {"59": ""}, None),
        ("000201630", {"00": "01"}, tlv.Broken("truncated", 6, "63")),
        ("0002016", {"00": "01"}, tlv.Broken("truncated", 6, "00")),
        ("0", {}, tlv.Broken("truncated", 0, "")),
        ("5905abc", {}, tlv.Broken("truncated", 0, "59")),
        ("0002016x02AB", {"00": "01"}, tlv.Broken("tag_malformed", 6, "00")),
        ("00020159+1A", {"00": "01"}, tlv.Broken("length_malformed", 6, "59")),
        ("٠٠02ab", {}, tlv.Broken("tag_malformed", 0, "")),
        ("00٠٢ab", {}, tlv.Broken("length_malformed", 0, "00")),
    ],
)
def test_walk_reads_as_far_as_the_text_makes_sense(
    text: str, values: dict[str, str], broken: tlv.Broken | None
) -> None:
    """What was read is kept, and where and why it stopped is told."""
    level = tlv.walk(text)
    assert (level.values, level.broken) == (values, broken)


def test_walk_keeps_the_first_of_a_repeated_field() -> None:
    """A second value never overwrites the first."""
    level = tlv.walk("5901a5901b5901c")
    assert (level.values, level.repeated) == ({"59": "a"}, ("59", "59"))


@pytest.mark.parametrize(("field", "at"), [("00", 0), ("63", 6), ("62", -1)])
def test_offset_of(field: str, at: int) -> None:
    """A field's place counts characters from the start of its level."""
    assert tlv.offset_of("0002016304ABCD", field) == at


@pytest.mark.parametrize("value", ["", "x" * 100])
def test_write_refuses_what_has_no_room(value: str) -> None:
    """Values have 1 to 99 characters."""
    with pytest.raises(tlv.CannotEncode):
        tlv.write("59", value)


_LEVELS = st.dictionaries(
    st.integers(0, 99).map("{:02d}".format), st.text(min_size=1, max_size=99), max_size=20
)


@given(_LEVELS)
def test_walk_reads_back_what_write_wrote(values: dict[str, str]) -> None:
    """Whatever characters values hold, they come back in the same order."""
    text = "".join(tlv.write(field, value) for field, value in values.items())
    level = tlv.walk(text)
    assert level == tlv.Level(values)
    assert list(level.values) == list(values)


@given(st.text(max_size=300))
def test_walk_never_raises(text: str) -> None:
    """Any text has a walk, and what it kept is a prefix of the text."""
    level = tlv.walk(text)
    kept = "".join(f"{field}{len(value):02d}{value}" for field, value in level.values.items())
    assert level.repeated or text.startswith(kept)
    assert tlv.offset_of(text, "63") >= -1
