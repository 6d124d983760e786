"""How to try the demo bank: who to log in as, and every number one needs for every network.

What is outside the bank comes from the demo's one list (``tangguh.demo``), of which the simulated
networks are made too; what is inside comes from the book.
"""

from __future__ import annotations

import io
from typing import Final

import msgspec
import segno
from starlette.responses import Response

from tangguh.customers import merchants as shops_of_ours
from tangguh.customers import store as customers
from tangguh.customers.demo import (
    CARD_HOLDERS,
    FIRST_PURSE_HOLDER,
    PASS_HOLDERS,
    card_number,
    pass_holder,
    purse_of,
)
from tangguh.customers.seed import DEMO_PIN, PEOPLE, SHOPS
from tangguh.db.pool import Record
from tangguh.demo import merchants
from tangguh.demo.bills import BILLS, Bill
from tangguh.demo.neighbours import BANK_NAMES, NEIGHBOURS, WALLETS
from tangguh.rails.billers.rail import BILLERS
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import QrisCode
from tangguh.rails.qris.nns import name_of
from tangguh.rails.qris.shop import static_text
from tangguh.web.api.services import as_shop
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.problems import trouble

_PEOPLE_SHOWN: Final = 12
_CARDS_SHOWN: Final = 4
_PURSES_SHOWN: Final = 3
CODES: Final = {
    "open": merchants.CODES["V14"],
    "percent_tip": merchants.CODES["V1"],
    "fixed_tip": merchants.CODES["V8"],
    "dana": merchants.CODES["V5"],
    "bill": merchants.CODES["V7"],
}
"""The codes the guide shows, by what is special about each."""
_OF_SHOP: Final = "shop-"


class Sample(msgspec.Struct, frozen=True):
    """One code to try."""

    name: str
    payload: str
    code: QrisCode
    bank: str


class OurShop(msgspec.Struct, frozen=True):
    """A shop of ours: whom to log in as, what it shows to be paid."""

    name: str
    phone: str
    merchant_id: str
    payload: str


class ToPay(msgspec.Struct, frozen=True):
    """One bill: which biller's page takes it, and the number that is typed there."""

    biller: str
    bill: Bill


class Plastic(msgspec.Struct, frozen=True):
    """A card of our own, and who carries it."""

    name: str
    number: str


class Held(msgspec.Struct, frozen=True):
    """One e-money: its product, the number that is typed, who holds it."""

    product: str
    number: str
    name: str
    phone: str


async def show_demo(visit: Visit) -> Response:
    """Everything the demo has, on one page, and the stories with how far they are."""
    must_be_demo(visit)
    door = visit.door
    everybody = await customers.demo_people(door.pool, door.book_id, PEOPLE + SHOPS)
    named = {row["customer_id"]: row for row in everybody}
    people = [row for row in everybody if row["customer_id"] <= _PEOPLE_SHOWN]
    samples = [
        Sample(name, payload, parse(payload).seen, name_of(parse(payload).seen.nns))
        for name, payload in CODES.items()
    ]
    stories = door.stories
    return visit.page(
        "demo.html",
        people=people,
        pin=DEMO_PIN,
        samples=samples,
        shops=await _shops(visit),
        neighbours=NEIGHBOURS,
        bank_names=BANK_NAMES,
        wallets=WALLETS,
        with_wallet=[one for one in NEIGHBOURS if one.phone],
        bills=[ToPay(_biller(bill), bill) for bill in BILLS],
        cards=_cards(people),
        foreign=[one for one in NEIGHBOURS if one.card is not None],
        purses=_purses(named),
        stories=await stories.told() if stories is not None else [],
        asked_story=visit.asked("story"),
        was_not_done=bool(visit.asked("story_not")),
        networks_url=stories.networks_url if stories is not None else "",
        status_url=stories.status_url if stories is not None else "",
    )


async def show_code(visit: Visit) -> Response:
    """A code as a picture, sharp at every size (SVG) or to be photographed and uploaded (PNG)."""
    must_be_demo(visit)
    name, _, kind = visit.request.path_params["file"].partition(".")
    payload = CODES.get(name) or await _code_of_shop(visit, name)
    if not payload or kind not in ("svg", "png"):
        raise trouble("not_found")
    picture = io.BytesIO()
    made = segno.make(payload, error="m")
    if kind == "svg":
        made.save(picture, kind="svg", border=4, light="#fff", omitsize=True, svgversion=None)
        return Response(picture.getvalue(), media_type="image/svg+xml")
    made.save(picture, kind="png", scale=8, border=4)
    return Response(picture.getvalue(), media_type="image/png")


def must_be_demo(visit: Visit) -> None:
    """Raises Trouble(not_found) where the bank is no demo."""
    if not visit.door.settings.demo:
        raise trouble("not_found")


async def shops(visit: Visit, customer_id: int) -> list[OurShop]:
    """The shops of one customer, with the code each shows on its counter."""
    door = visit.door
    owner = await customers.find(door.pool, door.book_id, customer_id)
    if owner is None:
        return []
    return [
        OurShop(owner.full_name, owner.phone, shop.merchant_id, static_text(as_shop(shop)))
        for shop in await shops_of_ours.of_customer(door.pool, door.book_id, customer_id)
    ]


async def _shops(visit: Visit) -> list[OurShop]:
    numbers = range(PEOPLE + 1, PEOPLE + SHOPS + 1)
    return [one for number in numbers for one in await shops(visit, number)]


async def _code_of_shop(visit: Visit, name: str) -> str:
    number = name.removeprefix(_OF_SHOP)
    if not name.startswith(_OF_SHOP) or number not in map(str, range(1, SHOPS + 1)):
        return ""
    found = await shops(visit, PEOPLE + int(number))
    return found[0].payload if found else ""


def _biller(bill: Bill) -> str:
    return next(name for name, one in BILLERS.items() if one.service_id == bill.service)


def _cards(people: list[Record]) -> list[Plastic]:
    holders = [row for row in people if row["customer_id"] <= CARD_HOLDERS][:_CARDS_SHOWN]
    return [Plastic(row["full_name"], card_number(row["account_id"])) for row in holders]


def _purses(named: dict[int, Record]) -> list[Held]:
    held: list[Held] = []
    for number in range(1, _PURSES_SHOWN + 1):
        if owner := named.get(number):
            purse = purse_of("card", number, number)
            held.append(Held("card", purse.number, owner["full_name"], owner["phone"]))
    for number in range(1, _PURSES_SHOWN + 1):
        if owner := named.get(FIRST_PURSE_HOLDER + number - 1):
            purse = purse_of("server", number, 0)
            held.append(Held("server", purse.number, owner["full_name"], owner["phone"]))
    for number in range(1, PASS_HOLDERS + 1):
        holder = pass_holder(number)
        purse = purse_of("touristpass", number, holder.customer_id)
        held.append(Held("touristpass", purse.number, holder.full_name, holder.phone))
    return held


PAGES: Final = (
    Page(path="/demo", get=show_demo, needs_login=False),
    Page(path="/demo/codes/{file}", get=show_code, needs_login=False),
)
