"""A bank behind its web door, and phones of its customers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from serving import Phone, phones
from tangguh.app import Bank
from tangguh.core.clock import HandClock

Make = Callable[..., Awaitable[Phone]]


@pytest.fixture
async def make_phone(bank: Bank, clock: HandClock) -> AsyncIterator[Make]:
    """``await make_phone(customer_id)``: a phone logged in as that customer; None: nobody."""
    async with phones(bank, clock) as make:
        yield make


@pytest.fixture
async def phone(make_phone: Make) -> Phone:
    """The phone of customer 1, logged in."""
    return await make_phone(1)
