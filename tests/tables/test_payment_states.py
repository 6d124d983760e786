"""The life of a payment as a table: every pair of states, legal or not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from tangguh.core.errors import InvariantBroken
from tangguh.core.order import PaymentOrder, ToAccount
from tangguh.payments.payment import OPEN, TRANSITIONS, Payment, State, next_word_at

AT = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)

#            to: refused parked held unanswered posted voided refunded
LEGAL = {
    State.REFUSED: "      -     -     -       -        -      -      -   ",
    State.PARKED: "       -     -     x       -        -      x      -   ",
    State.HELD: "         -     -     -       x        x      x      -   ",
    State.UNANSWERED: "   -     -     -       x        x      x      -   ",
    State.POSTED: "       -     -     -       -        -      -      x   ",
    State.VOIDED: "       -     -     -       -        -      -      -   ",
    State.REFUNDED: "     -     -     -       -        -      -      -   ",
}


def payment(state: State) -> Payment:
    order = PaymentOrder(
        customer_id=1, idempotency_key="k", service="mobile.transfer.onus", debtor=1,
        payee=ToAccount(2), amount_minor=100,
    )  # fmt: skip
    return Payment(
        id=UUID(int=1), kind="payment", customer_id=1, service=order.service, rail="onus",
        state=state, debtor=1, creditor=2, amount_minor=100, tip_minor=0, fee_minor=0,
        currency="IDR", order=order, business_date=date(2026, 3, 20), accepted_at=AT,
    )  # fmt: skip


@pytest.mark.parametrize("here", State)
@pytest.mark.parametrize("there", State)
def test_every_transition_is_legal_or_refused(here: State, there: State) -> None:
    """What the drawing allows happens; everything else is our bug and raises."""
    is_legal = LEGAL[here].split()[list(State).index(there)] == "x"
    assert is_legal == (there in TRANSITIONS[here])
    if not is_legal:
        with pytest.raises(InvariantBroken):
            payment(here).to(there, AT)
        return
    after = payment(here).to(there, AT, resolve_at=AT)
    assert after.state is there
    assert (after.resolve_at is not None) == (there in OPEN)
    assert (after.concluded_at is None) == (there in OPEN)


def test_the_first_word_is_within_a_quarter_of_an_hour_and_none_is_later_than_eight() -> None:
    """An open payment always has a time by which the customer hears more; an ended one has none.

    It is never further away than the payment has waited, nor than eight hours.
    """
    held = payment(State.HELD)
    for minutes in (0, 14, 15, 29, 100, 600, 5_000):
        now = AT.replace(minute=0).fromtimestamp(AT.timestamp() + minutes * 60, UTC)
        word = next_word_at(held, now)
        assert word is not None
        assert 30 <= (word - now).total_seconds() <= min(max(15, minutes + 1), 8 * 60) * 60 + 30
    assert next_word_at(payment(State.POSTED), AT) is None
