"""What a reviewed slip orders, and what would become of it now."""

from __future__ import annotations

from typing import assert_never

from tangguh import __version__
from tangguh.core.client import Client
from tangguh.core.money import format_decimal
from tangguh.core.order import Origin, PaymentOrder, RefundOrder
from tangguh.core.outcome import Refused
from tangguh.core.service import TRANSFER_ONUS
from tangguh.payments.decide import Accept
from tangguh.payments.refund import AcceptRefund
from tangguh.rails.qris.message import to_payee
from tangguh.web import orders
from tangguh.web.api.mobile import routed
from tangguh.web.forecast import Forecast, forecast
from tangguh.web.pages.ahead.purse import open_purse
from tangguh.web.pages.frame import Visit
from tangguh.web.pages.seal import PayeeSlip, QrisSlip, RefundSlip, Slip, TransferSlip


async def foresee(visit: Visit, slip: Slip) -> Forecast:
    """What would become of it now; nothing of it is kept."""
    rules, order = visit.door.desk.rules, await order_of(visit, slip)
    if isinstance(order, Refused):
        return Forecast(refused=order)
    of = (
        AcceptRefund(order, rules)
        if isinstance(order, RefundOrder)
        else Accept(order, rules, origin=origin_of(visit))
    )
    return await forecast(visit.door, visit.session, of)


def origin_of(visit: Visit) -> Origin:
    """Where the order comes from, for the guard: this browser's session stands for the device."""
    device = visit.session.token_sha256.hex()[:16] if visit.session is not None else ""
    return Origin(client=Client.BROWSER, device=device, version=f"web {__version__}")


async def order_of(visit: Visit, slip: Slip) -> PaymentOrder | RefundOrder | Refused:
    """The order a slip makes, the way it goes."""
    customer_id = visit.me.customer_id
    order: PaymentOrder | Refused
    match slip:
        case RefundSlip():
            return RefundOrder(
                requested_by=customer_id,
                idempotency_key=slip.key,
                payment_id=slip.payment_id,
                amount_minor=slip.amount_minor,
                reason=slip.reason,
            )
        case TransferSlip():
            order = orders.transfer_order(
                customer_id=customer_id,
                key=slip.key,
                debtor=slip.debtor,
                creditor=slip.creditor,
                amount=format_decimal(slip.amount_minor),
                note=slip.note,
            )
        case QrisSlip():
            order = _qris_order(customer_id, slip)
        case PayeeSlip():
            order = _payee_order(visit, slip)
        case _:
            assert_never(slip)
    return order if isinstance(order, Refused) else await routed(visit.door, order)


def _payee_order(visit: Visit, slip: PayeeSlip) -> PaymentOrder:
    """What the network named and the customer saw, unchanged."""
    return PaymentOrder(
        customer_id=visit.me.customer_id,
        idempotency_key=slip.key,
        service=slip.service,
        debtor=slip.debtor,
        payee=slip.payee,
        amount_minor=slip.amount_minor,
        note=slip.note,
        debtor_name=visit.me.full_name,
    )


def _qris_order(customer_id: int, slip: QrisSlip) -> PaymentOrder | Refused:
    """The order again from the code itself; it must come to the sums that were shown."""
    scanned = orders.scan(slip.payload)
    if isinstance(scanned, Refused):
        return scanned
    asks_tip = orders.asks_for_tip(scanned.code)
    return orders.qris_order(
        customer_id=customer_id,
        key=slip.key,
        debtor=slip.debtor,
        payload=slip.payload,
        amount=format_decimal(slip.amount_minor),
        tip=format_decimal(slip.tip_minor) if asks_tip or slip.tip_minor else None,
        note=slip.note,
    )


async def fee_now(visit: Visit, slip: Slip) -> int:
    """The fee of the tariff in force now for this account, in minor units."""
    if isinstance(slip, RefundSlip):
        return 0
    return (await open_purse(visit, await service_of(visit, slip), str(slip.debtor))).fee_minor


async def service_of(visit: Visit, slip: QrisSlip | TransferSlip | PayeeSlip) -> str:
    """The service that carries it out, the way it goes now."""
    match slip:
        case PayeeSlip():
            return slip.service
        case TransferSlip():
            return TRANSFER_ONUS
        case QrisSlip():
            return await service_of_code(visit, slip.payload, slip.debtor)
        case _:
            assert_never(slip)


async def service_of_code(visit: Visit, payload: str, debtor: int) -> str:
    """The service that pays a merchant's code from an account: no network for a shop of ours."""
    scanned = orders.scan(payload)
    if isinstance(scanned, Refused):
        return orders.qris_service(debtor)
    order = PaymentOrder(
        customer_id=visit.me.customer_id,
        idempotency_key="",
        service=orders.qris_service(debtor),
        debtor=debtor,
        payee=to_payee(scanned.code, payload),
        amount_minor=0,
    )
    return (await routed(visit.door, order)).service
