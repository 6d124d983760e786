"""bank-2025: the incident week of March 2025, in a minute and a half, on a bank that is ready.

It is the evening before Lebaran: everybody pays over every service. A thief has the connector's key
and has switched ring 1 off, and sends 807 orders from the settlement account: at the incident's own
pace while they get out, faster once they do not. The watch closes BI-FAST outgoing; people confirm,
put ring 1 back, book what was stolen, and go up the ladder while the crowd goes on paying. Minutes
of the ladder are compressed, and said so. Asked, beside the standard oracles:
O4 our postings are what the networks' books hold, but for what was stolen, and that is booked;
O9 every service but BI-FAST outgoing keeps 99.9 % success from the first second to the last;
O11 at most four orders left, seen within 5 s, closed within 1 s in the book, 2 s at the gateway;
O12 from closed to everybody at half limits in at most 80 minutes of the ladder's time;
O13 customers of the closed service can read why, and when they hear more, within 60 s.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any, Final

import msgspec

from tangguh.cli.device import Device
from tangguh.cli.drills.duty.crew import COMMANDER, RAIL_OWNER, RECON, RISK, Crew
from tangguh.cli.drills.lebaran import SHARES, Lebaran, arrivals, machine
from tangguh.cli.drills.partners import PARTNERS, Payer, payers, rehearsal
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import Ending, ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.theft.thief import Thief
from tangguh.cli.household import Household
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.service import (
    ATM_CASH,
    BILL,
    QRIS_OFFUS,
    QRIS_ONUS,
    TOPUP,
    TRANSFER_BIFAST,
    TRANSFER_CARDS,
    TRANSFER_ONUS,
)
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.customers.seed import PEOPLE as SHOPS_BEGIN
from tangguh.ledger import chart
from tangguh.payments.payment import Payment, State
from tangguh.settlement.watched import WatchState, read_watch

ORDERS: Final = 807
"""As the press reported of 29 March 2025: 807 orders, Rp 227.1 bn, within twenty minutes."""
INCIDENT_PER_SECOND: Final = 807 / 1200
_FAST_PER_SECOND: Final = 16.0
SCOPE: Final = "rail=bifast direction=out"
_PEOPLE: Final = 24
_PEAK_PER_SECOND: Final = 22.0
_QUIET_SECONDS: Final = 6.0
_DAY_SECONDS: Final = 68.0
_LADDER_SECONDS_MAX: Final = 55.0
_TIME_SCALE: Final = 0.008
_SAMPLE_SCALE: Final = 0.02
_SUCCESS_MIN: Final = 0.999
_SERVICE_OF: Final[dict[str, str]] = {
    "onus": TRANSFER_ONUS,
    "qris": QRIS_OFFUS,
    "our shop": QRIS_ONUS,
    "gopay": TOPUP["gopay"],
    "ovo": TOPUP["ovo"],
    "bifast": TRANSFER_BIFAST,
    "cards": TRANSFER_CARDS,
    "billers": BILL["va"],
    "atm": ATM_CASH,
}
_OVERRIDES: Final[dict[str, Any]] = {
    "gateway": {"require_authorisation": False},
    "sim": {"bifast": {"prefunded_minor": None}},
    "recovery": {
        "time_scale": _TIME_SCALE,
        "sample_scale": _SAMPLE_SCALE,
        "look_seconds": 0.25,
        "probes_per_look": 6,
    },
}


class Week(msgspec.Struct, kw_only=True):
    """What happened when, in seconds of the drill."""

    theft_at: float = 0.0
    closed_at: float = 0.0
    told_seconds: float | None = None
    confirmed: str = ""
    ring_1_at: float = 0.0
    booked: str = ""
    climbing_at: float = 0.0
    rungs: list[tuple[str, float]] = []
    reached: bool = False


async def run(seed: int, times: int) -> Report:
    """Rehearse the week; ``times`` orders are forged."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    day = arrivals(seed, _DAY_SECONDS, _PEAK_PER_SECOND, _PEOPLE)
    week = Week()
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        thief = Thief(household, clock, seed)
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            machine(household, clock, seed) as atm,
            Crew(household, clock) as crew,
        ):
            shop = await _shop(household, clock, people)
            crowd = Lebaran(street, people, clock, shop=shop, atm=atm)
            spending = asyncio.create_task(crowd.spend(day))
            await clock.sleep(_QUIET_SECONDS)
            theft = asyncio.create_task(_steal(thief, times, week, notes))
            await _week(household, crew, clock, notes, week)
            await asyncio.gather(spending, theft)
            notes.add("the day is over")
            ending = await ending_of(household, control, clock, people, PARTNERS)
            state = await read_watch(household.addresses["watch"])
            gateway = await _gateway(household, clock)
    return _report(seed, notes, street, week, thief, ending, state, gateway, people, day, crew)


# ---- the week --------------------------------------------------------------------------------


