"""What is taken as evidence, and that nothing but pixels comes out of it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pillow_heif
import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.objects import Objects, ObjectSettings
from tangguh.disputes.case import Evidence
from tangguh.disputes.evidence.judge import SIZE_MAX, Looked, NotDrawn, media_of, refuse_file
from tangguh.disputes.evidence.locker import Locker, draw, must_hold

NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (11, 92, 107)).save(made, kind, **more)
    return made.getvalue()


def photo_with_position() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "PHONEMAKER"
    exif.get_ifd(0x8825)[2] = (6.0, 10.0, 30.0)
    return picture("JPEG", exif=exif)


def pdf(pages: int = 2, script: bool = False) -> bytes:
    made = io.BytesIO()
    drawing = canvas.Canvas(made, invariant=True)
    for number in range(pages):
        drawing.drawString(100, 700, f"page {number}")
        drawing.showPage()
    drawing.save()
    content = made.getvalue()
    if script:
        action = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /Type /Catalog"
        assert b"/Type /Catalog" in content
        content = content.replace(b"/Type /Catalog", action)
    return content


def bomb_png() -> bytes:
    """A PNG of a few kilobytes that says it is 50,000 by 50,000."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000))
        + chunk(b"IEND", b"")
    )


def zip_bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * 20_000_000)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "media", "pages"),
    [
        (picture("JPEG"), "image/jpeg", 1),
        (picture("PNG"), "image/png", 1),
        (picture("WEBP"), "image/webp", 1),
        (pdf(3), "application/pdf", 3),
    ],
)
async def test_what_is_taken_is_drawn_page_by_page(content: bytes, media: str, pages: int) -> None:
    looked = await draw(content)
    assert isinstance(looked, Looked)
    assert (looked.media, len(looked.pages)) == (media, pages)
    for page in looked.pages:
        with Image.open(io.BytesIO(page)) as drawn:
            assert drawn.format == "JPEG"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a JPEG"),
        (b"<html><script>alert(1)</script></html>", "a JPEG"),
        (b"MZ\x90\x00 this program cannot be run", "a JPEG"),
        (b"GIF89a" + bytes(100), "a JPEG"),
        (zip_bomb(), "a JPEG"),
        (picture() + bytes(10 * SIZE_MAX), "at most 5 MB"),
    ],
)
def test_what_is_not_even_looked_at(content: bytes, rule: str) -> None:
    refused = refuse_file(content)
    assert refused is not None
    assert refused.code is Refusal.EVIDENCE_REFUSED
    assert rule in refused.detail


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bomb_png(), "pixels"),
        (picture("PNG")[:60], "damaged"),
        (b"\xff\xd8\xff" + b"PK\x03\x04" + zip_bomb(), "damaged"),
        (b"%PDF-1.7\n" + b"<script>alert(1)</script>", "damaged"),
        (pdf(21), "20 pages"),
    ],
)
async def test_what_is_poisoned_is_not_drawn(content: bytes, why: str) -> None:
    found = await draw(content)
    assert isinstance(found, NotDrawn)
    assert why in found.why


