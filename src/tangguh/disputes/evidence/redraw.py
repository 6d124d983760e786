"""Draws a file anew in a process of its own, with little memory and little time, then ends.

Decoders of pictures and PDF are large programs that read what strangers made. Here they run apart:
no secrets in the environment, no files, no network of their own, limits set before the first byte
is read. What comes out is a JPEG of each page: pixels, and nothing the file carried beside them
(position, names, scripts, other files).

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
import pypdfium2
from PIL import Image, ImageOps

from tangguh.disputes.evidence.judge import PAGES_MAX, PIXELS_MAX, SIZE_MAX, media_of

_MEMORY_BYTES: Final = 1024**3
_CPU_SECONDS: Final = 20
_SIDE_MAX: Final = 2_000
_QUALITY: Final = 85
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
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
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _picture(content: bytes, media: str) -> bytes:
    with Image.open(io.BytesIO(content), formats=[_FORMATS[media]]) as found:
        if found.width * found.height > PIXELS_MAX:
            raise _NotDrawn("it has too many pixels")
        found.draft("RGB", (_SIDE_MAX, _SIDE_MAX))
        turned = ImageOps.exif_transpose(found)
        return _jpeg(turned)


def _pdf(content: bytes) -> list[bytes]:
    document = pypdfium2.PdfDocument(content)
    try:
        if len(document) > PAGES_MAX:
            raise _NotDrawn(f"a PDF of at most {PAGES_MAX} pages")
        return [_page(document[number]) for number in range(len(document))]
    finally:
        document.close()


def _page(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    if not (0 < width <= _POINTS_PER_SIDE_MAX and 0 < height <= _POINTS_PER_SIDE_MAX):
        raise _NotDrawn("a page of an impossible size")
    scale = min(2.0, _SIDE_MAX / max(width, height))
    # Forms are not initialised, so nothing in the document that acts is ever started.
    return _jpeg(page.render(scale=scale, may_draw_forms=False).to_pil())


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
