"""The one judgement that moves money: did anything leave us? Against raw TCP partners."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import pytest

from tangguh.core.clock import HandClock, SystemClock
from tangguh.core.errors import Misconfigured
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.rails.link import Link, LinkSettings, Reply, withheld

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Partner:
    """A TCP server that counts requests and answers each with what the test says."""

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.url = ""
        self.heard = asyncio.Event()
        self.lines: list[asyncio.Task[None]] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, give the next answer; None cuts the line, no answer left waits."""
        line = asyncio.current_task()
        assert line is not None
        self.lines.append(line)
        try:
            while await self._hear(reader):
                if not self._answers:
                    await reader.read()
                    break
                answer = self._answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        length = next(
            (
                int(line[16:])
                for line in head.split(b"\r\n")
                if line.startswith(b"Content-Length: ")
            ),
            0,
        )
        self.requests.append(head + await reader.readexactly(length))
        self.heard.set()
        return True


def listening(*answers: bytes | None) -> AbstractAsyncContextManager[Partner]:
    """A partner on a free port."""
    return serving(Partner(*answers))


@asynccontextmanager
async def serving(partner: Partner) -> AsyncIterator[Partner]:
    """A given partner on a free port, until its last line has ended."""
    server = await asyncio.start_server(partner.talk, "127.0.0.1", 0)
    partner.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield partner
    finally:
        server.close()
        await asyncio.gather(*partner.lines, return_exceptions=True)


@asynccontextmanager
async def linked(url: str, **changes: float) -> AsyncIterator[Link]:
    """A link with these settings changed."""
    link = Link(LinkSettings(url=url, **changes), SystemClock())
    try:
        yield link
    finally:
        await link.close()


async def ask(link: Link) -> Reply | NotSent | Unanswered:
    return await link.exchange("POST", "/pay", {"X-A": "b"}, b'{"pay":1}')


async def closed_port() -> str:
    """An address where nobody listens."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_whole_reply() -> None:
    """Status and body come back as they are, and the body went out as it was given."""
    async with listening(OK) as partner, linked(partner.url) as link:
        assert await ask(link) == Reply(200, b"hi")
        assert partner.requests[0].startswith(b"POST /pay HTTP/1.1\r\n")
        assert partner.requests[0].endswith(b'\r\n\r\n{"pay":1}')
        assert link.health.sent == link.health.answered == 1


async def test_connection_is_kept() -> None:
    """The second request travels on the first one's connection."""
    async with listening(OK, OK) as partner, linked(partner.url) as link:
        assert await ask(link) == await ask(link)
        assert len(partner.lines) == 1


async def test_refused_is_not_sent() -> None:
    """A closed port took nothing."""
    async with linked(await closed_port()) as link:
        assert isinstance(await ask(link), NotSent)
        assert (link.health.sent, link.health.not_sent) == (0, 1)


async def test_unknown_name_is_not_sent() -> None:
    """A name that does not resolve took nothing."""
    async with linked("http://no-such-host.invalid:1") as link:
        assert isinstance(await ask(link), NotSent)


async def test_connect_time_out_is_not_sent() -> None:
    """A handshake that does not end took nothing: the backlog is full and nobody accepts."""
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(0)
    address = deaf.getsockname()
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(address)
    async with linked(f"http://127.0.0.1:{address[1]}", connect_timeout_seconds=0.05) as link:
        assert isinstance(await ask(link), NotSent)
    for each in (*fillers, deaf):
        each.close()


async def test_full_pool_is_not_sent() -> None:
    """Waiting too long for a connection of the pool sends nothing."""
    async with listening() as partner:
        async with linked(
            partner.url,
            connections_max=1,
            wait_timeout_seconds=0.03,
            connect_timeout_seconds=0.02,
        ) as link:
            first = asyncio.create_task(ask(link))
            await partner.heard.wait()
            assert isinstance(await ask(link), NotSent)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        assert len(partner.requests) == 1


async def test_full_queue_is_not_sent_at_once() -> None:
    """Beyond connections and queue nobody waits."""
    async with listening() as partner:
        async with linked(partner.url, connections_max=1, waiting_max=0) as link:
            first = asyncio.create_task(ask(link))
            await partner.heard.wait()
            assert await ask(link) == NotSent("link is full")
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


