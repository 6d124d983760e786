"""The guard and the storms, rehearsed against real processes, as an operator would; some minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from drills.test_partner_drills import rehearse

pytestmark = pytest.mark.drill


def passed(name: str, times: int, seed: int = 1) -> dict[str, Any]:
    """A drill's report, every line of which holds."""
    report = rehearse(name, times, seed)
    broken = [line for line in report["scores"] if not line["holds"]]
    assert report["passed"] and not broken, (broken, report["sometimes"])
    assert report["plan"]
    return report


def test_a_hot_account_is_limited_alone() -> None:
    """Within two seconds, and no order of its flood is lost."""
    measures = passed("hot-account", 1)["measures"]
    assert measures["above_the_limit"] == 0
    assert measures["flood_orders"] > 1_000


def test_a_mad_detector_is_not_believed() -> None:
    """What it closed is lifted; a changed row is closed all the same."""
    measures = passed("mad-detector", 1)["measures"]
    assert measures["stopped_percent_of_15_s_max"] <= 10


def test_a_flapping_partner_is_closed_ever_longer() -> None:
    """And the app does not flap along."""
    measures = passed("flapping-partner", 9)["measures"]
    assert len(measures["closed_seconds"]) >= 3


def test_a_retry_storm_pays_nothing_twice() -> None:
    """Three copies of every order, as fast as one."""
    measures = passed("retry-storm", 3)["measures"]
    assert measures["requests"] > measures["orders"]


def test_a_status_check_storm_keeps_to_the_schedule() -> None:
    """Counted on the network's side."""
    measures = passed("status-check-storm", 1)["measures"]
    assert measures["looks"] > measures["inquiries"]


def test_a_hot_merchant_is_credited_once_each() -> None:
    """Thousands a minute, sums right."""
    assert passed("hot-merchant", 1)["measures"]["per_minute"]["our shop"] > 1_000


def test_a_mass_update_is_seen() -> None:
    """Three rows, then everybody's."""
    measures = passed("mass-update", 1)["measures"]
    assert measures["all_seen_after_seconds"] <= 10


def test_the_picture_is_written(tmp_path: Path) -> None:
    """What was felt, as an SVG that can be read."""
    path = tmp_path / "felt.svg"
    subprocess.run(
        [sys.executable, "-m", "tangguh", "drill", "hot-merchant", "--picture", str(path)],
        capture_output=True, timeout=300, check=True,
    )  # fmt: skip
    charts = ElementTree.parse(path).getroot().findall(".//{*}g")
    assert {"onus", "our shop"} <= {chart.get("id") for chart in charts}


def test_an_insider_opens_nothing_alone() -> None:
    """Every try is refused for its own reason, and the pair is frozen."""
    measures = passed("insider-approver", 2)["measures"]
    assert len(measures["tries"]) == 7


def test_a_dead_control_plane_keeps_closed_what_is_closed() -> None:
    """From the gateway's own disk."""
    assert passed("control-plane-dead", 12)["measures"]["left"] == 0


def test_the_week_of_march_2025() -> None:
    """Everything but BI-FAST outgoing goes on; four orders at most; everybody back."""
    measures = passed("bank-2025", 807)["measures"]
    assert measures["left"] <= 4
    assert measures["ladder_minutes"] <= 80


def test_a_row_that_is_changed_by_sql_is_told_and_proved() -> None:
    """One row after another, of every kind the drill knows."""
    passed("row-tampered", 8)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_green_lie(seed: int) -> None:
    """Database, bank and networks, killed, frozen and refused, one after another."""
    passed("green-lie", 16, seed)


def test_strangers_at_every_listener_slow_nobody() -> None:
    """Slow, endless, huge, nested and half-sent at once: payments' p99 stays within half again."""
    passed("slow-doors", 4)
