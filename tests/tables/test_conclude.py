"""Every outcome for a payment in every state, twice over: no money moves a second time."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from conftest import NOON
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.order import PaymentOrder, ToQris
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.core.service import QRIS_OFFUS
from tangguh.ledger import chart
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.book import Book
from tangguh.ledger.chart import Kind
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.payment import OPEN, Decided, Payment, State
from tangguh.payments.plans import PAYMENT_JOURNALS, PAYMENT_SHELVES, PAYMENTS
from tangguh.payments.rules import DEFAULT_LIMITS, Rules, Way

ANA = 10_000_000_011
WAY = Way("qris", settles_inside=False, send_timeout_seconds=20.0, inquiry_delays_seconds=(3.0,))
RULES = Rules({QRIS_OFFUS: WAY}, DEFAULT_LIMITS, {})
PAYEE = ToQris("(scanned)", "9360", "M", "ID1", "93600914", "Warung", "Jakarta", "5499")
OUTCOMES: dict[str, Outcome] = {
    "accepted": Accepted("RRN1"),
    "declined": Declined(Refusal.PARTNER_DECLINED, "4035000"),
    "not_sent": NotSent("connection refused"),
    "unanswered": Unanswered("timeout"),
}
#               accepted      declined      not_sent      unanswered
TABLE = {
    "held": "       posted       voided        voided        unanswered",
    "unanswered": " posted       voided        voided        unanswered",
    "posted": "     same         contradicted  contradicted  same      ",
    "voided": "     contradicted same          same          same      ",
    "refunded": "   same         contradicted  contradicted  same      ",
    "refused": "    contradicted same          same          same      ",
}
CELLS = [
    (State(state), outcome, cell)
    for state, row in TABLE.items()
    for outcome, cell in zip(OUTCOMES, row.split(), strict=True)
]


class Absent(dict[Any, Any]):
    """Rows of which every one that was not put is known to be absent."""

    def __missing__(self, _: Any) -> None:
        return None

    def __contains__(self, _: object) -> bool:
        return True


def book_with_money() -> Book:
    book = Book(Ids(HandClock(NOON), random.Random(1)), PAYMENT_SHELVES, PAYMENT_JOURNALS)
    book.tick(NOON)
    for shelf in book.shelves():
        shelf.rows = Absent() if shelf.plan.name != PAYMENTS.name else shelf.rows
    for number, kind in ((ANA, Kind.CUSTOMER), *chart.OWN_ACCOUNTS.items()):
        floor = 0 if kind is Kind.CUSTOMER else None
        posted = 1_000_000 if kind is Kind.CUSTOMER else 0
        owner = 1 if kind is Kind.CUSTOMER else 0
        book.accounts.rows[number] = Account(
            number, kind, owner, AccountState.OPEN, posted, 0, floor, 0, NOON
        )
    return book


def payment_in(book: Book, state: State) -> Payment:
    """A payment brought to this state by the book's own decisions, as far as there are any."""
    amount = 10**12 if state is State.REFUSED else 25_000
    order = PaymentOrder(
        customer_id=1, idempotency_key="k", service=QRIS_OFFUS, debtor=ANA, payee=PAYEE,
        amount_minor=amount,
    )  # fmt: skip
    decided = Accept(order, RULES).decide(book)
    assert isinstance(decided, Decided)
    way = {State.POSTED: "accepted", State.REFUNDED: "accepted", State.VOIDED: "declined"}
    outcome = way.get(state, "unanswered" if state is State.UNANSWERED else "")
    payment = decided.payment
    if outcome:
        payment = conclude(book, payment.id, outcome).payment
    if state is State.REFUNDED:
        payment = payment.with_refund(refunding_change=0, refunded_change=25_000, at=book.now)
        book.shelf(PAYMENTS).put(payment.id, payment)
    assert payment.state is state
    return payment


def conclude(book: Book, payment_id: UUID, outcome: str) -> Decided:
    decided = Conclude(payment_id, OUTCOMES[outcome], RULES).decide(book)
    assert isinstance(decided, Decided)
    return decided


def money(book: Book) -> dict[int, tuple[int, int]]:
    return {
        number: (one.posted_minor, one.held_minor)
        for number, one in book.accounts.rows.items()
        if one is not None
    }


def last_event(book: Book) -> str:
    return str(book._journals["payment_events"][-1][5])


@pytest.mark.parametrize(("state", "outcome", "cell"), CELLS)
def test_one_outcome_in_one_state(state: State, outcome: str, cell: str) -> None:
    """An open payment ends or waits; one that ended stays, and a contradiction is written down."""
    book = book_with_money()
    payment = payment_in(book, state)
    before, events = money(book), len(book._journals["payment_events"])
    decided = conclude(book, payment.id, outcome)
    if cell in {"same", "contradicted"}:
        assert decided.repeated
        assert decided.payment.state is state
        assert money(book) == before
        added = len(book._journals["payment_events"]) - events
        assert added == (1 if cell == "contradicted" else 0)
        assert cell == "same" or last_event(book) == "contradicted"
        return
    assert not decided.repeated
    assert decided.payment.state == cell
    moved = {"posted": (975_000, 0), "voided": (1_000_000, 0), "unanswered": (1_000_000, 25_000)}
    assert money(book)[ANA] == moved[cell]


@pytest.mark.parametrize("first", OUTCOMES)
@pytest.mark.parametrize("second", OUTCOMES)
@pytest.mark.parametrize("third", OUTCOMES)
def test_three_outcomes_in_a_row_move_money_at_most_once(
    first: str, second: str, third: str
) -> None:
    """Whatever is said in whatever order, the first certain word stands."""
    book = book_with_money()
    payment = payment_in(book, State.HELD)
    for outcome in (first, second, third):
        conclude(book, payment.id, outcome)
    certain = next((one for one in (first, second, third) if one != "unanswered"), None)
    after = book.shelf(PAYMENTS).get(payment.id)
    assert after is not None
    expected = {None: State.UNANSWERED, "accepted": State.POSTED}.get(certain, State.VOIDED)
    assert after.state is expected
    posted, held = money(book)[ANA]
    assert (posted, held) == {
        State.UNANSWERED: (1_000_000, 25_000),
        State.POSTED: (975_000, 0),
        State.VOIDED: (1_000_000, 0),
    }[expected]
    assert sum(one for one, _ in money(book).values()) == 1_000_000
    assert (after.resolve_at is not None) == (after.state in OPEN)


def test_the_resolver_is_promised_again_each_time() -> None:
    """An unanswered payment is never without a time to be looked at, and not before now."""
    book = book_with_money()
    payment = payment_in(book, State.HELD)
    for step in range(5):
        book.tick(NOON + timedelta(seconds=40 * step))
        after = conclude(book, payment.id, "unanswered").payment
        assert after.resolve_at is not None
        assert after.resolve_at >= book.now
        assert after.attempts == step + 1
    assert msgspec.structs.replace(after, attempts=0).is_open
