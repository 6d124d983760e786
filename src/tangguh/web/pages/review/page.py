"""The last look before money moves, and the PIN. What is paid is exactly what this page showed.

The slip in the form is sealed with the session's key and holds the idempotency key: a changed
digit is refused, a double click or a reload finds the payment that is already there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, assert_never
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from tangguh.access.consent import Consent
from tangguh.core.errors import Ambiguous
from tangguh.core.format import happened
from tangguh.core.order import (
    Payee,
    PaymentOrder,
    RefundOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToPurse,
    ToWallet,
)
from tangguh.core.outcome import Refused
from tangguh.core.service import TRANSFER_CARDS
from tangguh.payments import store as payments
from tangguh.payments.payment import Decided, Payment, State
from tangguh.web import login, orders
from tangguh.web.api.mobile import visible_payment
from tangguh.web.forecast import Forecast
from tangguh.web.pages.ahead.obstacle import Obstacle, obstacle_of
from tangguh.web.pages.ahead.purse import open_purse
from tangguh.web.pages.ahead.slips import fee_now, foresee, order_of, origin_of, service_of
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.pages.pay import merchant_of_code
from tangguh.web.pages.people import People, place_of
from tangguh.web.pages.seal import (
    PayeeSlip,
    QrisSlip,
    Recipient,
    RefundSlip,
    Slip,
    TransferSlip,
)
from tangguh.web.pages.transfer import is_first_time
from tangguh.web.pages.trouble import REVIEW_CHANGED, pin_words, sentence
from tangguh.web.problems import Trouble, of_refused, problem

_SAME_AGAIN: Final = timedelta(minutes=10)
_RECENT_MAX: Final = 50


async def show_review(visit: Visit) -> Response:
    """Everything that will be paid, and nothing else. Paid already: the payment itself."""
    slip = _opened(visit, visit.asked("order"))
    if isinstance(slip, RefundSlip):
        return await _review_page(visit, slip)
    made = await _made_with(visit, slip)
    if made is not None:
        return redirect(f"/payments/{made.id}")
    fee_minor = await fee_now(visit, slip)
    if fee_minor != slip.fee_minor:
        slip = msgspec.structs.replace(slip, fee_minor=fee_minor)
        return await _review_page(visit, slip, news=visit.words("review.fee_changed"))
    return await _review_page(visit, slip)


async def confirm(visit: Visit) -> Response:
    """The PIN is right and the slip is as it was shown: pay, and show the payment."""
    slip = _opened(visit, visit.typed("order"))
    try:
        consent = await login.prove_again(visit.door, visit.open_session, visit.typed("pin"))
    except Trouble as found:
        now = visit.door.clock.now()
        told = pin_words(visit.words, found.problem, now, "pin.wrong_again")
        return await _review_page(visit, slip, told=told, status=422)
    fee_minor = await fee_now(visit, slip)
    if not isinstance(slip, RefundSlip) and fee_minor != slip.fee_minor:
        dearer = msgspec.structs.replace(slip, fee_minor=fee_minor)
        told = visit.words("review.fee_changed")
        return await _review_page(visit, dearer, told=told, status=409)
    try:
        decided = await _carry_out(visit, consent, slip)
    except Ambiguous:
        # The same slip again is safe: its key asks for the same payment.
        told = visit.words("review.ambiguous")
        return await _review_page(visit, slip, told=told, status=503, is_unsure=True)
    if isinstance(decided, Refused):
        return await _refused(visit, slip, decided)
    return redirect(f"/payments/{decided.payment.id}")


async def pay_again(visit: Visit) -> Response:
    """A fresh review of a payment that certainly did not happen. Any other: its own page."""
    door = visit.door
    payment = await visible_payment(door, visit.me.customer_id, visit.request.path_params["id"])
    order = payment.order
    may = payment.state in {State.REFUSED, State.VOIDED} and payment.customer_id == (
        visit.me.customer_id
    )
    if not may or not isinstance(order, PaymentOrder):
        return redirect(f"/payments/{payment.id}")
    purse = await open_purse(visit, order.service, str(order.debtor))
    payload = getattr(order.payee, "payload", "")
    if payload:
        slip: Slip = QrisSlip(
            key=door.ids.next().hex,
            debtor=order.debtor,
            payload=payload,
            amount_minor=order.amount_minor,
            tip_minor=order.tip_minor,
            fee_minor=purse.fee_minor,
        )
    elif not isinstance(order.payee, ToAccount):
        # Who it was must be asked again: a bill may be paid by now, a name may have changed.
        return redirect(_asks_at(order.payee, order.service))
    else:
        owner = await People(door, visit.me.customer_id).chosen(order.payee.account_id)
        if owner is None:
            return redirect("/transfer")
        slip = TransferSlip(
            key=door.ids.next().hex,
            debtor=order.debtor,
            creditor=order.payee.account_id,
            creditor_name=owner.full_name,
            amount_minor=order.amount_minor,
            fee_minor=purse.fee_minor,
            note=order.note,
        )
    return redirect(f"/review?{urlencode({'order': visit.seal(slip)})}")


def _asks_at(payee: Payee, service: str) -> str:
    """The page that asks for such a payee."""
    match payee:
        case ToWallet(wallet=wallet):
            return f"/to/wallet/{wallet}"
        case ToBiller(biller=biller):
            return f"/to/bill/{biller}"
        case ToPurse():
            return "/to/emoney"
        case ToBank():
            return "/to/bank?via=cards" if service == TRANSFER_CARDS else "/to/bank"
        case _:
            return "/services"


def _opened(visit: Visit, text: str) -> Slip:
    """The slip of this session. Raises Trouble when one character of it is not as it was shown."""
    slip = visit.unseal(text)
    if slip is None or isinstance(slip, Recipient):
        raise Trouble(msgspec.structs.replace(problem("body_invalid"), code=REVIEW_CHANGED))
    return slip


async def _carry_out(visit: Visit, consent: Consent, slip: Slip) -> Decided | Refused:
    order = await order_of(visit, slip)
    match order:
        case Refused():
            return order
        case RefundOrder():
            return await visit.door.refund(consent, order)
        case _:
            return await visit.door.pay(consent, order, origin_of(visit), session=visit.session)


async def _made_with(visit: Visit, slip: QrisSlip | TransferSlip | PayeeSlip) -> Payment | None:
    """The payment this slip has made, when the customer comes back to its review."""
    for payment in await _recent(visit):
        if payment.order.idempotency_key == slip.key:
            return payment
    return None


async def _recent(visit: Visit) -> list[Payment]:
    door = visit.door
    return await payments.of_customer(
        door.pool, door.book_id, visit.me.customer_id, payments.NEWEST, _RECENT_MAX
    )


async def _same_again(visit: Visit, slip: QrisSlip | TransferSlip | PayeeSlip) -> str:
    """A question before the same sum goes to the same payee twice (E20).

    One that has no answer yet is asked about however old it is; one that was paid, for ten
    minutes.
    """
    door, now = visit.door, visit.door.clock.now()
    open_ones = await payments.open_of_customer(door.pool, door.book_id, visit.me.customer_id)
    for payment in open_ones:
        if _is_same(payment, slip):
            return visit.words("review.same_waiting", time=_when(visit, payment))
    for payment in await _recent(visit):
        has_ended_well = payment.state in {State.POSTED, State.REFUNDED}
        is_recent = now - payment.accepted_at <= _SAME_AGAIN
        if has_ended_well and is_recent and _is_same(payment, slip):
            return visit.words("review.same_lately", time=_when(visit, payment))
    return ""


def _when(visit: Visit, payment: Payment) -> str:
    return happened(payment.accepted_at, visit.door.clock.now(), visit.language)


def _is_same(payment: Payment, slip: QrisSlip | TransferSlip | PayeeSlip) -> bool:
    order = payment.order
    return (
        isinstance(order, PaymentOrder)
        and payment.amount_minor == slip.amount_minor
        and _is_same_payee(payment, order, slip)
    )


def _is_same_payee(
    payment: Payment, order: PaymentOrder, slip: QrisSlip | TransferSlip | PayeeSlip
) -> bool:
    match slip:
        case QrisSlip():
            return getattr(order.payee, "payload", None) == slip.payload
        case PayeeSlip():
            return order.service == slip.service and _number(order.payee) == _number(slip.payee)
        case _:
            return payment.creditor == slip.creditor


def _number(payee: Payee) -> str:
    """What names a payee beyond the bank; what its inquiry added is new each time."""
    names = ("account", "proxy", "number", "customer_no")
    return "/".join(str(getattr(payee, name, "")) for name in names)


async def _refused(visit: Visit, slip: Slip, refused: Refused) -> Response:
    """A refund that was refused is no payment: say so on the review."""
    if isinstance(slip, RefundSlip):
        reason = sentence(visit.words, f"problem.{refused.code}.reason")
        told = f"{reason} {visit.words('money.not_moved')}"
        return await _review_page(visit, slip, told=told, status=422)
    raise Trouble(of_refused(refused))


async def _review_page(
    visit: Visit,
    slip: Slip,
    *,
    told: str = "",
    news: str = "",
    status: int = 200,
    is_unsure: bool = False,
) -> Response:
    """``told``: about the last try; ``is_unsure``: it may have paid, so only that is told.
    ``news``: what is not as it was when the review was made.
    """
    shared: dict[str, Any] = {"order": visit.seal(slip), "told": told, "slip": slip, "news": news}
    foreseen = Forecast() if is_unsure else await foresee(visit, slip)
    if isinstance(slip, RefundSlip):
        original = await visible_payment(visit.door, visit.me.customer_id, str(slip.payment_id))
        shared["obstacle"] = await obstacle_of(visit, original.service, foreseen, None)
        shared["ends"] = await People(visit.door, visit.me.customer_id).ends(original)
        return visit.page("review_refund.html", status=status, original=original, **shared)
    service = await service_of(visit, slip)
    purse = await open_purse(visit, service, str(slip.debtor))
    is_first, merchant, far = False, None, None
    if isinstance(slip, QrisSlip):
        scanned = orders.scan(slip.payload)
        if isinstance(scanned, Refused):
            raise Trouble(of_refused(scanned))
        merchant = merchant_of_code(scanned.code)
    elif isinstance(slip, PayeeSlip):
        far = place_of(slip.payee)
    else:
        is_first = await is_first_time(visit, slip.creditor)
    obstacle = await obstacle_of(visit, service, foreseen, purse)
    shut = None
    if foreseen.waits:
        shut = await visit.door.shutters.of(service, visit.me.customer_id, purse.account.account_id)
    return visit.page(
        "review.html",
        status=status,
        purse=purse,
        merchant=merchant,
        far=far,
        is_first=is_first,
        obstacle=obstacle,
        way_out=_way_out(visit, slip, obstacle, has_more=len(purse.accounts) > 1)
        if obstacle is not None
        else None,
        shut=shut,
        question=await _same_again(visit, slip),
        **shared,
    )


def _way_out(
    visit: Visit, slip: QrisSlip | TransferSlip | PayeeSlip, obstacle: Obstacle, *, has_more: bool
) -> tuple[str, str]:
    """Where the customer can go on instead, and what that is called."""
    words = visit.words
    mends = obstacle.of_the_sum or obstacle.of_the_account
    if not mends and (obstacle.shut is not None or obstacle.instead):
        return "/services", words("ask.other")
    match slip:
        case QrisSlip():
            form, other = f"/pay/amount?{urlencode({'code': slip.payload})}", "/pay"
            label = words("pay.other_code")
        case TransferSlip():
            to = visit.seal(Recipient(slip.creditor, slip.creditor_name))
            form, other = f"/transfer/amount?{urlencode({'to': to})}", "/transfer"
            label = words("transfer.other")
        case PayeeSlip():
            form = other = _asks_at(slip.payee, slip.service)
            label = words("review.change_payee")
        case _:
            assert_never(slip)
    if obstacle.of_the_account and has_more:
        return form, words("review.change_account")
    if obstacle.of_the_account and obstacle.instead:
        return "/pay", words("frame.pay")  # e-money, which pays a shop's code
    if obstacle.of_the_account:
        return "/reports/new", words("report.new")
    return (form, words("review.change")) if obstacle.of_the_sum else (other, label)


PAGES: Final = (
    Page(path="/review", get=show_review, post=confirm),
    Page(path="/payments/{id}/again", get=pay_again),
)
