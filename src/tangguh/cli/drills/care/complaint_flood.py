"""complaint-flood: everybody complains at once, by the app, with pictures, some made to harm.

Complaints come at the pace of five thousand in ten minutes, one in ten with a file, and every
fifth file is poisoned; one in ten complaints is said twice, as an app does that heard no answer.
They are about payments that arrived, that failed, that nobody has answered yet, and about none.

Asked, beside the standard oracles:
O5 every complaint that was acknowledged is there, once, and so are the payments made meanwhile;
O6 every acknowledgement names its number and by when it is answered;
O8 every complaint is decided or on a clock, none is overdue, and what waited for a payment is
   looked at again once that has ended;
O9 payments beside the flood succeed as before.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import aiohttp
import msgspec

from tangguh.cli.drills.care.files import SCRIPT, File, good, poisoned
from tangguh.cli.drills.partners import (
    Payer,
    break_partner,
    payers,
    rehearsal,
    until_ended,
)
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import (
    ask_ending,
    ask_others,
    ask_plan,
    ending_of,
    report_of,
)
from tangguh.cli.drills.scores.recorder import Band, Recorder, Window
from tangguh.cli.drills.slow_partner import percentile
from tangguh.cli.drills.street import Street
from tangguh.cli.household import Household
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import StoreUnavailable
from tangguh.db.objects import Objects, ObjectSettings
from tangguh.db.pool import Pool
from tangguh.disputes.case import Case, CaseState
from tangguh.disputes.evidence.locker import Locker
from tangguh.disputes.rows import decode_case

_PEOPLE: Final = 40
_PAYING: Final = 6
"""So many of them pay beside the flood, over ``_SERVICES``, and complain too."""
_SERVICES: Final = ("onus", "bifast", "ovo")
_PACE_SECONDS: Final = 0.6
_PER_SECOND: Final = 5_000 / 600
_QUIET_SECONDS: Final = 10.0
_WITH_FILE, _POISONED_EVERY, _SAID_TWICE = 0.1, 5, 0.1
_KINDS: Final = ("arrived", "failed", "unanswered", "none")
_WEIGHTS: Final = (4, 3, 2, 3)
_ABOUT: Final = {
    "arrived": "failed_debited",
    "failed": "failed_not_debited",
    "unanswered": "failed_debited",
    "none": "other",
}
_ACKNOWLEDGED_SECONDS_MAX: Final = 1.0
_DECIDED_SECONDS_MAX: Final = 30.0
_PATH: Final = "/v1/complaints"
_CASES: Final = "SELECT case_json FROM cases WHERE book_id = $1"
_NEVER_SECONDS: Final = 3_600.0
_OVERRIDES: Final[dict[str, Any]] = {
    "devices": {"cooling_seconds": 0},
    "guard": {"mode": "shadow"},
    "redress": {"advance_after_seconds": _NEVER_SECONDS},
    "web": {
        "requests_per_minute": 1_000_000,
        "requests_burst": 100_000,
        "logins_per_minute": 6_000,
        "logins_burst": 1_000,
    },
}


class Planned(msgspec.Struct, frozen=True):
    """One complaint: whose, about what, whether said twice, with which file."""

    payer: int
    kind: str
    key: str
    twice: bool
    file: File | None


class _Given(msgspec.Struct, frozen=True):
    """One file that was sent, and what was answered."""

    file: File
    complaint: str
    status: int
    code: str


class _Flood(msgspec.Struct):
    """What the flood was told."""

    seconds: list[float] = []
    acknowledged: set[str] = set()
    keys: dict[str, str] = {}
    incomplete: int = 0
    unheard: int = 0
    other_answers: dict[str, int] = {}
    differing: int = 0
    given: list[_Given] = []


def plan_of(seed: int, times: int) -> list[Planned]:
    """Every complaint in the order it comes."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    planned, files = [], 0
    for number in range(times):
        file = None
        if dice.random() < _WITH_FILE:
            files += 1
            is_bad = files % _POISONED_EVERY == 0
            file = poisoned(dice, files // _POISONED_EVERY) if is_bad else good(dice)
        planned.append(
            Planned(
                number % _PEOPLE,
                dice.choices(_KINDS, _WEIGHTS)[0],
                f"complaint-{seed}-{number}",
                dice.random() < _SAID_TWICE,
                file,
            )
        )
    return planned


async def run(seed: int, times: int) -> Report:
    """Rehearse it with ``times`` complaints."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    plan = plan_of(seed, times)
    flood = _Flood()
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            named = await _prepare(control, people, plan, seed)
            notes.add(f"{sum(map(len, named.values()))} payments were made to complain of")
            async with asyncio.TaskGroup() as group:
                group.create_task(pay_in_turn(street, people[:_PAYING], _SERVICES, _PACE_SECONDS))
                await clock.sleep(1.0)
                quiet = await street.window(_QUIET_SECONDS)
                begins = notes.seconds
                await _complain(people, plan, named, flood, clock)
                trouble = Window(begins, notes.seconds, "flood")
                street.stop()
            notes.add(f"{len(flood.acknowledged)} complaints were acknowledged")
            before = await _cases(household)
            await break_partner(control, "qris", seed)
            await until_ended(household.dsn, clock, _DECIDED_SECONDS_MAX)
            unanswered = {UUID(line.split(" ")[1]) for line in named.get("unanswered", [])}
            waiting = [one for one in before if one.payment_id in unanswered]
            looked = await _until_looked_at(household, clock, waiting)
            notes.add("the network has answered, and what waited for it was looked at again")
            ending = await ending_of(household, control, clock, people, ["qris", "bifast", "ovo"])
            cases = await _cases(household)
            card = Card()
            measures = await _ask_files(card, household, people, flood, cases, clock)
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, _SERVICES, [quiet], [trouble])
    measures |= _ask_told(card, plan, flood, cases)
    measures |= _ask_clocks(card, before, cases, clock.now(), looked=looked)
    measures |= _felt(street.recorder, quiet, trouble)
    sometimes = {
        "a_case_waited_for_its_payment": any(one.state is CaseState.WAITING for one in waiting),
        "a_file_was_taken": measures["files_kept"] > 0,
        "a_poisoned_file_was_sent": measures["files_poisoned"] > 0 or times < _FEW,
        "a_complaint_was_said_twice": any(one.twice for one in plan),
    }
    return report_of(
        "complaint-flood", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures,
        faults=[Band(trouble.begins, trouble.ends, "fault", "everybody complains")],
        plan=ask_plan(card, _hashed(plan), _hashed(plan_of(seed, times))),
    )  # fmt: skip


_FEW: Final = 100
"""Of so few complaints none may bring a poisoned file."""


# ---- what happens -----------------------------------------------------------------------------


async def _prepare(
    control: Control, people: list[Payer], plan: list[Planned], seed: int
) -> dict[str, list[str]]:
    """A payment for each complaint that is about one, by the complaint's key."""
    faults: dict[str, list[dict[str, Any]]] = {
        "arrived": [],
        "failed": [{"name": "decline", "case": "40305"}],
        "unanswered": [
            {"name": "drop_reply", "seconds": 0.1},
            {"name": "drop_request", "services": ["51", "77"], "seconds": 0.1},
        ],
    }
    made: dict[str, list[str]] = {}

    async def buy(payer: Payer, wanted: list[Planned]) -> None:
        for one in wanted:
            answer = await payer.order(payer.order_over("qris", "1000.00"))
            if not answer.payment_id:
                raise StoreUnavailable(f"a payment was not taken: {answer.word}")
            made.setdefault(one.kind, []).append(f"{one.key} {answer.payment_id}")

    for kind, wrong in faults.items():
        await break_partner(control, "qris", seed, *wrong)
        of_kind = [one for one in plan if one.kind == kind]
        await asyncio.gather(
            *(
                buy(payer, [one for one in of_kind if one.payer == number])
                for number, payer in enumerate(people)
            )
        )
    return made


async def _complain(
    people: list[Payer],
    plan: list[Planned],
    named: dict[str, list[str]],
    flood: _Flood,
    clock: Clock,
) -> None:
    """One complaint after the other at the pace, whether the last was answered or not."""
    payment_of = dict(line.split(" ") for lines in named.values() for line in lines)
    due = clock.monotonic()
    async with asyncio.TaskGroup() as group:
        for one in plan:
            group.create_task(_say(people[one.payer], one, payment_of.get(one.key), flood, clock))
            due += 1 / _PER_SECOND
            await clock.sleep(max(due - clock.monotonic(), 0.0))


async def _say(
    payer: Payer, one: Planned, payment_id: str | None, flood: _Flood, clock: Clock
) -> None:
    body: dict[str, Any] = {"about": _ABOUT[one.kind], "text": "Sudah terpotong, belum masuk."}
    if payment_id is not None:
        body["payment_id"] = payment_id
    complaint = ""
    for _ in range(2 if one.twice else 1):
        began = clock.monotonic()
        try:
            key = {"Idempotency-Key": one.key}
            raw = msgspec.json.encode(body)
            said = await payer.device.send("POST", _PATH, raw, key)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            flood.unheard += 1
            continue
        flood.seconds.append(clock.monotonic() - began)
        if not said.ok:
            code = str(said.body.get("code", said.status))
            flood.other_answers[code] = flood.other_answers.get(code, 0) + 1
            continue
        flood.differing += complaint not in ("", said.body["id"])
        complaint = said.body["id"]
        flood.acknowledged.add(complaint)
        flood.keys[one.key] = complaint
        flood.incomplete += not (said.body.get("number") and said.body.get("due_at"))
    if one.file is not None and complaint:
        path, media = f"{_PATH}/{complaint}/evidence", {"Content-Type": one.file.media}
        given = await payer.device.send("POST", path, one.file.content, media)
        code = "" if given.ok else str(given.body.get("code", given.status))
        flood.given.append(_Given(one.file, complaint, given.status, code))


async def _cases(household: Household) -> list[Case]:
    pool = await Pool.open(household.dsn, size_max=1)
    try:
        rows = await pool.fetch(_CASES, household.settings.book.book_id)
        return [decode_case(row["case_json"]) for row in rows]
    finally:
        await pool.close()


async def _until_looked_at(household: Household, clock: Clock, waiting: list[Case]) -> bool:
    """Whether every case that waited for its payment was looked at again: it has a further step."""
    before = {one.id: one.events for one in waiting}
    deadline = clock.monotonic() + _DECIDED_SECONDS_MAX
    while clock.monotonic() < deadline:
        if not any(before.get(one.id) == one.events for one in await _cases(household)):
            return True
        await clock.sleep(0.5)
    return False


# ---- what is asked ----------------------------------------------------------------------------


def _ask_told(card: Card, plan: list[Planned], flood: _Flood, cases: list[Case]) -> dict[str, Any]:
    there = {str(one.id) for one in cases}
    lost = flood.acknowledged - there
    card.ask(
        "complaints", "each that was acknowledged is there, once; none is told something else",
        f"{len(lost)} lost, {len(there - flood.acknowledged)} unknown, {flood.differing} differ",
        oracle="O5", holds=not lost and there == flood.acknowledged and not flood.differing,
    )  # fmt: skip
    card.ask(
        "everybody is heard", "every complaint is acknowledged",
        f"{len(flood.keys)} of {len(plan)}; {flood.other_answers or 'no other answer'}",
        holds=len(flood.keys) == len(plan) and not flood.unheard,
    )  # fmt: skip
    card.ask(
        "acknowledged", "each with its number and by when it is answered",
        f"{flood.incomplete} without", oracle="O6", holds=not flood.incomplete,
    )  # fmt: skip
    slow = round(percentile(flood.seconds, 99), 3)
    card.ask(
        "at once", f"p99 of the acknowledgement at most {_ACKNOWLEDGED_SECONDS_MAX:g} s",
        f"{slow} s", holds=slow <= _ACKNOWLEDGED_SECONDS_MAX,
    )  # fmt: skip
    return {
        "scaled": f"{len(plan)} of 5,000, at the same pace",
        "complaints": len(plan),
        "a_minute": round(_PER_SECOND * 60),
        "acknowledged_p50_seconds": round(percentile(flood.seconds, 50), 3),
        "acknowledged_p99_seconds": slow,
    }


def _ask_clocks(
    card: Card, before: list[Case], cases: list[Case], now: datetime, *, looked: bool
) -> dict[str, Any]:
    adrift = [one for one in cases if one.is_open and not now <= one.act_by <= one.due_at]
    overdue = [one for one in cases if one.is_overdue(now)]
    card.ask(
        "on a clock", "every case is decided, or somebody acts by a time before it is due",
        f"{len(adrift)} adrift, {len(overdue)} overdue", oracle="O8",
        holds=not adrift and not overdue,
    )  # fmt: skip
    card.ask(
        "waited", f"looked at again in {_DECIDED_SECONDS_MAX:g} s once the payment has ended",
        "all" if looked else "not all", oracle="O8", holds=looked,
    )  # fmt: skip
    states: dict[str, int] = {}
    for one in cases:
        name = str(one.outcome or one.state)
        states[name] = states.get(name, 0) + 1
    nearest = min((one.due_at for one in cases), default=now) - now
    return {
        "cases": states,
        "waited_in_the_flood": sum(one.state is CaseState.WAITING for one in before),
        "nearest_deadline_days": round(nearest / timedelta(days=1), 1),
    }


async def _ask_files(
    card: Card,
    household: Household,
    people: list[Payer],
    flood: _Flood,
    cases: list[Case],
    clock: Clock,
) -> dict[str, Any]:
    """By the places they are kept in, and by what people would look at."""
    url = str(household.place.directory / "evidence")
    locker = Locker(Objects(ObjectSettings(url=url)), clock)
    kept_of = {str(one.id): {file.sha256: file for file in one.evidence} for one in cases}
    wrong = harmful = kept = 0
    for one in flood.given:
        digest = hashlib.sha256(one.file.content).hexdigest()
        found = kept_of[one.complaint].get(digest)
        wrong += (found is not None) != one.file.is_taken
        if found is None:
            continue
        kept += 1
        wrong += not await locker.holds(digest)
        for number in range(found.pages):
            page = await locker.page(digest, number) or b""
            harmful += not page.startswith(b"\xff\xd8\xff") or _acts(page)
    bad = [one for one in flood.given if one.file.name not in ("picture", "scan")]
    card.ask(
        "evidence", "what is real is kept and still hashes to its name, the rest is refused",
        f"{wrong} of {len(flood.given)} wrong", holds=not wrong,
    )  # fmt: skip
    card.ask(
        "harmless", "nothing that people look at carries what was given", f"{harmful} pages do",
        holds=not harmful,
    )  # fmt: skip
    return {
        "files": len(flood.given),
        "files_kept": kept,
        "files_poisoned": len(bad),
        "files_refused": sum(not one.file.is_taken and bool(one.code) for one in flood.given),
    }


def _acts(page: bytes) -> bool:
    return SCRIPT in page or b"JavaScript" in page


def _felt(recorder: Recorder, quiet: Window, trouble: Window) -> dict[str, Any]:
    """How long the payments beside it took."""

    def p99(window: Window) -> dict[str, float]:
        return {
            service: round(
                percentile(
                    [
                        one.seconds
                        for one in recorder.samples
                        if one.service == service and window.has(one.began)
                    ],
                    99,
                ),
                3,
            )
            for service in _SERVICES
        }

    return {"payments_p99_seconds": {"quiet": p99(quiet), "flood": p99(trouble)}}


def _hashed(plan: list[Planned]) -> list[Any]:
    return [
        [one.payer, one.kind, one.key, one.twice, one.file.name if one.file else ""] for one in plan
    ]
