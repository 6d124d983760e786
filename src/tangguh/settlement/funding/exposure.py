"""How much may lie on a settlement account, and what to move to have that much there. Pure.

Ring 2: what a thief who owns everything can take is what lies there, so no more lies there than
will soon be needed. Needed from a minute on: the highest that the running sum of net outflow
reaches within the horizon; held: the 99th percentile of that over the minutes looked back on, with
a buffer, never below the floor nor above the cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

_PERCENT: Final = 100


class ExposureRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``horizon_minutes``: how long the money must last. ``slack_percent``: how far from what
    should lie there the account may be before anything is moved. Amounts in minor units.
    """

    floor_minor: int = 1_000_000_000 * 100
    cap_minor: int = 50_000_000_000 * 100
    horizon_minutes: int = 30
    percentile: int = 99
    buffer_percent: int = 25
    slack_percent: int = 25


class Move(msgspec.Struct, frozen=True):
    """Money to be put on the account (fund) or taken back to the reserve (sweep)."""

    kind: Literal["fund", "sweep"]
    amount_minor: int


def needs_of(net_minor: Sequence[int], horizon: int) -> list[int]:
    """For each minute the most that was needed within the horizon after it; never negative."""
    needs = []
    for first in range(len(net_minor)):
        running = most = 0
        for net in net_minor[first : first + horizon]:
            running += net
            most = max(most, running)
        needs.append(most)
    return needs


def wanted_minor(net_minor: Sequence[int], rules: ExposureRules) -> int:
    """What should lie on the account after these minutes of net outflow, the oldest first."""
    needs = sorted(needs_of(net_minor, rules.horizon_minutes))
    need = needs[-(-len(needs) * rules.percentile // _PERCENT) - 1] if needs else 0
    with_buffer = need * (_PERCENT + rules.buffer_percent) // _PERCENT
    return max(min(with_buffer, rules.cap_minor), rules.floor_minor)


def move_for(
    balance_minor: int, reserved_minor: int, wanted: int, rules: ExposureRules
) -> Move | None:
    """What to move now; None while the account is near enough to what it should have.

    What pending transfers may still take counts as gone.
    """
    free = balance_minor - reserved_minor
    slack = wanted * rules.slack_percent // _PERCENT
    if free < wanted - slack:
        return Move("fund", wanted - free)
    if free > wanted + slack:
        return Move("sweep", free - wanted)
    return None
