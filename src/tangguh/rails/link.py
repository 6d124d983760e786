"""One HTTP link to one partner, and the only judge of NotSent against Unanswered (ADR-0006).

The rule is one line: before a connection was in hand for this request nothing can have left, so it
is NotSent; from then on anything but a whole reply is Unanswered. A connection refused, a name that
does not resolve, a full pool are NotSent; a timeout, a reset, a cut or oversized reply are
Unanswered. When in doubt, Unanswered. The link never tries twice and follows no redirect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import aiohttp
import msgspec

from tangguh.core.clock import Clock
from tangguh.core.errors import ContractBroken, Misconfigured
from tangguh.core.outcome import NotSent, Unanswered

_LATENCY_WEIGHT: Final = 0.1
"""How much one answer moves the moving average: about the last ten answers count."""

_HEADERS: Final = {
    "Accept": "application/json",
    # A compressed reply would let 64 KiB on the wire grow to anything in memory.
    "Accept-Encoding": "identity",
    "User-Agent": "tangguh",
}


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one partner is reached. ``url`` is scheme, host and port only: paths are signed.

    ``connections_max`` is the bulkhead: a slow partner can hold this many exchanges and no more.
    ``waiting_max`` may queue for a connection, each for ``wait_timeout_seconds``.
    ``total_timeout_seconds`` bounds the whole exchange, waiting and reading included.
    """

    url: str
    connections_max: int = 32
    waiting_max: int = 64
    wait_timeout_seconds: float = 1.0
    connect_timeout_seconds: float = 2.0
    total_timeout_seconds: float = 10.0
    keepalive_seconds: float = 30.0
    reply_bytes_max: int = 64 * 1024


class Reply(msgspec.Struct, frozen=True):
    """A whole HTTP answer, whatever it says."""

    status: int
    body: bytes


class Health(msgspec.Struct):
    """Counts since the link was made. ``sent`` counts every request that may have left us.

    ``sent == answered + unanswered + under way``. ``latency_seconds`` is a moving average over
    answers only: an unanswered request has no latency, it has a count.
    """

    sent: int = 0
    answered: int = 0
    unanswered: int = 0
    not_sent: int = 0
    latency_seconds: float = 0.0


class ReplyTooLarge(ContractBroken):
    """The partner's reply is larger than any real one."""


def withheld(why: str) -> NotSent:
    """The outcome of a request that was never handed to a link, such as one without a token.

    It lives here so that this module stays the only place where NotSent is made.
    """
    return NotSent(why)


class Link:
    """Persistent connections to one partner. Make it anywhere; use it inside one event loop."""

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        """Raises Misconfigured when the address is not a plain http(s) origin."""
        self._origin = _origin(settings.url)
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._under_way = 0
        self.health = Health()

    async def exchange(
        self, method: Literal["GET", "POST"], path: str, headers: Mapping[str, str], body: bytes
    ) -> Reply | NotSent | Unanswered:
        """Send one request and wait for its whole reply. Raises nothing but CancelledError.

        ``path`` is written as it was signed: percent-encoding, if any, in its normal form.
        A cancelled exchange is counted by the same rule; its caller must take it as Unanswered.
        """
        if self._under_way >= self._settings.connections_max + self._settings.waiting_max:
            self.health.not_sent += 1
            return NotSent("link is full")
        attempt = _Attempt(self.health)
        started = self._clock.monotonic()
        self._under_way += 1
        try:
            async with asyncio.timeout(self._settings.total_timeout_seconds):
                reply = await self._ask(attempt, method, path, headers, body)
        except asyncio.CancelledError:
            outcome = attempt.judge("cancelled")
            if _cancelled():
                raise
            return outcome
        except Exception as error:
            # Whatever it was, foreseen or a bug, the question for the money is the same one.
            return attempt.judge(type(error).__name__)
        finally:
            self._under_way -= 1
        self._count_answer(self._clock.monotonic() - started)
        return reply

    async def close(self) -> None:
        """Let go of every connection. The link may be used again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(
        self, attempt: _Attempt, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if self._session is None:
            self._session = _open_session(self._settings)
        async with self._session.request(
            method,
            self._origin + path,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            trace_request_ctx=attempt,
        ) as response:
            content = await _read(response, self._settings.reply_bytes_max)
        return Reply(status=response.status, body=content)

    def _count_answer(self, seconds: float) -> None:
        health = self.health
        health.answered += 1
        if health.answered == 1:
            health.latency_seconds = seconds
        health.latency_seconds += _LATENCY_WEIGHT * (seconds - health.latency_seconds)


class _Attempt:
    """One request's evidence: was a connection in hand, so that bytes may have left?"""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._may_have_left = False

    def take_connection(self) -> None:
        if not self._may_have_left:
            self._may_have_left = True
            self._health.sent += 1

    def judge(self, why: str) -> NotSent | Unanswered:
        if self._may_have_left:
            self._health.unanswered += 1
            return Unanswered(why)
        self._health.not_sent += 1
        return NotSent(why)


def _cancelled() -> bool:
    """Whether this task was cancelled, or only its place in a pool that was closed meanwhile."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _connection_in_hand(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any
) -> None:
    """Told by aiohttp, before it writes the first byte, that this request has its connection."""
    context.trace_request_ctx.take_connection()


def _open_session(settings: LinkSettings) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_connection_in_hand)
    trace.on_connection_reuseconn.append(_connection_in_hand)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=settings.connections_max, keepalive_timeout=settings.keepalive_seconds
        ),
        timeout=aiohttp.ClientTimeout(
            total=None,
            connect=settings.wait_timeout_seconds + settings.connect_timeout_seconds,
            sock_connect=settings.connect_timeout_seconds,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        auto_decompress=False,
        trace_configs=[trace],
    )


async def _read(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > bytes_max:
            response.close()
            raise ReplyTooLarge
    return bytes(content)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Misconfigured("a link's url is http(s)://host[:port], without a user")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Misconfigured("a link's url has nothing after host and port: paths are signed")
    return f"{parts.scheme}://{parts.netloc}"
