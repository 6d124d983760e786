"""All services on one page, each with its place; nothing vanishes from it (E08)."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from tangguh.core.service import (
    BILL,
    SERVICES,
    TOPUP,
    TOPUP_CARD,
    TRANSFER_BIFAST,
    TRANSFER_CARDS,
)
from tangguh.customers import merchants
from tangguh.web.pages.frame import Page, Visit

_GROUPS: Final = (
    ("banks", ((TRANSFER_BIFAST, "/to/bank"), (TRANSFER_CARDS, "/to/bank?via=cards"))),
    ("wallets", tuple((service, f"/to/wallet/{name}") for name, service in TOPUP.items())),
    ("bills", tuple((service, f"/to/bill/{name}") for name, service in BILL.items())),
    ("emoney", ((TOPUP_CARD, "/to/emoney"),)),
)


async def show_menu(visit: Visit) -> Response:
    """Every service by its group, open ones and closed ones alike."""
    ways = visit.door.desk.rules.ways
    shut = await visit.door.shutters.every(visit.me.customer_id)
    groups = [
        {
            "name": name,
            "services": [
                {
                    "href": href,
                    "name": SERVICES[service].name_id
                    if visit.language == "id"
                    else SERVICES[service].name_en,
                    "is_open": service in ways,
                    "shut": shut.get(service),
                }
                for service, href in services
            ],
        }
        for name, services in _GROUPS
    ]
    door = visit.door
    shops = await merchants.of_customer(door.pool, door.book_id, visit.me.customer_id)
    return visit.page("services.html", groups=groups, has_shops=bool(shops))


PAGES: Final = (Page(path="/services", get=show_menu),)
