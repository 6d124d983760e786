"""What the QRIS switch asks of us: a merchant of ours is paid, or our customer's code was scanned.

Either is decided by the book in one step and answered when it is durable; asked again, it is
the same. The merchant's page is told by the same decision.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.core.client import Client
from tangguh.core.errors import TangguhError
from tangguh.core.order import CreditOrder, Origin, PaymentOrder, ToQris
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import IN_QRIS, QRIS_CPM
from tangguh.customers import codes as one_time
from tangguh.customers import merchants
from tangguh.payments import store as payments
from tangguh.payments.checks.find import FindOrdered
from tangguh.payments.decide import Accept
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.payments.payment import Decided, Payment, State
from tangguh.rails.qris import acquirer
from tangguh.rails.qris.fields import NoticeRefused
from tangguh.rails.qris.nns import nns_of
from tangguh.rails.snap import Endpoint
from tangguh.rails.snap_agreed import NOTHING, Agreed
from tangguh.rails.snap_amount import amount_of
from tangguh.web.api.operations import read_body
from tangguh.web.door import Door
from tangguh.web.partners.named import Named
from tangguh.web.problems import Trouble

log = structlog.get_logger("web.acquirer")

_BODY_BYTES_MAX = 16 * 1024
_RAIL = "qris"
_ORIGIN = Origin(client=Client.QRIS_SWITCH)

Answered = tuple[int, bytes]
Serve = Callable[[Mapping[str, Any]], Awaitable[Answered]]


def routes(
    door: Door, switch_key: RSAPublicKey | None, agreed: Agreed = NOTHING
) -> list[BaseRoute]:
    """The switch's door; closed when no key verifies what comes in.

    ``agreed``: as whom the switch calls.
    """
    if switch_key is None:
        return []
    counter, named = AcquirerCounter(door), Named(door, agreed.partner_id)
    table: list[tuple[Endpoint, Serve]] = [
        (acquirer.PAY_MERCHANT, counter.pay_merchant),
        (acquirer.QUERY_MERCHANT, counter.query),
        (acquirer.PAY_BY_CODE, counter.pay_by_code),
    ]
    return [
        Route(
            endpoint.path,
            _endpoint(door, switch_key, endpoint, serve, agreed, named),
            methods=["POST"],
        )
        for endpoint, serve in table
    ]


def _endpoint(
    door: Door,
    key: RSAPublicKey,
    endpoint: Endpoint,
    serve: Serve,
    agreed: Agreed,
    named: Named,
) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        now = door.clock.now()
        unread = acquirer.judge_headers(endpoint, request.headers, key, now, agreed)
        if request.url.query:
            # No signature of this service covers one: who wrote it nobody can say.
            unread = NoticeRefused(f"400{endpoint.service}01", "query", "is not part of it")
        if unread is not None:
            log.warning("acquirer.refused", field=unread.field, why=unread.detail)
            return _refusal(unread)
        try:
            body = await read_body(request, _BODY_BYTES_MAX)
        except Trouble:
            return _response(acquirer.answer(endpoint, "40000", {}))
        fields = acquirer.verified(endpoint, request.headers, body, key=key, now=now, agreed=agreed)
        if isinstance(fields, NoticeRefused):
            log.warning("acquirer.refused", field=fields.field, why=fields.detail)
            return _refusal(fields)
        try:
            external_id = request.headers["x-external-id"]
            if await named.is_conflict(external_id, endpoint.path, body):
                return _response(acquirer.answer(endpoint, "40900", {}))
            return _response(await serve(fields))
        except TangguhError as trouble:
            log.warning("acquirer.failed", why=str(trouble))
            return _response(acquirer.answer(endpoint, "50001", {}))

    return take


class AcquirerCounter:
    """What the book decides of the switch's requests."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def pay_merchant(self, fields: Mapping[str, Any]) -> Answered:
        """SNAP 50: credit a merchant of ours, less its discount."""
        endpoint, door = acquirer.PAY_MERCHANT, self._door
        asked = acquirer.merchant_paid(fields)
        if isinstance(asked, NoticeRefused):
            return _refused(asked)
        shop = await merchants.by_pan(door.pool, door.book_id, asked.merchant_pan)
        if shop is None or shop.merchant_id != asked.merchant_id:
            return acquirer.answer(endpoint, "40408", {"partnerReferenceNo": asked.reference})
        order = CreditOrder(
            rail=_RAIL,
            idempotency_key=f"{_RAIL}:{asked.reference}",
            service=IN_QRIS,
            creditor=shop.credit_id,
            amount_minor=asked.amount_minor,
            tip_minor=asked.tip_minor,
            sender_bank=asked.issuer,
            note=asked.rrn,
            merchant_id=shop.merchant_id,
            bill=asked.bill,
        )
        decided = await door.desk.decide(ReceiveCredit(order, door.desk.rules, at_once=True))
        return _said(endpoint, asked.reference, decided)

    async def query(self, fields: Mapping[str, Any]) -> Answered:
        """SNAP 51: what became of a payment to a merchant of ours."""
        endpoint, door = acquirer.QUERY_MERCHANT, self._door
        reference = acquirer.asked_about(fields)
        if isinstance(reference, NoticeRefused):
            return _refused(reference)
        found = await payments.find_by_wire(door.pool, door.book_id, _RAIL, f"in:{reference}")
        told = {"originalPartnerReferenceNo": reference}
        if found is None:
            return acquirer.answer(endpoint, "40401", told)
        paid = found.state in {State.POSTED, State.REFUNDED}
        told |= {
            "originalReferenceNo": found.id.hex,
            "latestTransactionStatus": "00" if paid else "06",
        }
        return acquirer.answer(endpoint, "20000", {**told, "amount": amount_of(found.amount_minor)})

    async def pay_by_code(self, fields: Mapping[str, Any]) -> Answered:
        """SNAP 60: our customer showed a code, a merchant elsewhere scanned it. It pays once."""
        endpoint, door = acquirer.PAY_BY_CODE, self._door
        asked = acquirer.code_scanned(fields)
        if isinstance(asked, NoticeRefused):
            return _refused(asked)
        now = door.clock.now()
        code = await one_time.find_any(door.pool, door.book_id, asked.token, one_time.CPM)
        key = f"cpm:{asked.token}"
        if code is None or (
            now >= code.expires_at
            and await door.desk.decide(FindOrdered(code.customer_id, key)) is None
        ):
            return acquirer.answer(endpoint, "40300", {"partnerReferenceNo": asked.reference})
        if code.amount_minor is not None and code.amount_minor != asked.amount_minor:
            told = {"partnerReferenceNo": asked.reference}
            return acquirer.answer(endpoint, acquirer.case_of(Refusal.QR_AMOUNT_DIFFERS), told)
        order = PaymentOrder(
            customer_id=code.customer_id,
            idempotency_key=key,
            service=QRIS_CPM,
            debtor=code.account_id,
            payee=ToQris(
                payload="",
                merchant_pan=asked.merchant_pan,
                merchant_id=asked.merchant_id,
                nmid=asked.nmid,
                acquirer=nns_of(asked.merchant_pan),
                merchant_name=asked.merchant_name,
                merchant_city=asked.merchant_city,
                category_code="",
            ),
            amount_minor=asked.amount_minor,
            network_reference=asked.reference,
        )
        decided = await door.desk.decide(Accept(order, door.desk.rules, origin=_ORIGIN))
        return _said(endpoint, asked.reference, decided)


def _said(endpoint: Endpoint, reference: str, decided: Decided | Refused) -> Answered:
    told: dict[str, Any] = {"partnerReferenceNo": reference}
    if isinstance(decided, Refused):
        return acquirer.answer(endpoint, acquirer.case_of(decided.code), told)
    payment: Payment = decided.payment
    if payment.refusal is not None:
        return acquirer.answer(endpoint, acquirer.case_of(payment.refusal), told)
    told |= {"referenceNo": payment.id.hex, "amount": amount_of(payment.amount_minor)}
    return acquirer.answer(endpoint, "20000", told)


def _refused(found: NoticeRefused) -> Answered:
    response = _refusal(found)
    return response.status_code, bytes(response.body)


def _refusal(found: NoticeRefused) -> Response:
    endpoint = Endpoint(found.response_code[3:5], "")
    case = found.response_code[:3] + found.response_code[5:]
    status, body = acquirer.answer(endpoint, case, {"responseMessage": found.message})
    return Response(body, status, media_type="application/json")


def _response(answered: Answered) -> Response:
    status, body = answered
    return Response(body, status, media_type="application/json")
