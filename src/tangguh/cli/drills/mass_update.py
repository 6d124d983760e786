"""mass-update: somebody with all rights in the database adds money to accounts by SQL.

First to three accounts, then, without a WHERE, to every customer's. The writer keeps the accounts
it works with in memory: money invented beside it buys nothing, and a changed row is overwritten
with the truth when its account next moves, so a drill counts the rows that still differ. Asked,
beside the standard oracles: entries, events and gates cannot be changed at all; the pulse sees it
within ten seconds; three accounts are closed alone; of everybody's, payments above Rp 1,000,000
are held back while people are asked, and small ones go on; restored from the entries, all proves.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from tangguh.cli.drills.partners import Payer, payers, rehearsal
from tangguh.cli.drills.paying import pay_over
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.closures import Change, told_in_brief
from tangguh.cli.drills.scores.ending import (
    Ending,
    ask_ending,
    ask_others,
    ask_plan,
    ending_of,
    report_of,
)
from tangguh.cli.drills.scores.recorder import Band, Window
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.tampering import (
    differing,
    forbidden,
    restore_rows,
    tamper,
    until_changed,
)
from tangguh.core.clock import SystemClock
from tangguh.customers.seed import demo
from tangguh.guard.budget import CAP_WHILE_WAITING_MINOR
from tangguh.guard.closure import State as ClosureState
from tangguh.payments.payment import State

_QUIET_SECONDS: Final = 8.0
_PACE_SECONDS: Final = 1.5
_AFTER_SECONDS: Final = 8.0
_SERVICES: Final = ("onus", "qris")
_PEOPLE: Final = 60
"""So many that the last of them has less than the cap."""
_FEW: Final = 3
_INVENTED_MINOR: Final = 5_000_000_00
_LARGE: Final = "1500000.00"
_BEYOND_MEANS: Final = "900000.00"
_SEEN_SECONDS_MAX: Final = 10.0
_RICH: Final = 6


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the few and then all are changed ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    card = Card()
    measures: dict[str, Any] = {}
    async with rehearsal(notes) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            async with asyncio.TaskGroup() as group:
                # The few do not pay meanwhile, nor does the poorest, who tries it on later.
                group.create_task(_pay(street, people[: -_FEW - 1]))
                await clock.sleep(2.0)
                quiet = await street.window(_QUIET_SECONDS)
                tried = await forbidden(household.dsn)
                card.ask(
                    "the book is append-only", "every statement against it is refused",
                    tried, holds=bool(tried) and all(tried.values()),
                )  # fmt: skip
                begins = notes.seconds
                for _ in range(times):
                    few = people[-_FEW - 1 : -1]
                    measures |= await _change_few(household.dsn, card, few, notes)
                    await restore_rows(household.dsn)
                    measures |= await _change_all(household.dsn, card, people, notes, street)
                trouble = Window(begins, notes.seconds, "rows are changed by SQL")
                street.stop()
            left = await differing(household.dsn)
            await restore_rows(household.dsn)
            notes.add(f"{len(left)} rows still differed and were restored from their entries")
            ending = await ending_of(household, control, clock, people, ("qris",))
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, _SERVICES, [quiet], [trouble])
    _ask_caps(card, ending)
    measures |= {"differing_in_the_end": len(left), "closures": told_in_brief(ending.history)}
    sometimes = {"rows_differed": measures["differing_at_once"] > _PEOPLE // 2}
    plan = [seed, _PEOPLE, _FEW, _INVENTED_MINOR, times]
    return report_of(
        "mass-update", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures,
        faults=[Band(trouble.begins, trouble.ends, "fault", trouble.trouble)],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _pay(street: Street, people: list[Payer]) -> None:
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = _SERVICES[number % len(_SERVICES)]
            pay = partial(pay_over, payer, service, people[number - 2].account)
            group.create_task(street.pay_at_pace(service, pay, _PACE_SECONDS))
            await asyncio.sleep(_PACE_SECONDS / len(people))


async def _change_few(dsn: str, card: Card, few: list[Payer], notes: Notes) -> dict[str, Any]:
    """Three accounts: these are closed, by themselves, and say so when they pay."""
    numbers = {int(payer.account) for payer in few}
    at = await tamper(dsn, sorted(numbers), _INVENTED_MINOR)
    notes.add(f"{len(few)} rows were changed")
    made = await until_changed(dsn, notes.clock, at, numbers)
    after = _seconds_until(made, at)
    aimed = {change.closure.scope.account for change in made}
    card.ask(
        "few are seen", f"within {_SEEN_SECONDS_MAX:g} s", f"{after} s",
        holds=after is not None and after <= _SEEN_SECONDS_MAX,
    )  # fmt: skip
    card.ask(
        "few are closed alone", "these accounts and nothing else", told_in_brief(made),
        holds=aimed == numbers and all(one.closure.allowance is None for one in made),
    )  # fmt: skip
    told = [await payer.to(few[number - 1].account) for number, payer in enumerate(few)]
    card.ask(
        "the few cannot pay", "refused for protection", told,
        holds=set(told) == {"protective_closure"},
    )  # fmt: skip
    return {"few_seen_after_seconds": after}


async def _change_all(
    dsn: str, card: Card, people: list[Payer], notes: Notes, street: Street
) -> dict[str, Any]:
    """Everybody's: payments above the cap are held back and people are asked."""
    everybody = [one[1] for one in demo(1)[1]]
    at = await tamper(dsn, everybody, _INVENTED_MINOR)
    at_once = len(await differing(dsn))
    notes.add(f"{len(everybody)} rows were changed, {at_once} differ")
    made = await until_changed(dsn, notes.clock, at, {0})
    after = _seconds_until(made, at)
    waiting = [one for one in made if one.closure.state is ClosureState.AWAITING_PEOPLE]
    card.ask(
        "all are seen", f"within {_SEEN_SECONDS_MAX:g} s", f"{after} s",
        holds=after is not None and after <= _SEEN_SECONDS_MAX,
    )  # fmt: skip
    card.ask(
        "people are asked", "one closure that waits for two people, with caps", told_in_brief(made),
        holds=bool(waiting) and all(one.closure.allowance is not None for one in made),
    )  # fmt: skip
    large = [await payer.to(people[7].account, _LARGE) for payer in people[:_RICH]]
    card.ask(
        "large payments are held back", "refused by the cap", large,
        holds=set(large) == {"protective_limit"},
    )  # fmt: skip
    # Below the cap, above what they truly have.
    poor = await people[-1].to(people[7].account, _BEYOND_MEANS)
    card.ask(
        "invented money buys nothing", "the poorest cannot pay more than the book says", poor,
        holds=poor == "insufficient_funds",
    )  # fmt: skip
    await street.window(_AFTER_SECONDS)
    return {"all_seen_after_seconds": after, "differing_at_once": at_once}


def _seconds_until(made: list[Change], at: datetime) -> float | None:
    return round((made[-1].at - at) / timedelta(seconds=1), 3) if made else None


def _ask_caps(card: Card, ending: Ending) -> None:
    """Nothing above the cap was paid once the cap was in force."""
    caps = [one.at for one in ending.history if one.closure.scope.direction == "out"
            and not one.closure.scope.account and one.what == "closed"]  # fmt: skip
    above = [
        one
        for one in ending.payments
        if caps
        and one.accepted_at > caps[0]
        and one.amount_minor > CAP_WHILE_WAITING_MINOR
        and one.state not in {State.REFUSED, State.VOIDED}
    ]
    card.ask("the cap holds", "0 payments above it", len(above), holds=bool(caps) and not above)
