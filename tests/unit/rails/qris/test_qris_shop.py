"""The codes our merchants show: judged by our own parser, read from a picture, by another reader."""

from __future__ import annotations

import io

import qriskit
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import Kind, to_payee
from tangguh.rails.qris.shop import GUID, Shop, dynamic_text, static_text

_WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789", min_size=1, max_size=25).filter(
    lambda text: text == text.strip()
)


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    """Any merchant of the bank."""
    number = draw(st.integers(0, 10**9 - 1))
    return Shop(
        pan=f"93600999{number:010d}",
        merchant_id=f"TGH{draw(st.integers(0, 10**9 - 1)):09d}",
        nmid=f"ID10260{draw(st.integers(0, 10**8 - 1)):08d}",
        criteria=draw(st.sampled_from(["UMI", "UKE", "UME", "UBE", "URE", "PSO", "BLU"])),
        name=draw(_WORDS),
        city=draw(_WORDS.filter(lambda text: len(text) <= 15)),
        postal_code=f"{draw(st.integers(10_000, 99_999))}",
        category_code=draw(st.sampled_from(["5411", "5499", "5812", "8220", "7210"])),
    )


WARUNG = Shop(
    pan="936009990000000001",
    merchant_id="TGH000000001",
    nmid="ID1026000000001",
    criteria="UMI",
    name="WARUNG BU RATNA",
    city="JAKARTA PUSAT",
    postal_code="10110",
    category_code="5812",
)


def read_picture(payload: str) -> str:
    """Drawn as the page draws it, and read as a phone would."""
    png = io.BytesIO()
    segno.make(payload, error="m").save(png, kind="png", scale=4)
    found = zxingcpp.read_barcodes(Image.open(png))
    assert len(found) == 1
    return str(found[0].text)


@given(shops())
def test_a_static_code_is_valid_and_says_who(shop: Shop) -> None:
    """No error, no amount, and every fact of the shop as it was written."""
    reading = parse(static_text(shop))
    assert reading.errors == ()
    code = reading.code
    assert code is not None
    assert (code.kind, code.initiation, code.amount_minor) == (Kind.STATIC, "11", None)
    payee = to_payee(code, static_text(shop))
    assert (payee.merchant_pan, payee.merchant_id) == (shop.pan, shop.merchant_id)
    assert (payee.nmid, payee.criteria) == (shop.nmid, shop.criteria)
    assert (payee.merchant_name, payee.merchant_city) == (shop.name, shop.city)
    assert (payee.acquirer, payee.category_code) == ("93600999", shop.category_code)
    assert code.accounts[0].guid == GUID


@given(shops(), st.integers(1, 10_000_000_00), st.from_regex(r"[A-Z0-9]{1,25}", fullmatch=True))
def test_a_dynamic_code_is_for_one_sum_and_one_bill(shop: Shop, minor: int, bill: str) -> None:
    """The amount to the sen and the bill's number come back."""
    reading = parse(dynamic_text(shop, minor, bill))
    assert reading.errors == ()
    code = reading.code
    assert code is not None
    assert (code.kind, code.initiation, code.amount_minor) == (Kind.DYNAMIC, "12", minor)
    assert code.additional.bill_number == bill
    assert code.accounts[0].pan == shop.pan


def test_the_pictures_can_be_read() -> None:
    """Static and dynamic, through a drawn code and a reader of another make."""
    for payload in (static_text(WARUNG), dynamic_text(WARUNG, 18_000_00, "S1")):
        assert read_picture(payload) == payload


def test_a_spoiled_code_is_refused() -> None:
    """One character changed breaks the checksum."""
    payload = static_text(WARUNG)
    assert parse(payload.replace("RATNA", "RATNO")).code is None


def test_another_reader_agrees() -> None:
    """qriskit, which was written apart from ours, finds nothing wrong."""
    for payload in (static_text(WARUNG), dynamic_text(WARUNG, 18_000_00, "S1")):
        assert qriskit.is_valid(payload)
