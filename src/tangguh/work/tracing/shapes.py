"""What staff on call are told: masked, sums as decimals in rupiah, instants in UTC. Shapes only."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token it is, what they answer for, and whether they sit at a device of theirs.

    ``now`` is the bank's own time; ``wall_clock_seconds`` how far the clock of its machine is ahead
    of it: not zero after somebody set that clock.
    """

    id: str
    roles: list[str]
    device: bool
    now: datetime
    wall_clock_seconds: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One payment as a list shows it. ``found_as``: what of it the reference was, if it was asked.

    ``to_payee`` is what the payee gets, ``total`` what the payer pays. ``to``: who was to be paid.
    """

    id: UUID
    short_reference: str
    kind: str
    service: str
    rail: str
    state: str
    to_payee: str
    fee: str
    total: str
    from_account: str
    to: str
    customer_id: int
    accepted_at: datetime
    concluded_at: datetime | None
    found_as: str = ""


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """The payments that answer, newest first. ``more``: there are others, which are not listed.

    ``looked_from`` and ``looked_to``: the time that was looked through; None when nothing had to
    be, since what was asked for can only name one.
    """

    payments: list[Line]
    more: bool
    looked_from: datetime | None
    looked_to: datetime | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: of the payment, or of what was done beside it. ``says``: the step in words.

    ``network``: what of it went to the network or came from it, as far as it was kept; empty for
    what the bank did alone. ``batch_no``: the batch of the hash chain it is sealed in.
    """

    at: datetime
    what: str
    says: str
    network: str
    state: str
    detail: str
    by: str
    batch_no: int


class HoldTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was set aside, and what became of it."""

    account: str
    amount: str
    posted: str
    state: str
    placed_at: datetime
    ended_at: datetime | None


class EntryTold(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a posting: a signed amount on an account."""

    account: str
    amount: str


class PostingTold(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money in the book; its entries add up to zero."""

    id: UUID
    kind: str
    posted_at: datetime
    business_date: date
    batch_no: int
    note: str
    entries: list[EntryTold]


class FileLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one cycle's file listed of it, net. Cycle 0: what a repair settled. No file: empty."""

    network: str
    day: date
    cycle: int
    net: str
    file_sha256: str
    file_state: str
    received_at: datetime | None


class BreakTold(msgspec.Struct, frozen=True, kw_only=True):
    """What settlement found different, whose it is, and what is proposed."""

    id: UUID
    network: str
    day: date
    cycle: int
    kind: str
    reference: str
    ours: str
    theirs: str
    owner: str
    proposal: str
    state: str
    reason: str
    found_at: datetime
    ended_at: datetime | None


class RedressTold(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bank's advance is, what it paid for being late, which way money came back."""

    advance: str
    advanced: str
    advanced_at: datetime | None
    still_out: str
    take_back_at: datetime | None
    why_not: str
    late_days: int
    late_paid: str
    came_back_by: str


class NoticeTold(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody was told, by which way, and whether it was taken. Not the words."""

    step: str
    template: str
    to: str
    made_at: datetime
    state: str
    via: str
    attempts: int
    reason: str
    proof: str
    read_at: datetime | None


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint about it."""

    id: UUID
    number: str
    about: str
    state: str
    channel: str
    opened_at: datetime
    act_by: datetime
    due_at: datetime
    outcome: str
    why: str
    owner: str


class IncidentTold(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that touched it."""

    id: UUID
    state: str
    begun_at: datetime | None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the bank's records say of one payment.

    ``names``: every name it goes by, and whose name that is. ``refusal`` is empty, or why nothing
    was paid. ``next_look_at``: while it is open, when the resolver asks next.
    """

    payment: Line
    names: dict[str, str]
    payee: str
    payer: str
    refusal: str
    refunded: str
    refunding: str
    attempts: int
    next_look_at: datetime | None
    business_date: date
    original_id: UUID | None
    steps: list[Step]
    hold: HoldTold | None
    postings: list[PostingTold]
    file_lines: list[FileLine]
    breaks: list[BreakTold]
    refunds: list[Line]
    redress: RedressTold | None
    notices: list[NoticeTold]
    cases: list[CaseLine]
    incidents: list[IncidentTold]


class AccountTold(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a customer."""

    account: str
    product: str
    state: str
    tier: str
    posted: str
    held: str
    available: str


class CardTold(msgspec.Struct, frozen=True, kw_only=True):
    """One card by its last four digits."""

    last_four: str
    state: str
    tries_left: int


class CustomerTold(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, masked: accounts, cards, log-in, what is open, what was last paid, complaints."""

    customer_id: int
    name: str
    phone: str
    language: str
    pin_failures: int
    pin_locked_until: datetime | None
    sessions_open: int
    accounts: list[AccountTold]
    cards: list[CardTold]
    open_payments: list[Line]
    newest_payments: list[Line]
    cases: list[CaseLine]


class CaseStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a case."""

    at: datetime
    state: str
    what: str
    detail: str
    by: str


class CaseTold(msgspec.Struct, frozen=True, kw_only=True):
    """A case without what people wrote: where it is, its clock, its steps, what it is about."""

    case: CaseLine
    customer_id: int
    payment: Line | None
    incident_id: UUID | None
    is_late: bool
    is_overdue: bool
    messages: int
    files: int
    steps: list[CaseStep]
