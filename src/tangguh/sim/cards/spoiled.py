"""How an answer gets lost or spoiled on its way to the bank."""

from __future__ import annotations

from typing import Final

from tangguh.core.clock import Clock
from tangguh.sim.cards.channel import Channel
from tangguh.sim.cards.wire import Telegram, frame, write
from tangguh.sim.faults import AnyFault, Crawl, DropReply, Garbage, Late, Twice

_OVERSIZED_BYTES: Final = 60_000
_LAST_DIGITS: Final = str.maketrans("0123456789ABCDEF", "123456789ABCDEF0")


async def deliver(
    channel: Channel,
    answer: Telegram,
    fault: AnyFault | None,
    clock: Clock,
    mac_key: bytes | None,
) -> None:
    """Send an answer, or do to it what the fault says. Raises OSError when the line is gone."""
    match fault:
        case DropReply():
            return
        case Late(carried_out="at_once"):
            await clock.sleep(fault.seconds)
            await channel.send(answer)
        case Twice():
            await channel.send(answer)
            await channel.send(answer)
        case Crawl():
            await channel.send_bytes(frame(write(answer, mac_key)), fault.seconds_per_byte)
        case Garbage():
            await _spoil(channel, answer, fault.form, mac_key)
        case _:
            await channel.send(answer)


async def _spoil(channel: Channel, answer: Telegram, form: str, mac_key: bytes | None) -> None:
    whole = write(answer, mac_key)
    match form:
        case "malformed":
            await channel.send_bytes(frame(whole[:4] + b"Z" + whole[5:]))
        case "truncated":
            await channel.send_bytes(frame(whole)[: len(whole) // 2])
            channel.end()
        case "oversized":
            await channel.send_bytes(frame(whole.ljust(_OVERSIZED_BYTES, b"0")))
        case "empty":
            await channel.send_bytes(frame(b""))
        case "other_service":
            await channel.send(_changed(answer, 3, "310000"))
        case "other_reference":
            await channel.send(_changed(answer, 11, answer.get(11).translate(_LAST_DIGITS)[:6]))
        case "bad_signature":
            spoiled = whole[-1:].decode().translate(_LAST_DIGITS).encode()
            await channel.send_bytes(frame(whole[:-1] + spoiled))


def _changed(answer: Telegram, number: int, value: str) -> Telegram:
    digits = "".join(character if character.isdigit() else "0" for character in value)
    return Telegram(answer.mti, {**answer.fields, number: digits})
