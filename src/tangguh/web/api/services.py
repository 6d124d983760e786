"""The customers' API beyond the bank: who would be paid, and shops."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import segno

from tangguh.core.clock import business_date
from tangguh.core.money import NotMoney, format_decimal, parse_decimal
from tangguh.core.numbers import phone
from tangguh.core.order import Payee, ToBank, ToBiller, ToPurse, ToWallet
from tangguh.core.outcome import Refused
from tangguh.core.service import SERVICES
from tangguh.customers import merchants, purses
from tangguh.customers.terms import Merchant
from tangguh.ledger import statement
from tangguh.payments.merchant import takings
from tangguh.payments.merchant.bill import MakeBill
from tangguh.rails.qris.shop import Shop, dynamic_text, static_text
from tangguh.web import inquiry
from tangguh.web.api import service_views as views
from tangguh.web.api.operations import Answer, Call, Operation, rate_limited
from tangguh.web.api.parameters import PATH, Text
from tangguh.web.api.views import shut_view
from tangguh.web.door import Door
from tangguh.web.problems import Trouble, of_refused, trouble

_MERCHANT: Final = Text(
    name="merchant_id",
    place=PATH,
    pattern=views.MERCHANT,
    code="payee_not_found",
    about="One of your shops",
    example="WARUNGSARI",
)


async def list_services(call: Call) -> Answer:
    """Every service of the app and whether it is open for the one who asks."""
    door = call.door
    shut = await door.shutters.every(call.customer_id)
    ways = door.desk.rules.ways
    found = [
        views.ServiceView(
            service.id,
            service.name_id,
            service.name_en,
            service.id in ways and (service.id not in shut or shut[service.id].state != "closed"),
            shut_view(shut.get(service.id)),
        )
        for service in SERVICES.values()
        if service.channel in {"mobile", "emoney"}
    ]
    return Answer(views.Services(found))


async def create_inquiry(call: Call) -> Answer:
    """Ask who would be paid, and what is owed."""
    door, asked = call.door, call.body
    if wait := door.name_checks.seconds_until_allowed(str(call.customer_id)):
        raise rate_limited(wait)
    payee, amount_minor = await _payee(door, asked)
    via = asked.via if isinstance(asked, views.AskBank) else "bifast"
    found = await inquiry.inquire(door, call.customer_id, payee, amount_minor, via)
    if isinstance(found, Refused):
        raise Trouble(of_refused(found))
    view = views.InquiryView(
        inquiry=inquiry.seal(door.seals, call.logged_in, found),
        service=found.service,
        name=found.name,
        amount=format_decimal(found.amount_minor) if found.amount_minor is not None else None,
        fee=format_decimal(door.desk.rules.fee_of(found.service)),
        lines=[views.LineView(name, value) for name, value in found.lines],
        expires_at=found.expires_at,
    )
    return Answer(view, 201)


async def list_shops(call: Call) -> Answer:
    """The customer's shops and today's takings."""
    door = call.door
    found = await merchants.of_customer(door.pool, door.book_id, call.customer_id)
    return Answer(views.Shops([await shop_view(door, one) for one in found]))


async def create_bill(call: Call) -> Answer:
    """Make a dynamic code for one bill of a shop."""
    asked: views.NewBill = call.body
    door = call.door
    shop = await own_shop(door, call.customer_id, _MERCHANT.of(call.request))
    minor = minor_of(asked.amount)
    expires_at = door.clock.now() + timedelta(minutes=asked.minutes)
    made = await door.desk.decide(MakeBill(shop.merchant_id, asked.bill_no, minor, expires_at))
    if isinstance(made, Refused):
        raise Trouble(of_refused(made))
    payload = dynamic_text(as_shop(shop), minor, asked.bill_no)
    view = views.BillView(
        bill_no=made.bill_no,
        code=payload,
        amount=format_decimal(minor),
        expires_at=made.expires_at,
        picture=segno.make(payload, error="m").svg_inline(scale=4),
    )
    return Answer(view, 201)


# ---- shared with the pages ---------------------------------------------------------------------


async def shop_view(door: Door, shop: Merchant) -> views.ShopView:
    """A shop with what it took today and what waits for its cut-off."""
    today = await takings.of_day(
        door.pool, door.book_id, shop.credit_id, business_date(door.clock.now())
    )
    waiting = 0
    if shop.waiting_id:
        account = await statement.balance(door.pool, door.book_id, shop.waiting_id)
        waiting = account.posted_minor if account is not None else 0
    return views.ShopView(
        merchant_id=shop.merchant_id,
        name=shop.name,
        nmid=shop.nmid,
        criteria=shop.criteria,
        paid="cut_off" if shop.waiting_id else "now",
        static_code=static_text(as_shop(shop)),
        today=format_decimal(today.gross_minor),
        payments_today=today.payments,
        discount_today=format_decimal(today.discount_minor),
        waiting=format_decimal(waiting),
    )


async def own_shop(door: Door, customer_id: int, merchant_id: str) -> Merchant:
    """A shop of this customer. Raises Trouble(payee_not_found) for any other."""
    for shop in await merchants.of_customer(door.pool, door.book_id, customer_id):
        if shop.merchant_id == merchant_id:
            return shop
    raise trouble("payee_not_found", "no such shop of yours", "merchant_id")


def as_shop(merchant: Merchant) -> Shop:
    """The merchant as its code shows it."""
    return Shop(
        pan=merchant.pan,
        merchant_id=merchant.merchant_id,
        nmid=merchant.nmid,
        criteria=merchant.criteria,
        name=merchant.name,
        city=merchant.city,
        postal_code=merchant.postal_code,
        category_code=merchant.category_code,
    )


async def _payee(door: Door, asked: Any) -> tuple[Payee, int]:
    match asked:
        case views.AskBank(bank=bank, account=account, amount=amount):
            return ToBank(bank=bank, account=account), minor_of(amount)
        case views.AskProxy(proxy=proxy, amount=amount):
            found = inquiry.by_proxy(proxy)
            if not found.proxy:
                raise trouble("body_invalid", "no phone number and no e-mail address", "proxy")
            return found, minor_of(amount)
        case views.AskWallet(wallet=wallet, number=number, amount=amount):
            bare = phone(number)
            if not bare:
                raise trouble("body_invalid", "this is no phone number", "number")
            return ToWallet(wallet, bare), minor_of(amount)
        case views.AskBill(biller=biller, customer_no=number, amount=amount):
            return ToBiller(biller, number), minor_of(amount) if amount is not None else 0
        case views.AskPurse(number=number):
            purse = await purses.by_number(door.pool, door.book_id, number)
            if purse is None:
                raise trouble("emoney_not_found", "there is no such e-money", "number")
            return ToPurse(purse.top_up_id, number, purse.product), 0
        case _:
            raise trouble("body_invalid", "", "kind")


def minor_of(text: str) -> int:
    """The sum a request names, in minor units. Raises Trouble(order_invalid)."""
    try:
        return parse_decimal(text)
    except NotMoney as fault:
        raise trouble("order_invalid", str(fault), "amount") from fault


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        id="listServices",
        method="GET",
        path="/v1/services",
        summary="Every service, open or closed, with the reason and the next word",
        handler=list_services,
        gives=views.Services,
    ),
    Operation(
        id="createInquiry",
        method="POST",
        path="/v1/inquiries",
        summary="Ask who would be paid, and what is owed, before paying",
        handler=create_inquiry,
        takes=views.NewInquiry,
        typed=frozenset({"proxy", "number"}),
        gives=views.InquiryView,
        statuses=(201,),
        problems=(
            "far_account_not_found",
            "alias_not_found",
            "wallet_not_found",
            "emoney_not_found",
            "payee_inactive",
            "order_invalid",
            "partner_declined",
            "partner_limit",
            "partner_unreachable",
            "partner_float",
            "bill_not_found",
            "bill_paid",
            "bill_expired",
            "purse_expired",
            "service_closed",
        ),
    ),
    Operation(
        id="listShops",
        method="GET",
        path="/v1/shops",
        summary="Your shops, their QRIS codes and today's takings",
        handler=list_shops,
        gives=views.Shops,
    ),
    Operation(
        id="createBill",
        method="POST",
        path="/v1/shops/{merchant_id}/bills",
        summary="Make a dynamic QRIS code for one bill",
        handler=create_bill,
        takes=views.NewBill,
        gives=views.BillView,
        statuses=(201,),
        parameters=(_MERCHANT,),
        problems=(
            "payee_not_found",
            "order_invalid",
            "amount_not_positive",
            "limit_per_transaction",
            "bill_paid",
            "idempotency_key_reused",
        ),
    ),
)
