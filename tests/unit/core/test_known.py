"""Unknown is neither yes nor no, and nothing turns it into one."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tangguh.core.known import Known, Tristate, aged, all_of, any_of, known_as

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 5, 1, 5, tzinfo=UTC)
YES, NO, UNKNOWN = Tristate.YES, Tristate.NO, Tristate.UNKNOWN

FOLDS = {
    "if": "    if answer:\n        return 1\n    return 2",
    "not": "    return int(not answer)",
    "and": "    return 1 if (answer and other) else 2",
    "second of and": "    return 1 if (other and answer) else 2",
    "either": "    return 1 if answer else 2",
    "while": "    while answer:\n        return 3\n    return 1",
    "assert": "    assert answer\n    return 1",
    "comprehension": "    return sum(1 for one in [answer] if one)",
    "return": "    def told() -> bool:\n        return answer\n    return int(told())",
}
FINE = "    if answer is Tristate.YES:\n        return 1\n    return int(answer.opposite is Tristate.NO)"


@pytest.mark.parametrize("answer", Tristate)
def test_no_answer_has_a_truth_value(answer: Tristate) -> None:
    for fold in (
        bool,
        lambda one: not one,
        lambda one: any([one]),
        lambda one: all([one]),
        lambda one: one or "a default",
    ):
        with pytest.raises(TypeError, match="no truth value"):
            fold(answer)


def test_the_type_checker_refuses_every_way_of_folding_unknown(tmp_path: Path) -> None:
    lines = ["from tangguh.core.known import Tristate"]
    begins: dict[int, str] = {}
    for number, (name, body) in enumerate({**FOLDS, "fine": FINE}.items()):
        begins[len(lines) + 1] = name
        lines += f"def f{number}(answer: Tristate, other: bool) -> int:\n{body}".split("\n")
    source = tmp_path / "folds.py"
    source.write_text("\n".join(lines) + "\n")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"),
         "--cache-dir", str(ROOT / ".mypy_cache"), str(source)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert checked.returncode == 1, checked.stdout + checked.stderr
    refused = {
        max((at, name) for at, name in begins.items() if at <= int(line.split(":")[1]))[1]
        for line in checked.stdout.splitlines()
        if ": error: " in line
    }
    assert refused == set(FOLDS), checked.stdout


def test_all_and_any_of_every_three_answers() -> None:
    for three in itertools.product(Tristate, repeat=3):
        wanted = NO if NO in three else UNKNOWN if UNKNOWN in three else YES
        assert all_of(three) is wanted
        wanted = YES if YES in three else UNKNOWN if UNKNOWN in three else NO
        assert any_of(three) is wanted


def test_of_nothing_nothing_is_known() -> None:
    assert all_of([]) is UNKNOWN
    assert any_of([]) is UNKNOWN


def test_a_bool_or_none_comes_in_as_what_it_is() -> None:
    assert [known_as(one) for one in (True, False, None)] == [YES, NO, UNKNOWN]


def test_a_fact_is_gone_by_until_its_age_and_not_before_its_time() -> None:
    most = timedelta(seconds=30)
    fact = Known(YES, NOON)
    assert aged(fact, NOON, most) is YES
    assert aged(fact, NOON + most, most) is YES
    assert aged(fact, NOON + most + timedelta(microseconds=1), most) is UNKNOWN
    assert aged(fact, NOON - timedelta(microseconds=1), most) is UNKNOWN
    assert aged(None, NOON, most) is UNKNOWN
    assert aged(Known(NO, NOON), NOON + 2 * most, most) is UNKNOWN
