"""The gateway's own caps: what one transfer may be, and what may leave within a minute (ring 2).

The last ring inside our house: it holds also when whoever asks owns the bank and the ledger's key.
Counted in memory, from the start of the process, over a sliding minute.
"""

from __future__ import annotations

from collections import deque
from typing import Final

AMOUNT: Final = "amount_max"
PER_MINUTE: Final = "per_minute_max"
AMOUNT_PER_MINUTE: Final = "amount_per_minute_max"
_MINUTE: Final = 60.0


class Caps:
    """The three caps. Seconds are a monotonic clock's."""

    def __init__(
        self, *, amount_max_minor: int, per_minute_max: int, amount_per_minute_max_minor: int
    ) -> None:
        self._amount_max = amount_max_minor
        self._per_minute_max = per_minute_max
        self._amount_per_minute_max = amount_per_minute_max_minor
        self._left: deque[tuple[float, int]] = deque()
        self._sum = 0

    def refuse(self, amount_minor: int, seconds: float) -> str:
        """The cap that one more transfer would pass; empty: none. Counts nothing."""
        self._forget(seconds)
        if amount_minor > self._amount_max:
            return AMOUNT
        if len(self._left) >= self._per_minute_max:
            return PER_MINUTE
        if self._sum + amount_minor > self._amount_per_minute_max:
            return AMOUNT_PER_MINUTE
        return ""

    def count(self, amount_minor: int, seconds: float) -> None:
        """A transfer goes out."""
        self._left.append((seconds, amount_minor))
        self._sum += amount_minor

    def show(self, seconds: float) -> dict[str, int]:
        """The caps, and what is used of them."""
        self._forget(seconds)
        return {
            AMOUNT: self._amount_max,
            PER_MINUTE: self._per_minute_max,
            AMOUNT_PER_MINUTE: self._amount_per_minute_max,
            "left_this_minute": len(self._left),
            "amount_this_minute": self._sum,
        }

    def _forget(self, seconds: float) -> None:
        while self._left and self._left[0][0] <= seconds - _MINUTE:
            self._sum -= self._left.popleft()[1]
