"""Paying a merchant's QRIS code: paste or photograph it, say how much, then review.

A bad code is refused with words that name what is wrong with it. Nothing is paid here: the last
step makes a sealed slip and hands over to ``review``.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from tangguh.core.format import typed_minor
from tangguh.core.money import format_decimal
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS
from tangguh.rails.qris.message import QrisCode, TipKind
from tangguh.rails.qris.nns import name_of
from tangguh.web import orders
from tangguh.web.pages import photo
from tangguh.web.pages.ahead.obstacle import go_on
from tangguh.web.pages.ahead.purse import Purse, explain, open_purse
from tangguh.web.pages.ahead.slips import service_of_code
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.pages.seal import QrisSlip
from tangguh.web.problems import Trouble, of_refused
from tangguh.web.words import Words

_CODE_LENGTH_MAX: Final = 512


class Merchant(msgspec.Struct, frozen=True):
    """What a code says about who is paid and how the amount comes about."""

    name: str
    city: str
    bank: str
    amount_minor: int | None
    tip_kind: str
    tip_fixed_minor: int
    tip_basis_points: int


async def show_pay(visit: Visit) -> Response:
    """Where the code comes from."""
    return _pay_page(visit, code=visit.asked("code")[:_CODE_LENGTH_MAX])


async def take_code(visit: Visit) -> Response:
    """A pasted code: on to the amount, or straight to the review when the code says it all."""
    return await _go_on(visit, visit.typed("code"))


async def take_photo(visit: Visit) -> Response:
    """A photographed code, read on the server when the browser cannot."""
    try:
        code = await visit.memory.photos.read(visit.photo)
    except photo.Unreadable as found:
        return _pay_page(visit, told=visit.words(f"photo.{found.why}"), status=422)
    return await _go_on(visit, code)


async def show_amount(visit: Visit) -> Response:
    """The merchant, and the questions its code leaves open."""
    code = visit.asked("code")
    scanned = orders.scan(code)
    if isinstance(scanned, Refused):
        return _pay_page(visit, code=code, told=fault_words(visit.words, scanned), status=422)
    purse = await _purse(visit, code)
    return _amount_page(visit, scanned, purse)


async def take_amount(visit: Visit) -> Response:
    """Judge what was typed; on to the review when it could be paid."""
    code = visit.typed("code")
    scanned = orders.scan(code)
    if isinstance(scanned, Refused):
        return _pay_page(visit, code=code, told=fault_words(visit.words, scanned), status=422)
    purse = await _purse(visit, code, visit.typed("account"))
    order = _order(visit, scanned, purse)
    if isinstance(order, Refused):
        told = explain(visit.words, order, purse, visit.typed(order.field))
        return _amount_page(visit, scanned, purse, told=told, told_field=order.field)
    gone_on = await go_on(
        visit, await service_of_code(visit, code, order.debtor), _slip(order, purse), purse
    )
    if isinstance(gone_on, str):
        return _amount_page(visit, scanned, purse, told=gone_on, told_field="amount")
    return gone_on


def fault_words(words: Words, refused: Refused) -> str:
    """What is wrong with a code, in words; one general sentence for the rare faults."""
    fault = refused.detail.partition(":")[0]
    key = f"qr.{fault}"
    return words(key if words.has(key) else "qr.other")


def merchant_of_code(code: QrisCode) -> Merchant:
    """The code's facts as a page shows them."""
    return Merchant(
        code.merchant_name,
        code.merchant_city,
        name_of(code.nns),
        code.amount_minor,
        code.tip.kind,
        code.tip.fixed_minor,
        code.tip.basis_points,
    )


async def _go_on(visit: Visit, text: str) -> Response:
    scanned = orders.scan(text)
    if isinstance(scanned, Refused):
        told = fault_words(visit.words, scanned) if text else visit.words("qr.nothing")
        return _pay_page(visit, code=text[:_CODE_LENGTH_MAX], told=told, status=422)
    purse = await _purse(visit, text)
    code = scanned.code
    asks = orders.asks_for_amount(code) or orders.asks_for_tip(code) or len(purse.accounts) > 1
    if not asks:
        order = _order(visit, scanned, purse)
        if isinstance(order, Refused):
            raise Trouble(of_refused(order))
        return redirect(f"/review?{urlencode({'order': visit.seal(_slip(order, purse))})}")
    return redirect(f"/pay/amount?{urlencode({'code': text})}")


async def _purse(visit: Visit, code: str, account_text: str = "") -> Purse:
    """What pays the code, with the limits and the fee of the service it is paid by."""
    purse = await open_purse(visit, QRIS_OFFUS, account_text)
    service = await service_of_code(visit, code, purse.account.account_id)
    return purse if service == QRIS_OFFUS else await open_purse(visit, service, account_text)


def _order(visit: Visit, scanned: orders.Scanned, purse: Purse) -> PaymentOrder | Refused:
    """The order these answers make; its key is made now, once for this review."""
    amount = _decimal(visit.typed("amount"))
    tip = _decimal(visit.typed("tip")) if orders.asks_for_tip(scanned.code) else None
    for field, text in (("amount", amount), ("tip", tip)):
        if text == "":
            return Refused(Refusal.ORDER_INVALID, field, "not an amount")
    order = orders.qris_order(
        customer_id=visit.me.customer_id,
        key=visit.door.ids.next().hex,
        debtor=purse.account.account_id,
        payload=scanned.payload,
        amount=amount,
        tip=tip,
        note="",
    )
    if isinstance(order, PaymentOrder) and order.amount_minor <= 0:
        return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "an amount is at least one sen")
    return order


def _decimal(text: str) -> str | None:
    """As the orders take it: None when nothing was typed, empty when it is unclear."""
    if not text:
        return None
    minor = typed_minor(text)
    return "" if minor is None else format_decimal(minor)


def _slip(order: PaymentOrder, purse: Purse) -> QrisSlip:
    return QrisSlip(
        key=order.idempotency_key,
        debtor=order.debtor,
        payload=getattr(order.payee, "payload", ""),
        amount_minor=order.amount_minor,
        tip_minor=order.tip_minor,
        fee_minor=purse.fee_minor,
    )


def _pay_page(visit: Visit, *, code: str = "", told: str = "", status: int = 200) -> Response:
    return visit.page("pay.html", status=status, code=code, told=told)


def _amount_page(
    visit: Visit, scanned: orders.Scanned, purse: Purse, *, told: str = "", told_field: str = ""
) -> Response:
    return visit.page(
        "pay_amount.html",
        status=422 if told else 200,
        code=scanned.payload,
        merchant=merchant_of_code(scanned.code),
        asks_tip=scanned.code.tip.kind is TipKind.PROMPT,
        purse=purse,
        amount=visit.typed("amount"),
        tip=visit.typed("tip"),
        told=told,
        told_field=told_field,
    )


PAGES: Final = (
    Page(path="/pay", get=show_pay, post=take_code),
    Page(path="/pay/photo", post=take_photo, takes_photo=True),
    Page(path="/pay/amount", get=show_amount, post=take_amount),
)
