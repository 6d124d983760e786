"""BER-TLV as customer-presented codes use it (ISO 8825-1, EMV Book 3 Annex B). Never raises.

Walks one level; it never descends, so no input can nest it deep. Tags are upper-case hexadecimal
text, values are bytes.
"""

from __future__ import annotations

from typing import Final

from tangguh.rails.qris.tlv import Broken, CannotEncode

_TAG_BYTES_MAX: Final = 3
_VALUE_BYTES_MAX: Final = 0xFFFF
_LENGTH_BYTES: Final = {0x81: 1, 0x82: 2}


def walk(data: bytes) -> tuple[list[tuple[str, bytes]], Broken | None]:
    """The elements of one level in order, and where the walk had to stop, if it had to."""
    elements: list[tuple[str, bytes]] = []
    at = 0
    while at < len(data):
        last = elements[-1][0] if elements else ""
        tag_end = _tag_end(data, at)
        if tag_end == 0:
            return elements, Broken("tag_malformed", at, last)
        tag = data[at:tag_end].hex().upper()
        head = data[tag_end : tag_end + 1]
        start = tag_end + 1 + _LENGTH_BYTES.get(head[0] if head else 0, 0)
        if not head or start > len(data):
            return elements, Broken("truncated", at, tag)
        if head[0] >= 0x80 and head[0] not in _LENGTH_BYTES:
            return elements, Broken("length_malformed", at, tag)
        length = head[0] if head[0] < 0x80 else int.from_bytes(data[tag_end + 1 : start], "big")
        if start + length > len(data):
            return elements, Broken("truncated", at, tag)
        elements.append((tag, data[start : start + length]))
        at = start + length
    return elements, None


def _tag_end(data: bytes, at: int) -> int:
    """Where the tag that begins here ends; 0 if it does not within three bytes."""
    if data[at] & 0x1F != 0x1F:
        return at + 1
    for end in range(at + 1, min(at + _TAG_BYTES_MAX, len(data))):
        if data[end] & 0x80 == 0:
            return end + 1
    return 0


def write(tag: str, value: bytes) -> bytes:
    """One element, its length as short as can be. Raises CannotEncode beyond 65,535 bytes."""
    size = len(value)
    if size < 0x80:
        length = bytes([size])
    elif size <= 0xFF:
        length = bytes([0x81, size])
    elif size <= _VALUE_BYTES_MAX:
        length = b"\x82" + size.to_bytes(2, "big")
    else:
        raise CannotEncode(f"tag {tag} holds at most {_VALUE_BYTES_MAX} bytes, not {size}")
    return bytes.fromhex(tag) + length + value
