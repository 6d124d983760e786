"""The one way in for HTTP requests: sizes, times and depth judged before anybody reads a body.

``Entry`` wraps an ASGI application. A body that is declared too large is refused before a byte of
it is taken, one that only turns out so as soon as it does; it must come within its time and may be
nested only so deep; and whoever answers must do so within theirs. The refusal is said here, and
whatever the application says after it is dropped.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Generator, Iterable
from types import coroutine
from typing import Any, Final

import msgspec
import structlog
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tangguh.core.asker import HAS_GONE
from tangguh.listeners.deadlines import Deadlines
from tangguh.listeners.limits import SMALL, Limit, limit_of
from tangguh.listeners.nesting import is_deeper
from tangguh.listeners.proxies import Proxies

log = structlog.get_logger("tangguh.listeners")

TOO_LARGE: Final = "body_too_large"
TOO_SLOW: Final = "body_too_slow"
TOO_DEEP: Final = "body_too_deep"
UNFINISHED: Final = "unfinished"
GONE: Final = "tangguh.has_gone"
"""In a scope: a function that tells whether the connection is over."""
_STATUS: Final = {TOO_LARGE: 413, TOO_SLOW: 408, TOO_DEEP: 400, UNFINISHED: 503}

Refusal = tuple[int, list[tuple[bytes, bytes]], bytes]
Explain = Callable[[str], Refusal]


def plainly(code: str) -> Refusal:
    """The refusal as a small JSON object, for whoever has no manner of their own."""
    body = msgspec.json.encode({"error": code})
    return _STATUS[code], [(b"content-type", b"application/json")], body


class Limits:
    """Which limit holds for a request: what its route declares, else ``default``."""

    def __init__(self, routes: Iterable[BaseRoute] = (), default: Limit = SMALL) -> None:
        self._default = default
        self._exact: dict[tuple[str, str], Limit] = {}
        self._patterns: list[tuple[re.Pattern[str], frozenset[str], Limit]] = []
        for route in routes:
            declared = limit_of(route)
            if declared is None or not isinstance(route, Route):
                continue
            limit, methods = declared
            methods = methods or frozenset(route.methods or ())
            if route.param_convertors:
                self._patterns.append((route.path_regex, methods, limit))
            else:
                self._exact |= {(method, route.path): limit for method in methods}

    def of(self, method: str, path: str) -> Limit:
        """The limit of one request."""
        found = self._exact.get((method, path))
        if found is None:
            for pattern, methods, limit in self._patterns:
                if method in methods and pattern.match(path):
                    return limit
        return found or self._default


class Entry:
    """An ASGI application behind the limits of its routes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits | None = None,
        trusted_proxies: tuple[str, ...] = (),
        explain: Explain = plainly,
    ) -> None:
        self.app = app
        self.limits = limits or Limits()
        self._proxies = Proxies(trusted_proxies)
        self._explain = explain
        self._deadlines = Deadlines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing else is spoken here
        headers = scope["headers"]
        if self._proxies:
            _see_through(scope, self._proxies)
        if (has_gone := scope.get(GONE)) is not None:
            HAS_GONE.set(has_gone)
        limit = self.limits.of(scope["method"], scope["path"])
        declared, is_chunked = _declared(headers)
        visit = _Visit(limit, receive, send, self._explain)
        if declared > limit.body_bytes_max:
            await visit.refuse(TOO_LARGE)
            return
        taken = visit.receive if declared or is_chunked else receive
        body_seconds = limit.body_seconds if declared or is_chunked else 0.0
        deadlines = self._deadlines
        task = deadlines.begin(limit.seconds + body_seconds)
        is_late = False
        try:
            await self.app(scope, taken, visit.send)
        except asyncio.CancelledError:
            is_late = deadlines.end(task)
            if not is_late or task.cancelling():
                raise  # somebody else ends this request
        except Exception:
            if not visit.is_refused:
                raise
        finally:
            deadlines.end(task)
        if is_late:
            log.warning("request.unfinished", method=scope["method"], path=scope["path"][:200])
            await visit.refuse(UNFINISHED)


