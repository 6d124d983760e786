"""One message to one person about one matter: what is said, by which way, when, how often. Pure.

          tell                claim                  answer
    ──────────────► due ───────────────► sending ────────────► delivered
                     ▲                      │  └─ refused or ended ─► next way, else failed
                     └── later, with back-off, or the quiet hours' end
                     └─ too many within an hour ─► held_back (it stays in the app); an end never
                     └─ no way out of the house ─► in_app

Person, matter and step are the key: the same step of a matter is told once, whatever asks for it
and however often, so an incident over five components is one message. In the app it is there at
once; outside, one way after the other until one has taken it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.core.clock import JAKARTA
from tangguh.core.outcome import Refusal, Refused


class Via(StrEnum):
    """A way to a person."""

    IN_APP = "in_app"
    PUSH = "push"
    SMS = "sms"
    EMAIL = "email"
    WEBHOOK = "webhook"


OUTSIDE: Final = (Via.PUSH, Via.SMS, Via.EMAIL, Via.WEBHOOK)
WAKES: Final = frozenset({Via.PUSH, Via.SMS, Via.EMAIL})
"""What makes a phone sound at night; a webhook wakes a machine."""


class Urgency(StrEnum):
    """Whether it may wait for the morning."""

    NOW = "now"
    CAN_WAIT = "can_wait"


class State(StrEnum):
    """Where a notice is on its way out of the house. The last four are ends."""

    DUE = "due"
    SENDING = "sending"
    DELIVERED = "delivered"
    HELD_BACK = "held_back"
    IN_APP = "in_app"
    FAILED = "failed"


class Person(msgspec.Struct, frozen=True):
    """Whom it is for: ``customer:17`` or ``subscriber:<uuid>``, and the language they read."""

    id: str
    language: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is to be told. ``channels`` in the order in which they are tried.

    ``matter`` is ``incident:<id>``, ``payment:<id>``, ``case:<id>``; ``step`` is ``begun``,
    ``stage-2``, ``resolved``. ``values`` are plain JSON (``values.py``). ``ticket`` is the change a
    maintenance belongs to.
    """

    id: UUID
    to: Person
    matter: str
    step: str
    template: str
    values: dict[str, Any]
    channels: tuple[Via, ...]
    made_at: datetime
    urgency: Urgency = Urgency.NOW
    ticket: str = ""

    @property
    def is_in_app(self) -> bool:
        """Whether its reader finds it in the app."""
        return Via.IN_APP in self.channels

    @property
    def outside(self) -> tuple[Via, ...]:
        """The ways out of the house, in order, each once."""
        return tuple(dict.fromkeys(via for via in self.channels if via is not Via.IN_APP))


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often, when, how long. ``per_hour_max`` is per person and way.

    ``backoff_seconds``: the pause after each try that was put off; the last is the pause before the
    end, so there are as many tries as pauses.
    """

    per_hour_max: int = 4
    quiet_from_hour: int = 21
    quiet_until_hour: int = 7
    backoff_seconds: tuple[float, ...] = (10, 30, 120, 600, 1800, 3600, 3600, 7200)


HOUR: Final = timedelta(hours=1)
OWN_LIMITS: Final = ("login_code",)
"""Templates that whoever makes them limits: a code that waits for its turn is worth nothing, and
codes that strangers asked for must not hold back what else the customer is to be told."""
CLOSING: Final = frozenset(
    {
        "payment_back",
        "payment_sent",
        "payment_sent_token",
        "refund_back",
        "provisional_taken",
        "compensation_paid",
        "incident_money_resolved_yours",
        "case_decided",
        "case_decided_back",
        "case_decided_paid",
        "case_decided_token",
        "login_device",
    }
)
"""Templates that no cap holds back: how somebody's matter ended, what will be taken from their
account, and that somebody else may be in it. Whoever was told to wait is told the end."""
_PERSON: Final = re.compile(r"[a-z]+:[A-Za-z0-9-]{1,64}")
_SUBJECT: Final = re.compile(r"[a-z_]+:[A-Za-z0-9_.:-]{1,100}")
_STEP: Final = re.compile(r"[a-z0-9_.-]{1,60}")


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way: which way is tried, how often it was, and whether any was ever."""

    id: UUID
    person: str
    channels: tuple[Via, ...]
    via: Via
    attempts: int
    urgency: Urgency
    is_in_app: bool
    template: str = ""
    tried: bool = False
    reason: str = ""


