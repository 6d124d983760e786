"""Marks in the product's own code: what must always hold, and rare states that must be reached.

``always`` is an assertion that stays on in production and does not end the process: a broken one
is counted, logged by whoever listens, and is an integrity signal to the guard. ``sometimes`` counts
that a rare state was reached: a rehearsal in which it never was has rehearsed nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

Listener = Callable[[str, str], None]
"""Called with the name of a broken rule and a detail without personal data."""


class Marks:
    """The counts of one process."""

    def __init__(self) -> None:
        self.broken: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of every broken rule from now on. It must not block."""
        self._listeners.append(listener)

    def hush(self, listener: Listener) -> None:
        """Tell it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def always(self, name: str, *, holds: bool, detail: str = "") -> bool:
        """Note a rule that must hold; whether it did. ``name`` is a stable code."""
        if not holds:
            self.broken[name] += 1
            for listener in self._listeners:
                with suppress(Exception):  # who cannot listen must not stop who has work to do
                    listener(name, detail)
        return holds

    def sometimes(self, name: str) -> None:
        """Note that a rare state was reached."""
        self.reached[name] += 1


MARKS = Marks()
"""Of this process. One place, so that a mark needs no wiring where it stands."""

always = MARKS.always
sometimes = MARKS.sometimes
