"""How a crowd of payers pays over several services at one pace."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from tangguh.cli.drills.partners import Payer
from tangguh.cli.drills.street import Street


async def pay_in_turn(
    street: Street, people: Sequence[Payer], services: Sequence[str], pace_seconds: float
) -> None:
    """Each of them pays over one service, in turn, until the street is closed.

    They begin one after the other within the first pace, so that the load is even.
    """
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = services[number % len(services)]
            pay = partial(pay_over, payer, service, people[number - 1].account)
            group.create_task(street.pay_at_pace(service, pay, pace_seconds))
            await asyncio.sleep(pace_seconds / len(people))


async def pay_over(payer: Payer, service: str, friend: str) -> str:
    """Pay once over a partner or, ``onus``, to a friend; the state, or why not."""
    if service == "onus":
        return await payer.to(friend)
    return await payer.over(service, "10.00" if service == "qris" else "10000.00")