class _Visit:
    """One request on its way: what it has sent, whether it was refused, what was answered."""

    __slots__ = (
        "_began", "_ends_at", "_explain", "_limit", "_openings", "_receive",
        "_seen", "_send", "_size", "_whole", "is_refused",
    )  # fmt: skip

    def __init__(
        self,
        limit: Limit,
        receive: Receive,
        send: Send,
        explain: Explain,
    ) -> None:
        self._limit = limit
        self._receive = receive
        self._send = send
        self._explain = explain
        self._began = False
        self._whole = False
        self._ends_at = 0.0
        self._size = 0
        self._openings = 0
        self._seen: list[bytes] = []
        self.is_refused = False

    async def receive(self) -> Message:
        """The next piece of the body, or its end when it was refused."""
        if self.is_refused:
            return {"type": "http.disconnect"}
        if self._whole:
            return await self._receive()
        piece = self._receive().__await__()
        try:
            waited_for = piece.send(None)  # what has come already needs no deadline
        except StopIteration as came:
            return await self._judged(came.value)
        if not self._ends_at:
            self._ends_at = asyncio.get_running_loop().time() + self._limit.body_seconds
        try:
            async with asyncio.timeout_at(self._ends_at):
                message = await _rest_of(piece, waited_for)
        except TimeoutError:
            return await self._refused(TOO_SLOW)
        return await self._judged(message)

    async def send(self, message: Message) -> None:
        """Hand over what the application says, unless the request was refused."""
        if self.is_refused:
            return
        self._began = True
        await self._send(message)

    async def refuse(self, code: str) -> None:
        """Answer with a refusal; an answer that has begun is only ended."""
        if self.is_refused:
            return
        self.is_refused = True
        if self._began:
            raise ConnectionAbortedError(code)  # half an answer must not look whole
        status, headers, body = self._explain(code)
        length = (b"content-length", str(len(body)).encode())
        await self._send(
            {"type": "http.response.start", "status": status, "headers": [*headers, length]}
        )
        await self._send({"type": "http.response.body", "body": body})

    def _is_too_deep(self) -> bool:
        levels = self._limit.nesting_max
        return self._openings > levels and is_deeper(b"".join(self._seen), levels)

    async def _refused(self, code: str) -> Message:
        await self.refuse(code)
        return {"type": "http.disconnect"}

    async def _judged(self, message: Message) -> Message:
        if message["type"] != "http.request":
            return message
        piece = message.get("body", b"")
        self._size += len(piece)
        if self._size > self._limit.body_bytes_max:
            return await self._refused(TOO_LARGE)
        self._whole = not message.get("more_body", False)
        if self._limit.nesting_max:
            self._openings += piece.count(b"[") + piece.count(b"{")
            self._seen.append(piece)
            if self._whole and self._is_too_deep():
                return await self._refused(TOO_DEEP)
        return message


@coroutine
def _rest_of(begun: Generator[Any, Any, Message], waited_for: Any) -> Generator[Any, Any, Message]:
    """Go on with what was begun and waits for this."""
    try:
        while True:
            try:
                sent = yield waited_for
            except BaseException as thrown:
                waited_for = begun.throw(thrown)
            else:
                waited_for = begun.send(sent)
    except StopIteration as done:
        came: Message = done.value
        return came


def _declared(headers: list[tuple[bytes, bytes]]) -> tuple[int, bool]:
    """The body's length as its head says, and whether it comes in pieces without one."""
    length, is_chunked = 0, False
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if value.isdigit() and len(value) <= 18 else 1 << 62
        elif name == b"transfer-encoding":
            is_chunked = True
    return length, is_chunked


def _see_through(scope: Scope, proxies: Proxies) -> None:
    """Put the client's own address and scheme where the proxy's stand."""
    peer = scope.get("client")
    if peer is None:
        return
    scope["scheme"] = proxies.scheme(peer[0], scope["headers"], scope["scheme"])
    scope["client"] = (proxies.client(peer[0], scope["headers"]), peer[1])
