"""Pages that watch a payment: one customer's tabs leave room for everybody else."""

from __future__ import annotations

from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from tangguh.core.errors import Overloaded
from tangguh.web.live import Live

ANA, BUDI = 1, 2
PAYMENT = UUID(int=1)


async def test_one_customer_cannot_take_every_stream() -> None:
    live = Live(100, 8)
    async with AsyncExitStack() as open_ones:
        for _ in range(8):
            await open_ones.enter_async_context(live.watching(PAYMENT, ANA))
        with pytest.raises(Overloaded):
            await open_ones.enter_async_context(live.watching(PAYMENT, ANA))
        await open_ones.enter_async_context(live.watching(PAYMENT, BUDI))
    for _ in range(20):  # what was let go is free again
        async with live.watching(PAYMENT, ANA):
            pass


async def test_all_together_are_bounded_too() -> None:
    live = Live(3, 8)
    async with AsyncExitStack() as open_ones:
        for customer_id in range(3):
            await open_ones.enter_async_context(live.watching(PAYMENT, customer_id))
        with pytest.raises(Overloaded):
            await open_ones.enter_async_context(live.watching(PAYMENT, 9))
