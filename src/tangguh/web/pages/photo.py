"""Reads a QR code from a photograph, for browsers that cannot. Bounded in bytes and pixels."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import zxingcpp
from PIL import Image, UnidentifiedImageError

from tangguh.core.errors import Overloaded

FORMATS: Final = ("JPEG", "PNG", "WEBP")
PIXELS_MAX: Final = 40_000_000
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_QRIS_BEGINS: Final = "000201"
"""Field 00, the payload format indicator, comes first in every QRIS code (EMVCo, section 4.1)."""
_SIDE_MAX: Final = 2_000
_AT_ONCE_MAX: Final = 2
_WAITING_MAX: Final = 16


class Unreadable(Exception):
    """No code could be read. ``why``: ``missing``, ``format``, ``too_large``,
    ``no_code``, ``several``.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Reader:
    """A few threads of their own: a picture must not hold up the payments beside it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE_MAX, thread_name_prefix="photo")
        self._inside = 0

    async def read(self, data: bytes) -> str:
        """The text of the code that is meant. Raises Unreadable; Overloaded when too many wait."""
        if not data:
            raise Unreadable("missing")
        if self._inside >= _AT_ONCE_MAX + _WAITING_MAX:
            raise Overloaded("too many photographs are being read")
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _read, data)
        finally:
            self._inside -= 1


def _read(data: bytes) -> str:
    picture = _open(data)
    return chosen([str(code.text) for code in zxingcpp.read_barcodes(picture, formats=_QR)])


def chosen(texts: list[str]) -> str:
    """The one code that is meant: the only QRIS beside links and tickets, else the only code.

    Raises Unreadable: ``several`` when two different ones could be meant, ``no_code``.
    """
    different = list(dict.fromkeys(text for text in texts if text))
    payable = [text for text in different if text.startswith(_QRIS_BEGINS)]
    found = payable or different
    if len(found) > 1:
        raise Unreadable("several")
    if not found:
        raise Unreadable("no_code")
    return found[0]


def _open(data: bytes) -> Image.Image:
    """The picture in grey and no larger than needed. Its size is judged before it is unpacked."""
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
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
