"""Real peers for notices: an SMTP server, and HTTP servers for SMS, webhooks and web push."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import http_ece
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving import served


class MailServer:
    """An SMTP server that keeps what it takes; ``answers`` are given first, one a try.

    An answer is a reply to RCPT (``rcpt 550 5.1.1 no``), to the message (``data 451 later``), or
    ``drop``: the message is read and the line is cut before a word about it. With ``from_the_start``
    lines are encrypted from their first byte (RFC 8314), without STARTTLS.
    """

    def __init__(self, *, from_the_start: ssl.SSLContext | None = None, **options: Any) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.was_encrypted: list[bool] = []
        self.port = 0
        self._options = options
        self._from_the_start = from_the_start

    async def __aenter__(self) -> MailServer:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(self, hostname="mail", authenticator=self.authenticate, **self._options),
            "127.0.0.1",
            0,
            ssl=self._from_the_start,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def authenticate(self, _s: SMTP, _se: Session, _e: Envelope, _m: str, auth: Any) -> AuthResult:
        assert isinstance(auth, LoginPassword)
        self.logins.append((auth.login, auth.password))
        return AuthResult(success=auth.password == b"right", handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers and self.answers[0].startswith("rcpt "):
            return self.answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else ""
        if answer.startswith("data "):
            return answer.removeprefix("data ")
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.was_encrypted.append(session.ssl is not None)
        if answer == "drop":
            assert server.transport is not None
            server.transport.abort()
        return "250 OK: kept as 1"


class HttpPeer:
    """An HTTP server that keeps every request; ``answers`` are given first, one a request.

    An answer is a status, or a pair of a status and a body, or of a status and headers.
    """

    def __init__(self, *, otherwise: Any = 200) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Any] = []
        self.otherwise = otherwise
        self.is_silent = False
        self.released = asyncio.Event()
        self.url = ""

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.requests]

    async def answer(self, request: Request) -> Response:
        self.requests.append((dict(request.headers), await request.body()))
        if self.is_silent:
            await self.released.wait()
        said = self.answers.pop(0) if self.answers else self.otherwise
        status, more = said if isinstance(said, tuple) else (said, None)
        if isinstance(more, dict) and "id" not in more:
            return Response(status_code=status, headers=more)
        return Response(json.dumps(more) if more else None, status_code=status)


@asynccontextmanager
async def http_peer(*, otherwise: Any = 200) -> AsyncIterator[HttpPeer]:
    peer = HttpPeer(otherwise=otherwise)
    async with served(Starlette(routes=[Route("/in", peer.answer, methods=["POST"])])) as url:
        peer.url = f"{url}/in"
        yield peer
        peer.released.set()


class Browser:
    """What a browser and its push service do: it decrypts, and judges who signed."""

    def __init__(self, peer: HttpPeer, name: str = "") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = b"sixteen bytes ok"
        self._peer = peer
        self._name = name

    @property
    def address(self) -> str:
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": _text(point), "auth": _text(self._secret)}
        return json.dumps({"endpoint": self._peer.url + self._name, "keys": keys})

    def read(self, number: int = -1) -> dict[str, Any]:
        """What it was told: decrypted with its own key."""
        _, body = self._peer.requests[number]
        plain = http_ece.decrypt(body, private_key=self._key, auth_secret=self._secret)
        found: dict[str, Any] = json.loads(plain)
        return found

    def signer(self, number: int = -1) -> tuple[bytes, dict[str, Any]]:
        """Whose signature it is (a verified public key), and what was signed."""
        headers, _ = self._peer.requests[number]
        assert Vapid02.verify(headers["authorization"])
        parts = dict(
            part.split("=", 1) for part in headers["authorization"].partition(" ")[2].split(",")
        )
        claims = json.loads(_bytes(parts["t"].split(".")[1]))
        return _bytes(parts["k"]), claims


def vapid_key() -> tuple[str, bytes]:
    """A key as settings hold it, and its public point."""
    key = ec.generate_private_key(ec.SECP256R1())
    number = key.private_numbers().private_value.to_bytes(32, "big")
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return _text(number), point


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of this machine's own, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, private)
    return pem, context


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
