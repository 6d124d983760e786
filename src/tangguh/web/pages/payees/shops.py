"""A merchant's own page: today's takings, the code on the counter, a code for one bill."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

import segno
from starlette.responses import Response

from tangguh.core.clock import business_date
from tangguh.core.format import money, typed_minor
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import merchants
from tangguh.customers.terms import Merchant
from tangguh.ledger import statement
from tangguh.payments.merchant import takings
from tangguh.payments.merchant.bill import MakeBill
from tangguh.payments.rules import QRIS_TRANSACTION_MAX_MINOR
from tangguh.rails.qris.shop import dynamic_text, static_text
from tangguh.web.api.services import as_shop, own_shop
from tangguh.web.pages.ahead.purse import ask_amount
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.rows import entry_rows

_BILL_LIVES: Final = timedelta(minutes=15)
_LATEST: Final = 10


async def show_shops(visit: Visit) -> Response:
    """Every shop of the customer, with what it took today."""
    door = visit.door
    found = await merchants.of_customer(door.pool, door.book_id, visit.me.customer_id)
    return visit.page("shops.html", shops=[await _shop(visit, one) for one in found])


async def show_shop(visit: Visit) -> Response:
    """One shop; looked at again by itself, so that a payment is seen at the counter."""
    return await _shop_page(visit)


async def make_bill(visit: Visit) -> Response:
    """A dynamic code for an amount: the customer types nothing."""
    shop = await _own(visit)
    minor = typed_minor(visit.typed("amount"))
    if not minor:
        return await _shop_page(visit, told=ask_amount(visit.words, visit.typed("amount")))
    door = visit.door
    typed = re.sub(r"[^A-Za-z0-9-]", "", visit.typed("bill_no"))[:25]
    bill_no = typed or door.ids.next().hex[-10:].upper()
    expires_at = door.clock.now() + _BILL_LIVES
    made = await door.desk.decide(MakeBill(shop.merchant_id, bill_no, minor, expires_at))
    if isinstance(made, Refused):
        too_much = made.code is Refusal.LIMIT_PER_TRANSACTION
        most = money(QRIS_TRANSACTION_MAX_MINOR)
        words = visit.words
        told = words("shop.bill_too_much", most=most) if too_much else words("shop.bill_taken")
        return await _shop_page(visit, told=told)
    payload = dynamic_text(as_shop(shop), minor, bill_no)
    return visit.page(
        "shop_bill.html",
        shop=shop,
        bill=made,
        payload=payload,
        picture=segno.make(payload, error="m").svg_data_uri(scale=6, border=3),
    )


async def _shop_page(visit: Visit, told: str = "") -> Response:
    shop = await _own(visit)
    door = visit.door
    payload = static_text(as_shop(shop))
    lines = await statement.history(
        door.pool, door.book_id, shop.credit_id, statement.NEWEST, _LATEST
    )
    return visit.page(
        "shop.html",
        status=422 if told else 200,
        one=await _shop(visit, shop),
        latest=await entry_rows(visit, lines),
        payload=payload,
        picture=segno.make(payload, error="m").svg_data_uri(scale=6, border=3),
        told=told,
        amount=visit.typed("amount"),
        bill_no=visit.typed("bill_no"),
    )


async def _shop(visit: Visit, shop: Merchant) -> dict[str, Any]:
    door = visit.door
    day = business_date(door.clock.now())
    today = await takings.of_day(door.pool, door.book_id, shop.credit_id, day)
    waiting = None
    if shop.waiting_id:
        account = await statement.balance(door.pool, door.book_id, shop.waiting_id)
        waiting = account.posted_minor if account is not None else 0
    return {"shop": shop, "today": today, "waiting_minor": waiting}


async def _own(visit: Visit) -> Merchant:
    merchant_id = visit.request.path_params["merchant_id"]
    return await own_shop(visit.door, visit.me.customer_id, merchant_id)


PAGES: Final = (
    Page(path="/shops", get=show_shops),
    Page(path="/shops/{merchant_id}", get=show_shop, post=make_bill),
)
