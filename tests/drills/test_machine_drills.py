"""The machine under the bank fails: its database dies or freezes, its disks are full."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.drill
@pytest.mark.parametrize(
    ("name", "times"), [("database-dead", 2), ("disk-full", 3), ("login-storm", 40)]
)
def test_nothing_acknowledged_is_lost_and_it_comes_back(name: str, times: int) -> None:
    """By the client's own list of what it asked and was told."""
    if name == "disk-full" and os.geteuid() != 0:
        pytest.skip("it mounts small disks")
    done = subprocess.run(
        [sys.executable, "-m", "tangguh", "drill", name, "--json", "--times", str(times)],
        capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.stdout, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["passed"], report
    assert report["measures"]["acknowledged_lost"] == 0
    assert report["measures"]["paid_twice"] == 0
