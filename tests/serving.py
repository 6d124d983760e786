"""A bank's web door on an ephemeral port of this machine, inside the test's own event loop."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn
from starlette.types import ASGIApp

from as_documented import customers
from stories import account_of
from tangguh.access.session import signature
from tangguh.app import Bank
from tangguh.core.clock import Clock
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.listeners.http import configured
from tangguh.listeners.limits import ListenerSettings

_LARGE_BYTES = 1_000_000


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve the application; the address."""
    # The protocol is named so that uvloop and asyncio take the socket alike.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = configured(app, ListenerSettings(), log_config=None, log_level=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
    listening.close()


class Answered:
    """One HTTP answer: status, headers, the bytes and what they say as JSON."""

    def __init__(self, status: int, headers: Any, raw: bytes) -> None:
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def media(self) -> str:
        return str(self.headers.get("content-type", ""))

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Phone:
    """A customer's device, honest or not: every header can be left out or forged."""

    def __init__(self, http: aiohttp.ClientSession, url: str, clock: Clock) -> None:
        self._http, self._url, self._clock = http, url, clock
        self.token = ""
        self.signing_key = b""
        self.account = ""
        self.attempt = ""

    async def log_in(self, bank: Bank, customer_id: int = 1) -> Phone:
        """Open a session without the API, so that logging in costs no story a turn."""
        from tangguh.access.session import Kind

        opened = await bank.sessions.open(customer_id, Kind.DEVICE)
        self.token, self.signing_key = opened.token, opened.session.signing_key
        self.account = str(await account_of(bank, customer_id))
        return self

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Any call. ``raw`` goes as it is; ``headers`` with an empty value are left out."""
        content = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        sent = {"Content-Type": "application/json"} if content else {}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value}
        async with self._http.request(
            method,
            self._url + path,
            data=io.BytesIO(content) if len(content) > _LARGE_BYTES else content or None,
            headers=sent,
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
        ) as answer:
            answered = Answered(answer.status, answer.headers, await answer.read())
        customers().judge(method, path, answered.status, answered.headers, answered.raw)
        return answered

    async def order(
        self,
        path: str,
        body: Any = None,
        *,
        key: str = "key-1",
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        at: float | None = None,
    ) -> Answered:
        """A signed call that moves money."""
        content = raw if raw is not None else json.dumps(body).encode()
        stamp = str(int(at if at is not None else self._clock.now().timestamp()))
        signed = {
            "Idempotency-Key": key,
            "X-Timestamp": stamp,
            "X-Signature": signature(self.signing_key, "POST", path, content, stamp, key),
        }
        return await self.ask("POST", path, raw=content, headers=signed | (headers or {}))

    async def pay(self, body: Any, **more: Any) -> Answered:
        """An order to pay."""
        return await self.order("/v1/payments", body, **more)

    def transfer(self, to: str, amount: str = "1000.00", **more: Any) -> dict[str, Any]:
        """The body of a transfer from this phone's account."""
        return {
            "kind": "transfer", "from_account": self.account, "to_account": to, "amount": amount,
        } | more  # fmt: skip


@asynccontextmanager
async def phones(bank: Bank, clock: Clock) -> AsyncIterator[Any]:
    """A way to make phones of the bank's customers: ``await make(customer_id)``."""
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:

        async def make(customer_id: int | None = 1) -> Phone:
            phone = Phone(http, url, clock)
            return await phone.log_in(bank, customer_id) if customer_id is not None else phone

        yield make


def credentials(customer_id: int) -> dict[str, str]:
    """What a demo customer logs in with."""
    return {"phone": demo(1)[0][customer_id - 1].phone, "pin": DEMO_PIN}
