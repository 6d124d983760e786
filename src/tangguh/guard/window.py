"""What one rule has counted for one key: sums that follow the events in and out. Pure.

Adding and letting go cost the same however many events there are: a busy network must not make the
guard slow just when it is needed.
"""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.guard.rules import Metric, Rule
from tangguh.guard.scope import Facts

EVENTS_MAX: Final = 20_000
_LATE_COUNTED_MAX: Final = 10_000


class End(StrEnum):
    """How one attempt stands. The middle three are the network's trouble, not the customer's."""

    ATTEMPTED = "attempted"
    NOT_SENT = "not_sent"
    UNANSWERED = "unanswered"
    BROKEN = "broken"
    PAID = "paid"
    DECLINED = "declined"
    REFUSED = "refused"


TECHNICAL: Final = frozenset({End.NOT_SENT, End.UNANSWERED, End.BROKEN})
GOOD: Final = frozenset({End.PAID, End.DECLINED})
_ALL: Final = frozenset(End)
_ASKED: Final = frozenset({End.ATTEMPTED})
COUNTED: Final[dict[Metric, frozenset[End]]] = {
    Metric.BACKLOG: _ALL,
    Metric.TECHNICAL_CONSECUTIVE: TECHNICAL | GOOD,
    Metric.TECHNICAL_COUNT: _ALL - _ASKED,
    Metric.TECHNICAL_RATE: TECHNICAL | GOOD,
    Metric.SLOW_RATE: GOOD | {End.UNANSWERED},
    Metric.REFUSED: _ALL,
    Metric.ATTEMPTS: _ASKED,
    Metric.AMOUNT: _ASKED,
    Metric.PAYEES: _ASKED,
}
"""The ends that change what a metric has counted; any other says nothing to it."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One observation of one payment. ``seconds`` from its acceptance to this."""

    at: datetime
    payment_id: UUID
    facts: Facts
    end: End
    seconds: float = 0.0


class _Event(msgspec.Struct, frozen=True, gc=False):
    at: datetime
    payment_id: UUID
    value: int
    sample: int
    payee: str


class Window:
    """The counts of one key under one rule."""

    __slots__ = (
        "_newest", "_open", "_payees", "_row", "_rule", "_sample", "_value", "events", "is_touched",
    )  # fmt: skip

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self.events: deque[_Event] = deque()
        self._open: dict[UUID, datetime] = {}
        self._payees: Counter[str] = Counter()
        self._row = self._value = self._sample = 0
        self._newest: datetime | None = None
        self.is_touched = False
        """Whether its detector has noted that something new is in it."""

    def add(self, seen: Seen) -> None:
        """Count one observation, if the metric is about such ends at all."""
        if self._rule.metric is Metric.BACKLOG:
            if seen.end in {End.ATTEMPTED, End.UNANSWERED}:
                self._open.setdefault(seen.payment_id, seen.at)
            else:
                self._open.pop(seen.payment_id, None)
            return
        if self._rule.metric is Metric.TECHNICAL_CONSECUTIVE:
            if seen.end in GOOD:
                self._row = 0
                self.events.clear()
                return
            if seen.end not in TECHNICAL:
                return
            self._row += 1
        weight = _weigh(self._rule, seen)
        if weight is None:
            return
        value, sample = weight
        payee = seen.facts.payee if self._rule.metric is Metric.PAYEES else ""
        self.events.append(_Event(seen.at, seen.payment_id, value, sample, payee))
        if self._newest is None or seen.at > self._newest:
            self._newest = seen.at
        self._value += value
        self._sample += sample
        if payee:
            self._payees[payee] += 1
        if len(self.events) > EVENTS_MAX:
            self._let_go()

    def measure(self, now: datetime) -> tuple[int, int]:
        """The metric's value and how many observations it rests on. Rates in per mille."""
        rule = self._rule
        if rule.metric is Metric.BACKLOG:
            waiting = self._late(now - timedelta(seconds=rule.slow_seconds))
            return waiting, max(waiting, 1)
        if rule.metric is Metric.TECHNICAL_CONSECUTIVE:
            return self._row, max(self._row, 1)
        before = now - timedelta(seconds=rule.window_seconds)
        while self.events and self.events[0].at < before:
            self._let_go()
        if rule.metric is Metric.PAYEES:
            return len(self._payees), self._sample
        if rule.metric in {Metric.TECHNICAL_RATE, Metric.SLOW_RATE}:
            return (self._value * 1000 // self._sample if self._sample else 0), self._sample
        return self._value, max(self._sample, 1)

    @property
    def still_waits(self) -> bool:
        """Whether it may become worse by waiting alone."""
        return bool(self._open)

    def is_over(self, now: datetime) -> bool:
        """Whether a new window would say the same: nothing waits, nothing in a row, all is old."""
        if self._open or self._row:
            return False
        before = now - timedelta(seconds=self._rule.window_seconds)
        return self._newest is None or self._newest < before

    def examples(self, count: int) -> tuple[str, ...]:
        """The newest payments that speak against the key."""
        if self._rule.metric is Metric.BACKLOG:
            return tuple(str(one) for one in list(self._open)[-count:])
        bad = [one for one in list(self.events)[-count * 20 :] if one.value]
        return tuple(str(one.payment_id) for one in bad[-count:])

    def _late(self, late: datetime) -> int:
        found = 0
        for since in self._open.values():
            if since <= late:
                found += 1
            if found >= _LATE_COUNTED_MAX or since > late:
                break
        return found

    def _let_go(self) -> None:
        gone = self.events.popleft()
        self._value -= gone.value
        self._sample -= gone.sample
        if gone.payee:
            self._payees[gone.payee] -= 1
            if not self._payees[gone.payee]:
                del self._payees[gone.payee]


def _weigh(rule: Rule, seen: Seen) -> tuple[int, int] | None:
    """What an observation adds to the metric's value and to its sample; None: nothing to do."""
    end = seen.end
    match rule.metric:
        case Metric.TECHNICAL_CONSECUTIVE:
            return (1, 1)
        case Metric.TECHNICAL_COUNT:
            return None if end is End.ATTEMPTED else (int(end in TECHNICAL), 1)
        case Metric.TECHNICAL_RATE:
            return (int(end in TECHNICAL), 1) if end in TECHNICAL or end in GOOD else None
        case Metric.SLOW_RATE:
            if end in GOOD or end is End.UNANSWERED:
                return int(seen.seconds >= rule.slow_seconds), 1
            return None
        case Metric.REFUSED:
            return int(end is End.REFUSED), 1
    if end is not End.ATTEMPTED:
        return None
    return (seen.facts.amount_minor if rule.metric is Metric.AMOUNT else 1), 1
