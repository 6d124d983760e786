"""A closure: one scope that is closed or limited, by whom, why, until when. Pure.

             ┌──────────► awaiting_people ──two yes──┐
 (proposal) ─┤                                       ▼
             └► contained ──confirm──► confirmed ──► recovering ──► lifted
                    │  └──────widen / narrow──► replaced  (a new closure stands for it)
                    └── declared wrong ──► false_positive

What a closure does after its time is over depends on its class alone, and is read off the clock
wherever it is judged, so it happens also when nobody is there to make it happen (ADR-0019).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.cohort import is_let_in
from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.scope import Facts, Scope, problem_of


class SignalClass(StrEnum):
    """What kind of trouble it is: it fixes speed, what happens at expiry and who may lift."""

    INTEGRITY = "A"
    ABUSE = "B"
    HEALTH = "C"
    CONTROL = "D"


class State(StrEnum):
    """Where a closure is. The last four are ends."""

    AWAITING_PEOPLE = "awaiting_people"
    CONTAINED = "contained"
    CONFIRMED = "confirmed"
    RECOVERING = "recovering"
    LIFTED = "lifted"
    REPLACED = "replaced"
    FALSE_POSITIVE = "false_positive"
    LAPSED = "lapsed"


IN_FORCE: Final = frozenset(
    {State.AWAITING_PEOPLE, State.CONTAINED, State.CONFIRMED, State.RECOVERING}
)
TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.AWAITING_PEOPLE: frozenset(
        {State.CONTAINED, State.CONFIRMED, State.FALSE_POSITIVE, State.LAPSED}
    ),
    State.CONTAINED: frozenset(
        {State.CONFIRMED, State.RECOVERING, State.REPLACED, State.FALSE_POSITIVE, State.LAPSED}
    ),
    State.CONFIRMED: frozenset(
        {State.CONFIRMED, State.RECOVERING, State.REPLACED, State.FALSE_POSITIVE}
    ),
    State.RECOVERING: frozenset(
        {State.CONFIRMED, State.RECOVERING, State.LIFTED, State.REPLACED, State.FALSE_POSITIVE}
    ),
    State.LIFTED: frozenset(),
    State.REPLACED: frozenset(),
    State.FALSE_POSITIVE: frozenset(),
    State.LAPSED: frozenset(),
}

AUTOMATIC_TTL_MAX: Final[dict[SignalClass, timedelta]] = {
    SignalClass.INTEGRITY: timedelta(minutes=60),
    SignalClass.ABUSE: timedelta(minutes=30),
    SignalClass.HEALTH: timedelta(minutes=10),
    SignalClass.CONTROL: timedelta(minutes=60),
}
"""How long a closure nobody has confirmed may be asked for (resilience blueprint §4.2)."""
CONFIRMED_TTL_MAX: Final = timedelta(hours=4)
PROBES_PER_MINUTE: Final = 10
"""What a health closure lets through once its time is over: enough to see whether it is well."""


HALF_OPEN: Final = timedelta(seconds=20)
"""So long a network that answers again is tried with a few payments before it is open to all."""


class Allowance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a limited gate still lets through; nothing named: everything.

    ``amount_max_minor`` per payment. ``amount_percent``: of the service's own limits.
    ``per_minute``: payments over the whole scope. ``permille``: customers let in, by ``salt``.
    ``accounts`` are let in whatever their place: staff, volunteers, the bank's own probes.
    """

    amount_max_minor: int | None = None
    amount_percent: int = 100
    per_minute: int | None = None
    permille: int = 1000
    salt: str = ""
    accounts: tuple[int, ...] = ()

    def lets_in(self, facts: Facts) -> bool:
        """Whether the customer is among those let in."""
        return facts.account in self.accounts or is_let_in(
            self.salt, facts.customer_id, self.permille
        )


