"""The Lebaran crowd: everybody pays over every service at once, as in the last evening of Ramadan.

A day of four-and-twenty hours is pressed into the minutes of a drill: quiet before dawn, a first
peak when the allowance is paid, the highest after the fast is broken. Orders come by chance at that
rate, whether or not the ones before were answered, as customers do; what each was told is kept by
service and second. Nothing here decides what is right: drills that need a crowd start this one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import PARTNERS, Payer
from tangguh.cli.drills.street import Street
from tangguh.cli.household import Household
from tangguh.core.clock import Clock
from tangguh.customers.demo import CARD_HOLDERS, card_number
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.rails.iso8583 import hsm
from tangguh.sim.cards.atm import Atm, AtmSettings
from tangguh.sim.cards.directory import TestCard

SHARES: Final[dict[str, float]] = {
    "onus": 0.26,
    "qris": 0.24,
    "our shop": 0.10,
    "gopay": 0.09,
    "ovo": 0.09,
    "bifast": 0.10,
    "cards": 0.04,
    "billers": 0.05,
    "atm": 0.03,
}
"""What part of all orders each service has."""
SHAPE: Final = (
    (0.0, 0.15), (0.2, 0.1), (0.3, 0.45), (0.42, 0.85), (0.55, 0.5), (0.7, 0.6), (0.8, 1.0),
    (0.9, 0.8), (1.0, 0.3),
)  # fmt: skip
"""Where in the day, and how much of the peak's rate; straight lines between."""
_OPEN_MAX: Final = 2_000
_SMALL: Final = "10.00"
_WHOLE: Final = "10000.00"
_CASH_PEOPLE: Final = 6
"""Those of the card holders who have enough for a day of withdrawals."""
_NOTES_MINOR: Final = 100_000_00


class Arrival(msgspec.Struct, frozen=True):
    """One order: when it is sent, over which service, by which of the people, to which other."""

    at: float
    service: str
    payer: int
    payee: int


def rate_at(share: float) -> float:
    """How much of the peak's rate there is at this share of the day."""
    for (begins, low), (ends, high) in pairwise(SHAPE):
        if begins <= share <= ends:
            return low + (high - low) * (share - begins) / (ends - begins)
    return 0.0


def arrivals(seed: int, seconds: float, peak_per_second: float, people: int) -> list[Arrival]:
    """Every order of the day, in order. The same seed, the same day."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    names, weights = list(SHARES), list(SHARES.values())
    found: list[Arrival] = []
    at = 0.0
    while (at := at + dice.expovariate(peak_per_second)) < seconds:
        if dice.random() >= rate_at(at / seconds):
            continue
        service = dice.choices(names, weights)[0]
        payer = dice.randrange(people)
        payee = (payer + 1 + dice.randrange(people - 1)) % people
        found.append(Arrival(round(at, 4), service, payer, payee))
    return found


class Lebaran:
    """The crowd on its street. ``shop`` is the code of one of our shops; no ``atm``: no cash."""

    def __init__(
        self,
        street: Street,
        people: Sequence[Payer],
        clock: Clock,
        *,
        shop: str,
        atm: Atm | None = None,
    ) -> None:
        self._street = street
        self._people = people
        self._clock = clock
        self._shop = shop
        self._atm = atm
        self.turned_away = 0

    async def spend(self, day: Sequence[Arrival]) -> None:
        """Send every order at its time, until the day or the street is over."""
        begins = self._clock.monotonic()
        running: set[asyncio.Task[str]] = set()
        for one in day:
            await self._clock.sleep(max(begins + one.at - self._clock.monotonic(), 0.0))
            if not self._street.is_open:
                break
            if len(running) >= _OPEN_MAX:
                self.turned_away += 1  # the drill's own memory has an end; said in its report
                continue
            if one.service == "atm" and self._atm is None:
                continue
            pay = partial(self._pay, one)
            task = asyncio.create_task(self._street.pay_once(one.service, pay))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)

    async def _pay(self, one: Arrival) -> str:
        payer = self._people[one.payer]
        match one.service:
            case "onus":
                return await payer.to(self._people[one.payee].account)
            case "our shop":
                order: dict[str, Any] = {"kind": "qris", "qr": self._shop, "amount": _SMALL}
                return (await payer.order(order)).word
            case "atm":
                return await self._cash(one.payer)
            case _:
                whole = bool(PARTNERS[one.service].ask)
                return await payer.over(one.service, _WHOLE if whole else _SMALL)

    async def _cash(self, payer: int) -> str:
        """Our machine gives notes to one of those who have a card."""
        assert self._atm is not None
        _, accounts, openings = demo(1)
        holders = sorted(
            (one[1] for one in accounts[:CARD_HOLDERS]), key=lambda account: -openings[account]
        )[:_CASH_PEOPLE]
        account = holders[payer % len(holders)]
        card = TestCard(pan=card_number(account), pin=DEMO_PIN, account=str(account))
        result = await self._atm.withdraw(card, DEMO_PIN, _NOTES_MINOR)
        return "posted" if result.approved else f"code {result.code or 'none'}"


@asynccontextmanager
async def machine(household: Household, clock: Clock, seed: int) -> AsyncIterator[Atm]:
    """One of our machines, on the bank's terminal port."""
    if household.outside is None:
        raise ValueError("the household has no outside world")
    host, _, port = household.addresses["terminals"].partition(":")
    keys = household.outside.keys
    atm = Atm(
        AtmSettings(
            host=host, port=int(port), pin_key=keys[hsm.TPK], mac_key=keys[hsm.TAK], seed=seed
        ),
        clock,
    )
    try:
        yield atm
    finally:
        await atm.close()
