"""Frames on the wire: two bytes of length (big-endian, themselves not counted), then the body."""

from __future__ import annotations

from typing import Final

from tangguh.core.errors import ContractBroken

HEADER_BYTES: Final = 2
LENGTH_MAX: Final = 0xFFFF


class FrameBroken(ContractBroken):
    """What comes over the line is no frame; where the next begins cannot be known."""


def framed(body: bytes) -> bytes:
    """The body with its length before it."""
    return len(body).to_bytes(HEADER_BYTES, "big") + body


class Frames:
    """Cuts a stream into bodies. Holds at most one frame that is not whole yet."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._pending = bytearray()

    @property
    def is_cut(self) -> bool:
        """Whether the stream stands in the middle of a frame."""
        return bool(self._pending)

    def feed(self, received: bytes) -> list[bytes]:
        """The bodies that are now whole. Raises FrameBroken on an empty or oversized one."""
        self._pending += received
        bodies = []
        while len(self._pending) >= HEADER_BYTES:
            length = int.from_bytes(self._pending[:HEADER_BYTES], "big")
            if length == 0:
                raise FrameBroken("empty frame")
            if length > self._bytes_max:
                raise FrameBroken(f"frame of {length} bytes; at most {self._bytes_max}")
            end = HEADER_BYTES + length
            if len(self._pending) < end:
                break
            bodies.append(bytes(self._pending[HEADER_BYTES:end]))
            del self._pending[:end]
        return bodies
