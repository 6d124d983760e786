"""Peers at the terminal port that ask and never read, or speak before they have signed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from rails.cards_harness import KEYS, RP, RP100K
from rails.test_iso8583_atm import CARD, Hall
from tangguh.listeners.tcp import LineLimits
from tangguh.rails.iso8583.door import Door, DoorSettings
from tangguh.rails.iso8583.line import Line, LineSettings
from tangguh.sim.cards.wire import Telegram, frame, load_key, read, write

HANDLING = 8
LIMITS = LineLimits(sign_on_seconds=5.0, frame_seconds=0.2, idle_seconds=5.0, unproven_burst=1000)
BURST = 20
SECONDS = 3.0


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = Hall()
    line = LineSettings(mac_key="tak", handling_max=HANDLING)
    settings = DoorSettings(line=line, limits=LIMITS)
    made.door = Door(settings, made.security, made.clock, handler=made._handle)
    await made.open()
    yield made
    await made.close()


def echo(number: int) -> bytes:
    fields = {7: "0320050000", 11: f"{number:06d}", 33: "999", 70: "301"}
    return frame(write(Telegram("0800", fields)))


def stopped(line: Line) -> None:
    """Its peer's window is full: whoever waits for it to read waits for ever."""

    async def never() -> None:
        await asyncio.get_running_loop().create_future()

    line._writer.drain = never  # type: ignore[method-assign]
    line._unread = lambda: 1  # type: ignore[method-assign]


async def stranger(hall: Hall) -> tuple[asyncio.StreamWriter, Line]:
    known = set(hall.door._lines)
    _, writer = await asyncio.open_connection("127.0.0.1", hall.door.port)
    async with asyncio.timeout(SECONDS):
        while not (fresh := set(hall.door._lines) - known):
            await asyncio.sleep(0.001)
    return writer, fresh.pop()


async def test_a_flood_of_echoes_that_nobody_reads_the_answers_of(hall: Hall) -> None:
    """No more is taken than is in hand; in time it is hung up on, and our machine pays out."""
    writer, line = await stranger(hall)
    stopped(line)
    most = 0
    for number in range(500):
        writer.write(echo(number))
        if number % 20 == 0:
            await asyncio.sleep(0.001)
            most = max(most, len(line._handling))
    assert HANDLING / 2 <= most <= HANDLING
    assert (await hall.atm.withdraw(CARD, CARD.pin, RP100K)).approved
    async with asyncio.timeout(SECONDS):
        while hall.door.lines > 1:
            await asyncio.sleep(0.01)
    assert hall.door.traffic.why == "the peer does not read"
    async with asyncio.timeout(SECONDS):
        while line._handling:
            await asyncio.sleep(0.001)
    writer.transport.abort()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("mti", "answered"),
    [("0200", "91"), ("0201", "91"), ("0220", ""), ("0420", ""), ("0421", ""), ("0400", "")],
)
async def test_who_has_not_signed_on_is_told_nothing_of_what_happened_already(
    hall: Hall, mti: str, answered: str
) -> None:
    """An answer ends a reversal or an advice; without one it is told again, after the sign-on."""
    made = hall.atm._by_card("011000", CARD, CARD.pin, RP100K)
    reversal = hall.atm._reversal_of(made, 0)
    told = {"02": {**made.fields, 39: "00"}, "04": reversal.fields}[mti[:2]]
    raw = frame(write(Telegram(mti, told), load_key(KEYS["tak"])))
    reader, writer = await asyncio.open_connection("127.0.0.1", hall.door.port)
    writer.write(raw + echo(1))
    async with asyncio.timeout(SECONDS):
        said = read(await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")))
    assert said.get(39) == (answered or "00")
    assert (said.mti == "0810") == (not answered), "the echo's answer is the first that comes"
    assert hall.requests == []
    writer.close()


@pytest.fixture
async def slow(hall: Hall) -> AsyncIterator[Hall]:
    await hall.atm.close()
    await hall.door.close()
    limits = msgspec.structs.replace(LIMITS, unproven_burst=BURST, unproven_per_second=5.0)
    settings = DoorSettings(line=LineSettings(mac_key="tak"), limits=limits)
    hall.door = Door(settings, hall.security, hall.clock, handler=hall._handle)
    await hall.open()
    yield hall


@pytest.mark.parametrize("what", ["echoes", "noise", "wrong MACs"])
async def test_a_flood_that_proves_nothing_is_read_slowly(slow: Hall, what: str) -> None:
    """Thousands are on the way and few are read; a machine that proves itself is not held up."""
    request = slow.atm._by_card("011000", CARD, CARD.pin, RP100K)
    flood = {
        "echoes": echo(1),
        "noise": b"\x00\x04\x99\x99\x99\x99",
        "wrong MACs": frame(write(request, bytes(16))),
    }[what]
    writer, line = await stranger(slow)
    taken = 0
    take = line._take

    async def counted(raw: bytes) -> None:
        nonlocal taken
        taken += 1
        await take(raw)

    line._take = counted  # type: ignore[method-assign]
    writer.write(flood * 3_000)
    for _ in range(BURST * 2):
        assert (await slow.atm.withdraw(CARD, CARD.pin, RP)).approved
    assert BURST <= taken <= 2 * BURST
    writer.close()
