"""Choosing the smallest scope that explains a trouble, and what it would cost others. Pure.

Among all scopes on the way down from where the trouble was seen, the one that still holds at least
nine tenths of the bad orders and the least of the good ones is taken. What was not taken is kept:
it is the explanation for customers, auditors and the post-mortem (blueprint §4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tangguh.guard.scope import Facts, Scope, narrower, text_of

EXPLAINS_PERCENT_MIN: Final = 90
_REJECTED_KEPT: Final = 8
_CANDIDATES_PER_STEP_MAX: Final = 200


class Choice(msgspec.Struct, frozen=True):
    """A scope with what it explains of the trouble and what it stops of normal traffic.

    ``collateral_permille`` by count, ``collateral_value_permille`` by amount, of all normal orders.
    """

    scope: Scope
    explains_percent: int
    collateral_permille: int
    collateral_value_permille: int
    rejected: tuple[str, ...] = ()


def choose(start: Scope, bad: Sequence[Facts], normal: Sequence[Facts]) -> Choice:
    """The smallest scope from ``start`` down. Without bad orders: ``start`` itself."""
    best = weigh(start, bad, normal)
    rejected: list[str] = []
    while bad:
        steps = narrower(best.scope, bad)[:_CANDIDATES_PER_STEP_MAX]
        weighed = [weigh(step, bad, normal) for step in steps]
        fitting = [one for one in weighed if one.explains_percent >= EXPLAINS_PERCENT_MIN]
        better = [one for one in fitting if _cost(one) < _cost(best)]
        rejected += [_said(one) for one in weighed if one not in better][:_REJECTED_KEPT]
        if not better:
            break
        taken = min(
            better, key=lambda one: (_cost(one), -one.explains_percent, len(one.scope.names))
        )
        rejected.append(_said(best))
        best = taken
    return msgspec.structs.replace(best, rejected=tuple(rejected[-_REJECTED_KEPT:]))


def weigh(scope: Scope, bad: Sequence[Facts], normal: Sequence[Facts]) -> Choice:
    """What a scope explains and costs."""
    explained = sum(1 for facts in bad if scope.covers(facts))
    inside = [facts for facts in normal if scope.covers(facts)]
    value = sum(facts.amount_minor for facts in normal)
    stopped = sum(facts.amount_minor for facts in inside)
    return Choice(
        scope,
        explained * 100 // len(bad) if bad else 100,
        len(inside) * 1000 // len(normal) if normal else 0,
        stopped * 1000 // value if value else 0,
    )


def _cost(one: Choice) -> int:
    return max(one.collateral_permille, one.collateral_value_permille)


def _rank(one: Choice) -> tuple[int, int, int]:
    return _cost(one), -one.explains_percent, len(one.scope.names)


def _said(one: Choice) -> str:
    return (
        f"{text_of(one.scope)}: explains {one.explains_percent} %, "
        f"stops {one.collateral_permille / 10:g} % of normal payments"
    )
