"""One HTTP connection that cannot be held for nothing: uvicorn's, with deadlines and bounds.

uvicorn waits for ever for a first byte, for the rest of a head and for the rest of a body that
nobody reads, and its parser takes a head of any size. Here each has its time and its size, and
each source its number of connections. What is served is still uvicorn's doing.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Any, ClassVar, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tangguh.listeners.connections import Connections, Place
from tangguh.listeners.entry import GONE
from tangguh.listeners.limits import ListenerSettings
from tangguh.listeners.proxies import Proxies

_PIPELINED_MAX: Final = 16
_FLUSH_SECONDS: Final = 5.0
_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES_MAX: Final = 1024 * 1024
_REASONS: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
}


class Bounded(HttpToolsProtocol):
    """One connection. Its class knows the listener's settings and its other connections."""

    bounds: ClassVar[ListenerSettings]
    held: ClassVar[Connections]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._place: Place | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._chunk_bytes = self._head_bytes_most = 0
        self._in_head = True
        self._lingering = 0
        self._is_over = False

    # ---- the connection ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        host = self.client[0] if self.client else ""
        self._place = self.held.admit(host, self._cut)
        if self._place is None:
            self._cut()
            return
        self._wait(self.bounds.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        self._stop_waiting()
        if self._place is not None:
            self.held.leave(self._place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        self._chunk_bytes = len(data)
        self._head_bytes_most += self._chunk_bytes
        if self._in_head:
            self._head_bytes += len(data)
        elif self._lingering:
            self._lingering += len(data)
            if self._lingering > _LINGER_BYTES_MAX:
                self._cut()
                return
        super().data_received(data)
        if self._in_head and self._head_bytes:  # a head is begun and not whole
            if self._head_bytes > self.bounds.head_bytes_max:
                self._refuse(431)
            elif self._timer is None and not self._is_over:
                self._wait(self.bounds.head_seconds, self._head_is_late)

    # ---- the parser's callbacks --------------------------------------------------------------

    def on_headers_complete(self) -> None:
        if self._is_over:
            return
        if self._is_head_too_large() or len(self.headers) > self.bounds.headers_max:
            self._refuse(431)
            return
        if len(self.pipeline) >= _PIPELINED_MAX:
            self._refuse(400)
            return
        self._in_head = False
        self._head_bytes = 0
        self._head_bytes_most = self._chunk_bytes  # the next head may have begun in it
        self._stop_waiting()
        if self._place is not None:
            self.held.work(self._place)
        self.scope[GONE] = self.transport.is_closing  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_over:
            return
        self._in_head = True
        super().on_message_complete()
        if self._lingering:
            self._lingering = 0
            self._stop_waiting()
            self._rest()

    def _is_head_too_large(self) -> bool:
        if self._head_bytes_most <= self.bounds.head_bytes_max:
            return False  # no more has come since the head before, this head among it
        size = len(self.url) + sum(map(len, chain.from_iterable(self.headers)))
        return size > self.bounds.head_bytes_max

    # ---- the answer --------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        answered = self.cycle
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait(_FLUSH_SECONDS, self._cut)
        elif answered is self.cycle and answered.more_body and not self._in_head:
            # Answered before the body was whole: what is left is thrown away, but not for long.
            self._unset_keepalive_if_required()
            self._lingering = 1
            self._wait(_LINGER_SECONDS, self._cut)
        elif self.cycle.response_complete:
            self._rest()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._wait(_FLUSH_SECONDS, self._cut)  # an answer nobody takes keeps no connection

    def _rest(self) -> None:
        if self._place is not None:
            self.held.rest(self._place)
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    # ---- ends --------------------------------------------------------------------------------

    def _head_is_late(self) -> None:
        self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Say why, if nothing else is being said, and close."""
        if self._is_over:
            return
        self._is_over = True
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                % (status, _REASONS[status])
            )
        self.transport.close()
        self._wait(_FLUSH_SECONDS, self._cut)

    def _cut(self) -> None:
        self._is_over = True
        self._stop_waiting()
        self.transport.abort()

    def _wait(self, seconds: float, then: Any) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def configured(
    app: ASGIApp,
    settings: ListenerSettings,
    *,
    trusted_proxies: tuple[str, ...] = (),
    protocol: type[Bounded] = Bounded,
    **options: Any,
) -> uvicorn.Config:
    """How every process of ours serves HTTP. The only place that makes a uvicorn.Config.

    ``protocol``: a kind of ``Bounded`` that does more; ``options`` go to uvicorn as they are.
    """
    held = Connections(settings, Proxies(trusted_proxies))
    bounds = {"bounds": settings, "held": held}
    given: dict[str, Any] = {
        "lifespan": "off",
        "ws": "none",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": settings.idle_seconds,
    } | options
    return uvicorn.Config(app, http=type("Connection", (protocol,), bounds), **given)
