"""A payment: our record of carrying out one order. States and every legal transition. Pure.

    (order) ──► refused
       │
       ├──────► posted ──► refunded          (inside the bank: one step)
       │          ▲
       ├► held ───┤
       │   │▲     │
       │   │└─────┼── parked                 (a closed gate: money reserved, not sent yet)
       │   ▼      │      ▲ │
       │unanswered┴──► voided                (held and unanswered end in posted or voided, once)
       └─────────────────┘

The same states serve a refund: money on its way back is held until the network has answered.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.core.order import CreditOrder, PaymentOrder, RefundOrder
from tangguh.core.outcome import Refusal, Refused


class State(StrEnum):
    """Where a payment is. ``parked``, ``held`` and ``unanswered`` are open; the others are ends.

    Only one end may be left again: a posted payment becomes refunded when all of it went back.
    """

    REFUSED = "refused"
    PARKED = "parked"
    HELD = "held"
    UNANSWERED = "unanswered"
    POSTED = "posted"
    VOIDED = "voided"
    REFUNDED = "refunded"


TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.REFUSED: frozenset(),
    State.PARKED: frozenset({State.HELD, State.VOIDED}),
    State.HELD: frozenset({State.UNANSWERED, State.POSTED, State.VOIDED}),
    State.UNANSWERED: frozenset({State.UNANSWERED, State.POSTED, State.VOIDED}),
    State.POSTED: frozenset({State.REFUNDED}),
    State.VOIDED: frozenset(),
    State.REFUNDED: frozenset(),
}
OPEN: Final = frozenset({State.PARKED, State.HELD, State.UNANSWERED})

NEXT_WORD_SECONDS: Final = 15 * 60
"""Rule of the house: an unanswered customer hears from us within a quarter of an hour, then each
time as long again as it has lasted, at most eight hours apart (ADR-0037)."""
_APART_SECONDS_MAX: Final = 8 * 3600
_TOLD_BEFORE_SECONDS: Final = 30
"""A word is given so long before the time it was promised for; the promise moves with it."""

Order = PaymentOrder | RefundOrder | CreditOrder


_TOLD_MAX: Final = 40
"""So long a story takes contradictions: a network may repeat one for ever, its file says it."""


class Payment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One payment, refund or credit. Amounts in minor units; times are UTC instants.

    ``id`` is also its hold's and its posting's id. ``kind`` is ``payment``, ``refund`` or
    ``credit``; a refund names its ``original_id`` and moves money from the original's creditor to
    its debtor; a credit comes from a network, and is held on its settlement account until settled.
    ``wire`` is the reference the network knows it by, where that is not its id.
    ``resolve_at``: while open, when the resolver looks at it next. ``refunding_minor`` is on its
    way back, ``refunded_minor`` is back. ``advanced_minor`` is the bank's own money its payer has
    for it now. ``discount_minor`` is what a merchant of ours pays out of what it gets, decided by
    the book. ``events`` counts the rows in its timeline. ``written``: its order's key and text as
    an older version of the bank wrote them, where this one would write others; None: as this one.
    """

    id: UUID
    kind: str
    customer_id: int
    service: str
    rail: str
    state: State
    debtor: int
    creditor: int
    amount_minor: int
    tip_minor: int
    fee_minor: int
    currency: str
    order: Order
    business_date: date
    accepted_at: datetime
    original_id: UUID | None = None
    network_reference: str = ""
    refusal: Refusal | None = None
    refusal_field: str = ""
    refusal_detail: str = ""
    refunded_minor: int = 0
    refunding_minor: int = 0
    concluded_at: datetime | None = None
    resolve_at: datetime | None = None
    attempts: int = 0
    events: int = 0
    wire: str = ""
    advanced_minor: int = 0
    discount_minor: int = 0
    written: tuple[str, str] | None = None

    @property
    def is_told_enough(self) -> bool:
        """Whether its story, our own questions apart, is so long that one more word adds nothing.

        A network that says the same for ever fills no book; what it says it said before.
        """
        return self.events - self.attempts >= _TOLD_MAX

    @property
    def reference(self) -> str:
        """The reference every network is given, the same on each send, inquiry and reversal."""
        return self.wire or self.id.hex

    @property
    def to_payee_minor(self) -> int:
        """What the payee gets: the amount and the tip."""
        return self.amount_minor + self.tip_minor

    @property
    def total_minor(self) -> int:
        """What the debtor pays: amount, tip and fee."""
        return self.amount_minor + self.tip_minor + self.fee_minor

    @property
    def refundable_minor(self) -> int:
        """What could still be given back. The fee is not part of it."""
        if self.kind == "refund" or self.state is not State.POSTED:
            return 0
        return self.to_payee_minor - self.refunded_minor - self.refunding_minor

    @property
    def original_of_refund(self) -> UUID:
        """The payment this refund gives back from. Raises InvariantBroken on a payment."""
        if self.original_id is None:
            raise InvariantBroken(f"{self.id} is no refund")
        return self.original_id

    @property
    def is_open(self) -> bool:
        """Whether nobody knows its end yet."""
        return self.state in OPEN

    @property
    def came_to_nothing(self) -> bool:
        """Whether it ended and took no money."""
        return self.state in {State.REFUSED, State.VOIDED}

    @property
    def is_to_be_sent(self) -> bool:
        """Whether it was just accepted and its rail is to carry it now."""
        return self.state is State.HELD

    def to(
        self,
        state: State,
        at: datetime,
        *,
        network_reference: str = "",
        refused: Refused | None = None,
        resolve_at: datetime | None = None,
    ) -> Payment:
        """The same payment one transition later. Raises InvariantBroken on an illegal one."""
        if state not in TRANSITIONS[self.state]:
            raise InvariantBroken(f"a payment cannot go from {self.state} to {state}")
        is_open = state in OPEN
        return msgspec.structs.replace(
            self,
            state=state,
            network_reference=network_reference or self.network_reference,
            refusal=refused.code if refused else self.refusal,
            refusal_field=refused.field if refused else self.refusal_field,
            refusal_detail=refused.detail if refused else self.refusal_detail,
            concluded_at=None if is_open else (self.concluded_at or at),
            resolve_at=resolve_at if is_open else None,
            attempts=self.attempts + (1 if state is State.UNANSWERED else 0),
            events=self.events + 1,
        )

    def with_refund(self, *, refunding_change: int, refunded_change: int, at: datetime) -> Payment:
        """After a refund of it began, ended or was called off; refunded when all of it is back."""
        refunded = self.refunded_minor + refunded_change
        whole = refunded == self.to_payee_minor
        return msgspec.structs.replace(
            self,
            refunding_minor=self.refunding_minor + refunding_change,
            refunded_minor=refunded,
            state=State.REFUNDED if whole else self.state,
            events=self.events + 1,
        )


