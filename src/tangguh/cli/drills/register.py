"""Every drill by its name: what it rehearses, and how often it strikes by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tangguh.cli.drills import (
    kill_nine,
    lost_replies,
    lying_partner,
    mad_detector,
    settlement_twice,
    slow_partner,
)
from tangguh.cli.drills.load import hot_account
from tangguh.cli.drills.report import Report


class Drill(msgspec.Struct, frozen=True):
    """A drill that can be run: what it rehearses, and how often it strikes by default."""

    about: str
    run: Callable[[int, int], Awaitable[Report]]
    times: int


DRILLS: Final[dict[str, Drill]] = {
    "kill-nine": Drill(
        "The bank's process is killed at random moments under load and started each time.",
        kill_nine.run,
        100,
    ),
    "lost-replies": Drill(
        "Every partner in turn carries payments out and loses its answers.",
        lost_replies.run,
        8,
    ),
    "slow-partner": Drill(
        "One partner is slow, flaps and goes down; the others' customers must not notice.",
        slow_partner.run,
        9,
    ),
    "lying-partner": Drill(
        "Partners say yes and did not pay, or no and paid; their files show every lie.",
        lying_partner.run,
        8,
    ),
    "settlement-twice": Drill(
        "Settlement files are wrong, and cycles are interrupted and run again and again.",
        settlement_twice.run,
        8,
    ),
    "hot-account": Drill(
        "One account floods payments; it alone is limited, and nobody else notices.",
        hot_account.run,
        1,
    ),
    "mad-detector": Drill(
        "Two rules of the guard point at most of the traffic; the guard stops believing them.",
        mad_detector.run,
        1,
    ),
}
