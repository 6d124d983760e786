"""slow-partner: one wallet answers late, flaps and goes down; other services must not notice.

Quiet windows and windows of trouble take turns, so that whatever else the machine does falls on
both alike; transfers inside the bank, QRIS and another wallet are paid at one pace throughout, and
so is the troubled wallet. Asked:
O1 every posting balances and the book adds up to zero;
O2 every payment has exactly one outcome, and open ones hold their money;
O3 nobody is below their floor;
O4 what we posted over every partner is what its own books hold as paid, one for one;
O7 the hash chain is unbroken;
O8 everything open ended by itself, the troubled wallet's payments too;
O9 a window of trouble has, for each other service, a p99 at most a fifth above a quiet window's
   (each the median over its windows: one stray second of the machine must not decide),
    or as much above as the busiest half of the quiet windows is above the other half;
O10 none of the troubles alone doubles another service's p50.
In this half the guard only says what it would do (shadow), so that the wallet's troubles reach the
rail each time. A second bank, whose guard is live, then shows what it does (``sick.guarded``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any, Final

from tangguh.cli.drills.partners import (
    Payer,
    all_payments,
    break_partner,
    paid_there,
    payers,
    posted_here,
    rehearsal,
    struck,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.drills.scores.card import plan_hash
from tangguh.cli.drills.scores.recorder import Sample, Window
from tangguh.cli.drills.sick.guarded import guarded
from tangguh.cli.drills.street import Street
from tangguh.cli.prove import prove_dsn
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock, SystemClock

_TROUBLED: Final = "gopay"
_OTHERS: Final = ("onus", "qris", "ovo")
_COMPARED: Final = ("qris", "ovo", _TROUBLED)
_WINDOW_SECONDS: Final = 2.6
_PAUSE_SECONDS: Final = 1.2
_WARM_UP_SECONDS: Final = 1.5
_LATE_SECONDS: Final = 1.1
_FLAP_SECONDS: Final = 0.4
_PACE_SECONDS: Final = 0.1
_TROUBLED_PACE_SECONDS: Final = 0.12
_PAYERS_EACH: Final = 2
_ENDED_SECONDS_MAX: Final = 30.0
_P99_RATIO_MAX: Final = 1.2
_P50_RATIO_MAX: Final = 2.0
_TROUBLES: Final = ("slow", "flapping", "down")
_OVERRIDES: Final[dict[str, Any]] = {"guard": {"mode": "shadow"}}


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times`` quiet windows, each followed by one of trouble."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        count = _PAYERS_EACH * (len(_OTHERS) + 1)
        async with payers(household, control, clock, count) as people:
            paying = asyncio.create_task(_pay(street, people))
            await clock.sleep(_WARM_UP_SECONDS)
            windows, hits = await _take_turns(control, clock, notes, seed, times)
            street.stop()
            await paying
        ended = await until_ended(household.dsn, clock, _ENDED_SECONDS_MAX)
        notes.add("nothing is open" if ended else "something never ended")
        payments = await all_payments(household)
        there = {partner: await paid_there(control, partner) for partner in _COMPARED}
        proof = await prove_dsn(household.dsn)
    live = await guarded(clock, seed, notes)
    here = {partner: posted_here(payments, partner) for partner in _COMPARED}
    felt = {service: _felt(street.recorder.samples, windows, service) for service in _OTHERS}
    oracles = oracles_of(proof) | {
        "O4": here == there,
        "O8": ended,
        "O9": all(
            one["p99_ratio"] <= max(_P99_RATIO_MAX, one["quiet_against_quiet"])
            for one in felt.values()
        ),
        "O10": all(
            ratio <= _P50_RATIO_MAX
            for one in felt.values()
            for ratio in one["p50_ratio_by_trouble"].values()
        ),
    }
    worst = {name: (one["p99_ratio"], one["quiet_against_quiet"]) for name, one in felt.items()}
    live.card.ask(
        "p99 of the others, first half", f"at most {_P99_RATIO_MAX} times, or quiet against quiet",
        worst, holds=oracles["O9"], oracle="O9",
    )  # fmt: skip
    live.card.ask(
        "p50 of the others by trouble", f"at most {_P50_RATIO_MAX:g} times",
        {name: one["p50_ratio_by_trouble"] for name, one in felt.items()},
        holds=oracles["O10"], oracle="O10",
    )  # fmt: skip
    for name, holds in live.card.oracles().items():
        oracles[name] = oracles.get(name, True) and holds
    sometimes = {f"the_wallet_was_{trouble}": hits[trouble] > 0 for trouble in _TROUBLES}
    sometimes["the_guarded_wallet_was_slow"] = live.struck > 0
    measures: dict[str, Any] = {
        "services": felt,
        "p99_ratio_max": _P99_RATIO_MAX,
        "troubles_struck": hits,
        "troubled": _told(street.recorder.samples, windows),
        "guarded": {
            "limited_after_seconds": live.closed_after_seconds,
            "others_kept_percent": live.kept_percent,
        },
        "payments": len(payments),
        "differing": {name: len(here[name].items() ^ there[name].items()) for name in _COMPARED},
        "broken": [one.name for one in proof.invariants if not one.holds],
    }
    passed = verdict(oracles, sometimes, proof) and live.proved
    plan = plan_hash([seed, times, _TROUBLES, _WINDOW_SECONDS, _PACE_SECONDS])
    return Report(
        "slow-partner", seed, passed, oracles, sometimes, measures, notes.moments,
        live.card.lines, plan, live.series, live.bands,
    )  # fmt: skip


async def _pay(street: Street, people: list[Payer]) -> None:
    """Everybody pays over one service: so no account is in two services' way."""
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = (*_OTHERS, _TROUBLED)[number // _PAYERS_EACH]
            pace = _TROUBLED_PACE_SECONDS if service == _TROUBLED else _PACE_SECONDS
            group.create_task(street.pay_at_pace(service, _way(service, payer, people), pace))
            await asyncio.sleep(0.017)


def _way(service: str, payer: Payer, people: list[Payer]) -> Callable[[], Awaitable[str]]:
    if service == "onus":
        friend = next(one.account for one in people if one.account != payer.account)
        return lambda: payer.to(friend)
    amount = "10.00" if service == "qris" else "10000.00"
    return lambda: payer.pay(service, amount, wait=False)


async def _take_turns(
    control: Control, clock: Clock, notes: Notes, seed: int, times: int
) -> tuple[list[Window], dict[str, int]]:
    windows: list[Window] = []
    hits = dict.fromkeys(_TROUBLES, 0)
    for number in range(times):
        begins = notes.seconds
        await clock.sleep(_WINDOW_SECONDS)
        windows.append(Window(begins, notes.seconds))
        trouble = _TROUBLES[number % len(_TROUBLES)]
        begins = notes.seconds
        hits[trouble] += await _trouble(control, clock, trouble, seed)
        windows.append(Window(begins, notes.seconds, trouble))
        await break_partner(control, _TROUBLED, seed)
        notes.add(f"the wallet was {trouble}")
        await clock.sleep(_PAUSE_SECONDS)
    return windows, hits


async def _trouble(control: Control, clock: Clock, trouble: str, seed: int) -> int:
    """One window of it; how often the fault struck, or how often the wallet went down."""
    if trouble == "slow":
        late = {"name": "late", "seconds": _LATE_SECONDS}
        await break_partner(control, _TROUBLED, seed, late)
        await clock.sleep(_WINDOW_SECONDS)
        return await struck(control, _TROUBLED)
    if trouble == "down":
        await break_partner(control, _TROUBLED, seed, {"name": "down"})
        await clock.sleep(_WINDOW_SECONDS)
        return 1
    ends, falls = clock.monotonic() + _WINDOW_SECONDS, 0
    while clock.monotonic() < ends:
        await break_partner(control, _TROUBLED, seed, {"name": "down"})
        falls += 1
        await clock.sleep(_FLAP_SECONDS)
        await break_partner(control, _TROUBLED, seed)
        await clock.sleep(_FLAP_SECONDS)
    return falls


def _felt(samples: list[Sample], windows: list[Window], service: str) -> dict[str, Any]:
    """What one service's payers felt in quiet and in trouble, in milliseconds.

    ``pooled`` values are over all samples of all windows, ``p99_window_ms`` is the median of the
    windows' own p99. ``quiet_against_quiet`` is the same ratio of every second quiet window to the
    others: how much the machine alone makes of it.
    """
    quiet = [one for one in windows if not one.trouble]
    trouble = [one for one in windows if one.trouble]
    calm, shaken = (_seconds(samples, which, service) for which in (quiet, trouble))
    typical = _typical_p99(samples, quiet, service), _typical_p99(samples, trouble, service)
    halves = [_typical_p99(samples, quiet[at::2], service) for at in (0, 1)]
    return {
        "samples": [len(calm), len(shaken)],
        "p50_ms": [_ms(percentile(one, 50)) for one in (calm, shaken)],
        "p99_pooled_ms": [_ms(percentile(one, 99)) for one in (calm, shaken)],
        "p99_pooled_ratio": _ratio(percentile(shaken, 99), percentile(calm, 99)),
        "p99_window_ms": [_ms(one) for one in typical],
        "p99_ratio": _ratio(typical[1], typical[0]),
        "quiet_against_quiet": _ratio(max(halves), min(halves)),
        "p50_ratio_by_trouble": {
            name: _ratio(
                percentile(
                    _seconds(samples, [w for w in trouble if w.trouble == name], service), 50
                ),
                percentile(calm, 50),
            )
            for name in _TROUBLES
        },
    }


def _typical_p99(samples: list[Sample], windows: list[Window], service: str) -> float:
    each = [percentile(_seconds(samples, [one], service), 99) for one in windows]
    return median(each) if each else 0.0


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _ratio(one: float, other: float) -> float:
    return round(one / other, 3) if other else 0.0


def _seconds(samples: list[Sample], windows: list[Window], service: str) -> list[float]:
    return [
        one.seconds
        for one in samples
        if one.service == service
        and any(window.begins <= one.began < window.ends for window in windows)
    ]


def _told(samples: list[Sample], windows: list[Window]) -> dict[str, dict[str, int]]:
    """What the troubled wallet's payers were told at once, in quiet and in each trouble."""
    told: dict[str, dict[str, int]] = {}
    for one in samples:
        if one.service != _TROUBLED:
            continue
        window = next((w for w in windows if w.begins <= one.began < w.ends), None)
        if window is not None:
            counts = told.setdefault(window.trouble or "quiet", {})
            counts[one.state] = counts.get(one.state, 0) + 1
    return told


def percentile(values: list[float], share: int) -> float:
    """The least value that ``share`` in a hundred do not exceed (nearest rank); 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(-(-len(values) * share // 100) - 1, 0)]
