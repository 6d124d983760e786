"""A back office as a process of its own, to be killed: ``python -m tangguh.cli.drills.settling``.

It is given the book's DSN, where the networks give their files, the time it is and the days, opens
the stopped bank's book, runs every cycle of every network, and prints one line for each as it ends.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, datetime

import msgspec

from tangguh.app import Bank
from tangguh.cli.processes.logs import to_stderr
from tangguh.config import load
from tangguh.core.clock import HandClock
from tangguh.core.errors import ContractBroken
from tangguh.settlement.cycle import BackOffice, Ran, expected_of, run
from tangguh.settlement.file import Expected
from tangguh.settlement.formats import NETWORKS


@asynccontextmanager
async def back_office(dsn: str, now: datetime) -> AsyncIterator[BackOffice]:
    """The book of a bank that is stopped, at an hour when its days are over."""
    bank = await Bank.open(load(None), dsn, rails={})
    try:
        yield BackOffice(bank.desk, bank.pool, bank.book_id, HandClock(now))
    finally:
        await bank.close()


def cycles_in(days: list[date]) -> Iterator[Expected]:
    """Every cycle of every network on these days, in order."""
    for day in days:
        for network in NETWORKS.values():
            for number in range(1, len(network.cut_offs) + 1):
                asked = expected_of(network.name, day, number)
                if isinstance(asked, Expected):
                    yield asked


def address_of(control: str, asked: Expected) -> str:
    """Where a network gives its files."""
    return f"{control}/networks/{asked.network.name}/settlement"


async def settle(office: BackOffice, control: str, days: list[date]) -> AsyncIterator[Ran]:
    """Run every cycle once, one after the other. Raises ContractBroken when one was refused."""
    for asked in cycles_in(days):
        ran = await run(office, asked, address_of(control, asked))
        if not isinstance(ran, Ran):
            raise ContractBroken(f"{asked.network.name}, cycle {asked.cycle}: {ran}")
        yield ran


async def _main(dsn: str, control: str, now: str, *days: str) -> None:
    async with back_office(dsn, datetime.fromisoformat(now)) as office:
        print("open", flush=True)
        async for ran in settle(office, control, [date.fromisoformat(day) for day in days]):
            print(msgspec.json.encode(ran).decode(), flush=True)


if __name__ == "__main__":
    to_stderr(level="error")
    asyncio.run(_main(*sys.argv[1:]))
