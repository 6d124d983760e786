"""hot-account: one account pays as fast as the machine lets it; others pay as always.

The flood goes to many payees, inside the bank and by QRIS. Asked, beside the standard oracles:
the guard limits exactly that account, at most two seconds after its rule was reached;
from then on no more than the limit's few payments a minute are made;
every order of the flood is done or refused, none is lost, and each refusal says why;
O9 the others' success falls by at most 0.1 point while the flood goes on.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from tangguh.cli.drills.partners import Payer, payers, rehearsal
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.closures import Change, closed, told_in_brief
from tangguh.cli.drills.scores.ending import (
    Ending,
    ask_ending,
    ask_others,
    ask_plan,
    ending_of,
    report_of,
)
from tangguh.cli.drills.scores.recorder import STOPPED, Band, Window
from tangguh.cli.drills.street import Street
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.order import PaymentOrder
from tangguh.customers.seed import demo
from tangguh.guard.rules import DEFAULT_RULES, Metric, Rule
from tangguh.payments.gates.facts import facts_of
from tangguh.payments.payment import Payment, State

_PEOPLE: Final = 24
_AT_ONCE: Final = 8
_PACE_SECONDS: Final = 1.0
_WARM_UP_SECONDS: Final = 2.0
_QUIET_SECONDS: Final = 12.0
_FLOOD_SECONDS: Final = 20.0
_LIMITED_SECONDS_MAX: Final = 2.0
_OTHERS: Final = ("onus", "qris")
_FLOOD: Final = "the flood"
_RULES: Final = tuple(
    rule for rule in DEFAULT_RULES if rule.id in {"account-velocity", "account-spread"}
)
_ORDERS_PLANNED: Final = 60_000


def plan_of(seed: int, times: int) -> list[list[tuple[str, int, str]]]:
    """Each flood's orders: how, to which of the people, how much."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    return [
        [
            (
                "onus" if dice.random() < 0.7 else "qris",
                dice.randrange(50),
                f"{dice.randint(1, 9)}.00",
            )
            for _ in range(_ORDERS_PLANNED)
        ]
        for _ in range(times)
    ]


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times`` accounts flood, one after the other."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    plan = plan_of(seed, times)
    async with rehearsal(notes) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            others = people[times:]
            notes.add(f"{len(people)} customers are logged in")
            async with asyncio.TaskGroup() as group:
                group.create_task(_pay(street, others))
                await clock.sleep(_WARM_UP_SECONDS)
                quiet, floods = [await street.window(_QUIET_SECONDS)], []
                for hot, orders in zip(people, plan, strict=False):
                    floods.append(await _flood(street, hot, orders, clock, notes))
                quiet.append(await street.window(_QUIET_SECONDS / 2))
                street.stop()
            ending = await ending_of(household, control, clock, people, ("qris",))
    card = Card()
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, _OTHERS, quiet, floods)
    measures = _ask_limit(card, ending, people[:times])
    flooded = [answer for hot in people[:times] for answer in hot.answers]
    measures |= {
        "flood_per_second": round(len(flooded) / sum(w.ends - w.begins for w in floods), 1)
    }
    stopped = sum(answer.code in STOPPED for answer in flooded)
    sometimes = {"a_flood_was_limited": stopped > 0, "some_of_it_was_paid": stopped < len(flooded)}
    return report_of(
        "hot-account", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures,
        faults=[Band(one.begins, one.ends, "fault", "the flood") for one in floods],
        plan=ask_plan(card, plan, plan_of(seed, times)),
        shown_as={hot.account: _FLOOD for hot in people[:times]},
    )  # fmt: skip


async def _pay(street: Street, others: list[Payer]) -> None:
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(others):
            service = _OTHERS[number % len(_OTHERS)]
            friend = others[(number + 2) % len(others)].account

            pay = partial(_one, payer, service, friend, "10.00")
            group.create_task(street.pay_at_pace(service, pay, _PACE_SECONDS))
            await asyncio.sleep(_PACE_SECONDS / len(others))


