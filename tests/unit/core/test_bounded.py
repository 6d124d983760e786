"""What is kept is kept for so long and no more, and the oldest goes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.bounded import Recent

NOON = datetime(2026, 5, 1, 5, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_oldest_goes_first_and_not_everybody_at_once() -> None:
    kept: Recent[int, str] = Recent(3, timedelta(hours=1))
    for number in range(5):
        kept.keep(number, str(number), at(number))
    assert [kept.get(number, at(5)) for number in range(5)] == [None, None, "2", "3", "4"]


def test_what_is_kept_again_is_the_newest() -> None:
    kept: Recent[str, int] = Recent(2, timedelta(hours=1))
    for number, key in enumerate(["a", "b", "a", "c"]):
        kept.keep(key, number, at(number))
    assert (kept.get("a", at(4)), kept.get("b", at(4)), kept.get("c", at(4))) == (2, None, 3)


def test_what_is_old_is_forgotten_with_its_memory() -> None:
    kept: Recent[str, int] = Recent(10, timedelta(seconds=60))
    kept.keep("a", 1, at(0))
    assert kept.get("a", at(60)) == 1
    assert kept.get("a", at(61)) is None
    assert len(kept) == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 30)), max_size=200))
def test_it_never_grows_beyond_its_bounds(kept_when: list[tuple[int, float]]) -> None:
    kept: Recent[int, int] = Recent(10, timedelta(seconds=60))
    now = 0.0
    for key, pause in kept_when:
        now += pause
        kept.keep(key, key, at(now))
        assert len(kept) <= 10
        assert kept.get(key, at(now)) == key
