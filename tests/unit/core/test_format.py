"""Money and times as people read them: one set of golden cases for the server and the browser."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.format import (
    clock_time,
    heading_day,
    instant,
    local_phone,
    masked,
    masked_aloud,
    moment,
    money,
    percent,
    signed_money,
    spoken_money,
    sums_meant,
    typed_minor,
)

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
NOON = datetime(2026, 3, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize(("minor", "written", "said_id", "said_en"), GOLDEN["money"])
def test_money_is_written_alike_and_said_by_language(
    minor: int, written: str, said_id: str, said_en: str
) -> None:
    """Dots in both languages on the screen; the reader's own grouping in the ear."""
    assert money(minor) == written
    assert spoken_money(minor, "id") == said_id
    assert spoken_money(minor, "en") == said_en


@pytest.mark.parametrize(("iso", "in_id", "in_en"), GOLDEN["instant"])
def test_instants_are_told_in_jakarta_time(iso: str, in_id: str, in_en: str) -> None:
    """Dot in Indonesian, comma and colon in English, WIB in both."""
    at = datetime.fromisoformat(iso)
    assert instant(at, "id") == in_id
    assert instant(at, "en") == in_en


def test_incoming_money_has_a_plus() -> None:
    """Outgoing already has its minus."""
    assert signed_money(150_000) == "+Rp1.500"
    assert signed_money(-150_000) == "-Rp1.500"
    assert signed_money(0) == "Rp0"


@pytest.mark.parametrize(("text", "meant"), GOLDEN["typed"])
def test_typed_amounts_are_read_or_asked_but_never_guessed(text: str, meant: list[int]) -> None:
    """A text that could mean two sums is no sum yet."""
    assert list(sums_meant(text)) == meant
    assert typed_minor(text) == (meant[0] if len(meant) == 1 else None)


@given(st.integers(min_value=0, max_value=10**15))
def test_what_we_write_we_can_read(minor: int) -> None:
    """Money copied from a page and pasted into a form is the same money."""
    assert typed_minor(money(minor)) == minor


def test_days_are_jakarta_days() -> None:
    """23.30 in Jakarta is today although it is still yesterday in London's calendar."""
    late = datetime(2026, 3, 19, 17, 30, tzinfo=UTC)
    assert heading_day(late, NOON, "id") == "Hari ini"
    assert heading_day(datetime(2026, 3, 19, 16, 30, tzinfo=UTC), NOON, "en") == "Yesterday"
    assert heading_day(datetime(2026, 3, 1, tzinfo=UTC), NOON, "id") == "1 Mar 2026"
    assert moment(late, NOON, "id") == "00.30 WIB"
    assert moment(datetime(2026, 3, 18, 5, tzinfo=UTC), NOON, "en") == "18 Mar 2026, 12:00 WIB"
    assert clock_time(NOON, "id", seconds=True) == "12.00.00 WIB"


def test_numbers_of_people_are_masked_or_local() -> None:
    """Four digits of an account are enough to know one's own."""
    assert masked(10_100_000_011) == "····0011"
    assert masked_aloud(10_100_000_011, "id") == "berakhiran 0 0 1 1"
    assert masked_aloud(10_100_000_011, "en") == "ending in 0 0 1 1"
    assert local_phone("628110000001") == "0811 000 0001"
    assert local_phone("6581234567") == "+6581234567"


@pytest.mark.parametrize(
    ("points", "in_id", "in_en"),
    [(70, "0,7%", "0.7%"), (100, "1%", "1%"), (1_000, "10%", "10%"), (75, "0,75%", "0.75%")],
)
def test_percentages_follow_the_language(points: int, in_id: str, in_en: str) -> None:
    """Only money keeps its dots in both languages."""
    assert percent(points, "id") == in_id
    assert percent(points, "en") == in_en