def next_word_at(payment: Payment, now: datetime) -> datetime | None:
    """By when the customer hears the next word about an open payment; None when it has ended.

    The one time promised for it: pages, API and messages all ask here.
    """
    return promised_at(payment.accepted_at, now) if payment.is_open else None


def promised_at(accepted_at: datetime, now: datetime) -> datetime:
    """The next word of what was accepted then, if it is still open."""
    return accepted_at + timedelta(seconds=_promise(accepted_at, now)[1])


def words_due(payment: Payment, now: datetime) -> int:
    """How many promised times of an open payment have come: each is a word with the next time."""
    return _promise(payment.accepted_at, now)[0]


def _promise(accepted_at: datetime, now: datetime) -> tuple[int, int]:
    """How many promises are due, and after how many seconds the next one is."""
    waited = (now - accepted_at).total_seconds() + _TOLD_BEFORE_SECONDS
    due, at = 0, NEXT_WORD_SECONDS
    while at <= waited:
        due, at = due + 1, at + min(at, _APART_SECONDS_MAX)
    return due, at


_NETWORK_SAID: Final = "the network said "


def network_said(code: str) -> str:
    """How a network's own code of a no is kept in the detail of a refusal."""
    return f"{_NETWORK_SAID}{code}"


def code_of_network(payment: Payment) -> str:
    """That code again; empty when it was not a network that said no, or it gave none."""
    detail = payment.refusal_detail
    return detail.removeprefix(_NETWORK_SAID) if detail.startswith(_NETWORK_SAID) else ""


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What the book answers to an order. ``repeated``: decided before, nothing moved."""

    payment: Payment
    repeated: bool = False
