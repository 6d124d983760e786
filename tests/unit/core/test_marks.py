"""Marks: a rule that must hold is told to whoever listens; a rare state is counted."""

from __future__ import annotations

from tangguh.core.marks import Marks


def test_a_broken_rule_is_counted_and_told() -> None:
    marks, told = Marks(), []
    marks.listen(lambda name, detail: told.append((name, detail)))
    assert marks.always("sum_is_zero", holds=True)
    assert not marks.always("sum_is_zero", holds=False, detail="book 1")
    assert told == [("sum_is_zero", "book 1")]
    assert marks.broken == {"sum_is_zero": 1}


def test_a_rare_state_is_counted() -> None:
    marks = Marks()
    marks.sometimes("replayed")
    marks.sometimes("replayed")
    assert marks.reached == {"replayed": 2}
