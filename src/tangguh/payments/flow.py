"""The walk of a payment on one page: accept, dispatch, conclude.

accept      the book decides and, in the same batch, holds the money and promises the resolver
dispatch    the ledger signs it and the rail carries it; no transaction is open
conclude    the book posts, voids, or keeps the hold until the resolver knows

Invariant: whatever interrupts this page at any await, held money has a resolver promised, and
asking again with the same order gives the same payment. A payment that settles inside the bank
needs no dispatch: the book posts it in the step that accepts it.
"""

from __future__ import annotations

from uuid import UUID

from tangguh.core.order import Origin, PaymentOrder, RefundOrder
from tangguh.core.outcome import Outcome, Refused
from tangguh.payments.checks.find import Find
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.desk import Desk, instruction_of, refunding_of
from tangguh.payments.gates.facts import NO_ORIGIN
from tangguh.payments.payment import Decided, Payment
from tangguh.payments.refund import AcceptRefund


async def pay(
    desk: Desk, order: PaymentOrder, origin: Origin = NO_ORIGIN, hold_id: UUID | None = None
) -> Decided | Refused:
    """Carry out an order. Returns the payment as it stands when the rail has answered or not.

    ``hold_id``: money set aside for it before, by a cash code.

    One that a closed gate parks is not sent: it waits for ``payments.parked``.

    Refused only when the idempotency key belongs to another order; a payment that was refused is
    a payment. Raises Overloaded or StoreUnavailable (nothing happened), Ambiguous (ask again).
    """
    accepted = await desk.decide(Accept(order, desk.rules, origin=origin, hold_id=hold_id))
    if isinstance(accepted, Refused) or accepted.repeated or not accepted.payment.is_to_be_sent:
        return accepted
    outcome = await dispatch(desk, accepted.payment)
    return await desk.decide(Conclude(accepted.payment.id, outcome, desk.rules))


async def refund(desk: Desk, order: RefundOrder) -> Decided | Refused:
    """Give money back. Same walk, same promises; refused refunds come back as Refused."""
    accepted = await desk.decide(AcceptRefund(order, desk.rules))
    if isinstance(accepted, Refused) or accepted.repeated or not accepted.payment.is_open:
        return accepted
    outcome = await dispatch_refund(desk, accepted.payment)
    return await desk.decide(Conclude(accepted.payment.id, outcome, desk.rules))


async def dispatch(desk: Desk, payment: Payment) -> Outcome:
    """Hand the payment to its rail, once, with the ledger's leave to send it."""
    return await desk.rail_of(payment).send(instruction_of(payment, desk.authorise(payment)))


async def dispatch_refund(desk: Desk, given_back: Payment) -> Outcome:
    """Hand the refund to the rail of its original, once."""
    original = await desk.decide(Find(given_back.original_of_refund))
    return await desk.rail_of(given_back).refund(refunding_of(given_back, original))
