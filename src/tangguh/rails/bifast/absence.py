"""When the hub said "original not found": so that a second one, long enough after, is final. Pure.

Kept in memory on purpose: a restart forgets, and forgetting only makes the bank ask once more.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

KEPT_MAX: Final = 10_000
"""More open payments unknown to the hub at once than any outage has left; the oldest goes first."""
FRESH_SECONDS: Final = 60.0
"""So long an answer may stand for the question that would be asked now."""


class Absences:
    """First and last time, in monotonic seconds, that each EndToEndId was not found."""

    def __init__(self, apart_seconds: float) -> None:
        self._apart = apart_seconds
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def note(self, end_to_end: str, now: float) -> None:
        """The hub has just said that it does not know it."""
        first, _ = self._seen.get(end_to_end, (now, now))
        self._seen[end_to_end] = (first, now)
        if len(self._seen) > KEPT_MAX:
            self._seen.popitem(last=False)

    def forget(self, end_to_end: str) -> None:
        """The hub knows it after all."""
        self._seen.pop(end_to_end, None)

    def is_final(self, end_to_end: str, now: float) -> bool:
        """Whether it was not found twice, far enough apart, and the second time just now."""
        if end_to_end not in self._seen:
            return False
        first, last = self._seen[end_to_end]
        return first < last and last - first >= self._apart and now - last <= FRESH_SECONDS

    def may_be_final(self, end_to_end: str, now: float) -> bool:
        """Whether asking now could be that second time, or the first that anybody remembers."""
        if end_to_end not in self._seen:
            return True
        return now - self._seen[end_to_end][0] >= self._apart
