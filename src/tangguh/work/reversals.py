"""Reversals that come to us: the original is undone, in whole or in part, or will never happen.

What a reversal says of its original is compared with it first; one that differs undoes nothing,
whichever of the two is right, and whoever looks after that network is told.
"""

from __future__ import annotations

from typing import Final

import structlog

from tangguh.core.order import PaymentOrder, RefundOrder, ToCash
from tangguh.core.outcome import Refusal, Refused
from tangguh.payments import flow
from tangguh.payments.checks.find import Find, FindOrdered
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.doubt import Doubt
from tangguh.payments.incoming.forbid import Forbid, is_forbidden
from tangguh.payments.incoming.receive import THE_NETWORK
from tangguh.payments.payment import Payment, State
from tangguh.payments.refund import AcceptRefund
from tangguh.rails.iso8583.fields import ASCII, Dialect
from tangguh.rails.iso8583.inbound.asked import ReversalAsked
from tangguh.work import codes
from tangguh.work.cards import CardOffice
from tangguh.work.undoing import BY_CARD, differing

log = structlog.get_logger("work.reversals")

_OVERTAKEN: Final = frozenset({Refusal.REFUND_EXCEEDS_PAYMENT, Refusal.IDEMPOTENCY_KEY_REUSED})
"""Refusals of an undo that another one, of the same payment and at the same time, has overtaken."""


async def take_back(
    desk: Desk, office: CardOffice, asked: ReversalAsked, dialect: Dialect = ASCII
) -> str | None:
    """Undo the original but for what was dispensed, whenever it was and whatever became of it.

    The response code; None while its end is not known, so that whoever reverses asks again. An
    original that is not known is remembered: should it come, it is refused.
    """
    decided = await desk.decide(Forbid(asked.original))
    payment = decided.payment
    if not decided.repeated or is_forbidden(payment):
        return codes.NO_RECORD
    what = differing(asked, payment, dialect)
    if not what and not await _is_of_card(office, payment, asked.pan):
        what = "card"
    if what:
        log.warning("reversal.differs", payment=str(payment.id), what=what)
        await desk.decide(Doubt(payment_id=payment.id, taken_minor=0, why=f"of another {what}"))
        return codes.OF_DIFFERENCE.get(what, codes.NO_RECORD)
    if asked.dispensed.minor > payment.to_payee_minor:
        return codes.FORMAT
    if payment.is_open:
        return None
    if payment.state in {State.REFUSED, State.VOIDED}:
        return codes.APPROVED
    return await _undo(desk, payment, asked.dispensed.minor)


async def _undo(desk: Desk, payment: Payment, dispensed_minor: int) -> str:
    """Give back what did not take place; the same reversal again gives nothing.

    A payment that another network carried is asked back there (an ATM's partial dispense); what
    our own book did is undone in it, the fee too when nothing is left of the payment. A later word
    that even less took place gives the rest; one that more did takes nothing, and is kept.
    """
    refused = await _give_back(desk, payment, dispensed_minor)
    if refused in _OVERTAKEN:
        payment = await desk.decide(Find(payment.id))
        refused = await _give_back(desk, payment, dispensed_minor)
    if refused is None and await _is_more_than_is_left(desk, payment, dispensed_minor):
        await desk.decide(Doubt(payment_id=payment.id, taken_minor=dispensed_minor))
        return codes.TOO_LATE
    if refused is None:
        return codes.APPROVED
    log.warning("reversal.refused", payment=str(payment.id), why=refused)
    return codes.TOO_LATE


async def _give_back(desk: Desk, payment: Payment, dispensed_minor: int) -> Refusal | None:
    """Give back what is not back yet; None when nothing is left to do."""
    back_minor = _left(payment) - dispensed_minor
    if back_minor <= 0:
        return None
    order = RefundOrder(
        requested_by=THE_NETWORK,
        idempotency_key=_key_of(payment, dispensed_minor),
        payment_id=payment.id,
        amount_minor=back_minor,
        reason="reversed by the terminal or the network",
        with_fee=True,
    )
    is_credit = payment.kind == "credit"
    if is_credit or desk.rules.settles_inside(payment.service):
        # A credit goes back even when it was spent, as an overdraft.
        decided = await desk.decide(AcceptRefund(order, desk.rules, forced=is_credit))
    else:
        decided = await flow.refund(desk, order)
    return decided.code if isinstance(decided, Refused) else decided.payment.refusal


async def _is_more_than_is_left(desk: Desk, payment: Payment, dispensed_minor: int) -> bool:
    """Whether it says that what was taken back took place after all; a late copy says nothing."""
    if dispensed_minor <= _left(payment):
        return False
    known = await desk.decide(FindOrdered(THE_NETWORK, _key_of(payment, dispensed_minor)))
    return known is None


def _left(payment: Payment) -> int:
    return payment.to_payee_minor - payment.refunded_minor


def _key_of(payment: Payment, dispensed_minor: int) -> str:
    return f"reversal:{payment.id.hex}:{dispensed_minor}"


async def _is_of_card(office: CardOffice, payment: Payment, pan: str) -> bool:
    """Whether a card that a reversal names is the original's, by the whole number."""
    order = payment.order
    if not pan or not isinstance(order, PaymentOrder) or order.service not in BY_CARD:
        return True
    if isinstance(order.payee, ToCash) and order.payee.sealed_pan:
        return office.security.open_sealed(order.payee.sealed_pan) == pan
    card = await office.find(pan)
    return card is not None and card.account_id == payment.debtor
