"""How an answer reaches the caller, or does not: silence, lateness, dripping, garbage.

Each delivery ends early when the caller hangs up, so that nothing waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tangguh.core.clock import Clock
from tangguh.sim.faults import AnyFault, Crawl, DropReply, Garbage, Late
from tangguh.sim.message import Said

_OVERSIZE_BYTES: Final = 1_000_000
_REFERENCES: Final = ("partnerReferenceNo", "originalPartnerReferenceNo", "partnerRefundNo")


class Silence(Response):
    """Nothing for some seconds, then the line is cut."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _unless_gone(receive, self._clock.sleep(self._seconds))
        await _cut(scope, receive)


class Delayed(Response):
    """The answer, after some seconds."""

    def __init__(self, answer: Response, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._answer = answer
        self._clock = clock
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _unless_gone(receive, self._clock.sleep(self._seconds))
        await self._answer(scope, receive, send)


class Crawling(Response):
    """The answer, a byte at a time."""

    def __init__(self, said: Said, clock: Clock, seconds_per_byte: float) -> None:
        super().__init__(said.encode(), said.status, media_type="application/json")
        self._clock = clock
        self._seconds_per_byte = seconds_per_byte

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _unless_gone(receive, self._drip(send))

    async def _drip(self, send: Send) -> None:
        content = bytes(self.body)
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        for at in range(len(content)):
            await self._clock.sleep(self._seconds_per_byte)
            more = at + 1 < len(content)
            byte = content[at : at + 1]
            await send({"type": "http.response.body", "body": byte, "more_body": more})


class Truncated(Response):
    """Half of the answer under the length of the whole, then the line is cut."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.encode(), said.status, media_type="application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = bytes(self.body)[: len(self.body) // 2]
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _cut(scope, receive)


def deliver(said: Said, fault: AnyFault | None, clock: Clock) -> Response:
    """The answer as this fault lets it through."""
    match fault:
        case DropReply(seconds=seconds):
            return Silence(clock, seconds)
        case Late(seconds=seconds, carried_out="at_once"):
            return Delayed(plain(said), clock, seconds)
        case Crawl(seconds_per_byte=pause):
            return Crawling(said, clock, pause)
        case Garbage(form=form):
            return _garbage(said, form)
        case _:
            return plain(said)


def plain(said: Said) -> Response:
    """The answer as it should be."""
    return _json(said.encode(), said.status)


def _json(body: bytes, status: int) -> Response:
    return Response(body, status, media_type="application/json")


def _garbage(said: Said, form: str) -> Response:
    match form:
        case "truncated":
            return Truncated(said)
        case "oversized":
            return _json(said.encode()[:-1] + b" " * _OVERSIZE_BYTES + b"}", said.status)
        case "empty":
            return _json(b"", said.status)
        case "other_service":
            return plain(Said("00", said.case, said.fields))
        case "other_reference":
            other = {
                name: f"{value}0" if name in _REFERENCES else value
                for name, value in said.fields.items()
            }
            return plain(Said(said.service, said.case, other))
        case _:
            return _json(said.encode()[:-1] + b",", said.status)


async def _unless_gone(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, but stop when the caller hangs up."""
    tasks = {asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"]["cut"]()
    await _gone(receive)
