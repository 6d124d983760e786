"""kill-nine: the bank's process is killed at random moments under load, and started each time.

Asked: every payment acknowledged to a customer is there once, none twice, no hold without a
resolver, the network's books agree, and the proof holds. The process is what is rehearsed, and
eight customers pay as fast as they can: the guard only says what it would do (shadow).
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from tangguh.cli.drills.crowd import Crowd
from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.household import Household, temporary
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import StoreUnavailable
from tangguh.db.pool import Pool
from tangguh.payments.payment import Payment, State
from tangguh.payments.store import every_payment

_PEOPLE: Final = 8
_BETWEEN_SECONDS: Final = (0.15, 1.2)
_ENDED_SECONDS_MAX: Final = 60.0
OVERRIDES: Final[dict[str, Any]] = {
    "devices": {"cooling_seconds": 0},
    "web": {"requests_per_minute": 1_000_000, "requests_burst": 100_000, "answer_seconds": 2.0},
    "resolver": {"round_seconds": 0.2},
    "guard": {"mode": "shadow"},
}
"""The rail's patience is shortened so that a rehearsal of minutes shows what takes an hour."""
QRIS_OVERRIDES: Final[dict[str, Any]] = {
    "total_timeout_seconds": 0.5,
    "inquiry_delays_seconds": (0.5, 1.0, 2.0),
}


async def run(seed: int, kills: int) -> Report:
    """Rehearse it in a temporary directory."""
    clock = SystemClock()
    notes = Notes(clock)
    with tempfile.TemporaryDirectory(prefix="tangguh-drill-") as directory:
        overrides = {**OVERRIDES, "qris": QRIS_OVERRIDES}
        household = temporary(Path(directory), load(None), seed=1, overrides=overrides)
        try:
            await household.start()
            notes.add("the bank is open")
            return await _rehearse(household, notes, clock, seed, kills)
        finally:
            await household.stop()


async def _rehearse(
    household: Household, notes: Notes, clock: Clock, seed: int, kills: int
) -> Report:
    control = household.addresses["control"]
    crowd = Crowd(
        household.addresses["bank"], await codes(control), people=_PEOPLE, seed=seed, clock=clock
    )
    paying = asyncio.create_task(crowd.pay_until_stopped())
    started = await _kill(household, notes, clock, random.Random(seed), kills)  # noqa: S311
    await clock.sleep(0.5)
    crowd.stop()
    await paying
    measures = {
        "kills": kills,
        "restart_seconds_median": sorted(started)[len(started) // 2] if started else 0.0,
    }
    return await compared("kill-nine", household, notes, clock, crowd, seed, measures)


async def compared(
    name: str,
    household: Household,
    notes: Notes,
    clock: Clock,
    crowd: Crowd,
    seed: int,
    measured: dict[str, Any],
    reached: dict[str, bool] | None = None,
) -> Report:
    """What the crowd was told against the book and the network's books, once all has ended."""
    notes.add("the crowd has stopped")
    pool = await Pool.open(household.dsn, size_max=2)
    try:
        ended = await _until_ended(pool, clock)
        notes.add("nothing is in flight" if ended else "something never ended")
        payments = await every_payment(pool, household.settings.book.book_id)
    finally:
        await pool.close()
    proof = await prove_dsn(household.dsn)
    network = await _network_books(household.addresses["control"])
    oracles = oracles_of(proof) | {
        "O4": _network_agrees(payments, network),
        "O5": _nothing_lost(crowd, payments) and _nothing_twice(payments),
        "O8": ended,
    }
    sometimes = {
        "killed_while_customers_waited": crowd.unheard > 0,
        "a_payment_was_asked_for_again": any(told.asked > 1 for told in crowd.told),
        "the_network_paid": bool(network),
    }
    sometimes = sometimes if reached is None else reached | {"the_network_paid": bool(network)}
    measures = measured | {
        "acknowledged": len(crowd.told),
        "orders": crowd.keys,
        "payments": len(payments),
        "unheard": crowd.unheard,
        "refused": crowd.refused,
        "acknowledged_lost": len(_lost(crowd, payments)),
        "paid_twice": len(_twice(payments)),
        "broken": [one.name for one in proof.invariants if not one.holds],
    }
    passed = verdict(oracles, sometimes, proof)
    return Report(name, seed, passed, oracles, sometimes, measures, notes.moments)


async def _kill(
    household: Household, notes: Notes, clock: Clock, source: random.Random, kills: int
) -> list[float]:
    """Kill and restart; how long each restart took until the bank answered."""
    bank = household.bank
    if bank is None:
        raise StoreUnavailable("the bank was never started")
    took: list[float] = []
    for number in range(1, kills + 1):
        await clock.sleep(source.uniform(*_BETWEEN_SECONDS))
        bank.kill()
        began = clock.monotonic()
        await bank.restart()
        took.append(round(clock.monotonic() - began, 3))
        notes.add(f"kill {number}: open again after {took[-1]} s")
    return took


async def _until_ended(pool: Pool, clock: Clock) -> bool:
    deadline = clock.monotonic() + _ENDED_SECONDS_MAX
    while clock.monotonic() < deadline:
        row = await pool.fetchrow("SELECT 1 FROM payments WHERE resolve_at IS NOT NULL LIMIT 1")
        if row is None:
            return True
        await clock.sleep(0.2)
    return False


def _nothing_lost(crowd: Crowd, payments: list[Payment]) -> bool:
    return not _lost(crowd, payments)


def _lost(crowd: Crowd, payments: list[Payment]) -> list[str]:
    """Acknowledged and not there, or told as done and not done."""
    there = {str(payment.id): payment for payment in payments}
    lost: list[str] = []
    for told in crowd.told:
        payment = there.get(told.payment_id)
        was_final = told.state not in {State.HELD, State.UNANSWERED}
        if payment is None or (was_final and payment.state != told.state):
            lost.append(told.key)
    return lost


def _nothing_twice(payments: list[Payment]) -> bool:
    return not _twice(payments)


def _twice(payments: list[Payment]) -> list[str]:
    """Orders carried out more than once, by the note that only that order carried."""
    seen: dict[str, int] = {}
    for payment in payments:
        note = getattr(payment.order, "note", "")
        seen[note] = seen.get(note, 0) + 1
    return [note for note, count in seen.items() if count > 1]


def _network_agrees(payments: list[Payment], network: dict[str, int]) -> bool:
    """What we posted over the switch is what the switch paid, one for one."""
    ours = {
        payment.reference: payment.to_payee_minor
        for payment in payments
        if payment.rail == "qris" and payment.state is State.POSTED
    }
    return ours == network


async def _network_books(control: str) -> dict[str, int]:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{control}/books?state=paid&limit=1000000") as answer:
            books = msgspec.json.decode(await answer.read())
    return {
        payment["reference"]: payment["amount_minor"] + payment["tip_minor"]
        for payment in books["payments"]
    }


async def codes(control: str) -> dict[str, str]:
    """The QR codes of the simulated merchants, by their labels."""
    async with aiohttp.ClientSession() as http, http.get(f"{control}/merchants") as answer:
        merchants = msgspec.json.decode(await answer.read())
    return {
        label: payload for merchant in merchants for label, payload in merchant["payloads"].items()
    }
