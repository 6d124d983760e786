"""A process that is told to stop does what comes after serving."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, uvicorn
from tangguh.cli.processes.server import Server

async def app(scope, receive, send):
    pass

async def main():
    server = Server(uvicorn.Config(app, port=0, lifespan="off", log_level="critical"))
    server.on_exit = lambda: print("told", flush=True)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print("serving", flush=True)
    await serving
    print("after", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_comes_after_serving_is_done_when_it_is_told_to_stop(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert said.splitlines() == ["told", "after"]
    assert process.returncode == 0
