"""HTTP out of the bank to addresses that strangers gave: no redirects, no private networks.

Whoever gives us an address (a webhook, a browser's push endpoint) must not make the bank call
itself. The name is resolved once, every address it has is judged, and the connection goes to what
was judged, so that a name which answers differently the second time gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from tangguh.notices.channels.channel import Later, Rejected

_REPLY_BYTES_MAX: Final = 64 * 1024
_CONNECT_SECONDS: Final = 5.0
_EMBEDDED: Final = tuple(
    ipaddress.ip_network(block) for block in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)
"""Networks whose addresses hold an IPv4 address and lead to it: NAT64 and 6to4."""
_LATER: Final = frozenset({408, 425, 429})


class Answer(msgspec.Struct, frozen=True):
    """A whole HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_taken(self) -> bool:
        """Whether it says yes."""
        return 200 <= self.status < 300

    @property
    def is_later(self) -> bool:
        """Whether it says that another time may do."""
        return self.status >= 500 or self.status in _LATER

    def later(self) -> Later:
        """The answer as a put-off, with the pause it asks for."""
        asked = self.headers.get("Retry-After", "")
        return Later(f"HTTP {self.status}", float(asked) if asked.isdecimal() else None)


class _Forbidden(OSError):
    """The address leads to where strangers may not send us."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_multicast or not found.is_global:
        return False
    return not any(found in block for block in _EMBEDDED if block.version == found.version)


class _Judging(AbstractResolver):
    """Resolves a name and refuses it when any of its addresses is not public."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise _Forbidden("the name leads to a private address")
        return found

    async def close(self) -> None:
        await self._resolver.close()


class Outlet:
    """Posts bodies to addresses. ``is_trusted``: ours to choose, so any network will do."""

    def __init__(self, *, timeout_seconds: float, connections_max: int, is_trusted: bool) -> None:
        self._timeout_seconds = timeout_seconds
        self._connections_max = connections_max
        self._is_trusted = is_trusted
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answer | Later | Rejected:
        """Send one body and wait for the whole answer, within the time there is."""
        if not self._is_trusted and (why := _forbidden(url)):
            return Rejected(why)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._ask(url, headers, body)
        except TimeoutError:
            return Later("no answer in time")
        except (aiohttp.InvalidURL, ValueError):
            return Rejected("no address to call")
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, _Forbidden) or isinstance(error.__cause__, _Forbidden):
                return Rejected("the name leads to a private address")
            return Later(f"no answer ({type(error).__name__})")

    async def close(self) -> None:
        """Let go of every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer | Later:
        if self._session is None:
            self._session = self._open()
        async with self._session.post(
            url, headers=headers, data=body, allow_redirects=False
        ) as response:
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > _REPLY_BYTES_MAX:
                    response.close()
                    return Later("an answer without end")
            return Answer(response.status, response.headers, bytes(content))

    def _open(self) -> aiohttp.ClientSession:
        options: dict[str, Any] = {} if self._is_trusted else {"resolver": _Judging()}
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections_max, **options),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "tangguh", "Accept-Encoding": "identity"},
            auto_decompress=False,
        )


def _forbidden(url: str) -> str:
    """Why an address may not be called, as far as it can be seen without resolving its name."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "no address to call"
    if parts.scheme != "https":
        return "only https"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ""
    return "" if is_public(host) else "a private address"
