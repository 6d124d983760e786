"""debited-but-failed: a crowd pays by QRIS, every reply is lost, and half of it was really paid.

For a while the network answers no question either; then it does. Beside it some payments are
declined for certain. Asked, beside the standard oracles:
O4 what we posted is what the network's own books hold as paid, one for one: nobody paid twice;
O6 everybody whose payment waited was told once and heard the right end, within 60 s each, and the
   public page said so within 120 s;
O8 everything open ended by itself, and a declined payment's money was free within 5 s.
The rail is what is rehearsed, so the guard only says what it would do (shadow), and the link has
room for all of them: by default it turns most away before they are sent, and nobody waits.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.cli.drills.partners import Payer, break_partner, payers, rehearsal, struck
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import Ending, ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band, Recorder, Sample
from tangguh.cli.drills.told.page import (
    Notice,
    Page,
    affected_in,
    condition_of,
    counts_in,
    notices_of,
)
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.service import QRIS_OFFUS
from tangguh.payments.payment import Payment, State

PAYMENTS: Final = 1_000
_PEOPLE: Final = 50
_DECLINED: Final = 25
_SILENT_SECONDS: Final = 45.0
_HANG_SECONDS: Final = 1.0
_ENDED_SECONDS_MAX: Final = 90.0
_TOLD_SECONDS_MAX: Final = 60.0
_PAGE_SECONDS_MAX: Final = 120.0
_FREE_SECONDS_MAX: Final = 5.0
_END_SECONDS_MAX: Final = 60.0
_OVERRIDES: Final[dict[str, Any]] = {
    "guard": {"mode": "shadow"},
    "qris": {
        "inquiry_delays_seconds": (1.0, 2.0, 4.0),
        "connections_max": 400,
        "waiting_max": 1_200,
        "wait_timeout_seconds": 15.0,
    },
    "status": {"window_seconds": 30.0},
    "incidents": {"monitor_seconds": 3.0},
}


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Whether people were told, as it was measured. Seconds are the slowest person's."""

    touched: int
    told: int
    late: int
    begun_seconds: float
    ended: int
    wrong_end: int
    end_seconds: float
    twice: int


