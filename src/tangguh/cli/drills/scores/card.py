"""The score card: each line says what was asked and what was measured. Pure.

A line belongs to an oracle (O1 to O10) or, with no oracle, stands for itself; an oracle holds when
all its lines do.
"""

from __future__ import annotations

import hashlib
import re
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


_ASKED: Final = re.compile(r"^(?P<oracle>O\d+) (?P<asked>.*(?:\n {2,}\S.*)*)", re.MULTILINE)


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


def complete(lines: list[Line], oracles: dict[str, bool], doc: str = "") -> list[Line]:
    """The lines with one for each oracle that has none, in the oracles' order.

    ``doc`` is the drill's own description: what it says an oracle asks stands before the standard.
    """
    said = {line.oracle or line.name for line in lines}
    own = asked_in(doc)
    missing = []
    for oracle, holds in oracles.items():
        if oracle not in said:
            title, asked = STANDARD.get(oracle, (oracle, "it holds"))
            title, asked = ("", own[oracle]) if oracle in own else (title, asked)
            missing.append(Line(title, asked, "holds" if holds else "broken", holds, oracle))
    return sorted([*missing, *lines], key=lambda line: _place(line.oracle))


def asked_in(doc: str) -> dict[str, str]:
    """What a drill's description says each oracle asks: ``O4 the books agree;`` and so on."""
    return {
        found["oracle"]: " ".join(found["asked"].split()).rstrip(";.,")
        for found in _ASKED.finditer(doc)
    }


def _place(oracle: str) -> int:
    return int(oracle[1:]) if oracle[1:].isdigit() else 99


def plan_hash(plan: Any) -> str:
    """The hash of a plan of faults and orders; what the machine made of it is not in it."""
    return hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()[:16]