async def _steal(thief: Thief, times: int, week: Week, notes: Notes) -> None:
    week.theft_at = notes.seconds
    notes.add(f"the theft begins: {times} orders, ring 1 is off")
    await thief.steal_on(times, INCIDENT_PER_SECOND, _FAST_PER_SECOND, lambda: week.closed_at > 0)
    notes.add(f"the thief gives up; {thief.forwarded} of {len(thief.posted)} got out")


async def _week(household: Household, crew: Crew, clock: Clock, notes: Notes, week: Week) -> None:
    """From the closure to everybody at half limits, by people who only sign what they are shown."""
    closure = await crew.closure_of(SCOPE, 15.0)
    if closure is None:
        notes.add("nothing was closed")
        return
    week.closed_at = notes.seconds
    notes.add(f"closed by {closure['made_by']}: {closure['scope']}")
    week.told_seconds = await _told(household, clock)
    notes.add(f"customers can read it {week.told_seconds} s after the closure")
    confirm = await crew.ask(RAIL_OWNER, "POST", f"/gates/{closure['id']}/confirm", {})
    agreed = await crew.agree(confirm, RISK)
    week.confirmed = str(agreed.get("change", {}).get("state", agreed.get("code", "")))
    notes.add(f"confirmed by two people: {week.confirmed}")
    await household.redeploy_gateway(require_authorisation=True)
    week.ring_1_at = notes.seconds
    notes.add("ring 1 is back: the gateway demands the ledger's leave again")
    booked = await crew.agree(await crew.ask(RECON, "POST", "/outflows/book", {}), RISK)
    week.booked = str(booked.get("change", {}).get("state", booked.get("code", "")))
    notes.add(f"what was stolen is booked into suspense: {week.booked}")
    await crew.ask(
        COMMANDER,
        "POST",
        f"/ladders/{closure['id']}/start",
        {
            "cause": "orders from a stolen connector key, the gateway asked for no leave",
            "fix": "the gateway demands the ledger's leave; connector redeployed",
            "evidence": "the watch's unmatched rows, in the closure",
            "keys_rotated": "gateway redeployed with ring 1",
            "without_restore": "there are no backups yet; every invariant of the book holds",
        },
    )
    week.climbing_at = notes.seconds

    def on_rung(rung: str) -> None:
        week.rungs.append((rung, notes.seconds))
        notes.add(f"ladder: {rung}")

    week.reached = await crew.climb(closure["id"], "open_low", _LADDER_SECONDS_MAX, on_rung)


async def _told(household: Household, clock: Clock) -> float | None:
    """Seconds until a customer's app shows the service closed, with its words and next word."""
    began = clock.monotonic()
    async with Device(household.addresses["bank"], clock) as device:
        await device.log_in(demo(1)[0][0].phone, DEMO_PIN)
        while clock.monotonic() - began < 60:
            services = (await device.ask("GET", "/v1/services")).body["services"]
            found = next(one for one in services if one["id"] == TRANSFER_BIFAST)
            shut = found["shut"]
            if shut and shut["message_id"] and shut["message_en"] and shut["next_word_at"]:
                return round(clock.monotonic() - began, 3)
            await clock.sleep(0.1)
    return None


async def _shop(household: Household, clock: Clock, people: list[Payer]) -> str:
    """The static code of a shop of ours, whose keeper is not one of those who pay."""
    known, accounts, _ = demo(1)
    payers_ = {one.account for one in people}
    keepers = [
        known[customer - 1]
        for customer, account, _ in accounts
        if customer > SHOPS_BEGIN and str(account) not in payers_
    ]
    for keeper in keepers:
        async with Device(household.addresses["bank"], clock) as device:
            await device.log_in(keeper.phone, DEMO_PIN)
            shops = (await device.ask("GET", "/v1/shops")).body["shops"]
            if shops:
                return str(shops[0]["static_code"])
    raise StoreUnavailable("no shop of ours has a keeper who stays at home")


async def _gateway(household: Household, clock: Clock) -> dict[str, Any]:
    async with Device(household.addresses["gateway"], clock) as asking:
        return dict((await asking.ask("GET", "/status")).body)


# ---- the card --------------------------------------------------------------------------------


