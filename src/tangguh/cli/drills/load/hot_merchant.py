"""hot-merchant: everybody pays one shop of ours and one shop elsewhere, thousands a minute.

Asked, beside the standard oracles: each payment is credited to our shop once, and what it got and
what was kept as the merchant's discount are together what was paid; the other shop's network has
every payment of ours once; O9 the others' success falls by at most 0.1 point.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from tangguh.cli.device import Device
from tangguh.cli.drills.partners import Payer, payers, rehearsal
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
from tangguh.cli.household import Household
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.service import QRIS_ONUS
from tangguh.customers.seed import DEMO_PIN, PEOPLE, demo
from tangguh.db.pool import Pool
from tangguh.payments.payment import State

_OTHERS: Final = ("onus", "ovo")
_OUR_SHOP: Final = "our shop"
_FAR_SHOP: Final = "far shop"
_SHOP: Final = 2
"""The third of our shops: it is paid at once and pays a discount."""
_OTHER_PEOPLE: Final = 12
_OUR_SHARE: Final = 3
"""Of so many people at the shops, all but one stand at ours."""
_PACE_SECONDS: Final = 0.6
_OTHERS_PACE_SECONDS: Final = 0.9
_QUIET_SECONDS: Final = 12.0
_HOT_SECONDS: Final = 24.0
_PER_MINUTE_MIN: Final = 1_000
_CREDITED: Final = (
    "SELECT count(*) AS entries, count(DISTINCT posting_id) AS postings,"
    " coalesce(sum(e.amount_minor), 0)::bigint AS minor FROM entries e"
    " JOIN postings p USING (book_id, posting_id)"
    " WHERE e.book_id = 1 AND e.account_id = $1 AND p.kind = 'payment'"
)


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times`` rushes, one after the other."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    rushes: list[Window] = []
    async with rehearsal(notes) as (household, control):
        shop = await _shop(household, clock)
        async with payers(household, control, clock, PEOPLE) as people:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pay_elsewhere(street, people[:_OTHER_PEOPLE]))
                await clock.sleep(1.5)
                quiet = [await street.window(_QUIET_SECONDS)]
                for _ in range(times):
                    rushes.append(await _rush(street, people[_OTHER_PEOPLE:], shop))
                    quiet.append(await street.window(_QUIET_SECONDS / 2))
                street.stop()
            ending = await ending_of(household, control, clock, people, ("qris", "ovo"))
            credited = await _credited(household.dsn, ending)
    card = Card()
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, _OTHERS, quiet, rushes)
    measures = _ask_shop(card, ending, credited)
    minutes = sum(one.ends - one.begins for one in rushes) / 60
    rate = {
        name: round(street.recorder.count([name], rushes).tried / minutes)
        for name in (_OUR_SHOP, _FAR_SHOP)
    }
    sometimes = {"our_shop_was_hot": rate[_OUR_SHOP] >= _PER_MINUTE_MIN}
    plan = [seed, PEOPLE, _PACE_SECONDS, _OTHERS_PACE_SECONDS, [_HOT_SECONDS] * times]
    return report_of(
        "hot-merchant", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures | {"per_minute": rate},
        faults=[Band(one.begins, one.ends, "fault", "the rush") for one in rushes],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _shop(household: Household, clock: Clock) -> str:
    """The static code of one of our shops."""
    async with Device(household.addresses["bank"], clock) as device:
        await device.log_in(demo(1)[0][PEOPLE + _SHOP].phone, DEMO_PIN)
        shops = (await device.ask("GET", "/v1/shops")).body["shops"]
        return str(shops[0]["static_code"])


async def _pay_elsewhere(street: Street, people: list[Payer]) -> None:
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = _OTHERS[number % len(_OTHERS)]
            pay = partial(pay_over, payer, service, people[number - 1].account)
            group.create_task(street.pay_at_pace(service, pay, _OTHERS_PACE_SECONDS))
            await asyncio.sleep(_OTHERS_PACE_SECONDS / len(people))


async def _rush(street: Street, people: list[Payer], shop: str) -> Window:
    """Everybody pays a shop again and again for a while."""
    ours: dict[str, Any] = {"kind": "qris", "qr": shop, "amount": "2500.00"}

    async def at_our_shop(payer: Payer) -> str:
        return (await payer.order(ours)).word

    async with asyncio.TaskGroup() as group:
        shopping = []
        for number, payer in enumerate(people):
            is_far = number % _OUR_SHARE == 0
            pay = partial(payer.over, "qris", "10.00") if is_far else partial(at_our_shop, payer)
            name = _FAR_SHOP if is_far else _OUR_SHOP
            shopping.append(group.create_task(street.pay_at_pace(name, pay, _PACE_SECONDS)))
            await asyncio.sleep(_PACE_SECONDS / len(people))
        window = await street.window(_HOT_SECONDS, "rush")
        for one in shopping:
            one.cancel()
    return window


async def _credited(dsn: str, ending: Ending) -> dict[str, int]:
    shop = next((one.creditor for one in ending.payments if one.service == QRIS_ONUS), 0)
    pool = await Pool.open(dsn, size_max=1)
    try:
        row = await pool.fetchrow(_CREDITED, shop)
        return dict(row) if row is not None else {}
    finally:
        await pool.close()


def _ask_shop(card: Card, ending: Ending, credited: dict[str, int]) -> dict[str, Any]:
    ours = [
        one
        for one in ending.payments
        if one.service == QRIS_ONUS and one.state in {State.POSTED, State.REFUNDED}
    ]
    card.ask(
        "credited once", "an entry for each payment, none twice",
        f"{len(ours)} payments, {credited['entries']} entries in {credited['postings']} postings",
        holds=len(ours) == credited["entries"] == credited["postings"],
    )  # fmt: skip
    paid = sum(one.to_payee_minor for one in ours)
    kept = sum(one.discount_minor for one in ours)
    card.ask(
        "sums right", "what the shop got and its discount are what was paid",
        f"{credited['minor']} + {kept} of {paid} minor units",
        holds=credited["minor"] + kept == paid and kept > 0,
    )  # fmt: skip
    return {"our_shop_payments": len(ours), "paid_minor": paid, "credited_minor": credited["minor"]}
