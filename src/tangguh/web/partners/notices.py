"""What networks tell us by themselves: the QRIS switch's notice of a payment (SNAP 52).

A notice is one more answer to the same question the resolver asks. It is verified by the
switch's signature, compared with our own payment, and concluded like any other outcome: told
twice, nothing more happens.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.payments import store as payments
from tangguh.payments.decide import Conclude
from tangguh.payments.payment import Payment
from tangguh.rails.qris.fields import NoticeRefused
from tangguh.rails.qris.notice import (
    NOTIFY,
    Notice,
    judge_headers,
    read_notice,
)
from tangguh.rails.rail import Facts
from tangguh.rails.snap_agreed import NOTHING, Agreed
from tangguh.web.api.operations import read_body
from tangguh.web.door import Door
from tangguh.web.partners.named import Named
from tangguh.web.problems import Trouble

log = structlog.get_logger("web.partners")

_BODY_BYTES_MAX: Final = 16 * 1024
_RAIL: Final = "qris"
_TAKEN: Final = ("2005200", "Successful")
_UNKNOWN: Final = NoticeRefused("4045201", "originalPartnerReferenceNo", "is not a payment of ours")
_OTHER_AMOUNT: Final = NoticeRefused("4045213", "amount", "is not the payment's amount")
_QUERY: Final = NoticeRefused("4005201", "query", "is not part of it")
_CONFLICT: Final = NoticeRefused(
    "4095200", "X-EXTERNAL-ID", "named another request today: Conflict"
)
_TOO_LARGE: Final = NoticeRefused("4005200", "body", "is too large")
_LATER: Final = NoticeRefused("5005200", "", "not taken now; tell us again")


def routes(
    door: Door, switch_key: RSAPublicKey | None, agreed: Agreed = NOTHING
) -> list[BaseRoute]:
    """The partners' door; closed when no key verifies what comes in.

    ``agreed``: as whom the switch calls.
    """
    if switch_key is None:
        return []

    named = Named(door, agreed.partner_id)

    async def take_notice(request: Request) -> Response:
        unread = judge_headers(request.headers, switch_key, door.clock.now(), agreed)
        if request.url.query:
            unread = _QUERY
        if unread is not None:
            log.warning("notice.refused", field=unread.field, why=unread.detail)
            return _answer(unread)
        try:
            body = await read_body(request, _BODY_BYTES_MAX)
        except Trouble:
            return _answer(_TOO_LARGE)
        found = read_notice(
            request.method,
            request.url.path,
            request.headers,
            body,
            key=switch_key,
            now=door.clock.now(),
            agreed=agreed,
        )
        if isinstance(found, NoticeRefused):
            log.warning("notice.refused", field=found.field, why=found.detail)
            return _answer(found)
        try:
            if await named.is_conflict(found.external_id, NOTIFY.path, body):
                return _answer(_CONFLICT)
        except TangguhError:
            return _answer(_LATER)
        return _answer(await _conclude(door, found))

    return [Route(NOTIFY.path, take_notice, methods=["POST"])]


async def _conclude(door: Door, notice: Notice) -> NoticeRefused | None:
    try:
        payment = await payments.find(door.pool, door.book_id, UUID(notice.reference))
        if payment is None or payment.kind != "payment" or payment.rail != _RAIL:
            # Of what other networks carry, this one's word says nothing.
            return _UNKNOWN
        if notice.amount_minor is not None and notice.amount_minor not in _amounts(payment):
            if isinstance(notice.outcome, Accepted):
                # It is not booked; that it was said is kept, and gets an owner.
                facts = Facts(notice.amount_minor)
                doubt = Conclude(payment.id, notice.outcome, door.desk.rules, facts)
                await door.desk.decide(doubt)
            return _OTHER_AMOUNT
        if not isinstance(notice.outcome, Unanswered):
            await door.desk.decide(Conclude(payment.id, notice.outcome, door.desk.rules))
    except ValueError:
        return _UNKNOWN
    except TangguhError:
        return _LATER
    return None


def _amounts(payment: Payment) -> tuple[int, int]:
    """With or without the tip: switches differ in which of the two they call the amount."""
    return payment.amount_minor, payment.to_payee_minor


def _answer(refused: NoticeRefused | None) -> Response:
    code, message = _TAKEN
    if refused is not None:
        code, message = refused.response_code, refused.message
    body = msgspec.json.encode({"responseCode": code, "responseMessage": message})
    return Response(body, int(code[:3]), media_type="application/json")
