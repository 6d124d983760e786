"""Turns at what costs much: payers go first, whoever else waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tangguh.access.turns import Purpose, Turns
from tangguh.core.clock import HandClock
from tangguh.core.errors import Overloaded


async def test_strangers_who_wait_do_not_close_the_door_to_payers(clock: HandClock) -> None:
    """A slow machine and many log-ins: the next turn is still the payer's."""
    turns = Turns(clock, at_once=1, waiting_max=100, waiting_seconds_max=4.0)
    turns._seconds = 0.3
    go = asyncio.Event()

    async def judge(purpose: Purpose) -> None:
        async with turns.take(purpose):
            await go.wait()

    waiting = []
    for _ in range(40):
        with suppress(Overloaded):
            turns.must_have_room(Purpose.STRANGER)
            waiting.append(asyncio.create_task(judge(Purpose.STRANGER)))
            await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        turns.must_have_room(Purpose.STRANGER)
    turns.must_have_room(Purpose.KNOWN)
    turns.must_have_room(Purpose.CONSENT)
    go.set()
    await asyncio.gather(*waiting)
