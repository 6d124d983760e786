"""The payment's page: the truth at every moment, live while its end is not known.

Without a script the page tells the same and has a link to look again. The stream sends what the
page shows, made by the same template, so that the two never tell different things.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from starlette.responses import Response, StreamingResponse

from tangguh.core.errors import Overloaded
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment, State
from tangguh.web.api.mobile import visible_payment
from tangguh.web.cookies import cookie
from tangguh.web.pages.care.report import report_line
from tangguh.web.pages.frame import SESSION_COOKIE, Page, Visit
from tangguh.web.pages.people import People, merchant_of, note_of
from tangguh.web.pages.refund import is_refundable_here
from tangguh.web.pages.screen import render
from tangguh.web.pages.story import (
    SILENCE_SECONDS,
    Side,
    advice_of,
    label_of,
    steps,
    tell,
)
from tangguh.work.tracing.lines import short_reference

_LOOK_AGAIN_SECONDS: Final = 15.0
_RETRY_MILLISECONDS: Final = 2_000
_RETRY_FULL_MILLISECONDS: Final = 15_000
_encode: Final = msgspec.json.Encoder().encode


class GivenBack(msgspec.Struct, frozen=True):
    """A refund of this payment, as its page lists it."""

    href: str
    label: str
    amount_minor: int
    refund: Payment


async def show_payment(visit: Visit) -> Response:
    """One payment, as its payer or its payee may see it."""
    payment = await _asked_for(visit)
    values = await _values(visit, payment)
    return visit.page("payment.html", **values)


async def stream(visit: Visit) -> Response:
    """The same page as it changes, until the payment has ended or the stream is old enough."""
    payment = await _asked_for(visit)
    return StreamingResponse(_changes(visit, payment), media_type="text/event-stream")


async def _asked_for(visit: Visit) -> Payment:
    return await visible_payment(visit.door, visit.me.customer_id, visit.request.path_params["id"])


async def _changes(visit: Visit, payment: Payment) -> AsyncIterator[str]:
    """The stream; when too many watch already it ends at once and is asked for again later."""
    try:
        async for event in _watched(visit, payment):
            yield event
    except Overloaded:
        yield f"retry: {_RETRY_FULL_MILLISECONDS}\n\n"


async def _watched(visit: Visit, payment: Payment) -> AsyncIterator[str]:
    door = visit.door
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + door.settings.live_seconds_max
    yield f"retry: {_RETRY_MILLISECONDS}\n\n"
    async with door.live.watching(payment.id, visit.me.customer_id) as changed:
        sent = ""
        while await _still_in(visit):
            changed.clear()
            found = await payments.find(door.pool, door.book_id, payment.id)
            payment = found or payment
            event = await _event(visit, payment)
            yield event if event != sent else ": still here\n\n"
            sent = event
            left = ends_at - loop.time()
            if not payment.is_open or door.live.closing or left <= 0:
                return
            await _wait(changed, min(left, _patience(visit, payment)))


async def _still_in(visit: Visit) -> bool:
    """Whether the reader is logged in: a log-out in another window ends this page too."""
    return await visit.door.sessions.find(cookie(visit.request, SESSION_COOKIE)) is not None


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    """Until the payment changes, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def _patience(visit: Visit, payment: Payment) -> float:
    """When to look again unasked: when silence becomes worth telling, then now and then."""
    if payment.state is State.HELD:
        age = (visit.door.clock.now() - payment.accepted_at).total_seconds()
        if age < SILENCE_SECONDS:
            return SILENCE_SECONDS - age + 0.1
    return _LOOK_AGAIN_SECONDS


async def _event(visit: Visit, payment: Payment) -> str:
    values = await _values(visit, payment)
    html = render("payment_live.html", visit.language, **visit.shared(), **values)
    story = values["story"]
    data = _encode(
        {"html": html, "said": f"{story.label}. {story.sentence}", "over": not (story.is_open)}
    )
    return f"event: payment\ndata: {data.decode()}\n\n"


async def _values(visit: Visit, payment: Payment) -> dict[str, Any]:
    """What the template needs."""
    door, me, words = visit.door, visit.me, visit.words
    now = door.clock.now()
    original = None
    if payment.original_id is not None:
        original = await payments.find(door.pool, door.book_id, payment.original_id)
    people = People(door, me.customer_id)
    ends = await people.ends(payment, original)
    side = _side_of(payment, me.customer_id, ends.payer.customer_id)
    events = await payments.timeline(door.pool, door.book_id, payment.id)
    given_back = await payments.refunds(door.pool, door.book_id, payment.id)
    # A refund goes the other way: who paid the payment receives it.
    other = Side.PAYEE if side is Side.PAYER else Side.PAYER
    owner = await people.owner(payment.creditor)
    mine = owner if owner is not None and owner.customer_id == me.customer_id else None
    received = mine if side is Side.PAYEE else None
    return {
        "payment": payment,
        "side": str(side),
        "ends": ends,
        "story": tell(
            words, payment, ends, side, now, waits=received is not None and received.waits
        ),
        "advice": advice_of(words, payment) if side is Side.PAYER else "",
        "steps": steps(words, events),
        "reference": short_reference(payment),
        "note": note_of(payment),
        "receipt": payments.receipt_of(events) if payment.rail == "billers" else "",
        "nmid": (merchant_of(payment) or ends.payee).nmid,
        "may_refund": received is not None
        and is_refundable_here(payment)
        and payment.refundable_minor > 0,
        "report": await report_line(visit, payment),
        "original_href": f"/payments/{original.id}" if original else "",
        "refunds": [
            GivenBack(
                f"/payments/{one.id}", label_of(words, one, now, other), one.amount_minor, one
            )
            for one in given_back
            if one.state is State.POSTED or one.customer_id == me.customer_id
        ],
    }


def _side_of(payment: Payment, customer_id: int, payer_id: int) -> Side:
    """Whose money moves out is the payer, also of a refund; to oneself one is the payer."""
    is_payer = payer_id == customer_id or (
        payment.kind == "payment" and payment.customer_id == customer_id
    )
    return Side.PAYER if is_payer else Side.PAYEE


PAGES: Final = (
    Page(path="/payments/{id}", get=show_payment),
    Page(path="/payments/{id}/events", get=stream, streams=True),
)
