"""green-lie: whatever dies, hangs or refuses, the public page does not stay green.

PostgreSQL, the bank and all networks are killed and frozen in turn, then each network by itself
refuses connections and falls silent. A few customers pay meanwhile, over the bank itself, QRIS and
BI-FAST; nobody pays by the other networks: those are seen without a customer. The order of troubles
follows from the seed. Asked, beside the standard oracles:
O6 the page says the trouble within 30 s; "your money is safe" is not said while the book or the
   bank cannot be seen; green comes back, and only after the trouble has ended.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import Payer, break_partner, payers, rehearsal
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import Ending, ask_plan, ask_words, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.told.page import Page, condition_of
from tangguh.cli.household import Household
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.service import BILL, QRIS_OFFUS, TOPUP, TRANSFER_BIFAST, TRANSFER_CARDS
from tangguh.db.embedded import EmbeddedPostgres

_SECONDS_MAX: Final = 30.0
_BACK_SECONDS_MAX: Final = 150.0
_BLIND_SECONDS: Final = 4.0
_LOOK_SECONDS: Final = 0.5
_PEOPLE: Final = 6
_PACE_SECONDS: Final = 2.0
_ENDED_SECONDS_MAX: Final = 120.0
_PAID_OVER: Final = ("onus", "qris", "bifast")
_SERVICE: Final[dict[str, str]] = {
    "qris": QRIS_OFFUS,
    "bifast": TRANSFER_BIFAST,
    "cards": TRANSFER_CARDS,
    "gopay": TOPUP["gopay"],
    "billers": BILL["va"],
}
_EVERY_OPERATION: Final[dict[str, list[str]]] = {
    "qris": ["50", "51", "73", "77", "78"],
    "bifast": ["010", "110", "510", "000", "610", "710", "admn"],
    "cards": ["0800"],
    "gopay": ["37", "38", "39", "73"],
    "billers": ["24", "25", "26", "73"],
}
"""What a network is asked that falls silent: its echo or its status among it."""
_OVERRIDES: Final[dict[str, Any]] = {
    "guard": {"mode": "shadow"},
    "incidents": {"monitor_seconds": 5.0},
}
"""The guard's closures would say a trouble by themselves: here the page has to see it."""


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong with whom."""

    whom: str
    how: str

    @property
    def name(self) -> str:
        """For the report."""
        return f"{self.whom} {self.how}"


class Saw(msgspec.Struct, kw_only=True):
    """What the page said of one trouble. None: it did not in time."""

    trouble: str
    said_seconds: float | None = None
    back_seconds: float | None = None
    safe_while_blind: int = 0
    looks: int = 0
    too_early: bool = False


def plan_of(seed: int) -> list[Trouble]:
    """The troubles in the order of this seed; those of the machine first."""
    source = random.Random(seed)  # noqa: S311
    whole = [Trouble(one, how) for one in ("database", "bank", "world") for how in _KILLS]
    each = [Trouble(one, how) for one in _SERVICE for how in ("refuses", "silent")]
    source.shuffle(whole)
    source.shuffle(each)
    return [*whole, *each]


_KILLS: Final = ("killed", "frozen")


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the first ``times`` troubles of the plan, all of them by default."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    plan = plan_of(seed)[:times]
    saw: list[Saw] = []
    bands: list[Band] = []
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            Page(household, clock) as page,
        ):
            scene = _Scene(household, control, clock, page, seed)
            green = await page.until(_is_green, _BACK_SECONDS_MAX)
            notes.add(f"the page is green after {green} s")
            paying = asyncio.create_task(_pay(street, people))
            for trouble in plan:
                began = notes.seconds
                notes.add(trouble.name)
                saw.append(await scene.play(trouble))
                bands.append(Band(began, notes.seconds, "fault", trouble.name))
            street.stop()
            await paying
            ending = await ending_of(
                household, control, clock, people, ("qris", "bifast"), _ENDED_SECONDS_MAX
            )
    card = Card()
    _ask_ending(card, ending, people)
    _ask(card, saw, green)
    said = [one.said_seconds for one in saw if one.said_seconds is not None]
    asked = [[one.whom, one.how] for one in plan]
    return report_of(
        "green-lie", seed, card, ending, notes, street.recorder,
        sometimes={
            "customers_paid": any(one.state == "posted" for one in ending.payments),
            "the_page_was_red": bool(said),
        },
        measures={
            "cases": [msgspec.to_builtins(one) for one in saw],
            "slowest_seconds": max(said, default=None),
        },
        faults=bands,
        plan=ask_plan(card, asked, [[one.whom, one.how] for one in plan_of(seed)[:times]]),
    )  # fmt: skip


async def _pay(street: Street, people: Sequence[Payer]) -> None:
    await pay_in_turn(street, people, _PAID_OVER, _PACE_SECONDS)


class _Scene:
    """Makes one trouble after the other, and looks at the page meanwhile."""

    def __init__(
        self, household: Household, control: Control, clock: Clock, page: Page, seed: int
    ) -> None:
        self._household = household
        self._control = control
        self._clock = clock
        self._page = page
        self._seed = seed

    async def play(self, trouble: Trouble) -> Saw:
        """From green to trouble to green."""
        saw = Saw(trouble=trouble.name)
        await self._begin(trouble)
        try:
            saw.said_seconds = await self._page.until(
                lambda said: _says(trouble, said), _SECONDS_MAX
            )
            await self._look_on(saw, trouble)
        finally:
            await self._end(trouble)
        began = self._clock.monotonic()
        while self._clock.monotonic() - began < _BACK_SECONDS_MAX:
            await self._restart()
            if _is_green(await self._page.status()):
                saw.back_seconds = round(self._clock.monotonic() - began, 2)
                break
            await self._clock.sleep(_LOOK_SECONDS)
        return saw

    async def _look_on(self, saw: Saw, trouble: Trouble) -> None:
        """While it lasts the page neither turns green nor calls money safe that it cannot see."""
        until = self._clock.monotonic() + _BLIND_SECONDS
        while self._clock.monotonic() < until:
            said = await self._page.status()
            saw.looks += 1
            saw.too_early |= _is_green(said)
            if trouble.whom in ("database", "bank"):
                saw.safe_while_blind += _calls_it_safe(said)
            await self._clock.sleep(_LOOK_SECONDS)

    async def _begin(self, trouble: Trouble) -> None:
        if trouble.whom in _SERVICE:
            fault: dict[str, Any] = {"name": "down"}
            if trouble.how == "silent":
                operations = _EVERY_OPERATION[trouble.whom]
                fault = {"name": "drop_request", "seconds": 60.0, "services": operations}
            await break_partner(self._control, trouble.whom, self._seed, fault)
        else:
            self._signal(trouble, signal.SIGSTOP if trouble.how == "frozen" else signal.SIGKILL)

    async def _end(self, trouble: Trouble) -> None:
        if trouble.whom in _SERVICE:
            await break_partner(self._control, trouble.whom, self._seed)
        elif trouble.how == "frozen":
            self._signal(trouble, signal.SIGCONT)
        await self._restart()

    async def _restart(self) -> None:
        """What a supervisor does: whatever has ended is started again."""
        try:
            postgres = self._household.postgres
            if postgres is not None and not _processes_of(postgres):
                await postgres.start()
            await self._household.restart()
        except TangguhError:
            await self._clock.sleep(_LOOK_SECONDS)

    def _signal(self, trouble: Trouble, number: signal.Signals) -> None:
        household = self._household
        if trouble.whom == "database":
            assert household.postgres is not None
            for pid in _processes_of(household.postgres):
                os.kill(pid, number)
            return
        child = household.bank if trouble.whom == "bank" else household.world
        assert child is not None
        os.kill(child.pid, number)


def _processes_of(postgres: EmbeddedPostgres) -> list[int]:
    """The postmaster and its children; none when it does not run."""
    try:
        first = int((postgres.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        if not Path(f"/proc/{first}/cmdline").read_bytes():
            return []  # it has ended and nobody has buried it yet
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
    except (OSError, ValueError):
        return []
    return [first, *map(int, children.split())]


def _is_green(said: dict[str, Any]) -> bool:
    return said.get("overall") == "operational" and bool(said.get("bank_sees"))


def _says(trouble: Trouble, said: dict[str, Any]) -> bool:
    """Whether the page tells the truth about it."""
    match trouble.whom:
        case "bank":
            return not said["bank_answers"]
        case "database":
            return not said["bank_answers"] or all(
                one["condition"] == "down" for one in said["components"]
            )
        case "world":
            return all(condition_of(said, one) in _BAD for one in _SERVICE.values())
        case whom:
            return condition_of(said, _SERVICE[whom]) in _BAD


_BAD: Final = frozenset({"partner_outage", "down", "degraded"})


def _calls_it_safe(said: dict[str, Any]) -> bool:
    assurance = said.get("assurance") or {}
    return "aman" in str(assurance.get("text_id", "")) or bool(assurance.get("proved_at"))


def _ask_ending(card: Card, ending: Ending, people: Sequence[Payer]) -> None:
    differing = {
        name: len(ending.here[name].items() ^ ending.there[name].items()) for name in ending.here
    }
    card.ask(
        "networks agree", "0 payments differ", differing, oracle="O4",
        holds=not any(differing.values()),
    )  # fmt: skip
    ask_words(card, ending, people)


def _ask(card: Card, saw: Sequence[Saw], green: float | None) -> None:
    card.ask(
        "green at first", "measured well by our own questions", f"{green} s", oracle="O6",
        holds=green is not None,
    )  # fmt: skip
    for one in saw:
        card.ask(
            one.trouble, f"said within {_SECONDS_MAX:g} s, and green again only afterwards",
            f"said after {one.said_seconds} s, green {one.back_seconds} s after its end",
            oracle="O6",
            holds=one.said_seconds is not None
            and one.back_seconds is not None
            and not one.too_early,
        )  # fmt: skip
    blind = sum(one.safe_while_blind for one in saw)
    looks = sum(one.looks for one in saw)
    card.ask(
        "safe only with sight", "0 looks that call money safe while nobody can see",
        f"{blind} of {looks}", oracle="O6", holds=not blind and looks > 0,
    )  # fmt: skip
