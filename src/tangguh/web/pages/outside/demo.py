"""How to try the demo bank: who to log in as, what to pay. Only where the settings say demo."""

from __future__ import annotations

import io
from typing import Final

import msgspec
import segno
from starlette.responses import Response

from tangguh.customers import store as customers
from tangguh.customers.seed import DEMO_PIN
from tangguh.demo import merchants
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import QrisCode
from tangguh.rails.qris.nns import name_of
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.problems import trouble

_PEOPLE_SHOWN: Final = 12

CODES: Final = {
    "open": merchants.CODES["V14"],
    "percent_tip": merchants.CODES["V1"],
    "fixed_tip": merchants.CODES["V8"],
    "dana": merchants.CODES["V5"],
    "bill": merchants.CODES["V7"],
}
"""The codes the guide shows, by what is special about each."""


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
