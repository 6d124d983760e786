"""The door for our own terminals: each ATM holds one connection and asks; the bank answers.

The same frames and lines as towards the switch, the other way round: here the terminal connects.
"""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from tangguh.core.clock import Clock
from tangguh.listeners.connections import Connections, Place
from tangguh.listeners.tcp import LineLimits, Patience
from tangguh.rails.iso8583 import codes, management
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.line import Handler, Line, LineSettings, Traffic
from tangguh.rails.iso8583.link import without_delay
from tangguh.rails.iso8583.message import Message, not_now, reply_to
from tangguh.rails.link import Health


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where terminals call; port 0 takes any free one. ``limits``: how many and how late."""

    host: str = "127.0.0.1"
    port: int = 0
    limits: LineLimits = LineLimits()
    line: LineSettings = LineSettings()


class _Terminal:
    """Who is at the other end of a line, as far as that is known."""

    def __init__(self, place: Place, patience: Patience) -> None:
        self.place = place
        self.patience = patience


class Door:
    """A listening port. ``handler`` gets every request but network management."""

    def __init__(self, settings: DoorSettings, hsm: Hsm, clock: Clock, *, handler: Handler) -> None:
        self._settings = settings
        self._hsm = hsm
        self._clock = clock
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._lines: set[Line] = set()
        self._held = Connections(settings.limits.as_listener)
        self.port = settings.port
        self.health = Health()
        self.traffic = Traffic()

    @property
    def lines(self) -> int:
        """How many terminals are connected."""
        return len(self._lines)

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        if self._server is None:
            settings = self._settings
            self._server = await asyncio.start_server(self._serve, settings.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, hang up, and wait for requests in hand."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for line in list(self._lines):
            line.end("door closed")
            await line.settle()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        place = self._held.admit(peer[0] if peer else "", writer.transport.abort)
        if place is None:
            writer.transport.abort()
            return
        without_delay(writer)
        terminal = _Terminal(place, Patience(self._settings.limits, must_sign_on=True))
        line = Line(
            reader,
            writer,
            self._settings.line,
            self._hsm,
            self._clock,
            handler=partial(self._handle, terminal),
            on_late=_forget,
            health=self.health,
            traffic=self.traffic,
            patience=terminal.patience,
        )
        self._lines.add(line)
        try:
            await line.run()
        finally:
            line.end("line broke")
            self._lines.discard(line)
            self._held.leave(place)

    async def _handle(self, terminal: _Terminal, request: Message) -> Message | None:
        if request.mti[1] == "8":
            return reply_to(request, self._manage(terminal, request.get(70)))
        if not terminal.patience.signed_on:
            return not_now(request, codes.INOPERATIVE)
        # Its MAC was right: a terminal of ours, which makes room for nobody.
        self._held.work(terminal.place)
        return await self._handler(request)

    def _manage(self, terminal: _Terminal, what: str) -> str:
        if what in (management.SIGN_ON, management.SIGN_OFF):
            terminal.patience.sign(on=what == management.SIGN_ON)
            return codes.APPROVED
        return codes.APPROVED if what == management.ECHO else codes.NOT_PERMITTED


def _forget(_answer: Message) -> None:
    """The bank asks its terminals nothing."""
