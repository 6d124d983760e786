"""Long-running tasks: whatever ends one, it comes back, and everybody can see what happened."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import tangguh
from conftest import NOON
from tangguh.core.clock import HandClock
from tangguh.core.supervision import Supervisor, TaskState, beat

ROOT = Path(tangguh.__file__).parent


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def supervisor(clock: HandClock) -> Supervisor:
    return Supervisor(clock, first_wait_seconds=1.0, wait_seconds_max=4.0)


@pytest.mark.parametrize(
    "fault", [ZeroDivisionError(), MemoryError(), asyncio.CancelledError(), None]
)
async def test_a_task_that_ends_is_started_again(fault: BaseException | None) -> None:
    """By a fault, by something it waited for being cancelled, or by itself."""
    clock, runs = HandClock(NOON), 0
    over = supervisor(clock)

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs > 1:
            await asyncio.Event().wait()
        if fault is not None:
            raise fault

    over.start("one", run)
    await settle()
    (seen,) = over.state()
    assert (seen.state, seen.restarts, runs) == (TaskState.WAITING, 1, 1)
    assert seen.fault
    clock.advance(1.0)
    await settle()
    (seen,) = over.state()
    assert (seen.state, seen.restarts, runs) == (TaskState.RUNNING, 1, 2)
    await over.stop()


async def test_each_pause_is_longer_up_to_a_bound() -> None:
    """A task that ends at once is not started a thousand times a second."""
    clock, began = HandClock(NOON), []
    over = supervisor(clock)

    async def run() -> None:
        began.append(clock.monotonic())
        raise ZeroDivisionError

    over.start("one", run)
    for _ in range(40):
        await settle()
        clock.advance(0.5)
    await over.stop()
    pauses = [after - before for before, after in pairwise(began)]
    assert pauses[:3] == [1.0, 2.0, 4.0]
    assert set(pauses[3:]) == {4.0}


async def test_a_task_that_hangs_is_seen() -> None:
    """It beats each round; one that does not for long is silent, which is not running."""
    clock = HandClock(NOON)
    over = supervisor(clock)

    async def run() -> None:
        while True:
            beat()
            await clock.sleep(10)

    async def hang() -> None:
        beat()
        await asyncio.Event().wait()

    over.start("works", run, silent_seconds=25)
    over.start("hangs", hang, silent_seconds=25)
    await settle()
    for _ in range(3):
        clock.advance(10)
        await settle()
    works, hangs = over.state()
    assert (works.state, works.beat_age_seconds) == (TaskState.RUNNING, 0.0)
    assert (hangs.state, hangs.beat_age_seconds) == (TaskState.SILENT, 30.0)
    await over.stop()


async def test_told_to_stop_it_stops_in_reverse_and_stays_stopped() -> None:
    """What was started last may need what was started first."""
    clock, ended = HandClock(NOON), []
    over = supervisor(clock)

    def runner(name: str) -> Any:
        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)

        return run

    for name in ("first", "second", "third"):
        over.start(name, runner(name))
    await settle()
    await over.stop()
    clock.advance(100)
    await settle()
    assert ended == ["third", "second", "first"]
    assert over.state() == []


OWN_SECOND_LINE = {
    # Loops with a task of their own, and who starts them again or ends the process with them.
    "core/supervision.py": "it is the supervisor",
    "ledger/writer.py": "dead it is loud: fate is set, callers fail, the process ends",
    "settlement/watch/watcher.py": "a group that is the process's work: its end ends the process",
    "status/publisher/publisher.py": "a group that is the process's work: its end ends the process",
    "work/incidents/probes.py": "a group inside a supervised task: its end ends that task",
    "notices/sender.py": "a group inside a supervised task: its end ends that task",
    "cli/processes/beside.py": "the process's work: its end ends the process",
    "rails/iso8583/link.py": "a line inside a supervised task: its end ends the line",
}
_SKIPPED = ("cli/drills/", "cli/bench/", "sim/")


def loops(tree: ast.AST) -> Iterator[str]:
    """Names of coroutines that go on for ever: a ``while True`` that never returns or breaks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if (
                    isinstance(inner, ast.While)
                    and isinstance(inner.test, ast.Constant)
                    and not any(isinstance(one, ast.Return | ast.Break) for one in ast.walk(inner))
                ):
                    yield node.name


def test_every_loop_with_a_task_of_its_own_is_supervised() -> None:
    """A new loop is given to a supervisor, or is named above with who looks after it."""
    trees = {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for path in ROOT.rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(_SKIPPED)
    }
    endless = {name for tree in trees.values() for name in loops(tree)} | {"run"}
    found = set()
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called not in ("create_task", "ensure_future") or not node.args:
                continue
            work = node.args[0]
            name = ""
            if isinstance(work, ast.Call):
                name = getattr(work.func, "attr", getattr(work.func, "id", ""))
            if name in endless or (isinstance(work, ast.Name) and work.id == "work"):
                found.add(file)
    assert found <= OWN_SECOND_LINE.keys() | {"cli/up.py", "cli/processes/serve.py"}
    assert "ledger/writer.py" in found, "the search finds nothing at all"
