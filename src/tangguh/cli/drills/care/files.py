"""Files that people give as evidence: real ones, and ones made to harm. The same seed, the same."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Final

import msgspec
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

SCRIPT: Final = b"<script>alert(1)</script>"
"""What must be on no page that people look at."""


class File(msgspec.Struct, frozen=True):
    """One file as it is sent. ``is_taken``: the bank keeps it, and shows its pages drawn anew."""

    name: str
    media: str
    content: bytes
    is_taken: bool


def good(dice: random.Random) -> File:
    """A picture or a scan nobody has seen before."""
    if dice.random() < 0.25:
        return File("scan", "application/pdf", _scan(f"bukti {dice.random()}"), is_taken=True)
    return File("picture", "image/jpeg", _picture(dice), is_taken=True)


def poisoned(dice: random.Random, number: int) -> File:
    """One of the files that harm whoever opens them; two of them are pictures or scans as well."""
    picture = _picture(dice)
    scan = _scan(f"bukti {dice.random()}")
    acts = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /Type /Catalog"
    sorts = (
        File("page called a picture", "image/jpeg", b"<html>" + SCRIPT, is_taken=False),
        File("drawing with a script", "image/png", b"<svg>" + SCRIPT, is_taken=False),
        File("picture of 2.5 billion dots", "image/png", _bomb(), is_taken=False),
        File("half a picture", "image/jpeg", picture[: len(picture) // 3], is_taken=False),
        File("archive called a scan", "application/pdf", b"PK\x03\x04" + scan, is_taken=False),
        File("picture with a script", "image/jpeg", picture + SCRIPT, is_taken=True),
        File(
            "scan that acts", "application/pdf", scan.replace(b"/Type /Catalog", acts),
            is_taken=True,
        ),
    )  # fmt: skip
    return sorts[number % len(sorts)]


def _picture(dice: random.Random) -> bytes:
    made = io.BytesIO()
    dots = Image.frombytes("RGB", (60, 40), dice.randbytes(60 * 40 * 3))
    dots.resize((600, 400)).save(made, "JPEG")
    return made.getvalue()


def _scan(text: str) -> bytes:
    made = io.BytesIO()
    drawing = Canvas(made, invariant=True)
    drawing.drawString(100, 700, text)
    drawing.showPage()
    drawing.save()
    return made.getvalue()


def _bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    dots = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", dots) + chunk(b"IEND", b"")
