"""A customer's device: logs in and pays through the bank's API as a phone would.

For smoke runs and drills. It keeps its session and signing key, signs what it orders, and asks
again with the same key when it does not know what happened.
"""

from __future__ import annotations

import base64
from types import TracebackType
from typing import Any, Final
from uuid import uuid4

import aiohttp
import msgspec

from tangguh.access.session import signature
from tangguh.core.clock import Clock

_TIMEOUT_SECONDS: Final = 20.0


class Said(msgspec.Struct, frozen=True):
    """What the bank answered: HTTP status and the decoded body."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the bank took it."""
        return self.status in {200, 201, 202}


class Device:
    """One customer's phone. ``async with Device(...)``, then ``log_in``."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
            connector=aiohttp.TCPConnector(limit=0),
        )
        self._token = ""
        self._known_as = ""
        self._signing_key = b""

    async def __aenter__(self) -> Device:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def log_in(self, phone: str, pin: str) -> Said:
        """Open a session and remember it; the second time as the device the bank knows."""
        claim = {"phone": phone, "pin": pin, "device": self._known_as}
        said = await self.ask("POST", "/v1/sessions", claim)
        if said.ok:
            self._known_as = said.body["device"]
            self._token = said.body["token"]
            self._signing_key = base64.b64decode(said.body["signing_key"])
        return said

    async def account(self) -> str:
        """The number of the customer's first account."""
        said = await self.ask("GET", "/v1/accounts")
        return str(said.body["accounts"][0]["account"])

    async def inquire(self, asked: dict[str, Any]) -> Said:
        """Ask who would be paid, and what is owed."""
        return await self.ask("POST", "/v1/inquiries", asked)

    async def pay(self, order: dict[str, Any], key: str | None = None) -> Said:
        """Send a signed order. Raises aiohttp.ClientError or TimeoutError when nobody answers."""
        return await self._signed("/v1/payments", order, key or str(uuid4()))

    async def refund(self, payment_id: str, amount: str, key: str | None = None) -> Said:
        """Give back part of a payment this customer received."""
        path = f"/v1/payments/{payment_id}/refunds"
        return await self._signed(path, {"amount": amount}, key or str(uuid4()))

    async def code(self, asked: dict[str, Any], key: str | None = None) -> Said:
        """Make a one-time code, which pays later: signed like a payment."""
        return await self._signed("/v1/codes", asked, key or str(uuid4()))

    async def payment(self, payment_id: str) -> Said:
        """One payment as it stands."""
        return await self.ask("GET", f"/v1/payments/{payment_id}")

    async def until_ended(self, payment_id: str, seconds_max: float) -> dict[str, Any]:
        """Ask until the payment has ended or the time is up; the payment as last seen."""
        deadline = self._clock.monotonic() + seconds_max
        while True:
            said = await self.payment(payment_id)
            is_open = said.body.get("state") in {"parked", "held", "unanswered"}
            if not is_open or self._clock.monotonic() > deadline:
                return said.body
            await self._clock.sleep(0.2)

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Said:
        """Any call that moves no money."""
        raw = msgspec.json.encode(body) if body is not None else None
        return await self.send(method, path, raw, {})

    async def _signed(self, path: str, body: dict[str, Any], key: str) -> Said:
        raw = msgspec.json.encode(body)
        stamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Idempotency-Key": key,
            "X-Timestamp": stamp,
            "X-Signature": signature(self._signing_key, "POST", path, raw, stamp, key),
        }
        return await self.send("POST", path, raw, headers)

    async def send(
        self, method: str, path: str, raw: bytes | None, headers: dict[str, str]
    ) -> Said:
        """Send bytes as they are; JSON, when ``headers`` does not say what they are."""
        if raw is not None:
            headers.setdefault("Content-Type", "application/json")
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        async with self._http.request(
            method, self._url + path, data=raw, headers=headers
        ) as answer:
            text = await answer.read()
            return Said(answer.status, msgspec.json.decode(text) if text else {})