async def test_no_reply_in_time_is_unanswered() -> None:
    """A partner that keeps silent may have carried it out."""
    async with listening() as partner, linked(partner.url, total_timeout_seconds=0.1) as link:
        assert await ask(link) == Unanswered("TimeoutError")
        assert (link.health.sent, link.health.unanswered) == (1, 1)


async def test_dripping_reply_is_unanswered() -> None:
    """A reply that comes too slowly is cut off by the total time, however lively it is."""
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{"
    async with listening(part) as partner:
        async with linked(partner.url, total_timeout_seconds=0.1) as link:
            assert isinstance(await ask(link), Unanswered)


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nff\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
        b"HTTP/9.9 what\r\nConnection: close\r\n\r\n",
        b"220 smtp.example ESMTP\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\nConnection: close\r\n\r\n",
    ],
    ids=["cut", "short", "chunk_cut", "chunk_bad", "oversized", "version", "not_http", "header"],
)
async def test_broken_reply_is_unanswered(reply: bytes | None) -> None:
    """Anything but a whole reply says nothing about the money. It is asked only once."""
    async with listening(reply, OK) as partner, linked(partner.url) as link:
        assert isinstance(await ask(link), Unanswered)
        assert len(partner.requests) == 1


async def test_oversized_without_length() -> None:
    """The cap holds for replies that do not say how long they are."""
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 70_000
    async with listening(endless) as partner, linked(partner.url) as link:
        assert await ask(link) == Unanswered("ReplyTooLarge")


async def test_line_dead_before_the_second_request() -> None:
    """A kept connection that dies under a request is not tried again behind our back."""
    async with listening(OK, None, OK) as partner, linked(partner.url) as link:
        assert isinstance(await ask(link), Reply)
        assert isinstance(await ask(link), Unanswered)
        assert len(partner.requests) == 2


async def test_redirect_is_not_followed() -> None:
    """A redirect is an answer like any other; the request does not travel on."""
    elsewhere = b"HTTP/1.1 307 X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    async with listening(elsewhere, OK) as partner, linked(partner.url) as link:
        assert await ask(link) == Reply(307, b"")
        assert len(partner.requests) == 1


async def test_cancelled_is_counted_and_raised() -> None:
    """Cancellation goes on to whoever cancelled; the count says that it may have left."""
    async with listening() as partner, linked(partner.url) as link:
        asking = asyncio.create_task(ask(link))
        await partner.heard.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (link.health.sent, link.health.unanswered) == (1, 1)


async def test_closed_while_waiting() -> None:
    """Closing the link ends what is under way with an outcome, not with an exception."""
    async with listening() as partner:
        async with linked(partner.url, connections_max=1) as link:
            asking = asyncio.create_task(ask(link))
            await partner.heard.wait()
            waiting = asyncio.create_task(ask(link))
            await asyncio.sleep(0)
            await link.close()
            assert isinstance(await asking, Unanswered)
            assert isinstance(await waiting, NotSent)


async def test_latency_is_a_moving_average() -> None:
    """The first answer sets the average, later ones move it a tenth of the way."""
    clock = HandClock(datetime(2025, 3, 29, tzinfo=UTC))

    class SlowPartner(Partner):
        async def _hear(self, reader: asyncio.StreamReader) -> bool:
            heard = await super()._hear(reader)
            clock.advance(float(len(self.requests)))
            return heard

    async with serving(SlowPartner(OK, OK)) as partner:
        link = Link(LinkSettings(url=partner.url), clock)
        await ask(link)
        assert link.health.latency_seconds == pytest.approx(1.0)
        await ask(link)
        assert link.health.latency_seconds == pytest.approx(1.1)
        await link.close()


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "http://", "http://a/path", "http://a?q", "http://user@a", "a:80"]
)
def test_only_an_origin_is_an_address(url: str) -> None:
    """Paths are signed, so the address must not bring one of its own."""
    with pytest.raises(Misconfigured):
        Link(LinkSettings(url=url), SystemClock())


def test_withheld_is_not_sent() -> None:
    """What was never handed to a link did not leave."""
    assert withheld("no token") == NotSent("no token")
