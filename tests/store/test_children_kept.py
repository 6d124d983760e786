"""A process of the bank dies or freezes: it is ended for good, started again, and said so."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tangguh.cli.processes.children import Child
from tangguh.cli.processes.keeping import KeepChild
from tangguh.core.clock import HandClock

# A child of no weight: it listens, says where, and answers everybody the same.
PROGRAM = """
import http.server, json, os, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
ready = sys.argv[sys.argv.index("--ready-file") + 1]
with open(ready + ".aside", "w") as file:
    json.dump({"little": f"http://127.0.0.1:{server.server_port}"}, file)
os.replace(ready + ".aside", ready)
server.serve_forever()
"""


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Child]:
    """A process that runs and answers."""
    made = Child("little", [], run=tmp_path, logs=tmp_path)
    made._command = [sys.executable, "-c", PROGRAM, "--ready-file", str(tmp_path / "little.ready")]
    await made.start()
    yield made
    made.kill()


def keeper(child: Child, clock: HandClock, said: list[str]) -> KeepChild:
    return KeepChild(child, clock, said.append, silent_seconds=20, probe_seconds=0.2)


async def test_a_frozen_child_is_ended_and_started_again(child: Child, clock: HandClock) -> None:
    """It is alive, its port takes connections, and nobody is served: not for longer than this."""
    said: list[str] = []
    keeping = keeper(child, clock, said)
    first = child.pid
    os.kill(first, signal.SIGSTOP)
    for _ in range(9):
        clock.advance(2)
        await keeping.look()
    assert (child.pid, child.restarts, said) == (first, 0, [])
    clock.advance(2)
    await keeping.look()
    assert child.restarts == 1
    assert child.pid != first
    assert said == ["  little has not answered for 20 s; starting it again"]
    assert await child.answers(5)


async def test_a_child_that_refuses_everything_is_left_alone(
    child: Child, clock: HandClock
) -> None:
    """An error is an answer: a restart would cost those it does serve."""
    said: list[str] = []
    keeping = keeper(child, clock, said)
    for _ in range(30):
        clock.advance(2)
        await keeping.look()
    assert (child.restarts, said) == (0, [])


async def test_a_pause_is_forgiven(child: Child, clock: HandClock) -> None:
    """Silence is counted from the last word, not added up."""
    keeping = keeper(child, clock, [])
    for _ in range(3):
        os.kill(child.pid, signal.SIGSTOP)
        for _ in range(8):
            clock.advance(2)
            await keeping.look()
        os.kill(child.pid, signal.SIGCONT)
        clock.advance(2)
        async with asyncio.timeout(10):
            while not await child.answers(0.2):
                pass
        await keeping.look()
    assert child.restarts == 0


async def test_a_dead_child_is_started_again(child: Child, clock: HandClock) -> None:
    """As before."""
    said: list[str] = []
    child.kill()
    await keeper(child, clock, said).look()
    assert child.restarts == 1
    assert said == ["  little ended unexpectedly; starting it again"]
