"""What payers felt, by service and second: how many tried, were paid, were stopped. Pure.

Times are seconds on the drill's own clock (``Notes.seconds``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

STOPPED: Final = frozenset({"protective_closure", "protective_limit"})
"""What our own gates say: stopped on purpose."""
PAID: Final = "posted"


class Sample(msgspec.Struct, frozen=True):
    """One payment as its payer felt it: service, when it was sent, how long, what was told.

    ``state`` is the payment's state, or why it was refused.
    """

    service: str
    began: float
    seconds: float
    state: str


class Window(msgspec.Struct, frozen=True):
    """A stretch of the rehearsal. ``trouble`` is empty in quiet ones."""

    begins: float
    ends: float
    trouble: str = ""

    def has(self, at: float) -> bool:
        """Whether this moment is in it."""
        return self.begins <= at < self.ends


class Band(msgspec.Struct, frozen=True):
    """A stretch shown behind the lines: a ``fault`` or a ``closure``; ``service`` empty: all."""

    begins: float
    ends: float
    kind: str
    label: str
    service: str = ""


class Count(msgspec.Struct, frozen=True):
    """How many payments, how many of them were paid at once, and how many a gate stopped."""

    tried: int
    paid: int
    stopped: int

    @property
    def rate(self) -> float:
        """Share that was paid; of nothing, all."""
        return self.paid / self.tried if self.tried else 1.0


class Recorder:
    """All samples of a rehearsal."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def add(self, sample: Sample) -> None:
        """Keep one."""
        self.samples.append(sample)

    def services(self) -> list[str]:
        """The services that were paid over, by name."""
        return sorted({sample.service for sample in self.samples})

    def count(self, services: Iterable[str], windows: Sequence[Window]) -> Count:
        """What was felt over these services in these windows together."""
        names = set(services)
        return _count(
            sample
            for sample in self.samples
            if sample.service in names and any(window.has(sample.began) for window in windows)
        )

    def series(self) -> dict[str, list[tuple[int, int, int]]]:
        """By service, for each second from the start: tried, paid, stopped."""
        found: dict[str, dict[int, list[Sample]]] = {}
        for sample in self.samples:
            found.setdefault(sample.service, {}).setdefault(int(sample.began), []).append(sample)
        last = max((int(sample.began) for sample in self.samples), default=-1)
        return {
            service: [
                (one.tried, one.paid, one.stopped)
                for one in (_count(seconds.get(second, ())) for second in range(last + 1))
            ]
            for service, seconds in sorted(found.items())
        }


def fall_in_points(quiet: Count, trouble: Count) -> float:
    """By how many points of a hundred success fell; a rise is zero."""
    return round(max(quiet.rate - trouble.rate, 0.0) * 100, 3)


def _count(samples: Iterable[Sample]) -> Count:
    tried = paid = stopped = 0
    for sample in samples:
        tried += 1
        paid += sample.state == PAID
        stopped += sample.state in STOPPED
    return Count(tried, paid, stopped)
