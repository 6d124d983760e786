"""The bench finds every break it planted, at any size; how long it takes is not tested."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tangguh.cli.bench.recon import measure, recon, their_side
from tangguh.settlement.match import Kind

OF_A_FILE = len(Kind) - 1
"""A file cannot differ in an account: it names none."""


@pytest.mark.parametrize("lines", [16, 17, 100, 1_000])
def test_every_planted_break_is_found(lines: int) -> None:
    """Also in files so small that hardly anything fits in."""
    measured = measure(lines)
    assert measured.lines == lines
    assert measured.all_found
    assert measured.breaks == measured.planted * OF_A_FILE // (OF_A_FILE + 3)


def test_a_file_too_small_to_plant_in_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer lines than kinds of breaks measure nothing."""
    with pytest.raises(SystemExit):
        recon(lines=15)
    assert "at least 16" in capsys.readouterr().err


def test_the_same_size_is_the_same_file() -> None:
    """From one seed, so that two runs can be compared."""
    assert their_side(50) == their_side(50)
    assert their_side(50) != their_side(51)


def test_the_command_prints_one_document() -> None:
    """As every other bench: its name and results."""
    words = [sys.executable, "-m", "tangguh", "bench", "recon", "--lines", "500", "--json"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["bench"] == "recon"
    assert set(report["results"][0]) >= {
        "lines", "seconds", "lines_per_second", "rss_mib", "breaks",
    }  # fmt: skip
    assert report["passed"]
