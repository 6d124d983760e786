"""Signals: what the bank sees of its own payments, counted over windows per key. Pure.

An attempt counts when it is made, not when it ends, so that a silent partner is seen while its
time-outs still run (go-zero #5011). Every method takes the time; nothing here reads a clock.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from tangguh.guard.closure import SignalClass
from tangguh.guard.rules import Mode, Rule
from tangguh.guard.scope import Facts, Scope
from tangguh.guard.window import COUNTED, End, Seen, Window

_KEYS_MAX: Final = 50_000
_LET_GO_MAX: Final = 1_000
"""Windows dropped per rule in one look: a crowd gone quiet at once must not hold the loop."""
_EXAMPLES: Final = 5
_ANYWHERE: Final = Scope()
_INSIDE: Final = frozenset({"onus", "emoney"})


class Finding(msgspec.Struct, frozen=True):
    """A rule that fired: on which scope, with which value, by which payments (evidence)."""

    rule: Rule
    scope: Scope
    value: int
    sample: int
    at: datetime
    examples: tuple[str, ...] = ()


class _Look:
    """A rule and its windows, with what is asked of it at every observation worked out once."""

    __slots__ = ("anywhere", "by", "rule", "rule_id", "windows")

    def __init__(self, rule: Rule, windows: OrderedDict[tuple[str, ...], Window]) -> None:
        self.rule, self.rule_id, self.by, self.windows = rule, rule.id, rule.by, windows
        self.anywhere = rule.where is _ANYWHERE

    def concerns(self, end: End, *, is_inside: bool, is_nobodys: bool) -> bool:
        """Whether it counts such observations at all."""
        kind = self.rule.signal_class
        if kind is SignalClass.ABUSE and is_nobodys:
            return False  # the bank's own probes and networks' credits are nobody's abuse
        if kind is SignalClass.HEALTH and is_inside:
            return False  # nobody is asked inside, so nobody can fall silent
        return end in COUNTED[self.rule.metric]


class Detector:
    """Counts what is seen, by the rules that are not off; says which fire."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = _in_use(rules)
        self._windows: dict[str, OrderedDict[tuple[str, ...], Window]] = {
            rule.id: OrderedDict() for rule in self.rules
        }
        self._touched: list[tuple[str, tuple[str, ...]]] = []
        """Keys with something new since the last look: each window says whether it is here."""
        self._looks = self._all_looks()

    def _all_looks(self) -> dict[tuple[End, bool, bool], tuple[_Look, ...]]:
        """The rules that count an observation, by its end, whether it is inside, and nobody's."""
        looks = [_Look(rule, self._windows[rule.id]) for rule in self.rules]
        return {
            (end, inside, nobodys): tuple(
                one for one in looks if one.concerns(end, is_inside=inside, is_nobodys=nobodys)
            )
            for end in End
            for inside in (False, True)
            for nobodys in (False, True)
        }

    def take(self, rules: tuple[Rule, ...]) -> None:
        """Go by these rules from now on; what was counted under those that stay is kept."""
        self.rules = _in_use(rules)
        kept = self._windows
        self._windows = {rule.id: kept.get(rule.id, OrderedDict()) for rule in self.rules}
        self._touched = [(name, key) for name, key in self._touched if name in self._windows]
        self._looks = self._all_looks()

    def see(self, seen: Seen) -> None:
        """Count one observation under every rule that looks at it."""
        facts = seen.facts
        keys: dict[tuple[str, ...], tuple[str, ...] | None] = {}
        for look in self._looks[seen.end, facts.rail in _INSIDE, not facts.customer_id]:
            rule = look.rule
            if look.by in keys:
                key = keys[look.by]
            else:
                key = keys[look.by] = _key_of(look.by, facts)
            if key is None or not (look.anywhere or rule.where.covers(facts)):
                continue
            windows = look.windows
            window = windows.get(key)
            if window is None:
                window = windows[key] = Window(rule)
                if len(windows) > _KEYS_MAX:
                    windows.popitem(last=False)
            else:
                windows.move_to_end(key)
            window.add(seen)
            if not window.is_touched:
                window.is_touched = True
                self._touched.append((look.rule_id, key))

    def findings(self, now: datetime) -> list[Finding]:
        """Which rules fire now, each once per key, of the keys something was seen of."""
        found = []
        by_id = {rule.id: rule for rule in self.rules}
        waiting = []
        for rule_id, key in dict.fromkeys(self._touched):
            rule, window = by_id[rule_id], self._windows[rule_id].get(key)
            if window is None:
                continue
            value, sample = window.measure(now)
            # Late comes by waiting alone: this key is looked at again though nothing is seen.
            window.is_touched = window.still_waits
            if window.is_touched:
                waiting.append((rule_id, key))
            if sample >= rule.sample_min and value >= rule.threshold:
                examples = window.examples(_EXAMPLES)
                found.append(Finding(rule, scope_of_key(rule, key), value, sample, now, examples))
        self._touched = waiting
        self._let_go(now)
        return found

    @property
    def keys(self) -> int:
        """How many keys are counted now, over all rules: what its memory goes by."""
        return sum(len(windows) for windows in self._windows.values())

    def _let_go(self, now: datetime) -> None:
        """Drop what has been quiet for longer than its rule looks back, the longest quiet first."""
        for windows in self._windows.values():
            # One that failed in a row and is never seen again stays, and holds up nobody.
            for key in [key for key in islice(windows, _LET_GO_MAX) if windows[key].is_over(now)]:
                del windows[key]

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
