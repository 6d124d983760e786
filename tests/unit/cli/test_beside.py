"""A process that works and serves beside it: neither goes on without the other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

PROGRAM = """
import asyncio, sys
from pathlib import Path
from tangguh.cli.processes.beside import serve_beside
from tangguh.core.clock import SystemClock
from tangguh.core.supervision import Supervisor

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})

async def work():
    try:
        if sys.argv[2] == "broken":
            raise RuntimeError("a bug")
        print("working", flush=True)
        await asyncio.Event().wait()
    finally:
        print("let go", flush=True)

async def main():
    loops = Supervisor(SystemClock(), first_wait_seconds=0.01)
    if sys.argv[2] != "none":
        loops.start("work", work)
    try:
        await serve_beside(
            app, loops, name="door", host="127.0.0.1", port=0, ready_file=Path(sys.argv[1])
        )
    finally:
        print("after", flush=True)

asyncio.run(main())
"""


def started(ready: Path, work: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(ready), work],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_ready(ready: Path, process: subprocess.Popen[str]) -> dict[str, object]:
    """What the ready file says, once it is there."""
    while not ready.exists():
        assert process.poll() is None, process.communicate()
    return json.loads(ready.read_text())


@pytest.mark.parametrize(
    ("work", "said"), [("good", ["working", "let go", "after"]), ("none", ["after"])]
)
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, work: str, said: list[str]) -> None:
    ready = tmp_path / "ready.json"
    process = started(ready, work)
    where = is_ready(ready, process)
    with urlopen(str(where["door"]), timeout=30) as answer:
        assert answer.status == 204
    assert where["pid"] == process.pid
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert out.splitlines() == said
    assert process.returncode == 0


def test_a_door_does_not_stay_open_without_its_work(tmp_path: Path) -> None:
    """Started again a few times in vain; then whoever supervises the process hears of it, and
    nobody is told what is no longer looked at."""
    process = started(tmp_path / "ready.json", "broken")
    out, trouble = process.communicate(timeout=30)
    said = [line for line in out.splitlines() if line in {"let go", "after"}]
    assert said[-1] == "after"
    assert len(said) > 5
    assert set(said[:-1]) == {"let go"}
    assert "a bug" in trouble
    assert process.returncode == 1
