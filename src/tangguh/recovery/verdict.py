"""What a gate says of a measurement: pass, fail or inconclusive. Missing data never passes. Pure.

Whatever is absent, not a number, of another name, impossible or seen too rarely is inconclusive:
the climb stays where it is. The one exception leans the other way: a single miss of integrity fails
whatever the sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.recovery.rungs import REAL, Pace


class Verdict(StrEnum):
    """The three answers of a gate."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Kind(StrEnum):
    """What a fail does: back to held at once; back a rung when twice in a row; not ready yet."""

    ZERO = "zero"
    SOFT = "soft"
    READY = "ready"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """The rule of one metric. Shares are from 0 to 1, times in seconds, the rest are counts.

    ``sample_min``: how many looks it needs; None: as many payments as the rung asks for.
    ``is_paced``: a rehearsal's pace makes that number smaller.
    """

    kind: Kind
    at_least: float | None = None
    at_most: float | None = None
    baseline_times: float | None = None
    control_under: float | None = None
    is_share: bool = False
    optional: bool = False
    sample_min: int | None = None
    is_paced: bool = False


class Reading(msgspec.Struct, frozen=True):
    """One measurement. ``control`` is the same of a cohort outside, ``baseline`` of 28 days.

    ``since``: what it counts from. A reading that began before the rung was entered is not of it.
    ``why``: why there is no value, in words for whoever waits.
    """

    metric: str
    value: float | None
    sample: int = 0
    control: float | None = None
    baseline: float | None = None
    since: datetime | None = None
    why: str = ""


class Judged(msgspec.Struct, frozen=True):
    """The verdict on one metric, and why in plain words."""

    metric: str
    verdict: Verdict
    why: str
    kind: Kind | None = None


class Judgement(msgspec.Struct, frozen=True):
    """The verdict on all of them: one fail is a fail, one unknown is inconclusive."""

    verdict: Verdict
    judged: tuple[Judged, ...] = ()

    def failed(self, kind: Kind) -> tuple[Judged, ...]:
        """Every metric of this kind that failed."""
        return tuple(one for one in self.judged if one.verdict is Verdict.FAIL and one.kind is kind)

    @property
    def why(self) -> str:
        """What did not pass, in words; a fail before what is not known."""
        for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            said = [f"{one.metric}: {one.why}" for one in self.judged if one.verdict is verdict]
            if said:
                return "; ".join(said)
        return "every gate passes"


_COUNTED: Final = Metric(kind=Kind.ZERO, at_most=0)
_SCANNED: Final = Metric(kind=Kind.ZERO, at_most=0, sample_min=1)
_CHECKED: Final = Metric(kind=Kind.READY, at_most=0, sample_min=1)

METRICS: Final[Mapping[str, Metric]] = {
    # zero tolerance: one is a fail, and the scope is held again
    "unmatched_outflow": _COUNTED,
    "double_outcome": _COUNTED,
    "wrong_payee": _COUNTED,
    "negative_balance": _SCANNED,
    "chain_break": _SCANNED,
    # soft: twice in a row is one rung back
    "success": Metric(kind=Kind.SOFT, at_least=0.995, control_under=0.003, is_share=True),
    "unanswered": Metric(kind=Kind.SOFT, at_most=0.002, is_share=True),
    "p99": Metric(kind=Kind.SOFT, baseline_times=2),
    "queue_age": Metric(kind=Kind.SOFT, at_most=30, sample_min=1),
    "shed": Metric(kind=Kind.SOFT, at_most=0.01, is_share=True),
    "partner_declines": Metric(kind=Kind.SOFT, baseline_times=2, is_share=True),
    "complaints": Metric(kind=Kind.SOFT, baseline_times=2, sample_min=1, optional=True),
    "status_age": Metric(kind=Kind.SOFT, at_most=30, sample_min=1, optional=True),
    "notices": Metric(kind=Kind.SOFT, at_least=0.99, sample_min=1, is_share=True, optional=True),
    # ready: how many things stand between here and the next rung
    "aged_in_flight": _CHECKED,
    "ledger_differences": _CHECKED,
    "unmatched_settlement": _CHECKED,
    "keys_to_rotate": _CHECKED,
    "restore_faults": _CHECKED,
    "rehearsal_wrong": Metric(kind=Kind.READY, at_most=0, sample_min=200, is_paced=True),
    "replay_divergent": _CHECKED,
    "capacity_needed": Metric(kind=Kind.READY, at_most=1, sample_min=1),
    "partner_not_ready": _CHECKED,
}
"""``capacity_needed``: (backlog + peak) / 0.7 as a multiple of the measured capacity."""

ZERO_TOLERANCE: Final = frozenset(name for name, one in METRICS.items() if one.kind is Kind.ZERO)
OPTIONAL: Final = frozenset(name for name, one in METRICS.items() if one.optional)
SOFT: Final = frozenset(
    name for name, one in METRICS.items() if one.kind is Kind.SOFT and not one.optional
)

