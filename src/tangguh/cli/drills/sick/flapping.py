"""flapping-partner: a wallet goes down and comes back every few seconds, again and again.

Times are scaled: a closure that lasts a minute in the bank lasts three seconds here. Asked, beside
the standard oracles: only that wallet is closed; each closure lasts at least as long as the one
before, up to twice; the customers' app does not flap along; O9 the others notice nothing.
"""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from math import ceil, log2
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import break_partner, payers, rehearsal
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.closures import Change
from tangguh.cli.drills.scores.ending import (
    ask_ending,
    ask_others,
    ask_plan,
    ending_of,
    report_of,
)
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
from tangguh.core.clock import SystemClock
from tangguh.guard.closure import SignalClass
from tangguh.guard.rules import DEFAULT_RULES

_QUIET_SECONDS: Final = 10.0
_TTL_SECONDS: Final = 3
_DOWN_SECONDS: Final = (2.4, 3.2)
_UP_SECONDS: Final = (1.0, 1.6)
_RULES: Final = tuple(
    msgspec.structs.replace(rule, ttl_seconds=_TTL_SECONDS)
    if rule.signal_class is SignalClass.HEALTH
    else rule
    for rule in DEFAULT_RULES
)


def plan_of(seed: int, times: int) -> list[tuple[float, float]]:
    """How long it is down and then up, fall by fall."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    return [
        (round(dice.uniform(*_DOWN_SECONDS), 2), round(dice.uniform(*_UP_SECONDS), 2))
        for _ in range(times)
    ]


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the wallet falls ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    plan = plan_of(seed, times)
    falls: list[Window] = []
    overrides = {"guard": {"rules": msgspec.to_builtins(_RULES)}}
    async with rehearsal(notes, overrides) as (household, control):
        async with payers(household, control, clock, PEOPLE) as people:
            async with asyncio.TaskGroup() as group:
                group.create_task(pay_everywhere(street, people))
                await clock.sleep(1.0)
                quiet = await street.window(_QUIET_SECONDS)
                begins = notes.seconds
                for down, up in plan:
                    await break_partner(control, TROUBLED, seed, {"name": "down"})
                    falls.append(await street.window(down, "down"))
                    await break_partner(control, TROUBLED, seed)
                    await clock.sleep(up)
                trouble = Window(begins, notes.seconds, "flapping")
                street.stop()
            notes.add(f"the wallet fell {len(falls)} times")
            ending = await ending_of(household, control, clock, people, COMPARED)
    card = Card()
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, OTHERS, [quiet], [trouble])
    lasted = trouble.ends - trouble.begins
    measures = _ask_calm(card, ask_only_it(card, ending), len(falls), lasted)
    failed = street.recorder.count([TROUBLED], falls)
    sometimes = {
        "the_wallet_fell": failed.tried > failed.paid,
        "it_was_closed_again": len(measures["closed_seconds"]) > 1 or times < 2,
    }
    return report_of(
        "flapping-partner", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures,
        faults=[Band(one.begins, one.ends, "fault", "down", TROUBLED) for one in falls],
        plan=ask_plan(card, plan, plan_of(seed, times)), shown_as=SHOWN_AS,
    )  # fmt: skip


def closures_max(seconds: float) -> int:
    """How often it may close in such a time: each lasts twice as long as the one before.

    One more, because a second rule may see the same trouble.
    """
    return ceil(log2(seconds / _TTL_SECONDS + 1)) + 1


def _ask_calm(card: Card, made: list[Change], falls: int, seconds: float) -> dict[str, Any]:
    """The same trouble lasts longer each time, and the app changes less often than the partner."""
    lasting: dict[str, list[float]] = {}
    for change in made:
        closure = change.closure
        span = (closure.expires_at - closure.made_at).total_seconds()
        lasting.setdefault(closure.reason, []).append(round(span, 1))
    grows = all(before <= after for spans in lasting.values() for before, after in pairwise(spans))
    longest = max(lasting.values(), key=len, default=[])
    card.ask(
        "it stays closed longer", "each closure of one cause lasts longer than the one before",
        lasting, holds=grows and (len(longest) < 2 or longest[-1] > longest[0]),
    )  # fmt: skip
    shut = [change for change in made if change.closure.allowance is None]
    most = closures_max(seconds)
    card.ask(
        "the app does not flap", f"at most {most} closures in {seconds:.0f} s of {falls} falls",
        len(shut), holds=len(shut) <= most,
    )  # fmt: skip
    return {"closed_seconds": longest, "closures": len(made), "falls": falls}
