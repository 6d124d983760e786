"""Reversals that come to us: the original is undone, in whole or in part, or will never happen."""

from __future__ import annotations

from tangguh.core.order import PaymentOrder, RefundOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.payments import flow
from tangguh.payments.desk import Desk
from tangguh.payments.forbid import Forbid
from tangguh.payments.incoming.receive import THE_NETWORK
from tangguh.payments.payment import Payment, State
from tangguh.payments.refund import AcceptRefund
from tangguh.work import codes


async def take_back(desk: Desk, order: PaymentOrder, dispensed_minor: int) -> str | None:
    """Undo the payment made under this order's key, but for what was dispensed.

    The response code; None while its end is not known, so that whoever reverses asks again.
    ``order`` need only have the right customer and key: it stands in for one that never came.
    """
    decided = await desk.decide(Forbid(order))
    if not decided.repeated:
        return codes.APPROVED
    payment = decided.payment
    if payment.is_open:
        return None
    if payment.state in {State.REFUSED, State.VOIDED, State.REFUNDED}:
        return codes.APPROVED
    return await undo(desk, payment, payment.amount_minor - dispensed_minor)


async def undo(desk: Desk, payment: Payment, back_minor: int, *, forced: bool = False) -> str:
    """Give back so much of a posted payment or credit; the same reversal again gives nothing.

    A payment that another network carried is asked back there (an ATM's partial dispense); what
    our own book did is undone in it, the fee too when nothing is left of the payment.
    """
    if back_minor <= 0:
        return codes.APPROVED
    order = RefundOrder(
        requested_by=THE_NETWORK,
        idempotency_key=f"reversal:{payment.id.hex}",
        payment_id=payment.id,
        amount_minor=back_minor,
        reason="reversed by the terminal or the network",
        with_fee=True,
    )
    if forced or desk.rules.settles_inside(payment.service) or payment.kind == "credit":
        decided = await desk.decide(AcceptRefund(order, desk.rules, forced))
    else:
        decided = await flow.refund(desk, order)
    if not isinstance(decided, Refused):
        return codes.APPROVED if decided.payment.refusal is None else codes.TOO_LATE
    if decided.code is Refusal.IDEMPOTENCY_KEY_REUSED:
        return codes.APPROVED
    return codes.TOO_LATE
