"""Garbage on the card switch's line, in small."""

from __future__ import annotations

import pytest

from tangguh.cli.drills.sick import mutated_frames

pytestmark = pytest.mark.drill


async def test_no_neighbour_is_hurt() -> None:
    report = await mutated_frames.run(7, 5_000)
    assert report.passed, report
