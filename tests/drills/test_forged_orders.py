"""The theft of 29 March 2025, rehearsed short: with ring 1 nothing leaves, with the watch a few."""

from __future__ import annotations

import pytest

from drills.test_partner_drills import rehearse


@pytest.mark.drill
def test_forged_orders_are_bounded_by_either_ring() -> None:
    """Really stolen without ring 1; seen, closed, and nobody else noticed."""
    report = rehearse("forged-orders", 12, seed=7)
    assert report["passed"], report
    measures = report["measures"]
    assert measures["left"]["ring_1_on"] == 0
    assert 0 < measures["left"]["ring_1_off"] <= 4
    assert measures["customers_flagged"] == 0
    assert measures["closed"] == ["rail=bifast direction=out"]