NOTHING: Final = Allowance(amount_max_minor=0, permille=0)


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """One order to close. ``allowance`` None: closed; else limited to it.

    ``reason`` is a stable code (``unmatched_outflow``); ``cause`` says it in words; ``evidence`` is
    JSON and ``evidence_sha256`` its hash. ``made_by`` is ``rule:x``, ``watch`` or ``staff:n``;
    ``owner`` who answers for it now. ``parks``: payments are taken with their money reserved and
    sent when it opens, instead of refused. ``message_*`` is what customers read, ``next_word_at``
    by when they hear more. ``replaces``: the closure it was widened or narrowed from.
    ``collateral_permille``: the share of normal payments it stops, as estimated before it was made.
    ``half_open_at``: a health closure whose network answered again before its time was over.
    """

    id: UUID
    scope: Scope
    signal_class: SignalClass
    reason: str
    cause: str
    evidence: str
    evidence_sha256: str
    made_by: str
    owner: str
    made_at: datetime
    expires_at: datetime
    message_id: str
    message_en: str
    state: State = State.CONTAINED
    allowance: Allowance | None = None
    parks: bool = False
    confirmed_by: tuple[str, ...] = ()
    replaces: UUID | None = None
    collateral_permille: int = 0
    next_word_at: datetime | None = None
    alternative: str = ""
    rejected: str = ""
    half_open_at: datetime | None = None

    @property
    def is_in_force(self) -> bool:
        """Whether it still does something."""
        return self.state in IN_FORCE

    @property
    def is_confirmed(self) -> bool:
        """Whether people stand behind it."""
        return self.state in {State.CONFIRMED, State.RECOVERING}

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over; what it then does its class says."""
        is_early = self.half_open_at is not None
        return self.state is not State.RECOVERING and (is_early or now >= self.expires_at)

    def lapses_at(self) -> datetime:
        """When it ends by itself: one whole span after its end, or soon after it half opened."""
        if self.half_open_at is not None:
            return self.half_open_at + HALF_OPEN
        return self.expires_at + (self.expires_at - self.made_at)

    def effect(self, now: datetime) -> Allowance | None:
        """What it lets through at this moment; None: nothing.

        Over: integrity and control stay as they are; abuse becomes one step milder (half of the
        limits, then nothing held back); health becomes a half-open probe.
        """
        if not self.is_over(now):
            return self.allowance
        match self.signal_class:
            case SignalClass.ABUSE:
                return Allowance(amount_percent=50)
            case SignalClass.HEALTH:
                return Allowance(per_minute=PROBES_PER_MINUTE)
            case _:
                return self.allowance

    def to(self, state: State, **changes: object) -> Closure | Refused:
        """The same closure one transition later. Refuses GATE_STEP_NOT_ALLOWED."""
        if state not in TRANSITIONS[self.state]:
            return Refused(
                Refusal.GATE_STEP_NOT_ALLOWED, "state", f"it is {self.state} and cannot be {state}"
            )
        return msgspec.structs.replace(self, state=state, **changes)


def evidence_hash(evidence: str) -> str:
    """SHA-256 of the evidence, hex."""
    return hashlib.sha256(evidence.encode()).hexdigest()


def _refuse_allowance(allowance: Allowance) -> Refused | None:
    if not 0 <= allowance.permille <= 1000:
        return Refused(Refusal.ORDER_INVALID, "permille", "0 to 1000 of a thousand")
    if not 0 <= allowance.amount_percent <= 100:
        return Refused(Refusal.ORDER_INVALID, "amount_percent", "0 to 100 of a hundred")
    for field in ("amount_max_minor", "per_minute"):
        if (getattr(allowance, field) or 0) < 0:
            return Refused(Refusal.ORDER_INVALID, field, "0 or more")
    return None


def refuse_closure(closure: Closure) -> Refused | None:
    """What no closure may lack: time, reason, message, owner, evidence, and a scope that exists."""
    if problem := problem_of(closure.scope):
        return Refused(Refusal.ORDER_INVALID, "scope", problem)
    for field in ("reason", "cause", "evidence", "made_by", "owner", "message_id", "message_en"):
        if not str(getattr(closure, field)).strip():
            return Refused(Refusal.ORDER_INVALID, field, "a closure must say it")
    if closure.evidence_sha256 != evidence_hash(closure.evidence):
        return Refused(Refusal.ORDER_INVALID, "evidence", "its hash is not that of the evidence")
    longest = CONFIRMED_TTL_MAX if closure.confirmed_by else AUTOMATIC_TTL_MAX[closure.signal_class]
    if not closure.made_at < closure.expires_at <= closure.made_at + longest:
        minutes = int(longest.total_seconds() // 60)
        return Refused(Refusal.ORDER_INVALID, "expires_at", f"it ends within {minutes} minutes")
    if closure.allowance is not None and (refused := _refuse_allowance(closure.allowance)):
        return refused
    if closure.scope.is_whole_bank and len(set(closure.confirmed_by)) < 2:
        return Refused(Refusal.ORDER_INVALID, "scope", "two people close the whole bank")
    return None
