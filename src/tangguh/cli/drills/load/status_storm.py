"""status-check-storm: the QRIS network loses every answer for a while; nobody then asks too often.

Every payment of that while is open, its customers keep looking at its page, and our resolver asks
the network. Asked, beside the standard oracles, counted on the network's side: no payment is asked
about more often than the schedule has it, the first time not before the schedule's delay; the
busiest second has no more questions than the schedule makes of the payments' own pace; and
customers who look at their payments cause no question at all.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import Payer, break_partner, payers, rehearsal
from tangguh.cli.drills.paying import pay_over
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
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
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock, SystemClock
from tangguh.payments.payment import Payment

_PEOPLE: Final = 32
_PACE_SECONDS: Final = 0.8
_QUIET_SECONDS: Final = 8.0
_LOST_SECONDS: Final = 12.0
_AFTER_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.1
_DELAYS: Final = (1.5, 3.0, 6.0)
_JITTER: Final = 1.25
"""A second of the clock may hold a quarter more than its share."""
_PAY, _INQUIRE, _CANCEL = "50", "51", "77"
_OVERRIDES: Final[dict[str, Any]] = {
    "guard": {"mode": "shadow"},
    "qris": {"inquiry_delays_seconds": _DELAYS},
}
"""The schedule is scaled; the guard would cap a network that answers nothing."""


class Count(msgspec.Struct, frozen=True):
    """The network's count of questions at one moment."""

    at: float
    asked: int
    most: int


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the network loses its answers ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    losing: list[Window] = []
    looks = [0]
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            counts: list[Count] = []
            async with asyncio.TaskGroup() as group:
                group.create_task(_pay(street, people))
                group.create_task(_count(street, control, clock, notes, counts))
                await clock.sleep(1.0)
                quiet = await street.window(_QUIET_SECONDS)
                before = await _asked(control, notes)
                looking = group.create_task(_look(street, people, clock, looks))
                for _ in range(times):
                    lost = {
                        "name": "drop_reply", "seconds": 0.1, "services": [_PAY, _INQUIRE, _CANCEL],
                    }  # fmt: skip
                    await break_partner(control, "qris", seed, lost)
                    losing.append(await street.window(_LOST_SECONDS, "no answers"))
                    await break_partner(control, "qris", seed)
                    await clock.sleep(_AFTER_SECONDS)
                street.stop()
                await looking
            ending = await ending_of(household, control, clock, people, ("qris",))
            after = await _asked(control, notes)
    notes.add(f"the network was asked {after.asked - before.asked} times")
    card = Card()
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, ("onus",), [quiet], losing)
    measures = _ask_schedule(card, ending, losing, counts, after)
    measures |= {"looks": looks[0], "inquiries": after.asked}
    sometimes = {
        "answers_were_lost": measures["left_open"] > 0,
        "the_network_was_asked": after.asked > before.asked,
        "customers_looked": looks[0] > 10 * measures["left_open"],
    }
    plan = [seed, _PEOPLE, _PACE_SECONDS, _DELAYS, [_LOST_SECONDS] * times]
    return report_of(
        "status-check-storm", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures,
        faults=[Band(one.begins, one.ends, "fault", "no answers", "qris") for one in losing],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _pay(street: Street, people: list[Payer]) -> None:
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = ("onus", "qris")[number % 2]
            pay = partial(pay_over, payer, service, people[number - 1].account)
            group.create_task(street.pay_at_pace(service, pay, _PACE_SECONDS))
            await asyncio.sleep(_PACE_SECONDS / len(people))


async def _look(street: Street, people: list[Payer], clock: Clock, looks: list[int]) -> None:
    """Everybody whose payment is open looks at it again and again."""
    while street.is_open:
        for payer in people:
            waiting = [one for one in payer.answers if one.state in {"unanswered", "held"}]
            if waiting:
                looks[0] += 1
                await payer.shown(waiting[-1].payment_id)
        await clock.sleep(_LOOK_SECONDS)


async def _asked(control: Control, notes: Notes) -> Count:
    dealt = await control.get("/networks/qris/faults")
    asked, most = dealt.get("asked", {}), dealt.get("asked_most", {})
    return Count(notes.seconds, asked.get(_INQUIRE, 0), most.get(_INQUIRE, 0))


async def _count(
    street: Street, control: Control, clock: Clock, notes: Notes, counts: list[Count]
) -> None:
    while street.is_open:
        counts.append(await _asked(control, notes))
        await clock.sleep(1.0)


def _ask_schedule(
    card: Card, ending: Ending, losing: list[Window], counts: list[Count], after: Count
) -> dict[str, Any]:
    open_ones = [one for one in ending.payments if one.rail == "qris" and one.attempts > 0]
    longest = max((open_seconds(one) for one in open_ones), default=0.0)
    most = inquiries_within(longest)
    card.ask(
        "asked by schedule", f"at most {most} times about one payment (open up to {longest:.1f} s)",
        after.most, holds=after.most <= most,
    )  # fmt: skip
    soonest = min((open_seconds(one) for one in open_ones), default=0.0)
    card.ask(
        "not at once", f"no unanswered payment ends before {_DELAYS[0]:g} s",
        f"{soonest:.2f} s", holds=soonest >= _DELAYS[0],
    )  # fmt: skip
    allowed = sum(inquiries_within(open_seconds(one)) for one in open_ones)
    card.ask(
        "looking asks nobody", f"at most the schedule's {allowed} questions in all", after.asked,
        holds=after.asked <= allowed,
    )  # fmt: skip
    rates = [
        round((later.asked - one.asked) / (later.at - one.at), 1) for one, later in pairwise(counts)
    ]
    pace = len(open_ones) / max(sum(one.ends - one.begins for one in losing), 1.0)
    paced = round(pace * (len(_DELAYS) + 1) * _JITTER, 1)
    busiest = max(rates, default=0.0)
    card.ask("paced", f"at most {paced} questions in any second", busiest, holds=busiest <= paced)
    return {
        "left_open": len(open_ones),
        "asked_most_about_one": after.most,
        "busiest_second": busiest,
        "questions_by_second": rates,
    }


def inquiries_within(seconds: float, delays: tuple[float, ...] = _DELAYS) -> int:
    """How often the schedule asks about a payment that is open so long; the last delay repeats."""
    times, at = 0, 0.0
    for delay in delays:
        if delay > seconds:
            return times
        times, at = times + 1, delay
    return times + int((seconds - at) // delays[-1])


def open_seconds(payment: Payment) -> float:
    """How long it was open; still open counts as for ever."""
    if payment.concluded_at is None:
        return 3600.0
    return (payment.concluded_at - payment.accepted_at).total_seconds()
