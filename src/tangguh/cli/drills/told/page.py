"""What the drills of being told look at: the public page, and what each customer was told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import aiohttp
import msgspec

from tangguh.cli.household import Household
from tangguh.core.clock import Clock
from tangguh.db.pool import Pool

_LOOK_SECONDS: Final = 0.2
_COUNTS: Final = (
    re.compile(r"(\d+) sampai ke tujuan, (\d+) tidak terkirim"),
    re.compile(r"(\d+) arrived, (\d+)"),
)
_NOTICES: Final = (
    "SELECT person, language, matter, step, template, title, body, made_at FROM notices"
    " WHERE book_id = 1 ORDER BY made_at"
)
_AFFECTED: Final = "SELECT payment_id, customer_id, noted_at FROM affected_payments"


class Notice(msgspec.Struct, frozen=True):
    """A message as it was written down for somebody."""

    customer: int
    language: str
    matter: str
    step: str
    template: str
    title: str
    body: str
    made_at: datetime


class Page:
    """The public page, asked from outside."""

    def __init__(self, household: Household, clock: Clock) -> None:
        self._url = household.addresses["status"]
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Page:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def text(self, path: str = "/") -> tuple[int, str]:
        """A page as a browser without JavaScript gets it; (0, "") when nobody answers."""
        assert self._http is not None
        try:
            async with self._http.get(self._url + path) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, ""

    async def status(self) -> dict[str, Any]:
        """What the page is made from; empty when nobody answers."""
        code, text = await self.text("/status.json")
        found: dict[str, Any] = msgspec.json.decode(text) if code == 200 else {}
        return found

    async def until(
        self, wanted: Callable[[dict[str, Any]], bool], seconds_max: float
    ) -> float | None:
        """How long it took until the page said it; None when it never did in that time."""
        began = self._clock.monotonic()
        while self._clock.monotonic() - began < seconds_max:
            said = await self.status()
            if said and wanted(said):
                return round(self._clock.monotonic() - began, 2)
            await self._clock.sleep(_LOOK_SECONDS)
        return None


def condition_of(status: dict[str, Any], component: str) -> str:
    """How the page shows a component; empty when it does not."""
    for one in status.get("components", ()):
        if one["id"] == component:
            return str(one["condition"])
    return ""


async def notices_of(dsn: str) -> list[Notice]:
    """Every message to a customer, oldest first."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        rows = await pool.fetch(_NOTICES)
    finally:
        await pool.close()
    found = []
    for row in rows:
        kind, _, number = row["person"].partition(":")
        if kind == "customer":
            rest = tuple(row)[1:]
            found.append(Notice(int(number), *rest))
    return found


async def affected_in(dsn: str) -> dict[UUID, datetime]:
    """The payments incidents have touched, and when that was noted."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        rows = await pool.fetch(_AFFECTED)
    finally:
        await pool.close()
    return {row["payment_id"]: row["noted_at"] for row in rows}


def counts_in(notice: Notice) -> tuple[int, int] | None:
    """How many arrived and how many did not, as a last message says; None: it does not say."""
    for pattern in _COUNTS:
        found = pattern.search(notice.body)
        if found:
            return int(found[1]), int(found[2])
    return None
