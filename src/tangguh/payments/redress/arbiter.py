"""One arbiter for every way money comes back: refund, return, reversal, chargeback. Pure.

A whole payment comes back once, by one way. Elsewhere a return arrived while a chargeback was open,
and customers were paid twice (India, 2025); here the ways exclude each other, in the writer:

| open or done ↓   arrives →  | refund      | return, reversal | chargeback  |
|-----------------------------|-------------|------------------|-------------|
| refund, return under way    | what is left| what is left     | refused     |
| chargeback under way        | refused     | overtakes it     | refused     |
| whole sum is back           | refused     | refused          | refused     |

A return or reversal is a fact of the network; a chargeback is only our claim, so the fact overtakes
the claim, which is called off in the same step. What a network brings beyond that is not a
customer's: settlement finds it and people decide (ADR-0024).
"""

from __future__ import annotations

from enum import StrEnum

from tangguh.core.order import RefundOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.payments.payment import Payment, State
from tangguh.payments.redress.rows import Redress


class WayBack(StrEnum):
    """How money comes back. The value is stored.

    ``refund``: the payee gives it. ``return``: the payee's bank sends it back. ``reversal``: the
    network undoes it. ``chargeback``: we claim it for our customer. ``repair``: two people gave it
    back because settlement had shown that nobody was paid. ``goodwill``: two people gave it of
    the bank's own money, for a case.
    """

    REFUND = "refund"
    RETURN = "return"
    REVERSAL = "reversal"
    CHARGEBACK = "chargeback"
    REPAIR = "repair"
    GOODWILL = "goodwill"


FACTS = frozenset({WayBack.RETURN, WayBack.REVERSAL})
"""What has happened already when we hear of it."""


def way_of(order: RefundOrder, *, forced: bool = False) -> WayBack:
    """Which way an order is."""
    if order.claims:
        return WayBack.CHARGEBACK
    if order.returned_as:
        return WayBack.RETURN
    return WayBack.REVERSAL if forced or order.with_fee else WayBack.REFUND


def overtakes(redress: Redress, way: WayBack) -> bool:
    """Whether this way calls off the chargeback that is open."""
    return redress.chargeback is not None and way in FACTS


def refuse_way(
    original: Payment, redress: Redress, way: WayBack, amount_minor: int, claimed_minor: int
) -> Refused | None:
    """Why this way may not be taken now, or None. ``claimed_minor``: of the open chargeback.

    Refuses AMOUNT_NOT_POSITIVE, PAYMENT_NOT_REFUNDABLE, WAY_BACK_TAKEN, REFUND_EXCEEDS_PAYMENT.
    """
    if amount_minor <= 0:
        return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "a refund is at least one sen")
    if original.kind == "refund" or original.state not in {State.POSTED, State.REFUNDED}:
        return Refused(
            Refusal.PAYMENT_NOT_REFUNDABLE, "payment_id", f"a payment that is {original.state}"
        )
    if redress.came_back_by in {WayBack.REPAIR, WayBack.GOODWILL}:
        by = redress.came_back_by
        return Refused(Refusal.WAY_BACK_TAKEN, "payment_id", f"it came back by {by}")
    if way is WayBack.CHARGEBACK and original.refunding_minor:
        under_way = "a chargeback" if redress.chargeback is not None else "a refund"
        return Refused(Refusal.WAY_BACK_TAKEN, "payment_id", f"{under_way} is under way")
    if way is WayBack.REFUND and redress.chargeback is not None:
        return Refused(Refusal.WAY_BACK_TAKEN, "payment_id", "a chargeback is under way")
    left = original.refundable_minor
    if overtakes(redress, way):
        left += claimed_minor
    if amount_minor > left:
        by = f"; it came back by {redress.came_back_by}" if redress.came_back_by else ""
        return Refused(
            Refusal.REFUND_EXCEEDS_PAYMENT,
            "amount",
            f"{left} minor units can still be given back{by}",
        )
    return None
