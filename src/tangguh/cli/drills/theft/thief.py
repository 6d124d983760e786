"""Somebody who has stolen the connector's key, and posts transfers that nobody ordered."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import aiohttp
import msgspec

from tangguh.cli.household import Household
from tangguh.core.clock import Clock
from tangguh.rails import signature
from tangguh.rails.bifast import ids, message, transfer
from tangguh.rails.bifast.transfer import CreditTransfer, Party

_BANK: Final = "TGUHIDJ1"
_RUPIAH: Final = 100
_LEAST, _MOST = 120_000_000 * _RUPIAH, 250_000_000 * _RUPIAH
"""The rail carries no more than Rp 250 m; the incident's mean was reported as Rp 281 m."""
_FORWARDED: Final = 200
_STEP_SECONDS: Final = 0.05


class Forged(msgspec.Struct, frozen=True):
    """One forged transfer: its reference, when it was posted, what the gateway answered."""

    reference: str
    amount_minor: int
    at: float
    status: int


class Thief:
    """Posts at one pace, whatever is answered. ``posted`` is what was tried."""

    def __init__(self, household: Household, clock: Clock, seed: int) -> None:
        private, _ = household.place.key_pair("connector")
        self._key = signature.load_private_key(private)
        self._url = f"{household.addresses['gateway']}/bifast/messages"
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - a drill must be repeatable
        self.posted: list[Forged] = []

    @property
    def forwarded(self) -> int:
        """How many the gateway let out."""
        return sum(one.status == _FORWARDED for one in self.posted)

    async def steal(self, times: int, per_second: float) -> None:
        """So many transfers, evenly."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            began = self._clock.monotonic()
            for number in range(times):
                due = began + number / per_second
                await self._clock.sleep(max(due - self._clock.monotonic(), 0.0))
                await self._post(http, number)

    async def steal_on(
        self, times: int, slow: float, fast: float, is_shut: Callable[[], bool]
    ) -> None:
        """So many transfers: at the slow pace while they get out, at the fast one after that."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
            due = self._clock.monotonic()
            for number in range(times):
                while (left := due - self._clock.monotonic()) > 0:
                    # In small steps: the pace changes as soon as the door is shut.
                    await self._clock.sleep(min(left, _STEP_SECONDS))
                    if is_shut():
                        due = min(due, self._clock.monotonic() + 1 / fast)
                await self._post(http, number)
                due = max(due, self._clock.monotonic()) + 1 / (fast if is_shut() else slow)

    async def _post(self, http: aiohttp.ClientSession, number: int) -> None:
        minor = self._random.randrange(_LEAST, _MOST, _RUPIAH)
        reference = ids.business_number(
            self._clock.now(), _BANK, ids.BY_ACCOUNT, f"9{self._random.randrange(10**4):04d}"
            f"{number:03d}"
        )  # fmt: skip
        at = self._clock.monotonic()
        try:
            async with http.post(self._url, data=self._forged(reference, minor)) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.posted.append(Forged(reference, minor, at, status))

    def _forged(self, reference: str, minor: int) -> bytes:
        now = self._clock.now()
        asked = CreditTransfer(
            kind=ids.BY_ACCOUNT,
            message_id=ids.message_number_of(reference),
            created_at=now,
            end_to_end_id=reference,
            transaction_id=f"{self._random.getrandbits(128):032x}",
            amount_minor=minor,
            debtor=Party(name="BANK TANGGUH", account="10000000011", bank=_BANK),
            creditor=Party(name="SARI WULANDARI", account="9980000001", bank="UJIAIDJ1"),
        )
        return message.sealed(
            message.Message(
                sender=_BANK,
                recipient=message.HUB,
                number=reference,
                definition=transfer.DEFINITION,
                service=message.CLEAR,
                created_at=now,
                document=transfer.document_of(asked),
            ),
            self._key,
            "json",
        )