def _report(
    seed: int,
    notes: Notes,
    street: Street,
    week: Week,
    thief: Thief,
    ending: Ending,
    state: WatchState | None,
    gateway: dict[str, Any],
    people: list[Payer],
    day: list[Any],
    crew: Crew,
) -> Report:
    forged = {one.reference for one in thief.posted}
    left = {name: minor for name, minor in ending.there["bifast"].items() if name in forged}
    honest = {name: minor for name, minor in ending.there["bifast"].items() if name not in forged}
    ending = msgspec.structs.replace(ending, there={**ending.there, "bifast": honest})
    card = Card()
    ask_ending(card, ending, people)
    success = _success(street, ending.payments)
    others = {name: share for name, share in success.items() if name != "bifast"}
    card.ask(
        "every other service", "at least 99.9 % of payments succeed, from first to last second",
        {name: f"{share:.2%}" for name, share in others.items()}, oracle="O9",
        holds=all(share >= _SUCCESS_MIN for share in others.values()),
    )  # fmt: skip
    timing = _ask_theft(card, week, left, state)
    minutes = _ask_ladder(card, week)
    told = week.told_seconds
    card.ask(
        "customers told", "within 60 s of the closure", f"{told} s", oracle="O13",
        holds=told is not None and told <= 60,
    )  # fmt: skip
    plan = [[one.at, one.service, one.payer, one.payee] for one in day]
    again = arrivals(seed, _DAY_SECONDS, _PEAK_PER_SECOND, _PEOPLE)
    ends = week.rungs[-1][1] if week.rungs else notes.seconds
    measures = {
        "forged": len(thief.posted),
        "left": len(left),
        "left_rupiah": sum(left.values()) // 100,
        "refused_at_the_gateway": len(thief.posted) - thief.forwarded,
        **timing,
        "ladder_minutes": minutes,
        "ladder_pace": f"1 minute is {_TIME_SCALE * 60:g} s, samples x {_SAMPLE_SCALE:g}",
        "signatures": len(crew.signed),
        "told_seconds": told,
        "success": success,
        "not_paid": _not_paid(street),
        "tried": {
            name: sum(one.service == name for one in street.recorder.samples) for name in SHARES
        },
        "gateway_counts": gateway.get("counts", {}),
    }
    return report_of(
        "bank-2025", seed, card, ending, notes, street.recorder,
        sometimes={
            "money_was_stolen": len(left) > 0,
            "the_watch_closed_bifast": week.closed_at > 0,
            "people_confirmed_and_booked": week.confirmed == week.booked == "approved",
            "everybody_is_back_at_half_limits": week.reached,
            "all_orders_were_forged": len(thief.posted) > 0,
            "bifast_customers_were_stopped": street.recorder.count(["bifast"], []).tried == 0
            and any(one.state == "protective_closure" for one in street.recorder.samples),
            "bifast_customers_paid_again": any(
                one.service == "bifast" and one.state == "posted" and one.began > ends
                for one in street.recorder.samples
            ),
        },
        measures=measures,
        faults=[Band(week.theft_at, week.closed_at or notes.seconds, "fault", "theft", "bifast")],
        plan=ask_plan(card, plan, [[one.at, one.service, one.payer, one.payee] for one in again]),
        shown_as={"bifast": "bifast"},
    )  # fmt: skip


def _success(street: Street, payments: list[Payment]) -> dict[str, float]:
    """The share of what customers tried over each service that was posted in the end."""
    found = {}
    for name, service in _SERVICE_OF.items():
        tried = sum(one.service == name for one in street.recorder.samples)
        posted = sum(
            one.service == service
            and one.state in {State.POSTED, State.REFUNDED}
            and one.debtor != chart.PROBES
            for one in payments
        )
        found[name] = round(posted / tried, 5) if tried else 0.0
    return found


def _not_paid(street: Street) -> dict[str, dict[str, int]]:
    """What customers of each service were told instead of "paid", and how often."""
    found: dict[str, Counter[str]] = {}
    for one in street.recorder.samples:
        if one.state != "posted":
            found.setdefault(one.service, Counter())[one.state] += 1
    return {service: dict(counts) for service, counts in found.items()}


def _ask_theft(
    card: Card, week: Week, left: dict[str, int], state: WatchState | None
) -> dict[str, Any]:
    seen = at_bank = at_gateway = None
    if state is not None and state.unmatched and state.closed:
        first = min(state.unmatched, key=lambda one: one.seq)
        seen = _between(first.at, first.found_at)
        order = state.closed[0]
        at_bank = _between(order.get("made_at", ""), order.get("bank", ""))
        at_gateway = _between(order.get("made_at", ""), order.get("gateway", ""))
    holds = (
        len(left) <= 4
        and seen is not None
        and seen <= 5
        and at_bank is not None
        and at_bank <= 1
        and at_gateway is not None
        and at_gateway <= 2
    )
    card.ask(
        "the theft", "at most 4 orders left, seen <= 5 s, book <= 1 s, gateway <= 2 s",
        f"{len(left)} left, seen {seen} s, book {at_bank} s, gateway {at_gateway} s",
        oracle="O11", holds=holds,
    )  # fmt: skip
    return {"seen_seconds": seen, "book_seconds": at_bank, "gateway_seconds": at_gateway}


def _ask_ladder(card: Card, week: Week) -> float | None:
    minutes = None
    if week.reached:
        seconds = week.rungs[-1][1] - week.climbing_at
        minutes = round(seconds / _TIME_SCALE / 60, 1)
    card.ask(
        "the way back", "everybody at half limits within 80 minutes of the ladder's time",
        f"{minutes} minutes", oracle="O12", holds=minutes is not None and minutes <= 80,
    )  # fmt: skip
    return minutes


def _between(first: str, then: str) -> float | None:
    if not first or not then:
        return None
    return round((datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds(), 3)