async def _one(payer: Payer, how: str, account: str, amount: str) -> str:
    return await (payer.over("qris", amount) if how == "qris" else payer.to(account, amount))


async def _flood(
    street: Street, hot: Payer, orders: list[tuple[str, int, str]], clock: Clock, notes: Notes
) -> Window:
    """Everything one account can send in a while, several orders at once."""
    accounts = [str(one[1]) for one in demo(1)[1] if str(one[1]) != hot.account]
    todo, ends = iter(orders), clock.monotonic() + _FLOOD_SECONDS

    async def send() -> None:
        for how, place, amount in todo:
            if clock.monotonic() >= ends:
                return
            await street.pay_once(_FLOOD, partial(_one, hot, how, accounts[place], amount))

    begins = notes.seconds
    notes.add("an account begins to flood")
    await asyncio.gather(*(send() for _ in range(_AT_ONCE)))
    notes.add(f"it has sent {len(hot.answers)} orders")
    return Window(begins, notes.seconds, "flood")


def _ask_limit(card: Card, ending: Ending, hots: list[Payer]) -> dict[str, Any]:
    made = closed(ending.history)
    numbers = {int(hot.account) for hot in hots}
    aimed = {change.closure.scope.account for change in made}
    card.ask(
        "only that account", "every closure is of the flooding account",
        "; ".join(told_in_brief(ending.history)), holds=aimed == numbers,
    )  # fmt: skip
    late, beyond = [], 0
    for number in sorted(numbers):
        own = [one for one in ending.payments if one.debtor == number]
        first = [change for change in made if change.closure.scope.account == number]
        reached = reached_at(own)
        if not first or reached is None:
            late.append(999.0)
            continue
        late.append(round((first[0].at - reached).total_seconds(), 3))
        beyond += _beyond(own, first)
    card.ask(
        "limited in time", f"at most {_LIMITED_SECONDS_MAX:g} s after the rule was reached",
        f"{late} s", holds=all(0 <= one <= _LIMITED_SECONDS_MAX for one in late),
    )  # fmt: skip
    card.ask("the limit holds", "0 payments above it", beyond, holds=beyond == 0)
    orders = sum(len(hot.answers) + hot.unheard for hot in hots)
    there = sum(one.debtor in numbers for one in ending.payments)
    card.ask(
        "every order has its end", "as many payments in the book as orders sent",
        f"{there} of {orders}", oracle="O5", holds=there == orders,
    )  # fmt: skip
    return {"limited_after_seconds": late, "flood_orders": orders, "above_the_limit": beyond}


def reached_at(payments: list[Payment], rules: tuple[Rule, ...] = _RULES) -> datetime | None:
    """When one account's payments first reached one of these rules, by when they were accepted."""
    seen = sorted(
        (one.accepted_at, facts_of(one.order).payee)
        for one in payments
        if isinstance(one.order, PaymentOrder) and one.refusal not in STOPPED
    )
    moments = []
    for rule in rules:
        span = timedelta(seconds=rule.window_seconds)
        for number, (at, _) in enumerate(seen):
            inside = [payee for when, payee in seen[: number + 1] if when > at - span]
            value = len(set(inside)) if rule.metric is Metric.PAYEES else len(inside)
            if value >= rule.threshold:
                moments.append(at)
                break
    return min(moments, default=None)


def _beyond(payments: list[Payment], made: list[Change]) -> int:
    """Payments made above what the strictest limit lets through, minute by minute."""
    beyond = 0
    for change in made:
        allowance = change.closure.allowance
        most = allowance.per_minute if allowance is not None else 0
        minutes: dict[datetime, int] = {}
        for one in payments:
            paid = one.state in {State.POSTED, State.REFUNDED, State.HELD, State.UNANSWERED}
            if paid and one.accepted_at > change.at:
                minute = one.accepted_at.replace(second=0, microsecond=0)
                minutes[minute] = minutes.get(minute, 0) + 1
        if most is not None:
            beyond = max(beyond, sum(max(count - most, 0) for count in minutes.values()))
    return beyond
