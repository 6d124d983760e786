"""What a reviewed slip orders, and what would become of it now."""

from __future__ import annotations

from typing import assert_never

from tangguh import __version__
from tangguh.core.client import Client
from tangguh.core.errors import TangguhError
from tangguh.core.money import format_decimal
from tangguh.core.order import Origin, PaymentOrder, RefundOrder
from tangguh.core.outcome import Refused
from tangguh.core.service import TRANSFER_ONUS
from tangguh.payments.decide import Accept
from tangguh.payments.preview import Foreseen, Preview
from tangguh.payments.refund import AcceptRefund
from tangguh.web import orders
from tangguh.web.api.mobile import routed
from tangguh.web.pages.frame import Visit
from tangguh.web.pages.purse import open_purse
from tangguh.web.pages.seal import PayeeSlip, QrisSlip, RefundSlip, Slip, TransferSlip


async def foresee(visit: Visit, slip: Slip) -> Foreseen:
    """What would become of it now; nothing of it is kept.

    While the book cannot be asked nothing is foreseen, and nothing is promised either: the page is
    shown, and the order is decided when it comes.
    """
    desk, order = visit.door.desk, await order_of(visit, slip)
    if isinstance(order, Refused):
        return Foreseen(order)
    of = (
        AcceptRefund(order, desk.rules)
        if isinstance(order, RefundOrder)
        else Accept(order, desk.rules, origin=origin_of(visit))
    )
    try:
        return await desk.decide(Preview(of))
    except TangguhError:
        return Foreseen()


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
    return (await open_purse(visit, service_of(slip), str(slip.debtor))).fee_minor


def service_of(slip: QrisSlip | TransferSlip | PayeeSlip) -> str:
    """The service that carries it out."""
    if isinstance(slip, PayeeSlip):
        return slip.service
    return orders.qris_service(slip.debtor) if isinstance(slip, QrisSlip) else TRANSFER_ONUS
