"""A listening port that can really be shut and opened again, and lines that can be cut.

uvicorn serves; what is ours is only that shutting closes the socket and aborts every connection at
once, as a machine that dies does, so that callers get "connection refused" and resets.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tangguh.listeners.entry import Entry, Limits
from tangguh.listeners.http import Bounded, configured
from tangguh.listeners.limits import Limit, ListenerSettings

_KEEPALIVE_SECONDS = 75
_REHEARSED = Limit(body_bytes_max=256 * 1024, seconds=3_600.0)
"""A network that is told to be slow may be as slow as it was told."""


class Line(Bounded):
    """One connection. Its app finds in ``scope["state"]["cut"]`` what ends it without a word."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["cut"] = self.transport.abort


class Listener:
    """Serves one app on one port; keeps the port number over closings."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = _droppable(app)
        self._host = host
        self._server: uvicorn.Server | None = None
        self.port = port
        """The port; 0 until the first opening when any free one will do."""

    @property
    def url(self) -> str:
        """Where to call."""
        return f"http://{self._host}:{self.port}"

    async def open(self) -> None:
        """Listen. Does nothing when it listens already. Raises OSError when the port is taken."""
        if self._server is not None:
            return
        # asyncio turns Nagle's delay off only where the protocol is named: else 40 ms an answer.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self._host, self.port))
        except OSError:
            listening.close()
            raise
        self.port = listening.getsockname()[1]
        server = uvicorn.Server(_config(self._app))
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=[listening])
        self._server = server

    async def shut(self) -> None:
        """Close the port, cut every line and drop every request in hand."""
        server, self._server = self._server, None
        if server is None:
            return
        for listening in server.servers:
            listening.close()
        for line in list(server.server_state.connections):
            line.transport.abort()
        await asyncio.sleep(0)  # the lines learn that they are cut
        dropped = list(server.server_state.tasks)
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)

    async def settle(self, timeout_seconds: float | None = None) -> None:
        """Wait until no request is being worked on, or for that long."""
        if self._server is not None and self._server.server_state.tasks:
            await asyncio.wait(self._server.server_state.tasks, timeout=timeout_seconds)

    async def close(self, grace_seconds: float) -> None:
        """Take no new line, give requests in hand some seconds, then cut."""
        if self._server is None:
            return
        for listening in self._server.servers:
            listening.close()
        await self.settle(grace_seconds)
        await self.shut()


def _droppable(app: ASGIApp) -> ASGIApp:
    """The app, whose requests may be dropped without uvicorn taking it for a crash."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return serve


def _config(app: ASGIApp) -> uvicorn.Config:
    config = configured(
        Entry(app, limits=Limits(default=_REHEARSED)),
        ListenerSettings(idle_seconds=_KEEPALIVE_SECONDS),
        protocol=Line,
        log_config=None,
        log_level=None,
        date_header=False,
    )
    config.load()
    return config
