"""One timer ends every request that takes too long, and takes nobody else with it."""

from __future__ import annotations

import asyncio

import pytest

from tangguh.listeners.deadlines import Deadlines


async def answer(deadlines: Deadlines, seconds: float, work: asyncio.Event) -> str:
    task = deadlines.begin(seconds)
    try:
        await work.wait()
    except asyncio.CancelledError:
        if not deadlines.end(task) or task.cancelling():
            raise
        return "late"
    finally:
        deadlines.end(task)
    return "done"


async def test_what_takes_too_long_is_ended_and_what_does_not_goes_on() -> None:
    """Several at once, each by its own time."""
    deadlines, never, soon = Deadlines(), asyncio.Event(), asyncio.Event()
    late = [asyncio.create_task(answer(deadlines, 0.01, never)) for _ in range(3)]
    slow = asyncio.create_task(answer(deadlines, 30.0, soon))
    assert await asyncio.gather(*late) == ["late"] * 3
    soon.set()
    assert await slow == "done"
    assert not slow.cancelling()
    assert not deadlines._ends
    assert not deadlines._late


async def test_whoever_else_cancels_it_is_heard() -> None:
    """A server that stops ends its requests: that is no time that is over."""
    deadlines = Deadlines()
    task = asyncio.create_task(answer(deadlines, 30.0, asyncio.Event()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_late_and_cancelled_at_once_is_cancelled() -> None:
    """The one that is not ours wins."""
    deadlines = Deadlines()
    task = asyncio.create_task(answer(deadlines, 0.0, asyncio.Event()))
    await asyncio.sleep(0)
    deadlines._look(asyncio.get_running_loop())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nobody_waits_then_nothing_ticks() -> None:
    """The timer is gone with the last request."""
    deadlines, now = Deadlines(), asyncio.Event()
    now.set()
    assert await asyncio.create_task(answer(deadlines, 5.0, now)) == "done"
    deadlines._look(asyncio.get_running_loop())
    assert deadlines._timer is None
