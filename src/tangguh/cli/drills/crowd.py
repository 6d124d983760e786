"""A crowd of customers who pay without pause, and ask again when nobody answers."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final

import aiohttp
import msgspec

from tangguh.cli.device import Device
from tangguh.core.clock import Clock
from tangguh.customers.seed import DEMO_PIN, demo

_ASK_AGAIN_SECONDS: Final = 0.05
_QRIS_SHARE: Final = 0.4
_GIVE_UP_SHARE: Final = 0.05
_QRIS_CODES: Final = ("V5", "V7", "V14")


class Told(msgspec.Struct, frozen=True):
    """What a customer was told of one order: its id and state, and after how many asks."""

    key: str
    payment_id: str
    state: str
    asked: int


class Crowd:
    """So many customers at once. ``told`` is all that was acknowledged to anybody."""

    def __init__(
        self, url: str, codes: dict[str, str], *, people: int, seed: int, clock: Clock
    ) -> None:
        self._url = url
        self._codes = codes
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - a drill must be repeatable
        self._people, self._accounts, _ = demo(1)
        self._count = people
        self._stop = asyncio.Event()
        self.told: list[Told] = []
        self.refused: dict[str, int] = {}
        self.unheard = 0
        self.keys = 0

    async def pay_until_stopped(self) -> None:
        """Everybody logs in and pays until ``stop``."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._customer(number))

    def stop(self) -> None:
        """Let everybody finish the payment in hand."""
        self._stop.set()

    async def _customer(self, number: int) -> None:
        source = random.Random(self._random.random())  # noqa: S311
        async with Device(self._url, self._clock) as device:
            account = str(self._accounts[number][1])
            await self._patiently(device.log_in, self._people[number].phone, DEMO_PIN)
            while not self._stop.is_set():
                self.keys += 1
                key = f"{number}-{self.keys}"
                await self._pay(device, self._order(source, account, key), key, source)

    async def _pay(
        self, device: Device, order: dict[str, Any], key: str, source: random.Random
    ) -> None:
        asked = 0
        while True:
            asked += 1
            try:
                said = await device.pay(order, key)
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
                self.unheard += 1
                if source.random() < _GIVE_UP_SHARE:
                    return  # the customer walks away: paid once or not at all, but never twice
                await self._clock.sleep(_ASK_AGAIN_SECONDS)
                continue
            if said.ok:
                self.told.append(Told(key, said.body["id"], said.body["state"], asked))
                return
            if said.status < 500 and said.status != 429:
                code = str(said.body.get("code"))
                self.refused[code] = self.refused.get(code, 0) + 1
                return
            await self._clock.sleep(_ASK_AGAIN_SECONDS)

    def _order(self, source: random.Random, account: str, key: str) -> dict[str, Any]:
        amount = f"{source.randint(1, 500)}.{source.randint(0, 99):02d}"
        if source.random() < _QRIS_SHARE:
            code = self._codes[source.choice(_QRIS_CODES)]
            return {
                "kind": "qris", "from_account": account, "qr": code, "amount": amount, "note": key,
            }  # fmt: skip
        others = [str(one[1]) for one in self._accounts[: self._count] if str(one[1]) != account]
        return {
            "kind": "transfer", "from_account": account, "to_account": source.choice(others),
            "amount": amount, "note": key,
        }  # fmt: skip

    async def _patiently(self, ask: Any, *arguments: Any) -> None:
        while True:
            try:
                if (await ask(*arguments)).ok:
                    return
            except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
                self.unheard += 1
            await self._clock.sleep(_ASK_AGAIN_SECONDS)
