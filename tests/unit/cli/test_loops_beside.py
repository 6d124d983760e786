"""A process beside the bank: its loops come back, ``/health`` shows them, SIGTERM ends it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
import msgspec
from starlette.applications import Starlette

from tangguh.cli.processes.beside import serve_beside, with_health
from tangguh.core.clock import SystemClock
from tangguh.core.supervision import Supervisor


async def test_a_loop_that_broke_is_shown_and_works_again(tmp_path: Path) -> None:
    """Once ended by a fault nobody expected: 503 and its fault, then 200 and one restart."""
    clock = SystemClock()
    loops = Supervisor(clock, first_wait_seconds=0.3)
    began, ended = 0, asyncio.Event()

    async def work() -> None:
        nonlocal began
        began += 1
        if began == 1:
            raise ZeroDivisionError("a bug")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    loops.start("worker", work)
    ready = tmp_path / "ready"
    serving = asyncio.create_task(
        serve_beside(
            with_health(Starlette(), loops),
            loops,
            name="it",
            host="127.0.0.1",
            port=0,
            ready_file=ready,
        )
    )
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        while not ready.exists():
            await asyncio.sleep(0.005)
        url = msgspec.json.decode(ready.read_bytes())["it"]
        seen: list[tuple[int, str]] = []
        while not seen or seen[-1][0] != 200:
            async with http.get(f"{url}/health") as answer:
                (task,) = (await answer.json())["tasks"]
                seen.append((answer.status, task["state"]))
            await asyncio.sleep(0.02)
        assert seen[0] == (503, "waiting")
        assert seen[-1] == (200, "running")
        assert (task["name"], task["restarts"]) == ("worker", 1)
        assert "a bug" in task["fault"]
        async with http.get(f"{url}/other") as answer:
            assert answer.status == 404
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(serving, 10)
    assert ended.is_set()
