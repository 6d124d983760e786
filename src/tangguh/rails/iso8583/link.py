"""The link to the switch: one long-lived connection, signed on, echoed, made again when it ends.

Before the switch has signed us on nothing is sent: NotSent. The peer's own requests come over the
same connection and go to the handler; network management is answered here.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.known import Tristate, known_as
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.core.supervision import Supervisor, beat
from tangguh.rails.iso8583 import codes, management
from tangguh.rails.iso8583.hsm import Hsm, KeptKeys
from tangguh.rails.iso8583.line import Handler, Line, LineSettings, OnLate, Traffic
from tangguh.rails.iso8583.message import Message, not_now, reply_to
from tangguh.rails.iso8583.trace import TraceNumbers
from tangguh.rails.link import Health

_JITTER_FLOOR: Final = 0.5

log = structlog.get_logger("tangguh.rails.iso8583")


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the switch is and how patient we are with it. Seconds throughout.

    ``institution`` is our own code, DE33 of network management.
    """

    host: str
    port: int
    institution: str
    line: LineSettings = LineSettings()
    connect_timeout_seconds: float = 5.0
    sign_on_timeout_seconds: float = 30.0
    echo_seconds: float = 120.0
    echo_timeout_seconds: float = 60.0
    backoff_first_seconds: float = 0.5
    backoff_max_seconds: float = 30.0


