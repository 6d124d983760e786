"""The score card: each line says what was asked and what was measured. Pure.

A line belongs to an oracle (O1 to O10) or, with no oracle, stands for itself; an oracle holds when
all its lines do.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

STANDARD: Final[dict[str, tuple[str, str]]] = {
    "O1": ("the book adds up", "every posting balances, all accounts together are zero"),
    "O2": ("one outcome each", "every payment has exactly one outcome, open ones hold their money"),
    "O3": ("nobody below their floor", "no balance below its floor, no negative hold"),
    "O4": ("networks agree", "what we posted is what the networks' books hold, one for one"),
    "O5": ("nothing told is lost", "no acknowledged payment lost, none told failed and debited"),
    "O6": ("told", "everyone affected was given the reason and when they hear more"),
    "O7": ("the chain is whole", "the hash chain is unbroken"),
    "O8": ("all ended", "nothing is open once the trouble is over"),
    "O9": ("others unharmed", "success outside the trouble falls by at most 0.1 point"),
    "O10": ("the same plan", "the same seed plans the same faults and orders"),
}
"""What each oracle is called and asks, where a drill does not say it in its own words."""


class Line(msgspec.Struct, frozen=True):
    """One line: what it is about, what was asked, what was measured, whether that holds."""

    name: str
    asked: str
    measured: str
    holds: bool
    oracle: str = ""


class Card:
    """Collects lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def ask(
        self, name: str, asked: str, measured: object, *, holds: bool, oracle: str = ""
    ) -> None:
        """Write down one measure with what was asked of it."""
        self.lines.append(Line(name, asked, str(measured), holds, oracle))

    def oracles(self) -> dict[str, bool]:
        """Each oracle with whether all its lines hold; a line of no oracle is its own."""
        found: dict[str, bool] = {}
        for line in self.lines:
            key = line.oracle or line.name
            found[key] = found.get(key, True) and line.holds
        return found


def complete(lines: list[Line], oracles: dict[str, bool]) -> list[Line]:
    """The lines with a standard one for each oracle that has none, in the oracles' order."""
    said = {line.oracle or line.name for line in lines}
    missing = [_standard(name, holds=holds) for name, holds in oracles.items() if name not in said]
    return sorted([*missing, *lines], key=lambda line: _place(line.oracle))


def _standard(name: str, *, holds: bool) -> Line:
    title, asked = STANDARD.get(name, (name, "it holds"))
    return Line(title, asked, "holds" if holds else "broken", holds, name)


def _place(oracle: str) -> int:
    return int(oracle[1:]) if oracle[1:].isdigit() else 99


def plan_hash(plan: Any) -> str:
    """The hash of a plan of faults and orders; what the machine made of it is not in it."""
    return hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()[:16]