class Reach(msgspec.Struct, frozen=True):
    """What is known where a notice is about to go: is there a way, an address, and room.

    ``sent_last_hour`` counts what may have reached the person by this way, but for what has limits
    of its own; ``oldest_at`` is the first of them.
    """

    has_channel: bool
    has_address: bool
    sent_last_hour: int = 0
    oldest_at: datetime | None = None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a notice: its state, the way and the time it is looked at again."""

    state: State
    via: Via | None
    attempts: int
    due_at: datetime
    reason: str = ""


def refuse_notice(notice: Notice) -> Refused | None:
    """What no notice may lack. Refuses ORDER_INVALID, naming the field."""
    checks = (
        ("to", bool(_PERSON.fullmatch(notice.to.id))),
        ("language", notice.to.language in ("id", "en")),
        ("matter", bool(_SUBJECT.fullmatch(notice.matter))),
        ("step", bool(_STEP.fullmatch(notice.step))),
        ("channels", bool(notice.channels)),
        ("made_at", notice.made_at.tzinfo is not None),
    )
    for field, holds in checks:
        if not holds:
            return Refused(Refusal.ORDER_INVALID, field, "a notice must say it")
    return None


def quiet_until(now: datetime, rules: Rules) -> datetime | None:
    """When the quiet hours end that ``now`` lies in, by Jakarta's clock; None outside them."""
    local = now.astimezone(JAKARTA)
    start, end = rules.quiet_from_hour, rules.quiet_until_hour
    if start == end:
        return None
    over_midnight = start > end
    is_quiet = (
        local.hour >= start or local.hour < end if over_midnight else start <= local.hour < end
    )
    if not is_quiet:
        return None
    ends = local.replace(hour=end, minute=0, second=0, microsecond=0)
    if ends <= local:
        ends += timedelta(days=1)
    return ends.astimezone(now.tzinfo)


def send_at(urgency: Urgency, via: Via, now: datetime, rules: Rules) -> datetime:
    """The earliest moment it may go this way."""
    if urgency is Urgency.NOW or via not in WAKES:
        return now
    return quiet_until(now, rules) or now


def first_move(notice: Notice, rules: Rules) -> Move:
    """Where a notice that was just told begins."""
    if not notice.outside:
        return Move(
            state=State.IN_APP,
            via=None,
            attempts=0,
            due_at=notice.made_at,
            reason="in the app only",
        )
    via = notice.outside[0]
    at = send_at(notice.urgency, via, notice.made_at, rules)
    return Move(state=State.DUE, via=via, attempts=0, due_at=at)


def before_sending(one: Open, reach: Reach, *, now: datetime, rules: Rules) -> Move:
    """What to do with a notice whose time has come. SENDING: bring it to the channel now."""
    if not reach.has_channel:
        return pass_on(one, "not configured", now=now, rules=rules)
    if not reach.has_address:
        return pass_on(one, "no address", now=now, rules=rules)
    if one.attempts >= len(rules.backoff_seconds):
        return pass_on(one, f"no answer in {one.attempts} tries", now=now, rules=rules)
    at = send_at(one.urgency, one.via, now, rules)
    if at > now:
        return _again(one, at, one.attempts, one.reason)
    capped = one.template not in CLOSING and one.template not in OWN_LIMITS
    if capped and reach.sent_last_hour >= rules.per_hour_max:
        why = _and(one.reason, one.via, f"{reach.sent_last_hour} within an hour already")
        if one.is_in_app:
            return Move(
                state=State.HELD_BACK, via=one.via, attempts=one.attempts, due_at=now, reason=why
            )
        # Whoever has no app would never read it: it waits for its turn.
        frees = (reach.oldest_at or now) + HOUR
        return _again(one, max(frees, now + timedelta(seconds=1)), one.attempts, one.reason)
    return Move(
        state=State.SENDING, via=one.via, attempts=one.attempts + 1, due_at=now, reason=one.reason
    )


def put_off(
    one: Open, why: str, *, now: datetime, rules: Rules, after_seconds: float | None = None
) -> Move:
    """A try that was not taken: again after a pause, or, when there were enough, the next way.

    ``after_seconds`` is what the provider asked for; it may lengthen the pause up to the longest.
    """
    pauses = rules.backoff_seconds
    if one.attempts >= len(pauses):
        return pass_on(one, f"{why} ({one.attempts} tries)", now=now, rules=rules)
    pause = pauses[max(one.attempts - 1, 0)]
    if after_seconds is not None:
        pause = max(pause, min(after_seconds, max(pauses)))
    return _again(one, now + timedelta(seconds=pause), one.attempts, one.reason)


def pass_on(one: Open, why: str, *, now: datetime, rules: Rules) -> Move:
    """What follows when one way is over: the next one, or the end, with every reason."""
    reason = _and(one.reason, one.via, why)
    place = one.channels.index(one.via)
    if place + 1 < len(one.channels):
        via = one.channels[place + 1]
        at = send_at(one.urgency, via, now, rules)
        return Move(state=State.DUE, via=via, attempts=0, due_at=at, reason=reason)
    state = State.IN_APP if one.is_in_app and not one.tried else State.FAILED
    return Move(state=state, via=one.via, attempts=one.attempts, due_at=now, reason=reason)


def delivered(one: Open, *, now: datetime) -> Move:
    """A channel has taken it; the proof is the attempt's own row."""
    return Move(
        state=State.DELIVERED, via=one.via, attempts=one.attempts, due_at=now, reason=one.reason
    )


def _again(one: Open, at: datetime, attempts: int, reason: str) -> Move:
    return Move(state=State.DUE, via=one.via, attempts=attempts, due_at=at, reason=reason)


def _and(before: str, via: Via, why: str) -> str:
    said = f"{via}: {why}"
    return f"{before}; {said}" if before else said
