"""forged-orders: the theft of 29 March 2025, once against ring 1 and once against the watch alone.

Customers pay over every network while a thief with the connector's key posts forged credit
transfers to the gateway: six times as fast as the 807 of the incident, so that what is let out
counts at least as much. In the second phase the gateway asks for no leave of the ledger (ring 1 is
off, as if its key was stolen too) and the settlement account has no limit. Asked:
O1 every posting balances and the book adds up to zero;
O2 every payment has exactly one outcome, and open ones hold their money;
O3 nobody is below their floor;
O4 what we posted over every partner is what its own books hold as paid, but for what was stolen;
O5 every acknowledged payment is in the book;
O7 the hash chain is unbroken;
O8 everything open ended by itself;
O9 of every other service's payments 99.9 % succeed all the while, the watch closed BI-FAST outgoing
   and nothing else, and took no customer's payment for a theft;
O11 with ring 1 nothing forged leaves; with the watch alone at most four orders, seen within 5 s,
   closed in the book within 1 s and at the gateway within 2 s of being seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import (
    PARTNERS,
    Payer,
    all_payments,
    paid_there,
    payers,
    posted_here,
    rehearsal,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report, oracles_of
from tangguh.cli.drills.scores.recorder import Sample
from tangguh.cli.drills.slow_partner import percentile
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.theft.thief import Thief
from tangguh.cli.household import Household
from tangguh.cli.prove import prove_dsn
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.service import TRANSFER_ONUS
from tangguh.db.pool import Pool
from tangguh.guard.watching import MADE_BY
from tangguh.payments.payment import Payment, State
from tangguh.payments.proof import Proof
from tangguh.settlement.watch.matching import lag_seconds
from tangguh.settlement.watched import WatchState, read_watch

INCIDENT_PER_SECOND: Final = 807 / 1200
_PER_SECOND: Final = 4.0
_ORDERS_MAX: Final = 4
_SEEN_SECONDS_MAX: Final = 5.0
_BOOK_SECONDS_MAX: Final = 1.0
_GATEWAY_SECONDS_MAX: Final = 2.0
_SUCCESS_MIN: Final = 0.999
_PACE_SECONDS: Final = 0.6
"""Below the guard's own limit of payments a minute by one account."""
_PAYERS_EACH: Final = 2
_WARM_UP_SECONDS: Final = 3.0
_AFTER_SECONDS: Final = 1.0
_ENDED_SECONDS_MAX: Final = 20.0
_SERVICES: Final = ("onus", *PARTNERS)
_CLOSED_AT: Final = """
SELECT closure_id::text AS id, at, closure_json FROM gate_events
 WHERE what = 'closed' AND made_by = $1 ORDER BY at
"""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What one phase came to. ``left`` are the forged references that the hub settled."""

    posted: int
    forwarded: int
    left: dict[str, int]
    state: WatchState
    closures: list[dict[str, str]]
    gateway: dict[str, Any]
    success: dict[str, float]
    attempts: dict[str, int]
    differing: dict[str, int]
    lost: int
    flagged: int
    ended: bool
    proof: Proof


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the thief posts ``times`` orders in each phase."""
    clock = SystemClock()
    notes = Notes(clock)
    first = await _phase(clock, notes, seed, times, ring_1=True)
    second = await _phase(clock, notes, seed, times, ring_1=False)
    measured = _measured(second)
    oracles = _oracles(first, second) | {"O11": _is_bounded(first, second, measured)}
    sometimes = {
        "forged_orders_reached_the_gateway": first.posted == second.posted == times,
        "ring_1_refused_them": first.forwarded == 0 and first.posted > 0,
        "without_ring_1_money_was_stolen": len(second.left) > 0,
        "the_watch_closed_bifast": len(second.closures) > 0,
        "customers_paid_by_bifast_before": second.state.matched > 0,
    }
    measures: dict[str, Any] = {
        "forged_per_second": _PER_SECOND,
        "incident_per_second": round(INCIDENT_PER_SECOND, 3),
        "compressed": round(_PER_SECOND / INCIDENT_PER_SECOND, 2),
        "forged": {"ring_1_on": first.posted, "ring_1_off": second.posted},
        "left": {"ring_1_on": len(first.left), "ring_1_off": len(second.left)},
        "left_rupiah": {
            "ring_1_on": sum(first.left.values()) // 100,
            "ring_1_off": sum(second.left.values()) // 100,
        },
        **measured,
        "success": {"ring_1_on": first.success, "ring_1_off": second.success},
        "attempts": {"ring_1_on": first.attempts, "ring_1_off": second.attempts},
        "customers_flagged": first.flagged + second.flagged,
        "differing": {"ring_1_on": first.differing, "ring_1_off": second.differing},
        "closed": [one["scope"] for one in second.closures],
        "broken": [one.name for one in second.proof.invariants if not one.holds],
    }
    proven = first.proof.passed and second.proof.passed
    passed = proven and all(oracles.values()) and all(sometimes.values())
    return Report("forged-orders", seed, passed, oracles, sometimes, measures, notes.moments)


