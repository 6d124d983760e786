"""The door for our own terminals: each ATM holds one connection and asks; the bank answers.

The same frames and lines as towards the switch, the other way round: here the terminal connects.
"""

from __future__ import annotations

import asyncio

import msgspec

from tangguh.core.clock import Clock
from tangguh.rails.iso8583 import codes, management
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.line import Handler, Line, LineSettings, Traffic
from tangguh.rails.iso8583.link import without_delay
from tangguh.rails.iso8583.message import Message, reply_to
from tangguh.rails.link import Health


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where terminals call; port 0 takes any free one. More than ``lines_max`` are hung up on."""

    host: str = "127.0.0.1"
    port: int = 0
    lines_max: int = 1024
    line: LineSettings = LineSettings()


class Door:
    """A listening port. ``handler`` gets every request but network management."""

    def __init__(self, settings: DoorSettings, hsm: Hsm, clock: Clock, *, handler: Handler) -> None:
        self._settings = settings
        self._hsm = hsm
        self._clock = clock
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._lines: set[Line] = set()
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
        if len(self._lines) >= self._settings.lines_max:
            writer.close()
            return
        without_delay(writer)
        line = Line(
            reader,
            writer,
            self._settings.line,
            self._hsm,
            self._clock,
            handler=self._handle,
            on_late=_forget,
            health=self.health,
            traffic=self.traffic,
        )
        self._lines.add(line)
        try:
            await line.run()
        finally:
            line.end("line broke")
            self._lines.discard(line)

    async def _handle(self, request: Message) -> Message | None:
        if request.mti[1] == "8":
            known = (management.SIGN_ON, management.SIGN_OFF, management.ECHO)
            allowed = request.get(70) in known
            return reply_to(request, codes.APPROVED if allowed else codes.NOT_PERMITTED)
        return await self._handler(request)


def _forget(_answer: Message) -> None:
    """The bank asks its terminals nothing."""
