"""Signals: what the bank sees of its own payments, counted over windows per key. Pure.

An attempt counts when it is made, not when it ends, so that a silent partner is seen while its
time-outs still run (go-zero #5011). Every method takes the time; nothing here reads a clock.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.guard.closure import SignalClass
from tangguh.guard.rules import Metric, Mode, Rule
from tangguh.guard.scope import Facts, Scope

_KEYS_MAX: Final = 50_000
_WINDOW_EVENTS_MAX: Final = 20_000
_EXAMPLES: Final = 5
_OF_ATTEMPTS: Final = frozenset({Metric.ATTEMPTS, Metric.AMOUNT, Metric.PAYEES})
"""Metrics that count what is asked for, whatever becomes of it."""
_ANYWHERE: Final = Scope()


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
_GOOD: Final = frozenset({End.PAID, End.DECLINED})


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One observation of one payment. ``seconds`` from its acceptance to this."""

    at: datetime
    payment_id: UUID
    facts: Facts
    end: End
    seconds: float = 0.0


class Finding(msgspec.Struct, frozen=True):
    """A rule that fired: on which scope, with which value, by which payments (evidence)."""

    rule: Rule
    scope: Scope
    value: int
    sample: int
    at: datetime
    examples: tuple[str, ...] = ()


class _Window:
    """The events of one key within the longest window that asks for it."""

    __slots__ = ("events", "open", "row")

    def __init__(self) -> None:
        self.events: deque[Seen] = deque(maxlen=_WINDOW_EVENTS_MAX)
        self.open: dict[UUID, datetime] = {}
        self.row = 0

    def add(self, seen: Seen) -> None:
        self.events.append(seen)
        if seen.end is End.ATTEMPTED or seen.end is End.UNANSWERED:
            self.open.setdefault(seen.payment_id, seen.at)
        else:
            self.open.pop(seen.payment_id, None)
        if seen.end in TECHNICAL:
            self.row += 1
        elif seen.end in _GOOD:
            self.row = 0

    def prune(self, before: datetime) -> None:
        events = self.events
        while events and events[0].at < before:
            events.popleft()


class Detector:
    """Counts what is seen, by the rules that are not off; says which fire."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = _in_use(rules)
        self._windows: dict[str, OrderedDict[tuple[str, ...], _Window]] = {
            rule.id: OrderedDict() for rule in self.rules
        }
        self._touched: set[tuple[str, tuple[str, ...]]] = set()

    def take(self, rules: tuple[Rule, ...]) -> None:
        """Go by these rules from now on; what was counted under those that stay is kept."""
        self.rules = _in_use(rules)
        kept = self._windows
        self._windows = {rule.id: kept.get(rule.id, OrderedDict()) for rule in self.rules}
        self._touched = {(name, key) for name, key in self._touched if name in self._windows}

    def see(self, seen: Seen) -> None:
        """Count one observation under every rule that looks at it."""
        facts = seen.facts
        keys: dict[tuple[str, ...], tuple[str, ...] | None] = {}
        for rule in self.rules:
            if rule.signal_class is SignalClass.ABUSE and not facts.customer_id:
                # The bank's own probes and networks' credits are nobody's abuse.
                continue
            if rule.metric in _OF_ATTEMPTS and seen.end is not End.ATTEMPTED:
                continue
            if rule.by in keys:
                key = keys[rule.by]
            else:
                key = keys[rule.by] = _key_of(rule.by, facts)
            if key is None or not (rule.where is _ANYWHERE or rule.where.covers(facts)):
                continue
            windows = self._windows[rule.id]
            window = windows.get(key)
            if window is None:
                window = windows[key] = _Window()
                if len(windows) > _KEYS_MAX:
                    windows.popitem(last=False)
            window.add(seen)
            self._touched.add((rule.id, key))

    def findings(self, now: datetime) -> list[Finding]:
        """Which rules fire now, each once per key, of the keys something was seen of."""
        found = []
        by_id = {rule.id: rule for rule in self.rules}
        waiting = set()
        for rule_id, key in self._touched:
            rule, window = by_id[rule_id], self._windows[rule_id].get(key)
            if window is None:
                continue
            window.prune(now - timedelta(seconds=rule.window_seconds))
            value, sample = measure(rule, window.events, window.open, window.row, now)
            if rule.metric is Metric.BACKLOG and window.open:
                # Late comes by waiting alone: this key is looked at again though nothing is seen.
                waiting.add((rule_id, key))
            if sample >= rule.sample_min and value >= rule.threshold:
                examples = tuple(str(one.payment_id) for one in list(window.events)[-_EXAMPLES:])
                found.append(Finding(rule, scope_of_key(rule, key), value, sample, now, examples))
        self._touched = waiting
        return found

    def forget(self, rule_id: str, scope: Scope) -> None:
        """Begin anew for one key: what led to a closure must not lead to the next one."""
        for key in list(self._windows.get(rule_id, ())):
            if scope_of_key(next(r for r in self.rules if r.id == rule_id), key) == scope:
                del self._windows[rule_id][key]


def _in_use(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that count; one that looks everywhere says so by being that very scope."""
    return tuple(
        msgspec.structs.replace(rule, where=_ANYWHERE) if rule.where == _ANYWHERE else rule
        for rule in rules
        if rule.mode is not Mode.OFF
    )