class Link:
    """Make it anywhere; ``open`` and use it inside one event loop. ``health`` counts questions."""

    def __init__(
        self,
        settings: LinkSettings,
        hsm: Hsm,
        clock: Clock,
        *,
        handler: Handler,
        on_late: OnLate,
        source: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._hsm = hsm
        self._clock = clock
        self._handler = handler
        self._on_late = on_late
        # Jitter is no secret.
        self._random = source if source is not None else random.Random()  # noqa: S311
        self.supervisor = Supervisor(clock)
        self._line: Line | None = None
        self._signed_on = asyncio.Event()
        self._attempts = 0
        self.numbers = TraceNumbers(clock, self._random)
        self.health = Health()
        self.traffic = Traffic()
        self.keys: KeptKeys | None = None
        """Where keys that the switch gives us are kept; None: they last as long as we do."""
        self.configured: dict[str, str] = {}
        """The check values of the keys that the settings gave, by name."""
        self.cut_overs = 0
        """How often the switch has begun a new settlement day (201)."""

    @property
    def is_signed_on(self) -> bool:
        """Whether a question would be sent now."""
        return self._signed_on.is_set()

    async def open(self) -> None:
        """Begin to connect, and go on until ``close``. Does not wait for the switch."""
        if not self.supervisor.state():
            self.supervisor.start("iso8583 link", self._keep)

    async def signed_on(self) -> None:
        """Wait until the switch has signed us on."""
        await self._signed_on.wait()

    async def ask(
        self, message: Message, timeout_seconds: float | None = None
    ) -> Message | NotSent | Unanswered:
        """One question over the connection of the moment."""
        line = self._line
        if line is None or not self._signed_on.is_set():
            self.health.not_sent += 1
            return NotSent("not connected" if line is None else "not signed on")
        return await line.ask(message, timeout_seconds)

    async def is_there(self) -> Tristate:
        """Whether the switch has signed us on and answers an echo now."""
        answer = await self.ask(self._request(management.ECHO))
        return known_as(management.approves(answer, management.ECHO))

    async def close(self) -> None:
        """Sign off, close, and wait for the peer's requests in hand."""
        line = self._line
        if line is not None and self._signed_on.is_set():
            line.tell(self._request(management.SIGN_OFF))
        await self.supervisor.stop()
        if line is not None:
            await line.settle()

    async def _keep(self) -> None:
        while True:
            beat()
            try:
                connection = await self._connect()
                if connection is not None:
                    await self._serve(*connection)
            except Exception as error:
                # A bug may end a line, never the link: nobody would make it again.
                self.traffic.why = type(error).__name__
                log.error("iso8583.link_broke", kind=self.traffic.why)  # noqa: TRY400
            await self._clock.sleep(self._pause_seconds())

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        settings = self._settings
        try:
            async with asyncio.timeout(settings.connect_timeout_seconds):
                reader, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError as error:
            self.traffic.why = type(error).__name__
            return None
        without_delay(writer)
        return reader, writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(
            reader,
            writer,
            self._settings.line,
            self._hsm,
            self._clock,
            handler=self._handle,
            on_late=self._on_late,
            health=self.health,
            traffic=self.traffic,
        )
        self._line = line
        reading = asyncio.create_task(line.run())
        session = asyncio.create_task(self._hold_session(line))
        try:
            await asyncio.wait({reading, session}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._signed_on.clear()
            self._line = None
            line.end("link closed")
            session.cancel()
            for end in await asyncio.gather(session, reading, return_exceptions=True):
                if isinstance(end, Exception):
                    log.error("iso8583.line_broke", kind=type(end).__name__)
        log.info("iso8583.line_ended", why=self.traffic.why)

    async def _hold_session(self, line: Line) -> None:
        """Sign on, then an echo at every interval; one that is not answered ends the line."""
        settings = self._settings
        sign_on = self._request(management.SIGN_ON)
        answer = await line.ask(sign_on, settings.sign_on_timeout_seconds)
        if not management.approves(answer, management.SIGN_ON):
            line.end("switch did not sign us on")
            return
        self._signed_on.set()
        self._attempts = 0
        while True:
            beat()
            await self._clock.sleep(settings.echo_seconds)
            echo = self._request(management.ECHO)
            answer = await line.ask(echo, settings.echo_timeout_seconds)
            if not management.approves(answer, management.ECHO):
                line.end("no echo")
                return

    async def _handle(self, request: Message) -> Message | None:
        if request.mti[1] == "8":
            code, more = await self._manage(request)
            return reply_to(request, code, more)
        if not self._signed_on.is_set():
            return not_now(request, codes.INOPERATIVE)
        return await self._handler(request)

    async def _manage(self, request: Message) -> tuple[str, dict[int, str]]:
        """Do what an 0800 asks. The response code, and what else is to be said."""
        what = request.get(70)
        if what == management.KEYS_ASKED:
            known = [
                f"{name}{self._hsm.key_check_value(key)}"
                for name, key in management.KEY_NAMES
                if key in self.configured
            ]
            return codes.APPROVED, {48: "".join(known)} if known else {}
        if what == management.KEY_CHANGE or (what == management.KEYS_IN_FORCE and request.get(48)):
            return await self._take_key(request), {}
        return self._signal(what), {}

    async def _take_key(self, request: Message) -> str:
        """Kept before it is in force, in force before it is acknowledged."""
        new = management.key_in(request)
        sealed = new and self._hsm.unwrap_key(new.key, new.wrapped, new.check_value)
        if new is None or not sealed:
            return codes.SECURITY
        if self.keys is not None:
            try:
                await self.keys.keep(new.key, sealed, self.configured.get(new.key, ""))
            except TangguhError as trouble:
                log.warning("iso8583.key_not_kept", key=new.key, why=str(trouble))
                return codes.MALFUNCTION
        return codes.APPROVED if self._hsm.use_key(new.key, sealed) else codes.SECURITY

    def _signal(self, what: str) -> str:
        match what:
            case management.ECHO:
                return codes.APPROVED
            case management.KEYS_IN_FORCE:
                self._hsm.end_window()
                return codes.APPROVED
            case management.SIGN_ON:
                self._signed_on.set()
                return codes.APPROVED
            case management.SIGN_OFF:
                self._signed_on.clear()
                return codes.APPROVED
            case management.CUT_OVER:
                self.cut_overs += 1
                return codes.APPROVED
            case _:
                return codes.NOT_PERMITTED

    def _request(self, what: str) -> Message:
        return management.request_for(what, self.numbers.next(), self._settings.institution)

    def _pause_seconds(self) -> float:
        settings = self._settings
        self._attempts += 1
        doubled = settings.backoff_first_seconds * float(2 ** min(self._attempts - 1, 16))
        whole = min(doubled, settings.backoff_max_seconds)
        return whole * (_JITTER_FLOOR + (1 - _JITTER_FLOOR) * self._random.random())


def without_delay(writer: asyncio.StreamWriter) -> None:
    """Send small messages at once (TCP_NODELAY)."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
