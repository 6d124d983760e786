"""What is observed of a service, by customers' outcomes and by questions of our own. Pure.

Payments that went badly must be seen three looks running before it is said, and well two looks
running before it is taken back, so that a handful of payments never makes the page flicker
(resilience blueprint §1.8). A question of our own that failed twice in a row is said at once,
unless customers were served meanwhile. What nobody has measured lately is "not measured".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.known import Known, Tristate, aged
from tangguh.core.service import Service
from tangguh.status.component import Condition, Why

OURS: Final = frozenset({"onus"})
"""Rails with nobody on the other side."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes of one service in the window: an end the customer asked for, no answer, and a fault
    of ours or the network's. What a customer's own limits or balance refuse is in none of them.

    ``done_at`` and ``last_at``: when the newest good end and the newest end of any kind were seen.
    """

    done: int = 0
    unanswered: int = 0
    failed: int = 0
    done_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def tries(self) -> int:
        """How many there were."""
        return self.done + self.unanswered + self.failed

    @property
    def bad_permille(self) -> int:
        """Of a thousand tries, how many had no good end."""
        return (self.unanswered + self.failed) * 1000 // self.tries if self.tries else 0


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """The newest question of our own to whoever carries a service, and how it ended.

    ``at``: when it was asked. ``since``: when the first of the ``times`` in a row that ended so was
    asked. ``ours``: a no lies on the bank's side. ``ended``: how many without an answer, in a row,
    this run of good ones ended.
    """

    answer: Tristate
    at: datetime
    since: datetime
    times: int = 1
    ours: bool = False
    ended: int = 0

    def then(self, answer: Tristate, at: datetime) -> Probe:
        """After another question."""
        if answer is self.answer:
            return msgspec.structs.replace(self, at=at, times=self.times + 1)
        ended = self.times if self.answer is Tristate.NO else 0
        return Probe(answer=answer, at=at, since=at, ours=self.ours, ended=ended)

    @property
    def over_since(self) -> datetime | None:
        """Since when a trouble that our own questions had seen is over; None: they saw none."""
        is_over = self.answer is Tristate.YES and self.ended >= RULES.probe_fails
        return self.since if is_over else None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When outcomes are bad. Shares are of a thousand tries in the window.

    ``silent_tries``: so many without one good end are bad however few. ``probe_fails``: so many
    questions of our own in a row without an answer count. A probe speaks for
    ``probe_seconds_max``; a good look stands for ``good_seconds`` and a bad one for
    ``forget_seconds`` when nothing is seen after it.
    """

    tries_min: int = 10
    silent_tries: int = 5
    degraded_permille: int = 50
    out_permille: int = 500
    bad_looks: int = 3
    good_looks: int = 2
    probe_fails: int = 2
    good_seconds: float = 60.0
    forget_seconds: float = 900.0
    probe_seconds_max: float = 30.0


RULES: Final = Rules()


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """What has been observed of a component so far; the caller keeps it from look to look.

    ``pending`` is what the running looks agree on at least. ``seen_at``: the last look that showed
    anything; ``known_at``: when the newest fact behind ``observed`` was so.
    """

    observed: Condition = Condition.NOT_MEASURED
    why: Why = Why.PROBE
    since: datetime | None = None
    pending: Condition | None = None
    looks: int = 0
    seen_at: datetime | None = None
    known_at: datetime | None = None


class _Look(msgspec.Struct, frozen=True):
    """What one look alone shows. ``at_once``: it needs no second look."""

    condition: Condition
    why: Why
    known_at: datetime
    at_once: bool = False


def answer_of(probe: Probe | None, now: datetime, rules: Rules = RULES) -> Tristate:
    """What a probe says now; unknown when it is old, was never asked or has failed only once."""
    if probe is None:
        return Tristate.UNKNOWN
    if probe.answer is Tristate.NO and probe.times < rules.probe_fails:
        return Tristate.UNKNOWN
    longest = timedelta(seconds=rules.probe_seconds_max)
    return aged(Known(probe.answer, probe.at), now, longest)