async def run(seed: int, times: int) -> Report:
    """Rehearse it with so many payments whose reply is lost."""
    clock = SystemClock()
    notes = Notes(clock)
    recorder = Recorder()
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            Page(household, clock) as page,
        ):
            await break_partner(control, "qris", seed, *_faults())
            began = notes.seconds
            seeing = asyncio.create_task(page.until(_shows_trouble, _PAGE_SECONDS_MAX))
            await _crowd(people, times, seed, recorder, notes)
            lost = await struck(control, "qris")
            notes.add(f"{times} paid, {lost} messages were lost")
            await clock.sleep(max(began + _SILENT_SECONDS - notes.seconds, 0.0))
            await break_partner(control, "qris", seed)
            band = Band(began, notes.seconds, "fault", "no reply", QRIS_OFFUS)
            notes.add("the network answers again")
            free = await _declined(control, people, seed, clock, notes)
            ending = await ending_of(
                household, control, clock, people, ("qris",), _ENDED_SECONDS_MAX
            )
            page_seconds = await seeing
            judged = await _until_told(household.dsn, ending, clock)
    card = Card()
    ask_ending(card, ending, people)
    _ask_told(card, judged, page_seconds)
    card.ask(
        "known failures are free", f"at most {_FREE_SECONDS_MAX:g} s",
        f"{max(free, default=999.0):.2f} s at most, of {len(free)}", oracle="O8",
        holds=len(free) == _DECLINED and max(free) <= _FREE_SECONDS_MAX,
    )  # fmt: skip
    states = Counter(str(one.state) for one in ending.payments if one.service == QRIS_OFFUS)
    plan = [seed, times, [msgspec.to_builtins(fault) for fault in _faults()]]
    return report_of(
        "debited-but-failed", seed, card, ending, notes, recorder,
        sometimes={
            "some_were_really_paid": states["posted"] > 0,
            "some_were_not": states["voided"] > 0,
            "somebody_waited": judged.touched > 0,
        },
        measures={
            "lost": lost,
            "states": dict(states),
            "page_seconds": page_seconds,
            "free_seconds_max": max(free, default=None),
            "told": msgspec.to_builtins(judged),
            "compressed": {key: value for key, value in _OVERRIDES.items() if key != "guard"},
        },
        faults=[band],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


def _faults() -> list[dict[str, Any]]:
    """Half of the payments are carried out and their replies lost; the others never arrive."""
    silent = {"name": "drop_request", "seconds": _HANG_SECONDS}
    return [
        {
            "name": "drop_reply",
            "services": ["50"],
            "probability": 0.5,
            "seconds": _HANG_SECONDS,
        },
        {**silent, "services": ["50"]},
        {**silent, "services": ["51", "77"]},
    ]


async def _crowd(
    people: list[Payer], times: int, seed: int, recorder: Recorder, notes: Notes
) -> None:
    """Everybody at the till at once, each paying again and again, different sums."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    sums = [dice.randrange(10, 99) for _ in range(times)]

    async def one(number: int) -> None:
        payer, at = people[number % len(people)], notes.seconds
        order = payer.order_over("qris", f"{sums[number]}.00")
        said = await payer.order(order)
        recorder.add(Sample(QRIS_OFFUS, at, notes.seconds - at, said.word))

    async with asyncio.TaskGroup() as group:
        for number in range(times):
            group.create_task(one(number))
            await asyncio.sleep(0.002)


async def _declined(
    control: Any, people: list[Payer], seed: int, clock: Clock, notes: Notes
) -> list[float]:
    """Payments the network declines for certain: how long until each one's money was free."""
    await break_partner(control, "qris", seed, {"name": "decline", "services": ["50"]})
    waits: list[float] = []

    async def one(payer: Payer) -> None:
        began = clock.monotonic()
        said = await payer.order(payer.order_over("qris", "10.00"))
        while said.payment_id and clock.monotonic() - began < 2 * _FREE_SECONDS_MAX:
            if await payer.seen(said.payment_id) == "voided":
                waits.append(round(clock.monotonic() - began, 3))
                return
            await clock.sleep(0.05)

    await asyncio.gather(*(one(payer) for payer in people[:_DECLINED]))
    await break_partner(control, "qris", seed)
    notes.add(f"{len(waits)} were declined for certain")
    return waits


async def _until_told(dsn: str, ending: Ending, clock: Clock) -> Judged:
    """Wait for the last words, then judge them."""
    deadline = clock.monotonic() + _END_SECONDS_MAX
    while True:
        judged = judge(ending.payments, await affected_in(dsn), await notices_of(dsn))
        is_whole = judged.told == judged.touched == judged.ended
        if is_whole or clock.monotonic() > deadline:
            return judged
        await clock.sleep(1.0)


def judge(payments: list[Payment], affected: dict[UUID, datetime], notices: list[Notice]) -> Judged:
    """Every person an incident touched: told once, in time, and of the right end."""
    theirs: dict[int, list[Payment]] = {}
    for payment in payments:
        if payment.id in affected:
            theirs.setdefault(payment.customer_id, []).append(payment)
    told = late = ended = wrong = twice = 0
    begun_seconds = end_seconds = 0.0
    for customer, mine in theirs.items():
        said = [one for one in notices if one.customer == customer]
        begun = [one for one in said if one.template == "incident_begun_yours"]
        ends = [one for one in said if one.template == "incident_money_resolved_yours"]
        twice += len(begun) > 1
        if begun:
            waited = _seconds(begun[0].made_at - min(one.accepted_at for one in mine))
            begun_seconds = max(begun_seconds, waited)
            told += 1
            late += waited > _TOLD_SECONDS_MAX
        if ends:
            over = max(one.concluded_at or one.accepted_at for one in mine)
            end_seconds = max(end_seconds, _seconds(ends[-1].made_at - over))
            arrived = sum(one.state is State.POSTED for one in mine)
            ended += 1
            wrong += counts_in(ends[-1]) != (arrived, len(mine) - arrived)
    return Judged(
        touched=len(theirs),
        told=told,
        late=late,
        begun_seconds=round(begun_seconds, 1),
        ended=ended,
        wrong_end=wrong,
        end_seconds=round(end_seconds, 1),
        twice=twice,
    )


def _ask_told(card: Card, judged: Judged, page_seconds: float | None) -> None:
    card.ask(
        "everybody who waits is told", f"all, once, within {_TOLD_SECONDS_MAX:g} s",
        f"{judged.told} of {judged.touched}, slowest {judged.begun_seconds} s, "
        f"{judged.twice} twice",
        oracle="O6",
        holds=judged.told == judged.touched and not judged.late and not judged.twice,
    )  # fmt: skip
    card.ask(
        "everybody hears the right end", f"all, within {_TOLD_SECONDS_MAX:g} s of their last",
        f"{judged.ended} of {judged.touched}, {judged.wrong_end} wrong, "
        f"slowest {judged.end_seconds} s",
        oracle="O6",
        holds=judged.ended == judged.touched
        and not judged.wrong_end
        and judged.end_seconds <= _TOLD_SECONDS_MAX,
    )  # fmt: skip
    card.ask(
        "the public page", f"within {_PAGE_SECONDS_MAX:g} s", f"{page_seconds} s", oracle="O6",
        holds=page_seconds is not None and page_seconds <= _PAGE_SECONDS_MAX,
    )  # fmt: skip


def _shows_trouble(status: dict[str, Any]) -> bool:
    stories = status.get("incidents", ())
    is_told = any(QRIS_OFFUS in one["components"] for one in stories)
    return condition_of(status, QRIS_OFFUS) not in ("", "operational") and is_told


def _seconds(lasted: timedelta) -> float:
    return lasted.total_seconds()
