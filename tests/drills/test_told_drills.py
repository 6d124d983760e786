"""The drills of being told, against real processes."""

from __future__ import annotations

import pytest

from tangguh.cli.drills.register import DRILLS

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("name", "times"),
    [("debited-but-failed", 200), ("vanished-option", 2), ("dead-bank", 3), ("overdue-update", 2)],
)
async def test_everybody_is_told(name: str, times: int, seed: int) -> None:
    report = await DRILLS[name].run(seed, times)
    assert report.passed, [line for line in report.scores if not line.holds]