_ROUNDING: Final = 1e-9
_SEVERITY: Final = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


def judge(
    metric: str, reading: Reading | None, *, sample_min: int = 1, tight: bool = False
) -> Judged:
    """Judge one reading of one metric. ``tight``: with half the usual slack."""
    rule = METRICS.get(metric)
    if rule is None:
        return Judged(metric, Verdict.INCONCLUSIVE, "no metric has this name")
    verdict, why = _judge(rule, reading, metric, sample_min)
    if verdict is None and reading is not None:
        verdict, why = _compare(rule, reading, tight=tight)
    return Judged(metric, verdict or Verdict.INCONCLUSIVE, why, rule.kind)


def judge_all(
    required: Iterable[str],
    readings: Iterable[Reading],
    *,
    also: frozenset[str] = frozenset(),
    sample_min: int = 1,
    tight: bool = False,
    since: datetime | None = None,
    pace: Pace = REAL,
) -> Judgement:
    """Judge what is required, and of what else is given: misses of integrity and ``also``.

    A required metric without a reading, and a reading without a metric, are inconclusive. Of two
    readings of one metric the worse counts. Nothing judged at all is inconclusive too.
    """
    given: dict[str, list[Reading | None]] = {name: [] for name in sorted(required)}
    for reading in readings:
        name = reading.metric
        if name in given or name not in METRICS or name in also or name in ZERO_TOLERANCE:
            given.setdefault(name, []).append(reading)
    judged: list[Judged] = []
    for name, found in given.items():
        least = _sample_min(name, sample_min, pace)
        verdicts = [
            _of_this_rung(judge(name, one, sample_min=least, tight=tight), one, since)
            for one in found or [None]
        ]
        judged.append(min(verdicts, key=lambda one: _SEVERITY.index(one.verdict)))
    worst = min((one.verdict for one in judged), key=_SEVERITY.index, default=Verdict.INCONCLUSIVE)
    return Judgement(worst, tuple(judged))


def _sample_min(metric: str, of_rung: int, pace: Pace) -> int:
    rule = METRICS.get(metric)
    if rule is None or rule.sample_min is None:
        return pace.sample(of_rung)
    return pace.sample(rule.sample_min) if rule.is_paced else rule.sample_min


def _of_this_rung(judged: Judged, reading: Reading | None, since: datetime | None) -> Judged:
    """A pass, or a soft fail, measured from before the rung was entered says nothing of it."""
    if reading is None or reading.since is None or since is None or reading.since >= since:
        return judged
    if judged.kind is Kind.ZERO and judged.verdict is Verdict.FAIL:
        return judged
    why = "measured from before this rung was entered"
    return msgspec.structs.replace(judged, verdict=Verdict.INCONCLUSIVE, why=why)


def _judge(
    rule: Metric, reading: Reading | None, metric: str, sample_min: int
) -> tuple[Verdict | None, str]:
    """What can be said before the value is compared; None: compare it."""
    if reading is None or reading.value is None:
        said = reading.why if reading is not None else ""
        return Verdict.INCONCLUSIVE, said or "no reading"
    if reading.metric != metric:
        return Verdict.INCONCLUSIVE, f"the reading is of {reading.metric}"
    value = reading.value
    if rule.kind is Kind.ZERO and value > 0:
        return Verdict.FAIL, f"{value:g} where none may be"
    if not math.isfinite(value) or value < 0 or (rule.is_share and value > 1):
        return Verdict.INCONCLUSIVE, f"{value} is no possible value"
    if reading.sample < sample_min:
        return Verdict.INCONCLUSIVE, f"seen {reading.sample} of {sample_min}"
    return None, ""


def _compare(rule: Metric, reading: Reading, *, tight: bool) -> tuple[Verdict, str]:
    slack = 0.5 if tight else 1.0
    value = reading.value or 0.0
    if rule.at_least is not None:
        least = 1 - (1 - rule.at_least) * slack
        if value < least - _ROUNDING:
            return Verdict.FAIL, f"{value:g} is under {least:g}"
    if rule.at_most is not None:
        most = rule.at_most if rule.kind is Kind.READY else rule.at_most * slack
        if value > most + _ROUNDING:
            return Verdict.FAIL, f"{value:g} is over {most:g}"
    if rule.baseline_times is not None:
        if not _is_usable(reading.baseline):
            return Verdict.INCONCLUSIVE, "no baseline"
        most = (1 + (rule.baseline_times - 1) * slack) * (reading.baseline or 0.0)
        if value > most + _ROUNDING:
            return Verdict.FAIL, f"{value:g} is over {most:g}, from the baseline"
    if rule.control_under is not None:
        if not _is_usable(reading.control):
            return Verdict.INCONCLUSIVE, "no control cohort"
        least = (reading.control or 0.0) - rule.control_under * slack
        if value < least - _ROUNDING:
            return Verdict.FAIL, f"{value:g} is under {least:g}, from the control cohort"
    return Verdict.PASS, f"{value:g}"


def _is_usable(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value >= 0
