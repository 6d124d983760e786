"""What every bench reports: results beside their yardstick, and the proof."""

from __future__ import annotations

import sys
from typing import NoReturn

import msgspec

from tangguh.cli.bench.yardstick import Yardstick
from tangguh.payments.proof import Proof


class Result(msgspec.Struct, frozen=True):
    """One measured workload. ``ratio``: per second, over the yardstick run just before and after.

    ``batch``: the most commands in one batch. Latencies are of one request of the workload, in a
    closed loop. ``refused`` counts answers that moved no money; they are not in ``per_second``.
    """

    name: str
    batch: int
    per_second: float
    p50_ms: float
    p99_ms: float
    ratio: float
    refused: int = 0


class Report(msgspec.Struct, frozen=True):
    """A bench's whole answer. ``ratio`` is the first result's: the headline."""

    bench: str
    results: list[Result]
    yardstick: Yardstick
    ratio: float
    proof: Proof
    figures: dict[str, float]


class Laps:
    """Latencies of a closed loop, in seconds."""

    def __init__(self) -> None:
        self.laps: list[float] = []
        self.done = 0
        self.refused = 0

    def result(self, name: str, batch: int, seconds: float, beside: float) -> Result:
        """The result of a run of so many seconds beside a yardstick of so many per second."""
        ordered = sorted(self.laps)
        per_second = self.done / seconds
        return Result(
            name,
            batch,
            round(per_second, 1),
            _at(ordered, 0.50),
            _at(ordered, 0.99),
            round(per_second / beside, 2) if beside else 0.0,
            self.refused,
        )


def show(report: Report, *, as_json: bool) -> NoReturn:
    """Print it and exit: 0 only when the books prove after the load."""
    print(msgspec.json.encode(report).decode() if as_json else _table(report))
    sys.exit(0 if report.proof.passed else 1)


def _at(ordered: list[float], share: float) -> float:
    if not ordered:
        return 0.0
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)


def _table(report: Report) -> str:
    lines = [f"{report.yardstick.name}: {report.yardstick.per_second:,.0f} per second"]
    lines += [
        f"{one.name:<34} batch {one.batch:>5}  {one.per_second:>10,.0f}/s  "
        f"p50 {one.p50_ms:>7.2f} ms  p99 {one.p99_ms:>7.2f} ms  {one.ratio:>6.2f}x"
        for one in report.results
    ]
    lines += [f"{name}: {value}" for name, value in report.figures.items()]
    holding = sum(one.holds is True for one in report.proof.invariants)
    lines.append(
        f"proof: {holding} of {len(report.proof.invariants)} invariants hold, "
        f"{report.proof.entries:,} entries"
    )
    return "\n".join(lines)