async def _phase(clock: Clock, notes: Notes, seed: int, times: int, *, ring_1: bool) -> Phase:
    overrides = {
        "gateway": {"require_authorisation": ring_1},
        "sim": {"bifast": {"prefunded_minor": None}},
    }
    street = Street(clock, notes)
    async with rehearsal(notes, overrides) as (household, control):
        thief = Thief(household, clock, seed)
        async with payers(household, control, clock, _PAYERS_EACH * len(_SERVICES)) as people:
            paying = asyncio.create_task(_pay(street, people))
            await clock.sleep(_WARM_UP_SECONDS)
            notes.add(f"the theft begins, ring 1 {'on' if ring_1 else 'off'}")
            await thief.steal(times, _PER_SECOND)
            notes.add(f"{thief.forwarded} of {len(thief.posted)} forged orders got out")
            await clock.sleep(_AFTER_SECONDS)
            street.stop()
            await paying
        ended = await until_ended(household.dsn, clock, _ENDED_SECONDS_MAX)
        state = await _caught_up(household, clock)
        gateway = await _gateway(household)
        closures = await _closures(household.dsn)
        payments = await all_payments(household)
        there = {partner: await paid_there(control, partner) for partner in PARTNERS}
        proof = await prove_dsn(household.dsn)
    notes.add("the phase is over")
    forged = {one.reference for one in thief.posted}
    left = {name: minor for name, minor in there["bifast"].items() if name in forged}
    here = {partner: posted_here(payments, partner) for partner in PARTNERS}
    told = [one for payer in people for one in payer.told]
    known = {str(one.id) for one in payments}
    return Phase(
        posted=len(thief.posted),
        forwarded=thief.forwarded,
        left=left,
        state=state,
        closures=closures,
        gateway=gateway,
        success={name: _success(street.recorder.samples, payments, name) for name in _SERVICES},
        attempts={
            name: sum(one.service == name for one in street.recorder.samples) for name in _SERVICES
        },
        differing={
            name: len(here[name].items() ^ {k: v for k, v in there[name].items() if k not in left}
                      .items())
            for name in PARTNERS
        },
        lost=sum(one.payment_id not in known for one in told),
        flagged=sum(one.reference not in forged for one in state.unmatched),
        ended=ended,
        proof=proof,
    )  # fmt: skip


# ---- customers -------------------------------------------------------------------------------


