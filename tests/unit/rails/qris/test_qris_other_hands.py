"""Codes other hands wrote: UTF-8 names, packed digits, and a picture with more than one code."""

from __future__ import annotations

import io

import pytest
import segno
from PIL import Image

from tangguh.rails.qris import ber, cpm
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import to_payee
from tangguh.web.pages import photo
from tangguh.web.pages.photo import Unreadable
from unit.rails.qris.payloads import VALID

V5 = VALID["V5"].payload
NAME = "5912Saifullah.id"


def crc(text: str) -> str:
    """With the CRC of field 63, over the bytes of UTF-8."""
    register = 0xFFFF
    for byte in text.encode():
        register ^= byte << 8
        for _ in range(8):
            register = ((register << 1) ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return f"{text}{register:04X}"


def named(name: str, *, by_bytes: bool) -> str:
    length = len(name.encode()) if by_bytes else len(name)
    assert NAME in V5
    return crc(V5[:-4].replace(NAME, f"59{length:02d}{name}"))


@pytest.mark.parametrize("by_bytes", [False, True])
@pytest.mark.parametrize("name", ["KAFÉ SARI", "咖啡店", "CAFÉ É"])
def test_a_name_in_utf8_is_read_with_a_warning(name: str, *, by_bytes: bool) -> None:
    reading = parse(named(name, by_bytes=by_bytes))
    assert reading.errors == ()
    assert "field_59_not_ascii" in {one.code for one in reading.warnings}
    assert reading.seen.merchant_name == name
    assert to_payee(reading.seen, "x").merchant_name == name
    assert reading.seen.merchant_pan == parse(V5).seen.merchant_pan


def test_a_name_that_steers_the_screen_is_still_refused() -> None:
    for by_bytes in (False, True):
        reading = parse(named("WARUNG \u202eX", by_bytes=by_bytes))
        assert "control_character" in {one.code for one in reading.errors}


def test_a_number_in_other_digits_is_still_refused() -> None:
    assert parse(crc(V5[:-4].replace("52044814", "5204٤٨١٤"))).errors


def shown_code(last: bytes) -> str:
    """A customer's code whose 9F25 is what the test says."""
    import binascii

    plain = cpm.encode(cpm.CpmCode(pan="9360099912345678901", token="12345678", language="iden"))
    data = binascii.a2b_base64(plain)
    elements, _ = ber.walk(data)
    inner = dict(elements)["61"] + ber.write("9F25", last)
    whole = ber.write("85", b"CPV01") + ber.write("61", inner)
    return binascii.b2a_base64(whole, newline=False).decode()


def test_last_digits_packed_two_to_a_byte_are_read_with_a_warning() -> None:
    reading = cpm.decode(shown_code(bytes.fromhex("8901")))
    assert reading.errors == ()
    assert reading.seen.last_digits == "8901"
    assert [one.code for one in reading.warnings] == ["field_9F25_packed"]
    assert cpm.decode(shown_code(b"8901")).seen.last_digits == "8901"
    assert cpm.decode(shown_code(b"8901")).warnings == ()
    assert cpm.decode(shown_code(bytes.fromhex("89ff"))).errors


LINK = "https://warung.example/menu"


def picture(*texts: str) -> bytes:
    """A photograph with these codes beside each other."""
    made = []
    for text in texts:
        out = io.BytesIO()
        segno.make(text, error="m").save(out, kind="png", scale=6, border=6)
        made.append(Image.open(io.BytesIO(out.getvalue())).convert("L"))
    width, height = sum(one.width for one in made), max(one.height for one in made)
    whole = Image.new("L", (width, height), 255)
    at = 0
    for one in made:
        whole.paste(one, (at, 0))
        at += one.width
    out = io.BytesIO()
    whole.save(out, "PNG")
    return out.getvalue()


OTHER = VALID["V7"].payload


@pytest.mark.parametrize("texts", [(LINK, V5), (V5, LINK), (V5,), (V5, V5), (LINK, V5, LINK)])
def test_the_code_that_is_a_merchants_is_the_one_that_is_meant(texts: tuple[str, ...]) -> None:
    assert photo._read(picture(*texts)) == V5


def test_two_merchants_are_asked_about() -> None:
    for texts in ((V5, OTHER), (OTHER, V5), (V5, LINK, OTHER)):
        with pytest.raises(Unreadable) as found:
            photo._read(picture(*texts))
        assert found.value.why == "several"


def test_a_link_alone_is_told_as_what_it_is() -> None:
    assert photo._read(picture(LINK)) == LINK
    with pytest.raises(Unreadable, match="no_code"):
        photo.chosen([])
