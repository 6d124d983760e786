"""The bank's process is killed ten times under load; the long rehearsal is `make drills`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def rehearse(times: int, seed: int) -> dict:
    """Run the drill as an operator would."""
    done = subprocess.run(
        [sys.executable, "-m", "tangguh", "drill", "kill-nine", "--json",
         "--seed", str(seed), "--times", str(times)],
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.stdout, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["passed"] else 1)
    return report


def test_five_kills_lose_nothing_and_pay_nothing_twice() -> None:
    """Every acknowledged payment is there once, the network's books agree, the proof holds."""
    report = rehearse(5, seed=7)
    assert report["passed"], report
    assert report["measures"]["acknowledged_lost"] == 0
    assert report["measures"]["paid_twice"] == 0
    assert report["measures"]["broken"] == []
    assert all(report["sometimes"].values()), "a drill whose fault never struck proves nothing"


@pytest.mark.drill
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hundred_kills(seed: int) -> None:
    """The same, a hundred times."""
    report = rehearse(100, seed=seed)
    assert report["passed"], report
