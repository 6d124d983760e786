"""What automation may take away by itself, and when a detector is no longer believed. Pure.

Automation may hold back at most a tenth of attempts bank-wide, and at most one whole rail in one
direction; anything more waits for two people (Envoy's ejection cap). A detector that points at
more than half of everything is itself the trouble.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tangguh.guard.closure import Allowance, Closure, SignalClass, State
from tangguh.guard.rules import ALONE
from tangguh.guard.scope import Facts, Scope

BANK_WIDE_PERMILLE_MAX: Final = 100
SUSPECT_PERMILLE: Final = 500
CAP_WHILE_WAITING_MINOR: Final = 1_000_000 * 100
"""Above this, a payment in a scope that waits for people is held back: Rp 1,000,000."""
PEOPLE_SECONDS: Final = 300
"""So long two people have to say yes or no; then the class's own default."""

CAPS: Final = Allowance(amount_max_minor=CAP_WHILE_WAITING_MINOR)


class Ruling(msgspec.Struct, frozen=True):
    """Whether automation may close this alone; when not, why, in words."""

    alone: bool
    why: str = ""


def rule_on(
    scope: Scope,
    signal_class: SignalClass,
    collateral_permille: int,
    closures: Iterable[Closure],
    normal: Sequence[Facts],
) -> Ruling:
    """Whether a closure of this scope is within what automation may do by itself."""
    if scope.is_whole_bank:
        return Ruling(alone=False, why="the whole bank is for two people")
    if ALONE[signal_class].pinned_only and not scope.is_pinned:
        return Ruling(alone=False, why=f"class {signal_class} acts on single accounts only")
    automatic = [one for one in closures if not one.is_confirmed and one.state is State.CONTAINED]
    if signal_class is SignalClass.INTEGRITY and scope.is_one_way_of_a_rail:
        others = [one for one in automatic if one.scope.is_one_way_of_a_rail and one.scope != scope]
        if others:
            return Ruling(alone=False, why="one rail in one direction is closed already")
        return Ruling(alone=True)
    others = [one for one in automatic if one.scope.is_pinned and not one.scope.includes(scope)]
    if scope.is_pinned and not others:
        # Of however few customers, one may always be stopped (Envoy: "but at least one"), and by a
        # second rule that sees the same one.
        return Ruling(alone=True)
    most = ALONE[signal_class].collateral_permille
    if collateral_permille > most:
        return Ruling(
            alone=False,
            why=f"it would stop {collateral_permille / 10:g} % of normal payments; "
            f"class {signal_class} may stop {most / 10:g} %",
        )
    together = share_of([*(one.scope for one in automatic if one.allowance is None), scope], normal)
    if together > BANK_WIDE_PERMILLE_MAX:
        return Ruling(
            alone=False, why=f"with what is closed already it would stop {together / 10:g} %"
        )
    return Ruling(alone=True)


def share_of(scopes: Sequence[Scope], normal: Sequence[Facts]) -> int:
    """How many per mille of normal orders these scopes hold together."""
    if not normal:
        return 0
    inside = sum(1 for facts in normal if any(scope.covers(facts) for scope in scopes))
    return inside * 1000 // len(normal)


def is_mad(scopes: Sequence[Scope], normal: Sequence[Facts], sample_min: int = 50) -> bool:
    """Whether what a detector points at is more than half of everything."""
    return len(normal) >= sample_min and share_of(scopes, normal) > SUSPECT_PERMILLE
