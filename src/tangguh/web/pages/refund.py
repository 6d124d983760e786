"""Giving back a payment that was received: how much and why, then review and PIN."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from tangguh.core.format import money, typed_minor
from tangguh.core.text import shown
from tangguh.payments.merchant.shop import is_own_sale
from tangguh.payments.payment import Payment
from tangguh.web.api.mobile import visible_payment
from tangguh.web.pages.ahead.obstacle import go_on
from tangguh.web.pages.ahead.purse import ask_amount
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.people import People
from tangguh.web.pages.seal import RefundSlip
from tangguh.web.problems import trouble

_REASON_MAX: Final = 100


async def show_refund(visit: Visit) -> Response:
    """The payment and what can still be given back."""
    return await _refund_page(visit, await _received(visit))


async def take_refund(visit: Visit) -> Response:
    """Judge the amount; on to the review."""
    payment = await _received(visit)
    amount_minor = typed_minor(visit.typed("amount"))
    if not amount_minor:
        return await _refund_page(visit, payment, ask_amount(visit.words, visit.typed("amount")))
    if amount_minor > payment.refundable_minor:
        told = visit.words("refund.too_much", most=money(payment.refundable_minor))
        return await _refund_page(visit, payment, told)
    slip = RefundSlip(
        key=visit.door.ids.next().hex,
        payment_id=payment.id,
        amount_minor=amount_minor,
        reason=shown(visit.typed("reason"), _REASON_MAX),
    )
    gone_on = await go_on(visit, payment.service, slip, None)
    return await _refund_page(visit, payment, gone_on) if isinstance(gone_on, str) else gone_on


async def _received(visit: Visit) -> Payment:
    """A payment of this bank's customers that the visitor received. Raises Trouble."""
    me, door = visit.me, visit.door
    payment = await visible_payment(door, me.customer_id, visit.request.path_params["id"])
    owner = await People(door, me.customer_id).owner(payment.creditor)
    received = owner is not None and owner.customer_id == me.customer_id
    if not received or not is_refundable_here(payment):
        raise trouble("payment_not_refundable")
    return payment


def is_refundable_here(payment: Payment) -> bool:
    """Whether its payee can give it back: it was paid within the bank, by whichever service."""
    here = payment.rail == "onus" or is_own_sale(payment.order)
    return here and payment.kind == "payment"


async def _refund_page(visit: Visit, payment: Payment, told: str = "") -> Response:
    return visit.page(
        "refund.html",
        status=422 if told else 200,
        payment=payment,
        ends=await People(visit.door, visit.me.customer_id).ends(payment),
        amount=visit.typed("amount") or money(payment.refundable_minor).removeprefix("Rp"),
        reason=visit.typed("reason"),
        told=told,
    )


PAGES: Final = (Page(path="/payments/{id}/refund", get=show_refund, post=take_refund),)
