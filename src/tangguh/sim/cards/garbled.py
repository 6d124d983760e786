"""Messages as no peer should send them: of types nobody uses, with wrong elements, and broken ones.

For rehearsals of what one bad message may cost its neighbours on the line: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Final

from tangguh.sim.cards.foreign import numbered
from tangguh.sim.cards.wire import Telegram, mac_of, write

_TYPES: Final = ("0120", "0140", "0302", "0500", "0620", "0820", "1200", "0130", "0999")
_PLACE: Final = f"{'ATM UJI ANTAR':<25}{'JAKARTA':<13}ID"
_MAC_DIGITS: Final = 16
_BITMAP_BEGINS, _BITMAP_DIGITS = 4, 32


def garbled(at: datetime, mac_key: bytes | None, dice: Random) -> Iterator[bytes]:
    """Bodies without end, each wrong in its own way; none is a payment that could be carried out.

    Their numbers (DE32, DE37) are of a sender that nobody else here is.
    """
    while True:
        telegram = _plain(at, dice)
        match dice.randrange(5):
            case 0:
                yield write(Telegram(dice.choice(_TYPES), telegram.fields), mac_key)
            case 1:
                wrong = {12: "250000"} if dice.random() < 0.5 else {7: "0431050000"}
                yield write(Telegram("0200", telegram.fields | wrong), mac_key)
            case 2:
                yield _with_bytes(telegram, mac_key)
            case _:
                yield spoiled(write(telegram, mac_key), dice)


def spoiled(raw: bytes, dice: Random) -> bytes:
    """One to four small wrongs; never the same bytes, so never the same MAC."""
    changed = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(7):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << dice.randrange(8)
            case 1 if changed:
                changed[at % len(changed)] = dice.randrange(256)
            case 2:
                changed.insert(at, dice.randrange(256))
            case 3:
                del changed[at : at + dice.randint(1, 8)]
            case 4:
                del changed[at:]
            case 5:
                changed[at:at] = changed[at : at + dice.randint(1, 40)]
            case 6 if len(changed) > _BITMAP_BEGINS + _BITMAP_DIGITS:
                place = _BITMAP_BEGINS + dice.randrange(_BITMAP_DIGITS)
                changed[place] = dice.choice(b"0123456789ABCDEF")
    return bytes(changed) if changed != raw else bytes(changed) + b"0"


def _plain(at: datetime, dice: Random) -> Telegram:
    """A balance inquiry for a card nobody has."""
    stan = f"{dice.randrange(1_000_000):06d}"
    fields = numbered(at, stan) | {
        2: "9360099799999999996",
        3: "310000",
        18: "6011",
        22: "021",
        32: "997",
        37: f"999999{stan}",
        41: "ATM99701",
        42: "997000000000001",
        43: _PLACE,
        49: "360",
        52: "0" * 16,
    }
    return Telegram("0200", fields)


def _with_bytes(telegram: Telegram, mac_key: bytes | None) -> bytes:
    """A letter of Latin-1 in DE43 and a chip's binary data in DE55, under a right MAC."""
    chip = {55: "x" * 24}
    raw = write(Telegram("0200", telegram.fields | chip), None)
    raw = raw.replace(b"ATM UJI ANTAR", b"ATM CAF\xc9 BARU").replace(b"x" * 24, bytes(range(24)))
    if mac_key is None:
        return raw
    covered = raw[:4] + f"{int(raw[4:20], 16) | 1:016X}".encode() + raw[20:]
    return covered + mac_of(covered, mac_key).encode()
