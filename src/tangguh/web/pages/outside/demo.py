"""How to try the demo bank: who to log in as, what to pay. Only where the settings say demo."""

from __future__ import annotations

import io
from typing import Final

import msgspec
import segno
from starlette.responses import Response

from tangguh.customers import store as customers
from tangguh.customers.seed import DEMO_PIN
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import QrisCode
from tangguh.rails.qris.nns import name_of
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.problems import trouble

_PEOPLE_SHOWN: Final = 12

# Codes of real make, found in public examples; the demo's switch knows their merchants.
CODES: Final = {
    "open": "00020101021126610014COM.GO-JEK.WWW01189360091432840999140210G284099914"
    "0303UMI51440014ID.CO.QRIS.WWW0215ID10253780771980303UMI5204549953033605802ID"
    "5916SIINMEDIA, PCNGN6006JEPARA61055946262070703A01630456FE",
    "percent_tip": "00020101021226580006id.ovo01189360091200006049620215yq38ZDs7MI6oaz5"
    "0303UKE51450015ID.OR.GPNQR.WWW0215ID10200416988350303UKE520458125303360540650000055020357"
    "030.75802ID5911Tims Donuts6013Jakarta Barat61051161062310507VCcCtqJ0716HgxK16eFVHfvKnGO"
    "6304265F",
    "fixed_tip": "00020101021226530012COM.DOKU.WWW0118936008990000002475020424750303URE"
    "51440014ID.CO.QRIS.WWW0215ID10200392934820303URE5204539953033605404100055020256035005802ID"
    "5911GUREUM SHOP6013JAKARTA PUSAT61051064062070703A016304FD26",
    "dana": "00020101021126570011ID.DANA.WWW011893600915300060605702090006060570303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10190046990790303UMI5204481453033605802ID"
    "5912Saifullah.id6014Kota Pontianak61057812463045F72",
    "bill": "00020101021126630014ID.SPINPAY.WWW011893600816343100062402121314310006240303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200384314890303UMI5204839853033605802ID5904SPIN"
    "6013Jakarta Pusat61051034062140103***0703A0163045CDD",
}


class Sample(msgspec.Struct, frozen=True):
    """One code to try."""

    name: str
    payload: str
    code: QrisCode
    bank: str


async def show_demo(visit: Visit) -> Response:
    """People, their PIN and balances, and codes to pay."""
    _must_be_demo(visit)
    door = visit.door
    people = await customers.demo_people(door.pool, door.book_id, _PEOPLE_SHOWN)
    samples = [
        Sample(name, payload, parse(payload).seen, name_of(parse(payload).seen.nns))
        for name, payload in CODES.items()
    ]
    return visit.page("demo.html", people=people, pin=DEMO_PIN, samples=samples)


async def show_code(visit: Visit) -> Response:
    """A code as a picture, sharp at every size (SVG) or to be photographed and uploaded (PNG)."""
    _must_be_demo(visit)
    name, _, kind = visit.request.path_params["file"].partition(".")
    if name not in CODES or kind not in ("svg", "png"):
        raise trouble("not_found")
    picture = io.BytesIO()
    made = segno.make(CODES[name], error="m")
    if kind == "svg":
        made.save(picture, kind="svg", border=4, light="#fff", omitsize=True, svgversion=None)
        return Response(picture.getvalue(), media_type="image/svg+xml")
    made.save(picture, kind="png", scale=8, border=4)
    return Response(picture.getvalue(), media_type="image/png")


def _must_be_demo(visit: Visit) -> None:
    if not visit.door.settings.demo:
        raise trouble("not_found")


PAGES: Final = (
    Page(path="/demo", get=show_demo, needs_login=False),
    Page(path="/demo/codes/{file}", get=show_code, needs_login=False),
)
