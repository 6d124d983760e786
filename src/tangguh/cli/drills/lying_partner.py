"""lying-partner: partners say yes and did not pay, or say no and paid; their files show every lie.

Asked:
O1 every posting balances and the book adds up to zero;
O2 every payment has exactly one outcome: the one its network told;
O3 nobody is below their floor;
O4 each settlement file is what its network's books hold, line for line;
O6 the file compared with our book shows every lie: as many breaks of each sort as lies were told;
O7 the hash chain is unbroken;
O8 everything open ended by itself.
The guard is live, and a lie, which no technical signal shows, makes it close nobody.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import (
    all_payments,
    break_partner,
    everybody,
    filed,
    paid_there,
    payers,
    posted_here,
    rehearsal,
    struck,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.prove import prove_dsn
from tangguh.core.clock import SystemClock, business_date

_PEOPLE: Final = 6
_SHARE: Final = 0.4
_ENDED_SECONDS_MAX: Final = 30.0
_SAID_YES: Final = "failed"
_SAID_NO: Final = "paid"
_LIARS: Final[dict[str, tuple[str, ...]]] = {
    "qris": (_SAID_YES, _SAID_NO),
    "gopay": (_SAID_YES, _SAID_NO),
    "billers": (_SAID_YES, _SAID_NO),
    "cards": (_SAID_YES, _SAID_NO),
    "bifast": (_SAID_YES,),
}
"""BI-FAST tells every payment it made by a notice of its own, which undoes the false no."""


class Breaks(msgspec.Struct, frozen=True):
    """What a file and our book disagree about: only in the book, only in the file, other sums."""

    only_here: int
    only_there: int
    other_sum: int


async def run(seed: int, times: int) -> Report:
    """Rehearse it; each customer pays each liar ``times`` times for each sort of lie."""
    clock = SystemClock()
    notes = Notes(clock)
    lies: dict[str, dict[str, int]] = {}
    days = {business_date(clock.now())}
    async with rehearsal(notes) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            for number, (partner, sorts) in enumerate(_LIARS.items()):
                lies[partner] = {_SAID_YES: 0, _SAID_NO: 0}
                for sort in sorts:
                    fault = {"name": "lie", "books": sort, "probability": _SHARE}
                    dice = seed + 2 * number + (sort == _SAID_NO)
                    await break_partner(control, partner, dice, fault)
                    await everybody(people, partner, times)
                    lies[partner][sort] = await struck(control, partner)
                await break_partner(control, partner, seed)
                notes.add(f"{partner} lied {sum(lies[partner].values())} times")
            ended = await until_ended(household.dsn, clock, _ENDED_SECONDS_MAX)
            notes.add("nothing is open" if ended else "something never ended")
        payments = await all_payments(household)
        days.add(business_date(clock.now()))
        files = {partner: await filed(control, partner, days) for partner in _LIARS}
        books = {partner: await paid_there(control, partner) for partner in _LIARS}
        proof = await prove_dsn(household.dsn)
    here = {partner: posted_here(payments, partner) for partner in _LIARS}
    found = {partner: compare(here[partner], files[partner]) for partner in _LIARS}
    oracles = oracles_of(proof) | {
        "O4": files == books,
        "O6": all(
            found[partner] == Breaks(lies[partner][_SAID_YES], lies[partner][_SAID_NO], 0)
            for partner in _LIARS
        ),
        "O8": ended,
    }
    sometimes = {
        f"{partner}_said_{'yes' if sort == _SAID_YES else 'no'}_falsely": lies[partner][sort] > 0
        for partner, sorts in _LIARS.items()
        for sort in sorts
    }
    told = sum(sum(sorts.values()) for sorts in lies.values())
    shown = sum(one.only_here + one.only_there for one in found.values())
    measures: dict[str, Any] = {
        "payments": len(payments),
        "lies_told": told,
        "lies_in_the_files": shown,
        "lies_missed": max(told - shown, 0),
        "by_partner": {
            partner: {
                "said_yes_and_did_not_pay": lies[partner][_SAID_YES],
                "only_in_our_book": found[partner].only_here,
                "said_no_and_paid": lies[partner][_SAID_NO],
                "only_in_the_file": found[partner].only_there,
                "lines": len(files[partner]),
            }
            for partner in _LIARS
        },
        "broken": [one.name for one in proof.invariants if not one.holds],
    }
    passed = verdict(oracles, sometimes, proof)
    return Report("lying-partner", seed, passed, oracles, sometimes, measures, notes.moments)


def compare(here: dict[str, int], there: dict[str, int]) -> Breaks:
    """Our book against a file, both by reference, in minor units."""
    both = here.keys() & there.keys()
    return Breaks(
        only_here=len(here.keys() - there.keys()),
        only_there=len(there.keys() - here.keys()),
        other_sum=sum(1 for name in both if here[name] != there[name]),
    )