def worse_of(book: Probe | None, probe: Probe | None, now: datetime, rules: Rules) -> Probe | None:
    """Our book's probe when it does not answer, or when it is all that there is; else the other."""
    if book is not None and answer_of(book, now, rules) is Tristate.NO:
        return book
    return probe


def observe(
    service: Service, tally: Tally, probe: Probe | None, before: Trend, now: datetime, rules: Rules
) -> Trend:
    """The trend after one more look."""
    seen = _look(service, tally, probe, now, rules)
    if seen is None:
        return _unseen(tally, before, now, rules)
    after = msgspec.structs.replace(before, seen_at=now, known_at=seen.known_at)
    if seen.condition is before.observed:
        return msgspec.structs.replace(after, why=seen.why, pending=None, looks=0)
    is_worse = seen.condition.rank > before.observed.rank
    needed = rules.bad_looks if is_worse else rules.good_looks
    if seen.at_once or (before.observed is Condition.NOT_MEASURED and not is_worse):
        needed = 1
    same_way = before.pending is not None and (
        (before.pending.rank > before.observed.rank) == is_worse
    )
    looks = before.looks + 1 if same_way else 1
    pending = seen.condition
    if same_way and before.pending is not None and not seen.at_once:
        # Worse: only as bad as the mildest look. Better: only as good as the worst of them.
        pick = min if is_worse else max
        pending = pick(before.pending, seen.condition, key=lambda one: one.rank)
    if looks < needed:
        return msgspec.structs.replace(after, pending=pending, looks=looks)
    return Trend(observed=pending, why=seen.why, since=now, seen_at=now, known_at=seen.known_at)


def _unseen(tally: Tally, before: Trend, now: datetime, rules: Rules) -> Trend:
    """After a look that shows too little: what was seen stands for a while, and no longer."""
    has_good_ends = bool(tally.done) and not tally.bad_permille
    if has_good_ends and before.observed in {Condition.NOT_MEASURED, Condition.OPERATIONAL}:
        since = before.since if before.observed is Condition.OPERATIONAL else now
        return Trend(
            observed=Condition.OPERATIONAL, why=Why.OUTCOMES, since=since, seen_at=now,
            known_at=tally.done_at or now,
        )  # fmt: skip
    is_good = before.observed is Condition.OPERATIONAL
    longest = rules.good_seconds if is_good else rules.forget_seconds
    if before.observed is Condition.NOT_MEASURED:
        return before if before.since is not None else Trend(since=now)
    if before.seen_at is None or (now - before.seen_at).total_seconds() >= longest:
        return Trend(since=now)
    return before


def _look(
    service: Service, tally: Tally, probe: Probe | None, now: datetime, rules: Rules
) -> _Look | None:
    """What this look alone shows; None: too little to say anything."""
    is_ours = service.rail in OURS
    answer = answer_of(probe, now, rules)
    if probe is not None and answer is Tristate.NO and not _served_since(tally, probe.since):
        out = Condition.DOWN if is_ours or probe.ours else Condition.PARTNER_OUTAGE
        return _Look(out, Why.PROBE, probe.at, at_once=True)
    known_at = tally.last_at or now
    is_silent = tally.tries >= rules.silent_tries and not tally.done
    if tally.tries >= rules.tries_min or is_silent:
        bad = tally.bad_permille
        if bad >= rules.out_permille:
            out = Condition.DOWN if is_ours else Condition.PARTNER_OUTAGE
            return _Look(out, Why.OUTCOMES, known_at)
        if bad >= rules.degraded_permille:
            return _Look(Condition.DEGRADED, Why.OUTCOMES, known_at)
        return _Look(Condition.OPERATIONAL, Why.OUTCOMES, known_at)
    if probe is not None and answer is Tristate.YES:
        return _Look(Condition.OPERATIONAL, Why.PROBE, probe.at)
    return None


def _served_since(tally: Tally, since: datetime) -> bool:
    """Whether a customer got a good end after our own questions began to fail."""
    return tally.done_at is not None and tally.done_at > since
