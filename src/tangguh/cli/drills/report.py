"""What every drill reports: what was asked (oracles), what was measured, what happened when.

The oracles: O1 every posting balances and the book adds up to zero; O2 each payment has exactly
one outcome; O3 nobody is below their floor and holds are not negative; O4 our rail movements equal
the network's books; O5 no acknowledged payment is lost; O7 the hash chain verifies; O8 everything
in flight ends by itself after the fault. ``sometimes`` are the rare states the drill exists for:
one that was never reached fails the drill, since then nothing was rehearsed. O6, O9 and O10 are in
``scores``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tangguh.cli.drills.scores.card import Card, Line
from tangguh.cli.drills.scores.recorder import Band
from tangguh.core.clock import Clock
from tangguh.payments.proof import Proof


class Moment(msgspec.Struct, frozen=True):
    """One line of the timeline: seconds since the start, and what happened."""

    seconds: float
    what: str


class Report(msgspec.Struct, frozen=True):
    """The drill's score card. ``scores``: what was asked beside what was measured.

    ``plan`` is the hash of the plan of faults and orders that the seed made. ``series`` has, by
    service, the payments tried, paid and stopped in each second; with ``bands`` it is the picture.
    """

    drill: str
    seed: int
    passed: bool
    oracles: dict[str, bool]
    sometimes: dict[str, bool]
    measures: dict[str, Any]
    timeline: list[Moment]
    scores: list[Line] = []
    plan: str = ""
    series: dict[str, list[tuple[int, int, int]]] = {}
    bands: list[Band] = []


class Notes:
    """Collects a drill's timeline."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._began = clock.monotonic()
        self.began_at = clock.now()
        self.moments: list[Moment] = []

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self.clock.monotonic() - self._began

    def add(self, what: str) -> None:
        """Write down that something happened now."""
        self.moments.append(Moment(round(self.seconds, 3), what))


def oracles_of(proof: Proof) -> dict[str, bool]:
    """What the proof says to the oracles it can answer."""
    holds = {one.name: one.holds is True for one in proof.invariants}
    return {
        "O1": holds["every_posting_balances"]
        and holds["the_book_adds_up_to_zero"]
        and holds["running_balances_follow"]
        and holds["accounts_equal_their_entries"],
        "O2": holds["every_completed_payment_moved_its_money_once"]
        and holds["every_open_payment_holds_its_money"]
        and holds["every_hold_has_its_resolver"]
        and holds["no_idempotency_key_has_two_payments"],
        "O3": holds["no_account_is_below_its_floor"] and holds["held_sums_equal_open_holds"],
        "O7": holds["hash_chain_is_unbroken"],
    }


def oracles_with(card: Card, proof: Proof) -> dict[str, bool]:
    """The proof's oracles and the card's; what both speak of holds when both say so."""
    found = oracles_of(proof)
    for name, holds in card.oracles().items():
        found[name] = found.get(name, True) and holds
    return found


def verdict(oracles: dict[str, bool], sometimes: dict[str, bool], proof: Proof) -> bool:
    """Whether the drill passed: every oracle holds, every rare state was reached."""
    return all(oracles.values()) and all(sometimes.values()) and proof.passed
