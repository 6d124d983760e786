"""The second half of slow-partner: with the guard at work, a wallet is slow and then goes down.

Asked: the guard limits or closes that wallet, and nothing else, at most 30 seconds after the
trouble began; the others' payments succeed as ever.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import msgspec

from tangguh.cli.drills.partners import break_partner, payers, rehearsal, struck
from tangguh.cli.drills.report import Notes
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.closures import bands_of
from tangguh.cli.drills.scores.ending import ask_ending, ending_of
from tangguh.cli.drills.scores.recorder import Band, Window
from tangguh.cli.drills.sick.partner import (
    COMPARED,
    OTHERS,
    PEOPLE,
    SHOWN_AS,
    TROUBLED,
    ask_only_it,
    pay_everywhere,
)
from tangguh.cli.drills.street import Street
from tangguh.core.clock import Clock

_QUIET_SECONDS: Final = 6.0
_SLOW_SECONDS: Final = 11.0
_DOWN_SECONDS: Final = 4.0
_LATE_SECONDS: Final = 3.4
_CLOSED_SECONDS_MAX: Final = 30.0
_KEPT_PERCENT_MIN: Final = 99.9


class Guarded(msgspec.Struct, frozen=True):
    """What the second half gives the report."""

    card: Card
    series: dict[str, list[tuple[int, int, int]]]
    bands: list[Band]
    struck: int
    closed_after_seconds: float
    kept_percent: float
    proved: bool


async def guarded(clock: Clock, seed: int, notes: Notes) -> Guarded:
    """Rehearse it in a bank of its own, whose guard is live."""
    here = Notes(clock)
    street = Street(clock, here)
    async with rehearsal(notes) as (household, control):
        async with payers(household, control, clock, PEOPLE) as people:
            async with asyncio.TaskGroup() as group:
                group.create_task(pay_everywhere(street, people))
                await clock.sleep(1.0)
                quiet = await street.window(_QUIET_SECONDS)
                begun = clock.now()
                late = {"name": "late", "seconds": _LATE_SECONDS}
                await break_partner(control, TROUBLED, seed, late)
                slow = await street.window(_SLOW_SECONDS, "slow")
                hits = await struck(control, TROUBLED)
                await break_partner(control, TROUBLED, seed, {"name": "down"})
                down = await street.window(_DOWN_SECONDS, "down")
                await break_partner(control, TROUBLED, seed)
                street.stop()
            ending = await ending_of(household, control, clock, people, COMPARED)
    notes.add("with the guard at work the wallet was slow, then down")
    card = Card()
    ask_ending(card, ending, people)
    made = ask_only_it(card, ending)
    after = (made[0].at - begun) / timedelta(seconds=1) if made else 999.0
    card.ask(
        "limited in time", f"at most {_CLOSED_SECONDS_MAX:g} s after the trouble began",
        f"{after:.1f} s", holds=0 <= after <= _CLOSED_SECONDS_MAX,
    )  # fmt: skip
    kept = street.recorder.count(OTHERS, [slow, down])
    percent = round(100 * kept.rate, 3)
    card.ask(
        "others kept", f"at least {_KEPT_PERCENT_MIN} % of the others' payments succeed",
        f"{percent} % of {kept.tried} (quiet {_quiet(street, quiet)} %)",
        holds=kept.tried > 0 and percent >= _KEPT_PERCENT_MIN,
    )  # fmt: skip
    bands = [
        Band(slow.begins, slow.ends, "fault", "slow", TROUBLED),
        Band(down.begins, down.ends, "fault", "down", TROUBLED),
        *bands_of(ending.history, here.began_at, SHOWN_AS),
    ]
    series = street.recorder.series()
    return Guarded(card, series, bands, hits, round(after, 3), percent, ending.proof.passed)


def _quiet(street: Street, quiet: Window) -> float:
    return round(100 * street.recorder.count(OTHERS, [quiet]).rate, 3)
