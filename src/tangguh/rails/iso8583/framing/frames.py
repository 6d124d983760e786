"""Frames on the wire: a length, perhaps a header, then the message.

A frame whose length can be read costs nobody but itself: one that is too long is skipped, an empty
one is a sign of life. Only a length that is none ends the line, as where the next begins cannot be
known.
"""

from __future__ import annotations

from typing import Final

from tangguh.core.errors import ContractBroken
from tangguh.rails.iso8583.framing.presets import (
    BASE24_BYTES,
    LENGTH_BYTES,
    LENGTH_MAX,
    PLAIN,
    TPDU_BYTES,
    Framing,
)

_BASE24_BEGINS: Final = b"ISO"
_HEADER_BYTES: Final = {"none": 0, "tpdu": TPDU_BYTES, "base24": BASE24_BYTES}


class FrameBroken(ContractBroken):
    """What comes over the line is no frame; where the next begins cannot be known."""


def framed(body: bytes, framing: Framing = PLAIN, header: bytes | None = None) -> bytes:
    """The body with its length before it. ``header``: of an answer; None: as we ask."""
    whole = (_own_header(framing) if header is None else header) + body
    length = len(whole) + (LENGTH_BYTES[framing.length] if framing.counts_itself else 0)
    if length > LENGTH_MAX[framing.length]:
        raise FrameBroken(f"a length of {length} cannot be written as {framing.length}")
    match framing.length:
        case "binary":
            written = length.to_bytes(2, "big")
        case "ascii":
            written = f"{length:04d}".encode()
        case "bcd":
            written = bytes.fromhex(f"{length:04d}")
    return written + whole


def taken_apart(whole: bytes, framing: Framing = PLAIN) -> tuple[bytes, bytes] | None:
    """A frame's header and body; None when the header of this framing is not there."""
    size = _HEADER_BYTES[framing.header]
    header, body = whole[:size], whole[size:]
    if len(header) < size or (framing.header == "base24" and header[:3] != _BASE24_BEGINS):
        return None
    return header, body


def answering(header: bytes, framing: Framing) -> bytes:
    """The header of an answer: a TPDU's addresses change places, others come back as they were."""
    if framing.header == "tpdu":
        return header[:1] + header[3:5] + header[1:3]
    return header


class Frames:
    """Cuts a stream into frames. Holds at most one that is not whole yet, and none too long.

    ``skipped`` counts the frames above ``bytes_max``, ``empty`` the signs of life.
    """

    def __init__(self, bytes_max: int, framing: Framing = PLAIN) -> None:
        self._bytes_max = bytes_max
        self._framing = framing
        self._pending = bytearray()
        self._to_skip = 0
        self.skipped = 0
        self.empty = 0

    @property
    def is_cut(self) -> bool:
        """Whether the stream stands in the middle of a frame."""
        return bool(self._pending) or self._to_skip > 0

    def feed(self, received: bytes) -> list[bytes]:
        """The frames that are now whole, without their lengths. Raises FrameBroken on no length."""
        passed = min(self._to_skip, len(received))
        self._to_skip -= passed
        self._pending += received[passed:] if passed else received
        size = LENGTH_BYTES[self._framing.length]
        frames = []
        while len(self._pending) >= size:
            length = self._length(bytes(self._pending[:size]))
            end = size + length
            if length > self._bytes_max:
                self.skipped += 1
                self._to_skip = max(end - len(self._pending), 0)
                del self._pending[:end]
                continue
            if len(self._pending) < end:
                break
            if length:
                frames.append(bytes(self._pending[size:end]))
            else:
                self.empty += 1
            del self._pending[:end]
        return frames

    def _length(self, written: bytes) -> int:
        """Of what follows."""
        framing = self._framing
        if framing.length == "binary":
            told = int.from_bytes(written, "big")
        else:
            digits = written if framing.length == "ascii" else written.hex().encode()
            if not digits.isdigit():
                raise FrameBroken(f"no length: {written.hex()}")
            told = int(digits)
        if not framing.counts_itself or told == 0:
            return told
        if told < len(written):
            raise FrameBroken(f"a length of {told} does not count itself")
        return told - len(written)


def _own_header(framing: Framing) -> bytes:
    match framing.header:
        case "tpdu":
            return bytes.fromhex(framing.tpdu)
        case "base24":
            return framing.base24.encode()
        case _:
            return b""
