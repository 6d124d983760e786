"""One connection that carries questions and answers both ways at once, and judges NotSent.

The rule of ``rails.link`` holds here too: until a message was handed to the transport nothing can
have left, so it is NotSent; from then on anything but its answer is Unanswered. Many questions are
in flight; answers find theirs by ``trace.key_of``. A message that cannot be read costs itself: it
is answered with a format error, or dropped, and its neighbours go on. Only what cannot be cut into
frames ends the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.listeners.tcp import LineLimits, Patience
from tangguh.rails.iso8583 import codes
from tangguh.rails.iso8583.fields import ASCII, Dialect
from tangguh.rails.iso8583.framing.frames import (
    FrameBroken,
    Frames,
    answering,
    framed,
    taken_apart,
)
from tangguh.rails.iso8583.framing.presets import Framing, framing_of
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.message import (
    FRAME_BYTES_MAX,
    Malformed,
    Message,
    decode,
    encode,
    format_error,
    mac_field_of,
    not_now,
    reply_to,
    without_mac,
)
from tangguh.rails.iso8583.required import judge
from tangguh.rails.iso8583.trace import MatchKey, agrees, key_of
from tangguh.rails.link import Health

_READ_BYTES: Final = 64 * 1024
_LATENCY_WEIGHT: Final = 0.1
_MAC_PLACE: Final = "0" * 16
_MANAGEMENT: Final = "8"
_OUR_OWN: Final = LineLimits(idle_seconds=86_400.0)
"""A line that we made ourselves: its echoes say whether it lives."""

Handler = Callable[[Message], Awaitable[Message | None]]
"""What is done with a peer's request. None: no answer, as if it had not come."""
OnLate = Callable[[Message], None]
"""Told of answers nobody waits for any more."""

log = structlog.get_logger("tangguh.rails.iso8583")


class LineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``in_flight_max`` bounds our own questions, ``handling_max`` the peer's in hand at once.

    ``framing``: the name of a preset, or its parts (``framing.presets``). ``mac_key``: the name of
    the key of DE64/128 on all but network management; empty: no MACs.
    """

    dialect: Dialect = ASCII
    framing: str | Framing = "plain"
    frame_bytes_max: int = FRAME_BYTES_MAX
    in_flight_max: int = 64
    handling_max: int = 64
    reply_timeout_seconds: float = 30.0
    mac_key: str = ""


class Traffic(msgspec.Struct):
    """Counts beside ``Health``: requests of the peer, and what was wrong with what came.

    ``late`` are answers nobody waited for; ``turned_away`` requests that came while too many were
    in hand; ``ended`` lines that ended, ``why`` the last one did.
    """

    received: int = 0
    late: int = 0
    mac_wrong: int = 0
    malformed: int = 0
    handler_failed: int = 0
    turned_away: int = 0
    ended: int = 0
    why: str = ""


class _Waiting:
    """A question in flight and where its answer goes."""

    def __init__(self, question: Message, loop: asyncio.AbstractEventLoop) -> None:
        self.question = question
        self.why = "no answer in time"
        self.answer: asyncio.Future[Message | Unanswered] = loop.create_future()

    def resolve(self, answer: Message | Unanswered) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class Line:
    """One connection. ``run`` reads it until it ends; ``ask`` may be called meanwhile."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        settings: LineSettings,
        hsm: Hsm,
        clock: Clock,
        *,
        handler: Handler,
        on_late: OnLate,
        health: Health,
        traffic: Traffic,
        patience: Patience | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._settings = settings
        self._framing = framing_of(settings.framing)
        self._hsm = hsm
        self._clock = clock
        self._handler = handler
        self._on_late = on_late
        self._health = health
        self._traffic = traffic
        self._patience = patience or Patience(_OUR_OWN, must_sign_on=False)
        self._waiting: dict[MatchKey, _Waiting] = {}
        self._handling: set[asyncio.Task[None]] = set()
        self._ended = ""
        self._loop = asyncio.get_running_loop()

    async def ask(
        self, message: Message, timeout_seconds: float | None = None
    ) -> Message | NotSent | Unanswered:
        """One question and its answer. Raises nothing but CancelledError."""
        key = key_of(message)
        raw = self._why_not(key) or self._in_order(message)
        if isinstance(raw, str):
            self._health.not_sent += 1
            return NotSent(raw)
        waiting = self._waiting[key] = _Waiting(message, self._loop)
        started = self._clock.monotonic()
        self._health.sent += 1
        try:
            self._writer.write(framed(raw, self._framing))
            answer = await self._in_time(waiting, timeout_seconds)
        except asyncio.CancelledError:
            self._health.unanswered += 1
            raise
        finally:
            del self._waiting[key]
        if isinstance(answer, Message):
            self._count_answer(self._clock.monotonic() - started)
        else:
            self._health.unanswered += 1
        return answer

    def tell(self, message: Message) -> None:
        """Write a message whose answer nobody waits for."""
        raw = self._written(message)
        if not isinstance(raw, Malformed) and not self._writer.is_closing():
            self._writer.write(framed(raw, self._framing))

    async def run(self) -> str:
        """Read until the line ends. Returns why it did."""
        frames = Frames(self._settings.frame_bytes_max, self._framing)
        try:
            while received := await self._patience.read(
                self._reader, _READ_BYTES, in_frame=frames.is_cut
            ):
                skipped = frames.skipped
                for frame in frames.feed(received):
                    self._patience.frame_ended()
                    await self._take_safely(frame)
                self._traffic.malformed += frames.skipped - skipped
            closed = "closed in the middle of a message" if frames.is_cut else "closed by the peer"
            why = self._patience.late or closed
        except FrameBroken as error:
            self._traffic.malformed += 1
            why = str(error)
        except OSError as error:
            why = type(error).__name__
        self.end(why)
        return self._ended

    def end(self, why: str) -> None:
        """Close; whoever waits is Unanswered. The first reason given is the one kept."""
        if self._ended:
            return
        self._ended = why
        self._traffic.ended += 1
        self._traffic.why = why
        self._writer.close()
        for waiting in self._waiting.values():
            waiting.resolve(Unanswered(f"line ended: {why}"))

    async def settle(self) -> None:
        """Wait for the peer's requests in hand: what was begun with money is ended."""
        if self._handling:
            await asyncio.gather(*self._handling, return_exceptions=True)

    def _why_not(self, key: MatchKey) -> str:
        if self._ended or self._writer.is_closing():
            return "line is closed"
        if len(self._waiting) >= self._settings.in_flight_max:
            return "link is full"
        return "a message of the same trace is in flight" if key in self._waiting else ""

    def _in_order(self, message: Message) -> bytes | str:
        """The bytes to be sent, or why there are none."""
        try:
            raw = self._written(message)
        except Exception as error:
            # The security module, perhaps; whatever it was, nothing has left.
            return f"message could not be made: {type(error).__name__}"
        return f"message is not in order: {raw.why}" if isinstance(raw, Malformed) else raw

    async def _in_time(
        self, waiting: _Waiting, timeout_seconds: float | None
    ) -> Message | Unanswered:
        seconds = timeout_seconds or self._settings.reply_timeout_seconds
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            both: set[asyncio.Future[Any]] = {waiting.answer, timer}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return waiting.answer.result() if waiting.answer.done() else Unanswered(waiting.why)

    async def _take_safely(self, frame: bytes) -> None:
        """Whatever one frame does, the next one is read."""
        try:
            await self._take(frame)
        except Exception as error:
            self._traffic.malformed += 1
            kind = type(error).__name__
            log.error("iso8583.frame_failed", kind=kind)  # noqa: TRY400  its lines may hold a card

    async def _take(self, frame: bytes) -> None:
        parts = taken_apart(frame, self._framing)
        if parts is None:
            await self._patience.pace()
            self._drop("header", "not_there")
            return
        header, body = answering(parts[0], self._framing), parts[1]
        message = decode(body, self._settings.dialect)
        if isinstance(message, Malformed):
            await self._patience.pace()
            self._drop(message.findings[0].field, message.findings[0].rule)
            if answer := format_error(message):
                await self._answer(answer, header)
            return
        mac_right = self._mac_right(message, body)
        self._traffic.mac_wrong += not mac_right
        if not mac_right or message.mti[1] == _MANAGEMENT:
            await self._patience.pace()
        if not message.is_request:
            self._deliver(message, mac_right=mac_right)
            return
        self._traffic.received += 1
        if not mac_right:
            # Of something that happened it may be true all the same: unanswered, it comes again.
            if answer := not_now(message, codes.SECURITY):
                await self._answer(answer, header)
        elif missing := judge(message):
            self._drop(missing[0].field, missing[0].rule)
            await self._answer(reply_to(message, codes.FORMAT_ERROR), header)
        elif len(self._handling) >= self._settings.handling_max:
            await self._turn_away(message, header)
        else:
            task = self._loop.create_task(self._handle(message, header))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    def _drop(self, field: str, rule: str) -> None:
        self._traffic.malformed += 1
        if (count := self._traffic.malformed).bit_count() == 1:
            # At 1, 2, 4, 8 ...: a peer that sends nothing else must not fill the log.
            log.warning("iso8583.not_a_message", field=field, rule=rule, count=count)

    async def _turn_away(self, message: Message, header: bytes) -> None:
        """Reading goes on, since our own answers come the same way. A request is told that we are
        inoperative; an advice or a reversal is not answered, so that it comes again. Management is
        answered all the same, but nothing more is read before its answer is.
        """
        if message.mti[1] == _MANAGEMENT:
            await self._handle(message, header)
            return
        self._traffic.turned_away += 1
        if answer := not_now(message, codes.INOPERATIVE):
            await self._answer(answer, header)

    def _deliver(self, answer: Message, *, mac_right: bool) -> None:
        waiting = self._waiting.get(key_of(answer))
        if waiting is None or waiting.answer.done():
            if mac_right:
                self._traffic.late += 1
                self._on_late(answer)
        elif not mac_right:
            # Whoever wrote it, it is not the answer: the true one may still come.
            waiting.why = "answer has a wrong MAC"
        elif not agrees(waiting.question, answer):
            waiting.resolve(Unanswered("answer speaks of another payment"))
        elif missing := judge(answer):
            waiting.resolve(Unanswered(f"answer lacks field {missing[0].field}"))
        else:
            waiting.resolve(answer)

    async def _handle(self, request: Message, header: bytes) -> None:
        try:
            answer = await self._handler(request)
        except Exception as error:
            # No answer is the honest one: the peer will reverse, and that finds the truth.
            self._traffic.handler_failed += 1
            # Without the trace, whose lines may hold a card.
            kind = type(error).__name__
            log.error("iso8583.request_failed", mti=request.mti, kind=kind)  # noqa: TRY400
        else:
            if answer is not None:
                await self._answer(answer, header)

    async def _answer(self, answer: Message, header: bytes) -> None:
        raw = self._written(answer)
        if isinstance(raw, Malformed):
            self._traffic.handler_failed += 1
            log.error("iso8583.answer_not_in_order", mti=answer.mti, rule=raw.why)
            return
        if self._ended or self._writer.is_closing():
            return
        try:
            self._writer.write(framed(raw, self._framing, header))
            if self._unread():
                async with self._patience.writing():
                    await self._writer.drain()
        except TimeoutError:
            self.end("the peer does not read")
            self._writer.transport.abort()
        except OSError as error:
            self.end(type(error).__name__)

    def _unread(self) -> int:
        """Bytes the peer has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    def _written(self, message: Message) -> bytes | Malformed:
        # Our questions are made of types in use; an answer's type is the question's.
        dialect, any_type = self._settings.dialect, not message.is_request
        if not self._settings.mac_key or message.mti[1] == _MANAGEMENT:
            return encode(message, dialect, any_type=any_type)
        number = mac_field_of(message)
        raw = encode(message.with_fields({number: _MAC_PLACE}), dialect, any_type=any_type)
        if isinstance(raw, Malformed):
            return raw
        covered = without_mac(raw)
        mac = self._hsm.mac(covered, self._settings.mac_key)
        return covered + mac.encode(self._settings.dialect.text)

    def _mac_right(self, message: Message, raw: bytes) -> bool:
        if not self._settings.mac_key or message.mti[1] == _MANAGEMENT:
            return True
        mac = message.get(mac_field_of(message))
        return bool(mac) and self._hsm.verify_mac(without_mac(raw), mac, self._settings.mac_key)

    def _count_answer(self, seconds: float) -> None:
        health = self._health
        health.answered += 1
        if health.answered == 1:
            health.latency_seconds = seconds
        health.latency_seconds += _LATENCY_WEIGHT * (seconds - health.latency_seconds)
