"""Which files are taken as evidence, by what they are and not by what they are called. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.outcome import Refusal, Refused

SIZE_MAX: Final = 5 * 1024 * 1024
PIXELS_MAX: Final = 40_000_000
PAGES_MAX: Final = 20
MEDIA: Final = ("image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf")
"""What is taken. Nothing that can carry a script by its nature (SVG, HTML, office, archives)."""


_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"mif1", b"heim", b"heis"})
"""Still pictures of ISO/IEC 23008-12 coded as HEVC; sequences (hevc, msf1) move and are not."""


class Looked(msgspec.Struct, frozen=True):
    """What drawing a file anew gave: one JPEG for each page, without anything the file carried."""

    media: str
    pages: tuple[bytes, ...]


class NotDrawn(msgspec.Struct, frozen=True):
    """Why it could not be drawn; nothing of it is kept."""

    why: str


def media_of(content: bytes) -> str:
    """What a file is by its first bytes; empty for anything that is not taken."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    return ""


def refuse_file(content: bytes) -> Refused | None:
    """What is not even looked at. Refuses EVIDENCE_REFUSED naming the rule."""
    if not content:
        return Refused(Refusal.EVIDENCE_REFUSED, "file", "it is empty")
    if len(content) > SIZE_MAX:
        return Refused(Refusal.EVIDENCE_REFUSED, "file", f"at most {SIZE_MAX // 1024**2} MB")
    if not media_of(content):
        return Refused(
            Refusal.EVIDENCE_REFUSED, "file", "a JPEG, PNG, WebP or HEIC picture, or a PDF"
        )
    return None
