"""A stretch of wire between a rail and its network: it remembers bytes and can change them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

_CHUNK_BYTES = 64 * 1024
_ANSWER_SECONDS = 2.0


class Wire:
    """Listens on ``port`` and passes everything on. ``spoil`` turns some answers' bytes."""

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._sent: list[bytearray] = []
        self._spoils: tuple[bytes, bytes] | None = None
        self.spoiled = 0

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def spoil(self, these: bytes, those: bytes) -> None:
        """From now on answers say ``those`` where the network said ``these``."""
        assert len(these) == len(those), "an answer keeps its length"
        self._spoils = (these, those)

    async def replay(self, marker: bytes) -> bytes:
        """Send every connection's bytes again, as they were; the answers, once one says marker."""
        answers = bytearray()
        for stream in [bytes(one) for one in self._sent]:
            reader, writer = await asyncio.open_connection(*self._far)
            writer.write(stream)
            with suppress(TimeoutError, OSError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    while marker not in answers:
                        more = await reader.read(_CHUNK_BYTES)
                        if not more:
                            break
                        answers += more
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return bytes(answers)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._far)
        self._writers += [writer, far_writer]
        sent = bytearray()
        self._sent.append(sent)
        for work in (self._there(reader, far_writer, sent), self._back(far_reader, writer)):
            task = asyncio.ensure_future(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _there(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytearray
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                sent += chunk
                writer.write(chunk)
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if self._spoils is not None and self._spoils[0] in chunk:
                    self.spoiled += 1
                    chunk = chunk.replace(*self._spoils)
                writer.write(chunk)
        writer.close()