async def test_a_photos_position_is_gone_from_what_people_look_at() -> None:
    content = photo_with_position()
    assert b"PHONEMAKER" in content
    looked = await draw(content)
    assert isinstance(looked, Looked)
    with Image.open(io.BytesIO(looked.pages[0])) as drawn:
        assert not drawn.getexif()
        assert set(drawn.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"PHONEMAKER" not in looked.pages[0]


@pytest.mark.parametrize("tail", [zip_bomb()[:5_000], b"<script>alert(1)</script>"])
async def test_a_picture_that_is_also_something_else_becomes_only_a_picture(tail: bytes) -> None:
    looked = await draw(picture() + tail)
    assert isinstance(looked, Looked)
    assert tail[:20] not in looked.pages[0]


async def test_a_pdf_that_acts_becomes_pages_that_cannot() -> None:
    content = pdf(1, script=True)
    assert b"JavaScript" in content
    assert len(pypdfium2.PdfDocument(content)) == 1
    looked = await draw(content)
    assert isinstance(looked, Looked)
    assert media_of(looked.pages[0]) == "image/jpeg"
    assert b"JavaScript" not in looked.pages[0]


async def test_the_locker_keeps_the_original_by_its_hash_and_notices_when_it_changes(
    tmp_path: Path,
) -> None:
    objects = Objects(ObjectSettings(url=str(tmp_path)))
    locker = Locker(objects, HandClock(NOW))
    taken = await locker.take(photo_with_position())
    assert isinstance(taken, Evidence)
    assert await locker.holds(taken.sha256)
    assert media_of(await locker.page(taken.sha256, 0) or b"") == "image/jpeg"
    assert await locker.page(taken.sha256, 1) is None
    await objects.put(f"original/{taken.sha256}", b"something else")
    with pytest.raises(StoreUnavailable, match="altered"):
        await must_hold(locker, (taken,))


async def test_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    locker = Locker(Objects(ObjectSettings(url=str(tmp_path))), HandClock(NOW))
    assert isinstance(await locker.take(bomb_png()), Refused)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def filled_form() -> bytes:
    """A PDF whose only text was typed into its form."""
    made = io.BytesIO()
    drawing = canvas.Canvas(made, invariant=True)
    drawing.acroForm.textfield(
        name="cerita", value="SALDO TERPOTONG DUA KALI", x=72, y=650, width=400, height=60,
        borderStyle="solid", forceBorder=True, fontSize=20,
    )  # fmt: skip
    drawing.showPage()
    drawing.save()
    return made.getvalue()


async def dark_pixels(content: bytes) -> int:
    looked = await draw(content)
    assert isinstance(looked, Looked), looked
    with Image.open(io.BytesIO(looked.pages[0])) as drawn:
        return sum(drawn.convert("L").histogram()[:64])


async def test_what_was_typed_into_a_pdf_form_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its form the page has a border at most; the words are many dark pixels more."""
    made = io.BytesIO()
    drawing = canvas.Canvas(made, invariant=True)
    drawing.rect(72, 650, 400, 60)
    drawing.showPage()
    drawing.save()
    assert await dark_pixels(filled_form()) > await dark_pixels(made.getvalue()) + 1_000


async def test_a_grey_picture_of_sixteen_bits_keeps_its_greys() -> None:
    """A scanner's picture: a plain conversion cuts all but the darkest to white."""
    deep = Image.new("I;16", (256, 64))
    deep.putdata([column * 256 for _ in range(64) for column in range(256)])
    made = io.BytesIO()
    deep.save(made, "PNG")
    looked = await draw(made.getvalue())
    assert isinstance(looked, Looked)
    with Image.open(io.BytesIO(looked.pages[0])) as drawn:
        row = [drawn.convert("L").getpixel((column, 32)) for column in (10, 128, 250)]
    assert all(abs(seen - column) <= 6 for seen, column in zip(row, (10, 128, 250), strict=True))


async def test_a_phones_heic_photo_is_seen() -> None:
    pillow_heif.register_heif_opener()
    content = picture("HEIF", size=(320, 240))
    assert media_of(content) == "image/heic"
    looked = await draw(content)
    assert isinstance(looked, Looked)
    with Image.open(io.BytesIO(looked.pages[0])) as drawn:
        assert drawn.size == (320, 240)
        red, green, blue = drawn.convert("RGB").getpixel((100, 100))
    assert abs(red - 11) + abs(green - 92) + abs(blue - 107) < 30


def locked_pdf() -> bytes:
    made = io.BytesIO()
    drawing = canvas.Canvas(made, encrypt=StandardEncryption("rahasia", canPrint=0))
    drawing.drawString(100, 700, "x")
    drawing.save()
    return made.getvalue()


def moving_webp() -> bytes:
    made = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), shade) for shade in ("white", "black")]
    frames[0].save(made, "WEBP", save_all=True, append_images=frames[1:])
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "why"), [(locked_pdf(), "password"), (moving_webp(), "still picture")]
)
async def test_what_cannot_be_drawn_as_the_sender_sees_it_is_refused(
    content: bytes, why: str
) -> None:
    found = await draw(content)
    assert isinstance(found, NotDrawn)
    assert why in found.why
