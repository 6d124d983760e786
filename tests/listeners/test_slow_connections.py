"""Connections that are held for nothing: each is cut, and a request beside them is answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tangguh.listeners.entry import Entry, Limits
from tangguh.listeners.http import configured
from tangguh.listeners.limits import Limit, ListenerSettings, limited

QUICK = ListenerSettings(
    head_seconds=0.15,
    idle_seconds=0.15,
    head_bytes_max=2048,
    headers_max=20,
    connections_max=30,
    connections_per_source_max=10,
)
SECONDS = 3.0


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _unread(_: Request) -> Response:
    return PlainTextResponse("no", 401)


async def _stuck(_: Request) -> Response:
    await asyncio.Event().wait()
    return PlainTextResponse("never")


@asynccontextmanager
async def served(settings: ListenerSettings = QUICK) -> AsyncIterator[int]:
    """A small application behind the bank's own entry, on a port."""

    class Brief(Limit, frozen=True):
        @property
        def body_seconds(self) -> float:
            return 0.2

    brief = Brief(body_bytes_max=10_000, seconds=0.3)
    routes = [
        limited(Route("/echo", _echo, methods=["POST"]), brief),
        limited(Route("/unread", _unread, methods=["POST"]), brief),
        limited(Route("/stuck", _stuck), brief),
    ]
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = configured(
        Entry(Starlette(routes=routes), limits=Limits(routes, brief)),
        settings,
        log_level="critical",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0)
    yield listening.getsockname()[1]
    server.should_exit = True
    server.force_exit = True
    await serving
    listening.close()


async def told(port: int, *pieces: bytes, endless: bytes = b"") -> bytes:
    """Everything said until the server ends it. Raises TimeoutError when it never does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def pour() -> None:
        with contextlib.suppress(OSError):
            for piece in pieces:
                writer.write(piece)
            while endless:
                writer.write(endless)
                await writer.drain()
                await asyncio.sleep(0.01)

    pouring = asyncio.create_task(pour())
    try:
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(ConnectionError):
                return await reader.read(-1)
            return b""
    finally:
        pouring.cancel()
        writer.close()


def post(path: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"POST /" + path + b" HTTP/1.1", b"Host: x", *headers, b"", b""])


HELD = {
    "says nothing": (b"", b""),
    "half a head": (b"POST /echo HTTP/1.1\r\nHost: x\r\nX-A", b""),
    "a head without end": (b"POST /echo HTTP/1.1\r\n", b"X-A: b\r\n"),
    "a head larger than any": (b"GET /stuck HTTP/1.1\r\nX-A: " + b"a" * 3000, b""),
    "a whole head larger than any": (post(b"echo", b"X-A: " + b"a" * 3000), b""),
    "too many headers": (post(b"echo", *[b"X-%d: 1" % n for n in range(30)]), b""),
    "half a body": (post(b"echo", b"Content-Length: 100") + b"half", b""),
    "a body byte by byte": (post(b"echo", b"Content-Length: 9000"), b"b"),
    "an endless body": (post(b"echo", b"Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
    "a body nobody reads": (post(b"unread", b"Content-Length: 9999"), b"b"),
    "an answer that never comes": (b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    "a thousand requests at once": (post(b"echo", b"Content-Length: 0") * 1000, b""),
}


@pytest.mark.parametrize("name", HELD)
async def test_a_connection_held_for_nothing_ends(name: str) -> None:
    """Whatever is late, half or without end is cut within its time."""
    begun, endless = HELD[name]
    async with served() as port:
        said = await told(port, begun, endless=endless)
    assert b"200 OK" not in said or name == "a thousand requests at once", said[:200]


async def test_an_honest_request_is_answered_and_its_connection_kept() -> None:
    """Two requests over one connection, then it rests and is let go."""
    one = post(b"echo", b"Content-Length: 5") + b"hello"
    async with served() as port:
        said = await told(port, one, one)
    assert said.count(b"200 OK") == 2


async def test_a_body_refused_unread_leaves_the_connection_usable() -> None:
    """Who sends their body to the end may ask again over the same connection."""
    refused = post(b"unread", b"Content-Length: 9000") + b"b" * 9000
    async with served() as port:
        said = await told(port, refused, post(b"echo", b"Content-Length: 2") + b"ok")
    assert b"401" in said
    assert b"200 OK" in said


async def test_a_declared_body_that_is_too_large_is_refused_unread() -> None:
    """The head alone gets the answer."""
    async with served() as port:
        said = await told(port, post(b"echo", b"Content-Length: 999999999"))
    assert b" 413 " in said


async def test_idle_connections_of_one_source_make_room_for_its_next() -> None:
    """Two hundred half-sent heads, and the next request is answered."""
    async with served(ListenerSettings(connections_per_source_max=10)) as port:
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in lines:
            writer.write(b"POST /echo HTTP/1.1\r\nHost")
        answer = asyncio.create_task(
            told(port, post(b"echo", b"Content-Length: 2", b"Connection: close") + b"ok")
        )
        assert b"200 OK" in await answer
        ended = [asyncio.ensure_future(reader.read(1)) for reader, _ in lines]
        done, waiting = await asyncio.wait(ended, timeout=1.0)
        assert len(waiting) < 10 <= 190 <= len(done)
        assert not any(line.exception() is None and line.result() for line in done)
        for line in waiting:
            line.cancel()
        for _, writer in lines:
            writer.close()
