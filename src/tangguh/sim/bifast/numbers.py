"""The numbers the hub gives: messages, and transfers that begin with other banks. Seeded."""

from __future__ import annotations

from random import Random
from typing import Final

from tangguh.core.clock import JAKARTA, Clock

_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class HubNumbers:
    """Fresh numbers; the same seed gives the same ones."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = Random(seed)  # noqa: S311  numbers, no secrets

    def business(self, bic: str, kind: str, originator: str) -> str:
        """BizMsgIdr or EndToEndId: R answers, H speaks first, O another bank's own."""
        return f"{self._day()}{bic}{kind}{originator}02{self._sequence()}"

    def message(self, bic: str, kind: str) -> str:
        """MsgId."""
        return f"{self._day()}{bic}{kind}{self._sequence()}"

    def _day(self) -> str:
        return f"{self._clock.now().astimezone(JAKARTA):%Y%m%d}"

    def _sequence(self) -> str:
        return "".join(self._random.choice(_LETTERS) for _ in range(8))