async def _pay(street: Street, people: list[Payer]) -> None:
    """Everybody pays over one service, at one pace, whatever happens elsewhere."""
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = _SERVICES[number // _PAYERS_EACH]
            way = _way(service, payer, people)
            group.create_task(street.pay_at_pace(service, way, _PACE_SECONDS))
            await asyncio.sleep(0.037)


def _way(service: str, payer: Payer, people: list[Payer]) -> Callable[[], Awaitable[str]]:
    if service == "onus":
        friend = next(one.account for one in people if one.account != payer.account)
        return lambda: payer.to(friend)
    amount = "10.00" if service == "qris" else "10000.00"
    return lambda: payer.pay(service, amount, wait=False)


def _success(samples: list[Sample], payments: list[Payment], name: str) -> float:
    """The share of what customers tried that was posted in the end."""
    service = TRANSFER_ONUS if name == "onus" else PARTNERS[name].service
    posted = sum(one.service == service and one.state is State.POSTED for one in payments)
    tried = sum(one.service == name for one in samples)
    return round(posted / tried, 4) if tried else 0.0


# ---- what the watch, the bank and the gateway did ----------------------------------------------


async def _caught_up(household: Household, clock: Clock) -> WatchState:
    """The watch's state when it has read all that there is."""
    url = household.addresses["watch"]
    deadline = clock.monotonic() + _SEEN_SECONDS_MAX
    seen = -1
    while True:
        state = await read_watch(url)
        if state is not None and (state.last_seq == seen or clock.monotonic() > deadline):
            return state
        seen = state.last_seq if state is not None else -1
        await clock.sleep(0.5)


async def _gateway(household: Household) -> dict[str, Any]:
    control = Control(household.addresses["gateway"])
    try:
        return dict(await control.get("/status"))
    finally:
        await control.close()


async def _closures(dsn: str) -> list[dict[str, str]]:
    """The closures the watch had put in force, with the instant the book decided each."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        rows = await pool.fetch(_CLOSED_AT, MADE_BY)
    finally:
        await pool.close()
    found = []
    for row in rows:
        closure = msgspec.json.decode(row["closure_json"])
        scope = " ".join(f"{name}={value}" for name, value in closure["scope"].items())
        found.append({"id": row["id"], "at": row["at"].isoformat(), "scope": scope})
    return found


def _measured(phase: Phase) -> dict[str, Any]:
    """Seconds from settled to seen, and from seen to closed; what it is at the incident's pace."""
    seen = [
        lag_seconds(one.at, datetime.fromisoformat(one.found_at))
        for one in phase.state.unmatched
        if one.reference in phase.left
    ]
    order = phase.state.closed[0] if phase.state.closed else {}
    made = order.get("made_at", "")
    in_gateway = {one["id"]: one["since"] for one in phase.gateway["closures"]["in_force"]}
    at_gateway = in_gateway.get(order.get("id", ""), "")
    # Not when the book decided it: when it was durable, and its answer was back at the watch.
    in_book = order.get("bank", "") if order.get("id") in {o["id"] for o in phase.closures} else ""
    stolen = sorted(phase.state.unmatched, key=lambda one: one.seq)
    open_seconds = _between(stolen[0].at, at_gateway) if stolen else None
    at_pace = None
    if open_seconds is not None:
        at_pace = 1 + int(open_seconds * INCIDENT_PER_SECOND)
    return {
        "left_at_the_incidents_rate": at_pace,
        "open_after_the_first_seconds": open_seconds,
        "seen_p99_seconds": round(percentile(seen, 99), 3) if seen else None,
        "in_the_book_seconds": _between(made, in_book),
        "at_the_gateway_seconds": _between(made, at_gateway),
        "matched_lag_p99_seconds": phase.state.lag_p99_seconds,
    }


def _between(first: str, then: str) -> float | None:
    """Seconds between two instants; None when one of them never was."""
    if not first or not then:
        return None
    return round((datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds(), 3)


# ---- verdicts ----------------------------------------------------------------------------------


def _oracles(first: Phase, second: Phase) -> dict[str, bool]:
    both = (first, second)
    proven = [oracles_of(one.proof) for one in both]
    others = [name for name in _SERVICES if name != "bifast"]
    narrow = all(one["scope"] == "rail=bifast direction=out" for one in second.closures)
    return {name: all(one[name] for one in proven) for name in proven[0]} | {
        "O4": not any(minor for one in both for minor in one.differing.values()),
        "O5": not any(one.lost for one in both),
        "O8": all(one.ended for one in both),
        "O9": all(one.success[name] >= _SUCCESS_MIN for one in both for name in others)
        and first.success["bifast"] >= _SUCCESS_MIN
        and not any(one.flagged for one in both)
        and not first.closures
        and narrow,
    }


def _is_bounded(first: Phase, second: Phase, measured: dict[str, Any]) -> bool:
    def within(name: str, most: float) -> bool:
        return measured[name] is not None and measured[name] <= most

    return (
        not first.left
        and len(second.left) <= _ORDERS_MAX
        and within("left_at_the_incidents_rate", _ORDERS_MAX)
        and within("seen_p99_seconds", _SEEN_SECONDS_MAX)
        and within("in_the_book_seconds", _BOOK_SECONDS_MAX)
        and within("at_the_gateway_seconds", _GATEWAY_SECONDS_MAX)
    )
