"""A log that cannot be written harms nothing: no raise, no wait, and the loss is said later."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import structlog

from tangguh.cli.processes import logs
from tangguh.core.marks import MARKS


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """The configuration of the tests is put back."""
    kept = structlog.get_config()
    MARKS.reached[logs.DROPPED] = 0
    yield
    structlog.configure(**kept)


def lines_of(path: Path) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def test_a_full_disk_drops_the_line_and_says_so_when_there_is_room(tmp_path: Path) -> None:
    """Writing to /dev/full raises ENOSPC, as a full disk does; then the disk has room again."""
    full = os.open("/dev/full", os.O_WRONLY)
    path = tmp_path / "bank.log"
    kept = os.open(path, os.O_WRONLY | os.O_CREAT)
    lines = logs.LogLines(full)
    logs.configure(lines)
    log = structlog.get_logger("t")
    for number in range(3):
        log.warning("a.line", number=number)
    wait_until_empty(lines)
    assert MARKS.reached[logs.DROPPED] == 3
    os.dup2(kept, full)
    log.warning("a.line", number=4)
    lines.end()
    said = lines_of(path)
    assert [one["event"] for one in said] == ["log.lines_dropped", "a.line"]
    assert said[0]["lines"] == 3


def wait_until_empty(lines: logs.LogLines) -> None:
    lines._is_ending = False
    for _ in range(2_000):
        if not lines._lines and MARKS.reached[logs.DROPPED] >= 3:
            return
        lines._thread.join(0.005)


def test_a_reader_that_is_stuck_holds_nobody_up() -> None:
    """A pipe nobody reads from is full after 64 KiB: the caller does not wait for it."""
    _, write = os.pipe()
    lines = logs.LogLines(write, lines_max=100)
    logs.configure(lines)
    log = structlog.get_logger("t")
    for _ in range(3_000):
        log.warning("a.line", more="x" * 100)
    assert MARKS.reached[logs.DROPPED] > 0
    assert len(lines._lines) <= 100


def test_a_closed_pipe_raises_nothing() -> None:
    """Whoever read our log is gone."""
    read, write = os.pipe()
    os.close(read)
    lines = logs.LogLines(write)
    logs.configure(lines)
    structlog.get_logger("t").error("a.line")
    lines.end()
    assert MARKS.reached[logs.DROPPED] == 1


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError("no words")


def test_what_cannot_be_put_into_words_raises_nothing(tmp_path: Path) -> None:
    """Half a letter, or a value whose text is a fault: the line is dropped or readable, not fatal."""
    path = tmp_path / "bank.log"
    lines = logs.LogLines(os.open(path, os.O_WRONLY | os.O_CREAT))
    logs.configure(lines)
    log = structlog.get_logger("t")
    log.warning("half", text="\ud800")
    log.warning("none", text=Unspeakable())
    try:
        raise OSError(28, "No space left on device")
    except OSError:
        log.exception("whole")
    lines.end()
    assert [one["event"] for one in lines_of(path)][-1] == "whole"
    assert MARKS.reached[logs.DROPPED] >= 1


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    """The kernel's bound on a file's size answers as a full disk would, in the middle of a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "bank.log"
    lines = logs.LogLines(os.open(path, os.O_WRONLY | os.O_CREAT))
    logs.configure(lines)
    log = structlog.get_logger("t")
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        for _ in range(20):
            log.warning("a.line", more="x" * 40)
        lines.end()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert MARKS.reached[logs.DROPPED] > 0