def measure(
    rule: Rule,
    events: deque[Seen],
    still_open: dict[UUID, datetime],
    row: int,
    now: datetime,
) -> tuple[int, int]:
    """The metric's value and how many observations it rests on. Rates in per mille."""
    match rule.metric:
        case Metric.TECHNICAL_CONSECUTIVE:
            return row, max(row, 1)
        case Metric.TECHNICAL_COUNT:
            bad = sum(1 for one in events if one.end in TECHNICAL)
            return bad, sum(1 for one in events if one.end is not End.ATTEMPTED)
        case Metric.TECHNICAL_RATE:
            ended = [one for one in events if one.end in TECHNICAL or one.end in _GOOD]
            bad = sum(1 for one in ended if one.end in TECHNICAL)
            return (bad * 1000 // len(ended) if ended else 0), len(ended)
        case Metric.SLOW_RATE:
            ended = [one for one in events if one.end in _GOOD or one.end is End.UNANSWERED]
            slow = sum(1 for one in ended if one.seconds >= rule.slow_seconds)
            return (slow * 1000 // len(ended) if ended else 0), len(ended)
        case Metric.BACKLOG:
            late = now - timedelta(seconds=rule.slow_seconds)
            waiting = sum(1 for since in still_open.values() if since <= late)
            return waiting, max(waiting, 1)
        case Metric.REFUSED:
            return sum(1 for one in events if one.end is End.REFUSED), len(events)
    tried = [one for one in events if one.end is End.ATTEMPTED]
    match rule.metric:
        case Metric.AMOUNT:
            return sum(one.facts.amount_minor for one in tried), len(tried)
        case Metric.PAYEES:
            return len({one.facts.payee for one in tried}), len(tried)
        case _:
            return len(tried), max(len(tried), 1)


def scope_of_key(rule: Rule, key: tuple[str, ...]) -> Scope:
    """The scope a key stands for, inside what the rule looks at."""
    named: dict[str, object] = {
        name: int(value) if name == "account" else value
        for name, value in zip(rule.by, key, strict=True)
        if value
    }
    return msgspec.structs.replace(rule.where, **named)


_OPTIONAL: Final = frozenset({"partner"})
"""A dimension a key may lack: not every rail has several partners."""


def _key_of(by: tuple[str, ...], facts: Facts) -> tuple[str, ...] | None:
    """The order's key in these dimensions; None when it lacks one of them."""
    key = []
    for name in by:
        value = getattr(facts, name)
        if not value and name not in _OPTIONAL:
            return None
        key.append(str(value) if value else "")
    return tuple(key)
