"""One TCP line of this side: telegrams both ways, each answer to its question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from tangguh.core.clock import Clock
from tangguh.sim.cards.wire import NotATelegram, Telegram, frame, mac_fits, read, write

_HEADER_BYTES: Final = 2

OnRequest = Callable[["Channel", Telegram, bool], Coroutine[Any, Any, None]]
"""What to do with a request; the flag says whether its MAC was right."""


class Channel:
    """A connection. ``run`` reads it; answers go to who asked, requests to ``on_request``."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clock: Clock,
        *,
        mac_key: Callable[[], bytes | None],
        on_request: OnRequest,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._mac_key = mac_key
        self._on_request = on_request
        self._asked: dict[tuple[str, str, str], asyncio.Future[Telegram]] = {}
        self._writing = asyncio.Lock()
        self.working: set[asyncio.Task[None]] = set()
        self.signed_on = False
        self.ended = False
        self.macs_wrong = 0

    async def run(self) -> None:
        """Read until the line ends. Requests are worked on side by side."""
        with suppress(OSError, asyncio.IncompleteReadError, NotATelegram):
            while True:
                header = await self._reader.readexactly(_HEADER_BYTES)
                raw = await self._reader.readexactly(int.from_bytes(header, "big"))
                telegram = read(raw)
                fits = mac_fits(raw, telegram, self._mac_key())
                self.macs_wrong += not fits
                if telegram.asks:
                    task = asyncio.create_task(self._on_request(self, telegram, fits))
                    self.working.add(task)
                    task.add_done_callback(self.working.discard)
                elif fits:
                    self._deliver(telegram)
        self.cut()

    async def ask(self, telegram: Telegram, seconds: float) -> Telegram | None:
        """The answer; None when none came in time or the line ended."""
        key = _key(telegram)
        answer = self._asked[key] = asyncio.get_running_loop().create_future()
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await self.send(telegram)
            both: set[asyncio.Future[Any]] = {answer, timer}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return answer.result() if answer.done() and not answer.cancelled() else None
        except OSError:
            return None
        finally:
            timer.cancel()
            self._asked.pop(key, None)

    async def send(self, telegram: Telegram) -> None:
        """Write one telegram."""
        await self.send_bytes(frame(write(telegram, self._mac_key())))

    async def send_bytes(self, sent: bytes, seconds_per_byte: float = 0.0) -> None:
        """Write bytes as they are, whole or one by one. Raises OSError when the line is gone."""
        async with self._writing:
            if self._writer.is_closing():
                raise ConnectionResetError
            if not seconds_per_byte:
                self._writer.write(sent)
                await self._writer.drain()
                return
            for number in range(len(sent)):
                await self._clock.sleep(seconds_per_byte)
                self._writer.write(sent[number : number + 1])
                await self._writer.drain()

    def cut(self) -> None:
        """End the line as a machine that dies does; whoever asked gets nothing."""
        self.ended = True
        self._writer.transport.abort()
        for answer in self._asked.values():
            answer.cancel()

    def end(self) -> None:
        """Close in order: what was written still goes out."""
        self._writer.close()

    def _deliver(self, telegram: Telegram) -> None:
        answer = self._asked.get(_key(telegram))
        if answer is not None and not answer.done():
            answer.set_result(telegram)


def _key(telegram: Telegram) -> tuple[str, str, str]:
    family = telegram.mti[1] + str(int(telegram.mti[2]) // 2)
    return family, telegram.get(7), telegram.get(11)
