"""settlement-twice: files are wrong, the back office is killed in the middle, cycles run again.

Customers pay over every partner, which lose answers, so that only the files tell how some payments
ended. Each file is first offered spoiled: a wrong total, a line twice, no trailer, another day's.
Then the back office is killed at a random moment of its round, so often, and let finish; then each
cycle is run twice at the same time, and once more after a restart.

Asked:
O1 every posting balances and the book adds up to zero;
O2 every payment has exactly one outcome;
O3 nobody is below their floor;
O4 what we posted over each partner is what its own books hold as paid, one for one;
O5 a cycle's position was posted once, and our account at the settlement bank moved by the nets;
O6 every spoiled file was refused whole with its line named, and moved nothing;
O7 the hash chain is unbroken;
O8 nothing is open, no settlement account has anything left, and there is no break.
"""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import (
    PARTNERS,
    all_payments,
    break_partner,
    everybody,
    open_count,
    paid_there,
    payers,
    posted_here,
    rehearsal,
    struck,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.drills.settling import address_of, back_office, cycles_in
from tangguh.cli.household import Household
from tangguh.cli.prove import prove_dsn
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import SystemClock, business_date
from tangguh.core.outcome import Refused
from tangguh.ledger import chart
from tangguh.settlement.ageing import ageing
from tangguh.settlement.cycle import BackOffice, Ran
from tangguh.settlement.cycle import run as run_cycle
from tangguh.settlement.file import Expected, FileRefused
from tangguh.settlement.store import open_breaks

_PEOPLE: Final = 6
_EACH: Final = 4
_SHARE: Final = 0.5
_KILLED_AFTER_SECONDS_MAX: Final = 0.05
_NEVER_SECONDS: Final = 3_600.0
_OVERRIDES: Final[dict[str, Any]] = {"guard": {"mode": "shadow"}} | {
    rail: {"inquiry_delays_seconds": (_NEVER_SECONDS,)}
    for rail in ("qris", "billers", "bifast", "iso8583")
}
"""The files are what is rehearsed, so the guard only says what it would do (shadow).

Nobody asks the networks again, so what their answers did not tell only their files can."""
_POSITIONS: Final = (
    "SELECT count(*) AS postings, coalesce(sum(e.amount_minor), 0)::bigint AS minor"
    " FROM postings p JOIN entries e USING (book_id, posting_id)"
    " WHERE p.kind = 'settlement' AND e.account_id = $1"
)


class _Round(msgspec.Struct, frozen=True):
    """What a round of the back office told: its cycles, and whether it was killed in between."""

    cycles: list[Ran]
    was_killed: bool


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the back office is killed ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    days = {business_date(clock.now())}
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        losses = await _pay(household, control, seed)
        notes.add(f"customers have paid, {sum(losses.values())} answers were lost")
        assert household.bank is not None
        await household.bank.stop()
        days.add(business_date(clock.now()))
        office = _Office(household, control, sorted(days), clock.now() + timedelta(days=1))
        open_before = await open_count(household.dsn)
        spoiled = await office.spoil()
        notes.add(f"{spoiled['refused']} spoiled files were refused")
        kills = [await office.round(dice) for _ in range(times)]
        notes.add(f"the back office was killed {sum(one.was_killed for one in kills)} times")
        whole = await office.round(None)
        notes.add("it finished its round")
        twice = await office.twice()
        again = await office.round(None)
        notes.add("every cycle was run twice at once, and once more")
        left = await office.left()
        ended = await until_ended(household.dsn, clock, 1.0)
        payments = await all_payments(household)
        there = {partner: await paid_there(control, partner) for partner in PARTNERS}
        proof = await prove_dsn(household.dsn)
    here = {partner: posted_here(payments, partner) for partner in PARTNERS}
    differing = {name: len(there[name].items() ^ here[name].items()) for name in PARTNERS}
    rounds = [*kills, whole, twice, again]
    oracles = oracles_of(proof) | {
        "O4": not any(differing.values()),
        "O5": _posted_once(rounds) and left["positions_minor"] == _net_minor(whole)
        and left["positions"] == len(_positions(whole)),
        "O6": spoiled["refused"] == spoiled["offered"] and not spoiled["moved"],
        "O8": ended and not left["breaks"] and not left["standing"] and not left["suspended"],
    }  # fmt: skip
    sometimes = {
        "a_file_was_spoiled": spoiled["offered"] > 0,
        "killed_in_the_middle": any(one.was_killed for one in kills) or not times,
        "a_cycle_was_run_again": all(one.repeated for one in again.cycles),
        "a_payment_only_the_file_could_end": open_before > 0,
        "a_position_was_posted": left["positions"] > 0,
    }
    measures: dict[str, Any] = {
        "payments": len(payments),
        "answers_lost": losses,
        "open_before_the_files": open_before,
        "spoiled": spoiled,
        "killed": sum(one.was_killed for one in kills),
        "cycles": len(whole.cycles),
        "lines": sum(one.lines for one in whole.cycles),
        "net_minor": _net_minor(whole),
        **left,
        "differing": differing,
        "broken": [one.name for one in proof.invariants if not one.holds],
    }
    passed = verdict(oracles, sometimes, proof)
    return Report("settlement-twice", seed, passed, oracles, sometimes, measures, notes.moments)


async def _pay(household: Household, control: Control, seed: int) -> dict[str, int]:
    """Everybody pays every partner, which loses half of its answers; how many it lost."""
    losses: dict[str, int] = {}
    async with payers(household, control, SystemClock(), _PEOPLE) as people:
        for number, partner in enumerate(PARTNERS):
            fault = {"name": "drop_reply", "probability": _SHARE, "seconds": 0.1}
            await break_partner(control, partner, seed + number, fault)
            await everybody(people, partner, _EACH)
            losses[partner] = await struck(control, partner)
            await break_partner(control, partner, seed)
    return losses


class _Office:
    """The back office the day after, as processes to be killed and in this one."""

    def __init__(
        self, household: Household, control: Control, days: list[date], now: datetime
    ) -> None:
        self._dsn = household.dsn
        self._control = control
        self._url = household.addresses["control"]
        self._days = days
        self._now = now

    async def round(self, dice: random.Random | None) -> _Round:
        """One round in a process of its own; with dice it is killed at a random moment."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tangguh.cli.drills.settling",
            self._dsn, self._url, self._now.isoformat(), *(one.isoformat() for one in self._days),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        survives = dice.randrange(1 + len(list(cycles_in(self._days)))) if dice else -1
        told: list[Ran] = []
        while line := (await child.stdout.readline()).decode().strip():
            if line.startswith("{"):
                told.append(msgspec.json.decode(line, type=Ran))
            if dice is not None and len(told) == survives:
                await asyncio.sleep(dice.uniform(0, _KILLED_AFTER_SECONDS_MAX))
                if child.returncode is None:
                    child.kill()
        return _Round(told, await child.wait() != 0)

    async def spoil(self) -> dict[str, int]:
        """Offer every file that has lines spoiled in four ways; refused, offered, and moved."""
        seen = {"offered": 0, "refused": 0, "moved": 0}
        async with back_office(self._dsn, self._now) as office:
            before = await self._positions(office)
            for asked in cycles_in(self._days):
                query = f"?day={asked.day.isoformat()}&cycle={asked.cycle}"
                place = f"/networks/{asked.network.name}/settlement{query}"
                text = await self._control.text(place)
                if text.count("\n") < 3:
                    continue
                for expected, content in _spoiled(asked, text):
                    said = await run_cycle(office, expected, content.encode())
                    seen["offered"] += 1
                    seen["refused"] += isinstance(said, FileRefused) and said.line > 0
            seen["moved"] = int(await self._positions(office) != before)
            seen["moved"] += len(await open_breaks(office.pool, office.book_id))
        return seen

    async def twice(self) -> _Round:
        """Every cycle run by two at the same time: one has it, the other is refused or repeats."""
        told: list[Ran] = []
        async with back_office(self._dsn, self._now) as office:
            for asked in cycles_in(self._days):
                address = address_of(self._url, asked)
                both = await asyncio.gather(
                    run_cycle(office, asked, address), run_cycle(office, asked, address)
                )
                told += [one for one in both if isinstance(one, Ran)]
                assert all(isinstance(one, Ran | Refused) for one in both), both
        return _Round(told, was_killed=False)

    async def left(self) -> dict[str, int]:
        """What is there at the end: positions and their sum, breaks, and what stands or hangs."""
        async with back_office(self._dsn, self._now) as office:
            postings, minor = await self._positions(office)
            aged = await ageing(office.pool, office.book_id, self._now)
            standing = [one for one in aged.standing if one.account_id in _SETTLED]
            return {
                "positions": postings,
                "positions_minor": minor,
                "breaks": len(aged.breaks),
                "standing": len(standing),
                "suspended": len(aged.suspended),
            }

    async def _positions(self, office: BackOffice) -> tuple[int, int]:
        row = await office.pool.fetchrow(_POSITIONS, chart.NOSTRO)
        assert row is not None
        return row["postings"], row["minor"]


_SETTLED: Final = frozenset(
    {chart.SETTLEMENT_QRIS, chart.SETTLEMENT_BIFAST, chart.SETTLEMENT_CARDS}
)
"""A partner that is paid in advance keeps a balance; these end every day at nothing."""


def _spoiled(asked: Expected, text: str) -> list[tuple[Expected, str]]:
    """The file with a wrong total, a line twice, no trailer, and for another day."""
    lines = text.splitlines(keepends=True)
    kind, count, *sums = lines[-1].split("|")
    wrong = "|".join([kind, count, "9" + sums[0], *sums[1:]])
    day_before = msgspec.structs.replace(asked, day=asked.day - timedelta(days=1))
    return [
        (asked, "".join([*lines[:-1], wrong])),
        (asked, "".join([*lines[:2], lines[1], *lines[2:]])),
        (asked, "".join(lines[:-1])),
        (day_before, text),
    ]


def _positions(one: _Round) -> dict[tuple[str, date, int], str]:
    """The posting each cycle ended with, where it has one."""
    return {
        (ran.network, ran.day, ran.cycle): str(ran.posting_id)
        for ran in one.cycles
        if ran.posting_id is not None
    }


def _posted_once(rounds: list[_Round]) -> bool:
    """Whether every round that told of a cycle told of the same posting."""
    seen: dict[tuple[str, date, int], set[str]] = {}
    for one in rounds:
        for cycle, posting_id in _positions(one).items():
            seen.setdefault(cycle, set()).add(posting_id)
    return all(len(ids) == 1 for ids in seen.values())


def _net_minor(one: _Round) -> int:
    """What we owe all networks together that are paid afterwards, in minor units."""
    return sum(ran.net_minor for ran in one.cycles if ran.deposit is None)
