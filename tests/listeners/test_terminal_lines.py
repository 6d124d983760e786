"""Lines to the terminal port that are held for nothing, and machines of ours beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from rails.cards_harness import KEYS, NOON
from rails.test_iso8583_atm import CARD, RP100K, Hall
from tangguh.core.clock import HandClock
from tangguh.listeners.tcp import LineLimits
from tangguh.rails.iso8583.door import Door, DoorSettings
from tangguh.rails.iso8583.line import LineSettings
from tangguh.sim.cards.atm import Atm, AtmSettings
from tangguh.sim.cards.channel import Channel
from tangguh.sim.cards.wire import read

QUICK = LineLimits(
    connections_max=12,
    connections_per_source_max=8,
    sign_on_seconds=0.1,
    frame_seconds=0.1,
    idle_seconds=0.4,
)
SECONDS = 3.0


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = Hall()
    settings = DoorSettings(line=LineSettings(mac_key="tak"), limits=QUICK)
    made.door = Door(settings, made.security, made.clock, handler=made._handle)
    await made.open()
    yield made
    await made.close()


async def heard(port: int, *pieces: bytes) -> bytes:
    """All that is said until the bank hangs up. Raises TimeoutError when it never does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
    try:
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionError):
                return await reader.read(-1)
            return b""
    finally:
        writer.close()


@pytest.mark.parametrize("begun", [b"", b"\x01", b"\x01\x00", b"\x00\xff" + b"0" * 20])
async def test_a_line_that_never_signs_on_is_hung_up_on(hall: Hall, begun: bytes) -> None:
    """Silence and half a frame have seconds, not days."""
    assert await heard(hall.door.port, begun) == b""


async def test_a_machine_that_signed_on_and_stops_half_way_is_hung_up_on(hall: Hall) -> None:
    """Its next frame must be whole in time, and it may not be silent for ever."""
    channel = await hall.atm._connected()
    assert channel is not None
    channel._writer.write(b"\x00\xff0200")
    async with asyncio.timeout(SECONDS):
        while not channel.ended:
            await asyncio.sleep(0.01)
    assert hall.door.traffic.why == "half a frame"


async def test_a_withdrawal_before_the_sign_on_is_not_carried_out(hall: Hall) -> None:
    """It is told that we are inoperative, and nothing is debited."""
    settings = AtmSettings(
        host="127.0.0.1", port=hall.door.port, pin_key=KEYS["tpk"], mac_key=KEYS["tak"]
    )
    machine = Atm(settings, HandClock(NOON))
    reader, writer = await asyncio.open_connection("127.0.0.1", hall.door.port)
    channel = Channel(
        reader, writer, hall.clock, mac_key=lambda: machine._mac_key, on_request=_deaf
    )
    reading = asyncio.create_task(channel.run())
    answer = await channel.ask(machine._by_card("011000", CARD, CARD.pin, RP100K), 5.0)
    assert answer is not None
    assert answer.get(39) == "91"
    assert hall.requests == []
    assert hall.bank.balance == 1_000_000_00
    channel.cut()
    await reading


async def test_idle_lines_of_a_stranger_lock_no_machine_out(hall: Hall) -> None:
    """A hundred lines that say nothing, and our machine pays out over the one it has."""
    assert (await hall.atm.withdraw(CARD, CARD.pin, RP100K)).approved
    lines = [await asyncio.open_connection("127.0.0.1", hall.door.port) for _ in range(100)]
    assert (await hall.atm.withdraw(CARD, CARD.pin, RP100K)).approved
    async with asyncio.timeout(SECONDS):
        while hall.door.lines > 1:
            await asyncio.sleep(0.01)
    for _, writer in lines:
        writer.close()


async def _deaf(*_: object) -> None:
    """Asks of the bank are not answered."""


def _bits(*numbers: int) -> bytes:
    return f"{sum(1 << (64 - number) for number in numbers):016X}".encode()


UNREADABLE = {
    "its type and no more": (b"0200", "0210", "30"),
    "a bitmap that is none": (b"0200" + b"ZZ" * 8 + b"123", "0210", "30"),
    "cut before its number": (b"0200" + _bits(3, 7, 11) + b"01100003200", "0210", "30"),
    "without its number": (b"0200" + _bits(3, 4) + b"01100000000001000A", "0210", "30"),
    "its number is none": (b"0200" + _bits(7, 11) + b"032005000000000A", "0210", "30"),
    "something after its end": (b"0420" + _bits(7, 11) + b"0320050000000001x", "0430", "30"),
    "a third bitmap": (b"0420" + b"8000000000000000" * 2, "0430", "30"),
    "a sum with a letter": (b"0200" + _bits(4, 11) + b"00000000000A000001", "0210", "30"),
    "a type not in use": (b"0302" + _bits(7, 11) + b"0320050000000001", "0312", "12"),
    "such a type and no more": (b"1200", "1210", "12"),
}
SILENT = {
    "an answer": b"0210" + b"ZZ" * 8,
    "a notification": b"0140",
    "no type": b"02X0" + _bits(7, 11) + b"0320050000000001",
    "noise": b"\x99" * 40,
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_cannot_be_read_is_told_so_where_its_type_can(hall: Hall, what: str) -> None:
    """A format error (30), or a type we do not serve (12); the machine beside it pays out."""
    frame, mti, code = UNREADABLE[what]
    reader, writer = await asyncio.open_connection("127.0.0.1", hall.door.port)
    for noise in (*SILENT.values(), frame):
        writer.write(len(noise).to_bytes(2, "big") + noise)
    async with asyncio.timeout(SECONDS):
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = read(await reader.readexactly(size))
    assert (answer.mti, answer.get(39)) == (mti, code)
    assert (await hall.atm.withdraw(CARD, CARD.pin, RP100K)).approved
    assert hall.door.traffic.malformed == len(SILENT) + 1
    writer.close()
