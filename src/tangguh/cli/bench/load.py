"""A load generator of its own process: raw HTTP/1.1 over kept connections, as thin as Python can.

``python -m tangguh.cli.bench.load PLAN`` reads prepared requests (msgpack), sends them, and prints
what it saw. Closed loop: each connection sends its next request when the last is answered. Open
loop: requests go out on a fixed schedule, and a latency counts from the scheduled moment, so that
waiting behind a slow answer is not forgotten.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import msgspec
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Plan(msgspec.Struct):
    """What to send. ``per_second`` 0: closed loop. Requests are whole HTTP messages."""

    host: str
    port: int
    warm_seconds: float
    seconds: float
    per_second: float
    connections: list[list[bytes]]


class Seen(msgspec.Struct):
    """What came back within the measured time. Latencies in seconds; statuses counted."""

    seconds: float
    laps: list[float]
    statuses: dict[str, int]


class Line(asyncio.Protocol):
    """One connection. ``ask`` sends a request and gives its status."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        buffer = self._buffer + data if self._buffer else data
        head_end = buffer.find(_HEAD_END)
        if head_end < 0:
            self._buffer = buffer
            return
        at = buffer.find(_LENGTH, 0, head_end)
        length = int(buffer[at + len(_LENGTH) : buffer.find(b"\r", at)]) if at >= 0 else 0
        if len(buffer) < head_end + len(_HEAD_END) + length:
            self._buffer = buffer
            return
        self._buffer = b""
        self._answer(int(buffer[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """A request without an answer has status 0."""
        self._answer(0)

    async def ask(self, request: bytes) -> int:
        """Send one request; its status, 0 when the line broke."""
        if self._transport is None or self._transport.is_closing():
            return 0
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def _answer(self, status: int) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(status)


async def run(plan: Plan) -> Seen:
    """Send everything that fits into the time."""
    loop = asyncio.get_running_loop()
    lines: list[Line] = []
    for _ in plan.connections:
        _, line = await loop.create_connection(Line, plan.host, plan.port)
        lines.append(line)
    measured_from = perf_counter() + plan.warm_seconds
    until = measured_from + plan.seconds
    seen = Seen(plan.seconds, [], {})
    send = _paced if plan.per_second else _closed
    await asyncio.gather(
        *(
            send(line, requests, plan, number, measured_from, until, seen)
            for number, (line, requests) in enumerate(zip(lines, plan.connections, strict=True))
        )
    )
    return seen


async def _closed(
    line: Line,
    requests: list[bytes],
    _: Plan,
    __: int,
    measured_from: float,
    until: float,
    seen: Seen,
) -> None:
    for request in requests:
        began = perf_counter()
        if began >= until:
            return
        status = await line.ask(request)
        ended = perf_counter()
        if measured_from <= ended < until:
            _count(seen, status, ended - began)


async def _paced(
    line: Line,
    requests: list[bytes],
    plan: Plan,
    number: int,
    measured_from: float,
    until: float,
    seen: Seen,
) -> None:
    every = len(plan.connections) / plan.per_second
    due = measured_from - plan.warm_seconds + every * number / len(plan.connections)
    for request in requests:
        if due >= until:
            return
        wait = due - perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        status = await line.ask(request)
        if due >= measured_from:
            _count(seen, status, perf_counter() - due)
        due += every


def _count(seen: Seen, status: int, lap: float) -> None:
    seen.laps.append(lap)
    key = str(status)
    seen.statuses[key] = seen.statuses.get(key, 0) + 1


def main(path: str) -> None:
    """Run a plan and print what was seen."""
    plan = msgspec.msgpack.decode(Path(path).read_bytes(), type=Plan)
    seen: Any = uvloop.run(run(plan))
    sys.stdout.write(msgspec.json.encode(seen).decode())


if __name__ == "__main__":
    main(sys.argv[1])
