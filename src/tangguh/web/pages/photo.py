"""Reads a QR code from a photograph, for browsers that cannot. Bounded in bytes, pixels and time."""

from __future__ import annotations

import asyncio
import io
from typing import Final

import zxingcpp
from PIL import Image, UnidentifiedImageError

from tangguh.core.errors import Overloaded

FORMATS: Final = ("JPEG", "PNG", "WEBP")
PIXELS_MAX: Final = 40_000_000
_SIDE_MAX: Final = 2_000
_AT_ONCE_MAX: Final = 2
_WAITING_MAX: Final = 16

_at_once: Final = asyncio.Semaphore(_AT_ONCE_MAX)
_inside: set[object] = set()


class Unreadable(Exception):
    """No code could be read. ``why``: ``missing``, ``format``, ``too_large``, ``no_code``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def read(data: bytes) -> str:
    """The text of the first QR code. Raises Unreadable, and Overloaded when too many are waiting."""
    if not data:
        raise Unreadable("missing")
    if len(_inside) >= _AT_ONCE_MAX + _WAITING_MAX:
        raise Overloaded("too many photographs are being read")
    turn = object()
    _inside.add(turn)
    try:
        async with _at_once:
            return await asyncio.to_thread(_read, data)
    finally:
        _inside.discard(turn)


def _read(data: bytes) -> str:
    picture = _open(data)
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    for code in found:
        if code.text:
            return str(code.text)
    raise Unreadable("no_code")


def _open(data: bytes) -> Image.Image:
    """The picture in grey and no larger than needed. Its size is judged before it is unpacked."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > PIXELS_MAX:
            raise Unreadable("too_large")
        picture.draft("L", (_SIDE_MAX, _SIDE_MAX))
        # A cut-out code on nothing would be black on black.
        if picture.mode in ("RGBA", "LA", "P"):
            rgba = picture.convert("RGBA")
            picture = Image.new("RGBA", rgba.size, "white")
            picture.alpha_composite(rgba)
        grey = picture.convert("L")
        grey.thumbnail((_SIDE_MAX, _SIDE_MAX))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise Unreadable("too_large") from bomb
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as fault:
        raise Unreadable("format") from fault
    return grey
