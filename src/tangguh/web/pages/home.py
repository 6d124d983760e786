"""Home: what may be spent, what is held and why, what is not settled yet, what happened last."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import msgspec
from starlette.responses import Response

from tangguh.core.errors import StoreUnavailable
from tangguh.core.service import SERVICES
from tangguh.customers import store as customers
from tangguh.ledger import statement
from tangguh.payments import store as payments
from tangguh.web.codes import cash_codes
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.rows import entry_rows, payment_rows
from tangguh.web.shutters import Shut

_LATEST: Final = 5


async def show_home(visit: Visit) -> Response:
    """The customer's first page; the last known balance when the book is out of reach."""
    try:
        return await _from_the_book(visit)
    except StoreUnavailable:
        return _from_memory(visit)


async def _from_the_book(visit: Visit) -> Response:
    door, me = visit.door, visit.me
    accounts, unsettled, unread, codes = await asyncio.gather(
        customers.accounts_of(door.pool, door.book_id, me.customer_id),
        payments.open_of_customer(door.pool, door.book_id, me.customer_id),
        _unread(visit),
        cash_codes(door, me.customer_id),
    )
    now = door.clock.now()
    visit.memory.keep_balances(me.customer_id, accounts, now)
    latest = []
    if accounts:
        first = accounts[0].account_id
        latest = await statement.history(door.pool, door.book_id, first, statement.NEWEST, _LATEST)
    shut = await door.shutters.every(me.customer_id)
    banners = banners_of(visit)
    explained = {name for one in banners for name in one.components}
    shut = {name: one for name, one in shut.items() if name not in explained}
    return visit.page(
        "home.html",
        accounts=accounts,
        as_of=now,
        is_stale=False,
        shut=_named(shut, visit.language),
        banners=banners,
        unread=unread,
        codes=codes,
        unsettled=await payment_rows(visit, unsettled),
        latest=await entry_rows(visit, latest),
    )


class Banner(msgspec.Struct, frozen=True):
    """An incident as its customers see it at the top of the app."""

    headline: str
    happened: str
    next_word: datetime | None
    is_overdue: bool
    components: tuple[str, ...]
    more: str


def banners_of(visit: Visit) -> list[Banner]:
    """The incidents that are told of now. From memory: there also when the book is not."""
    desk = visit.door.incidents
    if desk is None:
        return []
    now = visit.door.clock.now()
    return [
        Banner(
            one.updates[-1].texts[visit.language].headline,
            one.updates[-1].texts[visit.language].happened,
            one.next_update_at,
            one.is_overdue(now),
            one.components,
            desk.page_url or "/services",
        )
        for one in desk.open
        if one.state.is_public and one.updates
    ]


async def _unread(visit: Visit) -> int:
    notices = visit.door.notices
    return await notices.count_unread(visit.me.customer_id) if notices is not None else 0


def _named(shut: dict[str, Shut], language: str) -> list[tuple[str, str]]:
    """The services of the app that are shut, each with its words, told once per cause."""
    told: dict[str, list[str]] = {}
    for service, one in shut.items():
        found = SERVICES[service]
        if found.channel == "mobile":
            name = found.name_id if language == "id" else found.name_en
            told.setdefault(one.message(language), []).append(name)
    return [(", ".join(names), message) for message, names in told.items()]


def _from_memory(visit: Visit) -> Response:
    """Never a zero we do not know: the last balance with its time, or none at all."""
    known = visit.memory.balances(visit.me.customer_id)
    return visit.page(
        "home.html",
        status=503,
        accounts=known.accounts if known else [],
        as_of=known.as_of if known else None,
        is_stale=True,
        shut=[],
        banners=banners_of(visit),
        unread=0,
        codes=[],
        unsettled=[],
        latest=[],
    )


PAGES: Final = (Page(path="/home", get=show_home, survives=True),)
