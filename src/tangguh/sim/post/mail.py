"""The mail server: SMTP with STARTTLS and a login, on a port that can really be shut.

Two operations can be struck by a fault: ``rcpt`` (a reader is named) and ``mail`` (the message is
handed over). A ``decline``'s case is the reply and its enhanced code: ``55011`` is "550 5.1.1".
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.listeners.connections import Connections, Place
from tangguh.listeners.tcp import LineLimits
from tangguh.sim.faults import AnyFault, Decline, DropReply, DropRequest, Faults, Garbage, Late
from tangguh.sim.post.books import MessageBooks, MessageRow, reference_of

MAIL: Final = "mail"
RCPT: Final = "rcpt"
_MAIL_BYTES_MAX: Final = 256 * 1024
_WORDS_MAX: Final = 20_000
_TITLE_MAX: Final = 500
_KEY_MAX: Final = 500
_ADDRESS_MAX: Final = 320
_LIMITS: Final = LineLimits()

# The library logs every reader's address at INFO, and at every login a warning about itself.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class _Line(SMTP):
    """One connection, known to its server while it lasts."""

    def __init__(
        self, handler: object, lines: set[_Line], held: Connections, **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self._lines = lines
        self._held = held
        self._place: Place | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self not in self._lines:  # the library says it again once TLS is up
            peer = transport.get_extra_info("peername")
            self._place = self._held.admit(peer[0] if peer else "", self.cut)
            self._lines.add(self)
        super().connection_made(transport)
        if self._place is None:
            self.cut()

    def connection_lost(self, error: Exception | None) -> None:
        self._lines.discard(self)
        if self._place is not None:
            self._held.leave(self._place)
        super().connection_lost(error)

    def cut(self) -> None:
        """End it without a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class MailHandler:
    """What is said to each mail: taken, refused, nothing. The names are the library's."""

    def __init__(self, books: MessageBooks, faults: Faults, clock: Clock) -> None:
        self._books = books
        self._faults = faults
        self._clock = clock

    async def handle_RCPT(  # noqa: N802 - the library looks for this name
        self, _line: _Line, _session: Session, envelope: Envelope, address: str, _more: list[str]
    ) -> str:
        """A reader is named."""
        if len(address) > _ADDRESS_MAX:
            return "553 5.1.3 no address"
        fault = self._faults.strike(RCPT, address, address)
        if isinstance(fault, Decline):
            return _no(fault)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - the library looks for this name
        self, line: _Line, _session: Session, envelope: Envelope
    ) -> str:
        """The message, once for each reader; the same Message-ID again is the same message."""
        content = envelope.content
        mail = message_from_bytes(
            content if isinstance(content, bytes) else b"",
            policy=policy.default,
        )
        try:
            rows = [self._row(mail, address) for address in envelope.rcpt_tos]
        except (LookupError, ValueError):
            return "554 5.6.0 no message with words"
        message_id = rows[0].key.partition(" ")[0]
        fault = self._faults.strike(MAIL, rows[0].recipient, message_id)
        match fault:
            case DropRequest(seconds=seconds):
                return await self._hang(line, seconds)
            case Decline():
                return _no(fault)
            case Late(seconds=seconds, carried_out="late"):
                await self._clock.sleep(seconds)
        taken = [self._books.take(row) for row in rows]
        if None in taken:
            return "554 5.6.0 this Message-ID was another message's"
        return await self._answer(line, fault, rows[0].reference)

    async def _answer(self, line: _Line, fault: AnyFault | None, reference: str) -> str:
        match fault:
            case DropReply(seconds=seconds):
                return await self._hang(line, seconds)
            case Late(seconds=seconds, carried_out="at_once"):
                await self._clock.sleep(seconds)
            case Garbage():
                return "what was that"
        return f"250 2.0.0 OK: kept as {reference}"

    async def _hang(self, line: _Line, seconds: float) -> str:
        await self._clock.sleep(seconds)
        line.cut()
        return "421 4.4.2 nobody hears this"

    def _row(self, mail: EmailMessage, address: str) -> MessageRow:
        """Raises LookupError or ValueError when it has no id, or no words that can be read."""
        message_id = str(mail["Message-ID"] or "").strip()
        plain = mail.get_body(("plain",))
        if not message_id or len(message_id) > _KEY_MAX or plain is None:
            raise ValueError("no id, or no words")
        key = f"{message_id} {address}"
        now = self._clock.now().isoformat()
        return MessageRow(
            via="email",
            key=key,
            reference=reference_of("email", key),
            recipient=address,
            sender=str(mail["From"] or "")[:_ADDRESS_MAX],
            title=str(mail["Subject"] or "")[:_TITLE_MAX],
            words="\n".join(str(plain.get_content()).strip().splitlines())[:_WORDS_MAX],
            # The reader's box is in this house: what is taken has arrived.
            state="arrived",
            taken_at=now,
            ended_at=now,
        )


class MailPort:
    """A listening SMTP port that keeps its number over closings."""

    def __init__(
        self,
        handler: MailHandler,
        *,
        host: str,
        port: int,
        login: tuple[str, str],
        tls: ssl.SSLContext,
    ) -> None:
        """``login``: user and password, asked for only on an encrypted line."""
        self._handler = handler
        self._host = host
        self._login = login
        self._tls = tls
        self._lines: set[_Line] = set()
        self._held = Connections(_LIMITS.as_listener)
        self._server: asyncio.Server | None = None
        self.port = port
        """The port; 0 until the first opening when any free one will do."""

    async def open(self) -> None:
        """Listen. Does nothing when it listens already. Raises OSError when the port is taken."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._line_in(loop), self._host, self.port, family=socket.AF_INET
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Close the port and cut every line."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for line in list(self._lines):
            line.cut()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while self._lines:
                    await asyncio.sleep(0)

    def _line_in(self, loop: asyncio.AbstractEventLoop) -> Callable[[], _Line]:
        return lambda: _Line(
            self._handler,
            self._lines,
            self._held,
            timeout=_LIMITS.frame_seconds * 3,
            hostname="post",
            ident="the post of a rehearsal",
            tls_context=self._tls,
            require_starttls=True,
            auth_required=True,
            authenticator=self._is_ours,
            data_size_limit=_MAIL_BYTES_MAX,
            loop=loop,
        )

    def _is_ours(
        self, _line: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any
    ) -> AuthResult:
        user, password = (text.encode() for text in self._login)
        is_right = (
            isinstance(given, LoginPassword)
            and hmac.compare_digest(given.login, user)
            and hmac.compare_digest(given.password, password)
        )
        return AuthResult(success=is_right, handled=False)


def tls_of(certificate_path: str, key_path: str) -> ssl.SSLContext:
    """The server's side of STARTTLS. Raises Misconfigured when the pair cannot be read."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        tls.load_cert_chain(certificate_path, key_path)
    except (OSError, ssl.SSLError) as fault:
        raise Misconfigured(f"post: no certificate with its key ({fault})") from fault
    return tls


def _no(fault: Decline) -> str:
    reply, subject, detail = fault.case[:3], fault.case[3], fault.case[4]
    return f"{reply} {reply[0]}.{subject}.{detail} declined"
