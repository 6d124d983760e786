"""Faults that end by themselves: each says how long it lasts, and is lifted when that is over.

What is still wrong with the network then stays as it was, with its counts; its dice start anew.
A fault that says nothing lasts until somebody heals it, or until the process ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.faults import Dealt, Plan
from tangguh.sim.network import Network

_AGAIN_SECONDS: Final = 1.0
"""A port that cannot be opened yet is tried again after this long."""


class Healing:
    """Every network's plan in force, and when each of its faults ends. ``put`` and ``dealt``."""

    def __init__(self, networks: Mapping[str, Network], clock: Clock) -> None:
        self._networks = networks
        self._clock = clock
        self._plans = dict.fromkeys(networks, Plan())
        self._ends: dict[str, tuple[float | None, ...]] = dict.fromkeys(networks, ())
        self._turns = {name: asyncio.Lock() for name in networks}
        self._waiting: dict[str, asyncio.Task[None]] = {}

    async def put(self, name: str, plan: Plan) -> None:
        """Let this be wrong with a network from now on, and nothing else; times count from now."""
        async with self._turns[name]:
            await self._forget(name)
            now = self._clock.monotonic()
            ends = [
                None if one.for_seconds is None else now + one.for_seconds for one in plan.faults
            ]
            self._plans[name], self._ends[name] = plan, tuple(ends)
            await self._networks[name].put_plan(plan)
            if any(end is not None for end in ends):
                self._waiting[name] = asyncio.create_task(self._heal(name))

    def dealt(self, name: str) -> Dealt:
        """The plan in force, how often each fault has struck, and how long each still lasts."""
        dealt, now = self._networks[name].dealt(), self._clock.monotonic()
        ends = self._ends[name]
        if not any(end is not None for end in ends):
            return dealt
        left = tuple(None if end is None else round(max(end - now, 0.0), 1) for end in ends)
        return msgspec.structs.replace(dealt, seconds_left=left)

    async def close(self) -> None:
        """Wait for no end any more."""
        for name, turn in self._turns.items():
            async with turn:
                await self._forget(name)

    async def _heal(self, name: str) -> None:
        while ends := [end for end in self._ends[name] if end is not None]:
            await self._clock.sleep(min(ends) - self._clock.monotonic())
            async with self._turns[name]:
                self._plans[name], self._ends[name] = self._left(name)
            while not await self._is_obeyed(name):
                await self._clock.sleep(_AGAIN_SECONDS)

    async def _is_obeyed(self, name: str) -> bool:
        """False when the network's port cannot be opened yet."""
        async with self._turns[name]:
            try:
                await self._networks[name].put_plan(self._plans[name])
            except OSError:
                return False
        return True

    def _left(self, name: str) -> tuple[Plan, tuple[float | None, ...]]:
        """What has not ended by now, with its counts, and when it will."""
        now, plan = self._clock.monotonic(), self._plans[name]
        struck = self._networks[name].dealt().struck
        rows = zip(plan.faults, struck, self._ends[name], strict=True)
        kept = [row for row in rows if row[2] is None or row[2] > now]
        rest = Plan(
            seed=plan.seed,
            faults=tuple(fault for fault, _, _ in kept),
            struck=tuple(count for _, count, _ in kept),
        )
        return rest, tuple(end for _, _, end in kept)

    async def _forget(self, name: str) -> None:
        """Only under the network's turn, so that no opening of a port is broken off."""
        if task := self._waiting.pop(name, None):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
