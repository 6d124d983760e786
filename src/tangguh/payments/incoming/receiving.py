"""What networks bring: announced credits, settlement notices, and money that comes back.

The bank as a rail sees it when the network speaks first (``rails.rail.Receiver``). Each method may
be called again with the same message: the book answers the same, and nothing moves twice.
"""

from __future__ import annotations

import structlog

from tangguh.core.errors import TangguhError
from tangguh.core.order import CreditOrder, RefundOrder
from tangguh.core.outcome import (
    Accepted,
    Declined,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Unanswered,
)
from tangguh.db.pool import Pool
from tangguh.payments import store
from tangguh.payments.decide import Conclude
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.receive import THE_NETWORK, ReceiveCredit
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.refund import AcceptRefund
from tangguh.rails.rail import NO_FACTS, Facts, Incoming

log = structlog.get_logger("payments.incoming.receiving")

_ACCOUNT_DIGITS_MAX = 16


class Receiving:
    """The door for networks that speak first, over the desk."""

    def __init__(self, desk: Desk, pool: Pool, book_id: int) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id

    async def announce(
        self, incoming: Incoming, *, at_once: bool = False
    ) -> Accepted | Declined | Unanswered:
        """May this credit come? Accepted names it; with ``at_once`` it is credited already.

        Money of ours that comes back is booked as a refund of the payment it belongs to.
        """
        try:
            if incoming.original:
                decided = await self._announce_return(incoming)
            else:
                decided = await self._desk.decide(
                    ReceiveCredit(_credit_order(incoming), self._desk.rules, at_once)
                )
        except TangguhError as trouble:
            log.warning("receiving.failed", rail=incoming.rail, why=str(trouble))
            return Unanswered("the book cannot be reached")
        if isinstance(decided, Refused):
            return Declined(decided.code, decided.field)
        if decided.payment.kind == "credit" and decided.payment.refunded_minor:
            # It came, and went back: whatever was taken back stays so.
            return Declined(Refusal.IDEMPOTENCY_KEY_REUSED, "reference")
        return _as_answer(decided.payment)

    async def settled(
        self, rail: str, reference: str, outcome: Outcome, facts: Facts = NO_FACTS
    ) -> Accepted | Declined | Unanswered:
        """The network's word on an announced credit, or on a payment of ours by its reference."""
        try:
            payment = await self.find(rail, reference)
            if payment is None:
                return Unanswered("no payment has this reference")
            if isinstance(outcome, NotSent | Unanswered):
                return _as_answer(payment)
            decided = await self._desk.decide(
                Conclude(payment.id, outcome, self._desk.rules, facts)
            )
        except TangguhError as trouble:
            log.warning("receiving.failed", rail=rail, why=str(trouble))
            return Unanswered("the book cannot be reached")
        if isinstance(decided, Refused):
            return Declined(decided.code, decided.field)
        return _as_answer(decided.payment)

    async def find(self, rail: str, reference: str) -> Payment | None:
        """The payment, return or credit a network means: theirs (``in:``) or ours."""
        credit = await store.find_by_wire(self._pool, self._book_id, rail, f"in:{reference}")
        if credit is not None:
            return credit
        return await store.find_by_wire(self._pool, self._book_id, rail, reference)

    async def _announce_return(self, incoming: Incoming) -> Decided | Refused:
        original = await store.find_by_wire(
            self._pool, self._book_id, incoming.rail, incoming.original
        )
        if original is None:
            # Not a payment we know: it may still be somebody's money.
            return await self._desk.decide(ReceiveCredit(_credit_order(incoming), self._desk.rules))
        order = RefundOrder(
            requested_by=THE_NETWORK,
            idempotency_key=f"{incoming.rail}:{incoming.reference}",
            payment_id=original.id,
            amount_minor=incoming.amount_minor,
            reason=incoming.note,
            returned_as=incoming.reference,
        )
        return await self._desk.decide(AcceptRefund(order, self._desk.rules))


def _credit_order(incoming: Incoming) -> CreditOrder:
    digits = incoming.creditor
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _ACCOUNT_DIGITS_MAX
    return CreditOrder(
        rail=incoming.rail,
        idempotency_key=f"{incoming.rail}:{incoming.reference}",
        service=incoming.service,
        creditor=int(digits) if is_number else 0,
        amount_minor=incoming.amount_minor,
        currency=incoming.currency,
        sender_name=incoming.sender_name,
        sender_bank=incoming.sender_bank,
        sender_account=incoming.sender_account,
        note=incoming.note,
        original=incoming.original,
        network_reference=incoming.settled_as,
    )


def _as_answer(payment: Payment) -> Accepted | Declined:
    if payment.state in {State.REFUSED, State.VOIDED} and payment.refusal is not None:
        return Declined(payment.refusal, payment.refusal_field)
    return Accepted(payment.id.hex)
