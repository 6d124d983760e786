"""retry-storm: every customer's app sends every order three times at once, with the same key.

The QRIS network loses some answers meanwhile, and some customers who got no clear answer order the
same again with a new key (a new order, by the contract of keys). Asked, beside the standard
oracles: no key is paid twice and every answer to one key names one payment; as many orders a
second are done as in the quiet before, less a tenth.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final

from tangguh.cli.drills.partners import Payer, break_partner, payers, rehearsal, struck
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import PAID, Band, Window
from tangguh.cli.drills.street import Street
from tangguh.core.clock import SystemClock

_PEOPLE: Final = 32
_PACE_SECONDS: Final = 0.8
_WARM_UP_SECONDS: Final = 2.0
_WINDOW_SECONDS: Final = 15.0
_LOST_SHARE: Final = 0.1
_NEW_KEY_SHARE: Final = 0.5
_GOODPUT_PERCENT_MIN: Final = 90.0
_ORDERS_PLANNED: Final = 200
_SERVICES: Final = ("onus", "qris")
_CLEAR: Final = frozenset({"posted", "refused", "voided"})
_OVERRIDES: Final[dict[str, Any]] = {"guard": {"mode": "shadow"}}
"""What is rehearsed is that asking again is safe, not that a network that loses answers is shut."""


def plan_of(seed: int) -> list[list[tuple[str, bool]]]:
    """Each customer's orders: how much, and whether they order anew when nothing is clear."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    return [
        [
            (f"{dice.randint(1, 40)}.{dice.randint(0, 99):02d}", dice.random() < _NEW_KEY_SHARE)
            for _ in range(_ORDERS_PLANNED)
        ]
        for _ in range(_PEOPLE)
    ]


class _Customer:
    """One customer, who sends each order so often at once."""

    def __init__(self, payer: Payer, friend: str, service: str, orders: list[tuple[str, bool]]):
        self._payer, self._friend, self._service = payer, friend, service
        self._orders = iter(orders)
        self._number = 0
        self.at_once = 1
        self.named: dict[str, set[str]] = {}
        self.anew = 0

    async def pay(self) -> str:
        """Send the next order, every copy at the same time; the best answer any copy got."""
        amount, orders_anew = next(self._orders)
        self._number += 1
        key = f"{self._payer.account}-{self._number}"
        state = await self._send(key, amount)
        if orders_anew and self.at_once > 1 and state not in _CLEAR:
            self.anew += 1
            await self._send(f"{key}-anew", amount)
        return state

    async def _send(self, key: str, amount: str) -> str:
        order = self._payer.order_over("qris", amount)
        if self._service == "onus":
            order = {"kind": "transfer", "to_account": self._friend, "amount": amount}
        order["note"] = key
        copies = await asyncio.gather(*(self._payer.order(order, key) for _ in range(self.at_once)))
        ids = {one.payment_id for one in copies if one.payment_id}
        self.named.setdefault(key, set()).update(ids)
        words = [one.word for one in copies]
        return PAID if PAID in words else words[0]


async def run(seed: int, times: int) -> Report:
    """Rehearse it; every order is sent ``times`` times in the storm."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    plan = plan_of(seed)
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            crowd = [
                _Customer(payer, people[number - 1].account, _SERVICES[number % 2], plan[number])
                for number, payer in enumerate(people)
            ]
            async with asyncio.TaskGroup() as group:
                for number, one in enumerate(crowd):
                    group.create_task(
                        street.pay_at_pace(_SERVICES[number % 2], one.pay, _PACE_SECONDS)
                    )
                    await clock.sleep(_PACE_SECONDS / _PEOPLE)
                await clock.sleep(_WARM_UP_SECONDS)
                quiet = await street.window(_WINDOW_SECONDS)
                fault = {"name": "drop_reply", "probability": _LOST_SHARE, "seconds": 0.1}
                await break_partner(control, "qris", seed, fault)
                for one in crowd:
                    one.at_once = times
                storm = await street.window(_WINDOW_SECONDS, "storm")
                lost = await struck(control, "qris")
                await break_partner(control, "qris", seed)
                street.stop()
            ending = await ending_of(household, control, clock, people, ("qris",))
    card = Card()
    ask_ending(card, ending, people)
    notes_of = [getattr(one.order, "note", "") for one in ending.payments]
    twice = len(notes_of) - len(set(notes_of))
    torn = sum(len(ids) > 1 for one in crowd for ids in one.named.values())
    card.ask(
        "paid once", "0 keys with two payments, 0 keys whose answers name two",
        f"{twice} and {torn}", oracle="O2", holds=not twice and not torn,
    )  # fmt: skip
    measures = _ask_goodput(card, street, quiet, storm) | {
        "orders": sum(len(one.named) for one in crowd),
        "requests": sum(len(payer.answers) + payer.unheard for payer in people),
        "replies_lost": lost,
        "ordered_anew": sum(one.anew for one in crowd),
    }
    sometimes = {
        "answers_were_lost": lost > 0,
        "somebody_ordered_anew": measures["ordered_anew"] > 0,
        "copies_were_sent": measures["requests"] > measures["orders"] or times < 2,
    }
    return report_of(
        "retry-storm", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures,
        faults=[Band(storm.begins, storm.ends, "fault", "every order is sent again and again")],
        plan=ask_plan(card, plan, plan_of(seed)),
    )  # fmt: skip


def _ask_goodput(card: Card, street: Street, quiet: Window, storm: Window) -> dict[str, Any]:
    """Orders done a second. An answer the network lost comes later, so those count as done too."""
    done = [
        sum(
            window.has(one.began) and one.state in {PAID, "unanswered", "held"}
            for one in street.recorder.samples
        )
        / (window.ends - window.begins)
        for window in (quiet, storm)
    ]
    percent = round(100 * done[1] / done[0], 1) if done[0] else 0.0
    card.ask(
        "goodput", f"at least {_GOODPUT_PERCENT_MIN:g} % of the quiet orders a second",
        f"{percent} % ({done[0]:.1f} and {done[1]:.1f} a second)",
        holds=percent >= _GOODPUT_PERCENT_MIN,
    )  # fmt: skip
    return {"goodput_percent": percent, "orders_per_second": [round(one, 1) for one in done]}
