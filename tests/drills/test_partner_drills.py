"""Partners lose replies, are slow, lie: rehearsed against real processes, as an operator would."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tangguh.cli.drills.lying_partner import Breaks, compare
from tangguh.cli.drills.slow_partner import percentile

KEYS = {
    "drill", "seed", "passed", "oracles", "sometimes", "measures", "timeline",
    "scores", "plan", "series", "bands",
}  # fmt: skip


def rehearse(name: str, times: int, seed: int) -> dict[str, Any]:
    """Run a drill by the command line; its report."""
    done = subprocess.run(
        [sys.executable, "-m", "tangguh", "drill", name, "--json",
         "--seed", str(seed), "--times", str(times)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr[-2000:]
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if report["passed"] else 1)
    assert set(report) == KEYS
    assert (report["drill"], report["seed"]) == (name, seed)
    assert all(report["sometimes"].values()), "a drill whose fault never struck proves nothing"
    return report


def test_lost_replies_are_found_again() -> None:
    """Every payment ends once, and nobody is told "failed" and debited."""
    report = rehearse("lost-replies", 1, seed=7)
    assert report["passed"], report
    measures = report["measures"]
    assert min(measures["replies_lost"].values()) > 0
    assert measures["told_failed_and_debited"] == 0
    assert measures["posted_minor"] == measures["paid_there_minor"]


def test_every_lie_is_in_the_file() -> None:
    """As many breaks as lies, of each sort, at each partner."""
    report = rehearse("lying-partner", 3, seed=7)
    assert report["passed"], report
    measures = report["measures"]
    assert measures["lies_told"] == measures["lies_in_the_files"] > 0
    assert measures["lies_missed"] == 0


@pytest.mark.drill
def test_settlement_run_again_and_again_posts_once() -> None:
    """Wrong files move nothing, an interrupted round is simply run again, and all is settled."""
    report = rehearse("settlement-twice", 3, seed=7)
    assert report["passed"], report
    measures = report["measures"]
    assert measures["spoiled"]["refused"] == measures["spoiled"]["offered"] > 0
    assert measures["open_before_the_files"] > 0
    assert measures["positions_minor"] == measures["net_minor"] > 0


@pytest.mark.drill
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["lost-replies", "lying-partner", "settlement-twice"])
def test_longer(name: str, seed: int) -> None:
    """The same, with more payments."""
    report = rehearse(name, 12, seed=seed)
    assert report["passed"], report


@pytest.mark.drill
def test_a_slow_partner_slows_nobody_else() -> None:
    """Other services' p99 stays within a fifth, and the slow one's payments all end once."""
    report = rehearse("slow-partner", 9, seed=1)
    assert report["passed"], report
    for felt in report["measures"]["services"].values():
        assert min(felt["samples"]) > 200


def test_a_drill_nobody_knows() -> None:
    """It exits with 2 and names the way to the list, which has them all."""
    done = subprocess.run(
        [sys.executable, "-m", "tangguh", "drill", "no-such"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--list" in done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "tangguh", "drill", "--list", "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert {
        "kill-nine",
        "lost-replies",
        "slow-partner",
        "lying-partner",
        "settlement-twice",
    } <= set(json.loads(listed.stdout))


def test_the_comparison_finds_each_sort_of_break() -> None:
    """Only here, only there, and both with different sums."""
    here = {"A": 100, "B": 200, "C": 300}
    there = {"B": 200, "C": 301, "D": 1, "E": 2}
    assert compare(here, there) == Breaks(1, 2, 1)
    assert compare(here, here) == Breaks(0, 0, 0)


def test_percentiles() -> None:
    """Nearest rank; nothing is 0."""
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99)) == (50.0, 99.0)
    assert percentile([], 99) == 0.0
    assert percentile([7.0], 50) == 7.0
