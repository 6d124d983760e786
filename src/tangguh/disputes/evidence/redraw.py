"""Draws a file anew in a process of its own, with little memory and little time, then ends.

Decoders of pictures and PDF are large programs that read what strangers made. Here they run apart:
no secrets in the environment, no files, no network of their own, limits set before the first byte
is read. What comes out is a JPEG of each page: pixels, and nothing the file carried beside them
(position, names, scripts, other files). It is what the sender sees: what cannot be drawn so is
refused with the reason, never drawn as something else.

Run as ``python -I -m tangguh.disputes.evidence.redraw``: the file on standard input, MessagePack
on standard output.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings
from typing import Final

import msgspec
import pillow_heif
import pypdfium2
from PIL import Image, ImageOps
from pypdfium2 import raw as pdfium
from pypdfium2.version import PDFIUM_INFO

from tangguh.disputes.evidence.judge import PAGES_MAX, PIXELS_MAX, SIZE_MAX, media_of

_MEMORY_BYTES: Final = 1024**3
_CPU_SECONDS: Final = 20
_SIDE_MAX: Final = 2_000
_QUALITY: Final = 85
_FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
}
_DEEP_MODES: Final = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
"""Greys of sixteen bits: a plain conversion would cut every value above 255 to white."""
_POINTS_PER_SIDE_MAX: Final = 14_400
"""No page is larger by the PDF standard; more would only be asked to use up memory."""


def main() -> None:
    """Read, draw, write. Whatever goes wrong becomes a reason in words."""
    _limit()
    content = sys.stdin.buffer.read(SIZE_MAX + 1)
    try:
        media = media_of(content)
        pages = _pdf(content) if media == "application/pdf" else [_picture(content, media)]
        told: dict[str, object] = {"media": media, "pages": pages}
    except MemoryError:
        told = {"why": "it needs too much memory"}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        told = {"why": "it has too many pixels"}
    except _NotDrawn as refused:
        told = {"why": str(refused)}
    except Exception:
        told = {"why": "it is damaged or not what it seems"}
    sys.stdout.buffer.write(msgspec.msgpack.encode(told))


class _NotDrawn(Exception):
    """A rule of ours says no."""


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pillow_heif.register_heif_opener(decode_threads=1)
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _picture(content: bytes, media: str) -> bytes:
    with Image.open(io.BytesIO(content), formats=[_FORMATS[media]]) as found:
        if found.width * found.height > PIXELS_MAX:
            raise _NotDrawn("it has too many pixels")
        if getattr(found, "is_animated", False):
            raise _NotDrawn("a still picture; this one moves")
        found.draft("RGB", (_SIDE_MAX, _SIDE_MAX))
        turned = ImageOps.exif_transpose(found)
        if turned.mode in _DEEP_MODES:
            turned = turned.convert("I").point(lambda grey: grey / 256).convert("L")
        return _jpeg(turned)


def _pdf(content: bytes) -> list[bytes]:
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as fault:
        if fault.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise _NotDrawn("a PDF without a password") from fault
        raise
    try:
        if len(document) > PAGES_MAX:
            raise _NotDrawn(f"a PDF of at most {PAGES_MAX} pages")
        if document.get_formtype() == pdfium.FORMTYPE_XFA_FULL:
            raise _NotDrawn("this form shows its text in one program only; print it to a new PDF")
        if "V8" in PDFIUM_INFO.flags:
            raise _NotDrawn("a PDF without a form")
        # What was typed into a form is drawn by its form. This build has no script engine, so
        # nothing in the document that acts can be started.
        document.init_forms()
        return [_page(document[number]) for number in range(len(document))]
    finally:
        document.close()


def _page(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    if not (0 < width <= _POINTS_PER_SIDE_MAX and 0 < height <= _POINTS_PER_SIDE_MAX):
        raise _NotDrawn("a page of an impossible size")
    scale = min(2.0, _SIDE_MAX / max(width, height))
    return _jpeg(page.render(scale=scale).to_pil())


def _jpeg(image: Image.Image) -> bytes:
    image.thumbnail((_SIDE_MAX, _SIDE_MAX))
    flat = Image.new("RGB", image.size, "white")
    alpha = image.convert("RGBA")
    flat.paste(alpha, mask=alpha.getchannel("A"))
    drawn = io.BytesIO()
    flat.save(drawn, "JPEG", quality=_QUALITY)
    return drawn.getvalue()


if __name__ == "__main__":
    main()
