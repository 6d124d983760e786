"""A rule over the past: what it would have closed, and what that would have cost. Pure.

No rule goes live without this number; one that would stop more than its class allows does not go
live by one person's word (F65).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.guard.choice import choose
from tangguh.guard.rules import ALONE, Mode, Rule
from tangguh.guard.scope import Facts, Scope, text_of
from tangguh.guard.signals import Detector
from tangguh.guard.window import TECHNICAL, End, Seen

_LOOK_SECONDS: Final = 1.0


class Firing(msgspec.Struct, frozen=True):
    """One closure the rule would have made, with the smaller scope that would have done."""

    at: datetime
    scope: str
    value: int
    good_stopped: int
    bad_stopped: int
    smaller: str


class BackTest(msgspec.Struct, frozen=True):
    """The outcome. ``collateral_permille``: good payments stopped, of all good ones."""

    rule: str
    payments: int
    good: int
    firings: tuple[Firing, ...]
    good_stopped: int
    bad_stopped: int
    collateral_permille: int
    allowed_permille: int

    @property
    def may_go_live_alone(self) -> bool:
        """Whether one person's word is enough."""
        return self.collateral_permille <= self.allowed_permille


def back_test(rule: Rule, history: Iterable[Seen]) -> BackTest:
    """Run one rule over observations in order of time."""
    live = msgspec.structs.replace(rule, mode=Mode.LIVE)
    detector = Detector((live,))
    attempts: dict[object, Seen] = {}
    ends: dict[object, Seen] = {}
    closed: list[tuple[Scope, datetime, datetime, int]] = []
    looked: datetime | None = None
    for seen in history:
        if looked is None or seen.at - looked >= timedelta(seconds=_LOOK_SECONDS):
            looked = seen.at
            for finding in detector.findings(seen.at):
                until = seen.at + timedelta(seconds=rule.ttl_seconds)
                closed.append((finding.scope, seen.at, until, finding.value))
                detector.forget(rule.id, finding.scope)
        if seen.end is End.ATTEMPTED:
            attempts[seen.payment_id] = seen
        else:
            ends[seen.payment_id] = seen
        detector.see(seen)
    return _weigh(rule, attempts, ends, closed)


def _weigh(
    rule: Rule,
    attempts: dict[object, Seen],
    ends: dict[object, Seen],
    closed: list[tuple[Scope, datetime, datetime, int]],
) -> BackTest:
    good = {key for key in attempts if key not in ends or ends[key].end not in TECHNICAL}
    stopped: set[object] = set()
    firings = []
    normal = [attempts[key].facts for key in good]
    for scope, since, until, value in closed:
        inside = {
            key
            for key, seen in attempts.items()
            if since <= seen.at < until and scope.covers(seen.facts)
        }
        stopped |= inside
        bad: list[Facts] = [attempts[key].facts for key in inside if key not in good]
        smaller = choose(scope, bad, normal).scope if bad else scope
        firings.append(
            Firing(
                since,
                text_of(scope),
                value,
                len(inside & good),
                len(inside - good),
                text_of(smaller) if smaller != scope else "",
            )
        )
    good_stopped = len(stopped & good)
    return BackTest(
        rule.id,
        len(attempts),
        len(good),
        tuple(firings),
        good_stopped,
        len(stopped - good),
        good_stopped * 1000 // len(good) if good else 0,
        ALONE[rule.signal_class].collateral_permille,
    )
