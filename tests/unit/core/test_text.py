"""Text from outside: what is refused, what is shown instead, and that both agree."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.text import (
    REPLACEMENT,
    Unfit,
    is_fit,
    refuse,
    refuse_control,
    seen,
    shown,
    unfit_in,
)

ANYTHING = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    "poison",
    ["\x00", "\x01", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "\udfff", "\ufffe", "\U0010ffff"],
)
def test_what_no_database_keeps_is_refused_and_shown_as_a_mark(poison: str) -> None:
    text = f"WARUNG{poison}SARI"
    assert refuse(text).startswith("holds a control character")
    assert poison not in shown(text, 100)
    assert not refuse(shown(text, 100))


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u200f", "\u061c"])
def test_a_name_that_reads_backwards_is_refused_or_seen_to_be_strange(mark: str) -> None:
    text = f"BUDI{mark}IRAS"
    assert refuse(text) == f"holds a mark of direction (U+{ord(mark):04X})"
    assert shown(text, 100) == f"BUDI{REPLACEMENT}IRAS"


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u3164", "\U000e0041"])
def test_two_names_that_look_alike_are_one(unseen: str) -> None:
    assert refuse(f"SA{unseen}RI") == f"holds a character nobody sees (U+{ord(unseen):04X})"
    assert shown(f"SA{unseen}RI", 100) == "SARI"


@pytest.mark.parametrize(
    "text", ["Sari Dewi", "Café Übung", "李小龍", "👨‍👩‍👧 makan", "क्‍ष", "", "a b"]
)
def test_words_of_every_script_pass(text: str) -> None:
    assert refuse(text) == ""
    assert shown(text, 100) == text.strip()


def test_line_feeds_pass_only_where_lines_are_meant() -> None:
    assert refuse("dua\nbaris")
    assert not refuse("dua\nbaris", lines=True)
    assert shown("dua\r\nbaris\tini", 100) == "dua baris ini"
    assert shown("dua\r\nbaris\tini", 100, lines=True) == "dua\nbaris ini"


def test_what_was_pasted_loses_what_its_owner_never_saw_but_keeps_its_poison_known() -> None:
    assert seen("\u202a0811\u202c\u200b") == "0811"
    assert not refuse_control("\u202a0811\u202c")
    assert refuse_control("08\x0011")


@given(ANYTHING)
def test_what_is_shown_always_passes_the_gate_and_is_shown_the_same_again(text: str) -> None:
    for lines in (False, True):
        made = shown(text, 20, lines=lines)
        assert is_fit(made, 20, lines=lines)
        assert shown(made, 20, lines=lines) == made


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=20))
def test_plain_words_are_never_touched(text: str) -> None:
    assert refuse(text) == ""
    assert shown(text, 20) == text.strip()


class _Shape(msgspec.Struct):
    name: str
    said: list[str]


def test_the_field_is_named_wherever_the_poison_lies() -> None:
    assert unfit_in({"a": [{"b": "x\x00"}]}) == Unfit(
        "a[0].b", "holds a control character (U+0000)"
    )
    assert unfit_in({"a\u202e": 1}) == Unfit("", "holds a mark of direction (U+202E)")
    assert unfit_in(_Shape("ok", ["fine", "\x1f"])) == Unfit(
        "said[1]", "holds a control character (U+001F)"
    )
    assert unfit_in({"text": "a\nb"}, lines=frozenset({"text"})) is None
    assert unfit_in({"a": [1, None, True, "fine"]}) is None
