"""What the guard sees of a payment at each of its steps. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tangguh.core.order import CreditOrder, Origin, PaymentOrder
from tangguh.core.outcome import Refusal
from tangguh.guard.window import End, Seen
from tangguh.payments.gates.facts import NO_ORIGIN, facts_of
from tangguh.payments.payment import Payment, State

_UNREACHABLE: Final = frozenset({Refusal.PARTNER_UNREACHABLE, Refusal.NEVER_ARRIVED})
_OURS: Final = frozenset({Refusal.PROTECTIVE_CLOSURE, Refusal.PROTECTIVE_LIMIT})


def seen_of(payment: Payment, now: datetime, origin: Origin = NO_ORIGIN) -> tuple[Seen, ...]:
    """The observations a payment's present state, reached now, stands for.

    What our own gates refuse is not seen at all: a closure must not feed the rule that made it.
    A payment inside the bank is attempted and paid in one step.
    """
    order = payment.order
    if not isinstance(order, PaymentOrder | CreditOrder) or payment.refusal in _OURS:
        return ()
    facts = facts_of(order, origin)
    attempted = Seen(payment.accepted_at, payment.id, facts, End.ATTEMPTED)
    took = (now - payment.accepted_at).total_seconds()
    match payment.state:
        case State.HELD if payment.attempts == 0:
            return (attempted,)
        case State.UNANSWERED if payment.attempts <= 1:
            return (Seen(now, payment.id, facts, End.UNANSWERED, took),)
        case State.POSTED if payment.events <= 1:
            return (attempted, Seen(now, payment.id, facts, End.PAID, took))
        case State.POSTED:
            return (Seen(now, payment.id, facts, End.PAID, took),)
        case State.VOIDED:
            sick = payment.refusal in _UNREACHABLE
            end = End.NOT_SENT if sick else End.DECLINED
            return (Seen(now, payment.id, facts, end, took),)
        case State.REFUSED:
            return (attempted, Seen(now, payment.id, facts, End.REFUSED, 0.0))
        case _:
            return ()
