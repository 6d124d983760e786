"""dead-bank: every process of the bank is killed, PostgreSQL too; the public page stays.

Asked, beside the standard oracles:
O6 the page goes on answering, says within 30 s that the bank does not answer, since when, and how
   old what it shows is; it says so in words, without a script; it is back with the bank;
O5 nothing that was acknowledged before is lost.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import payers, rehearsal
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band, Recorder, Sample
from tangguh.cli.drills.told.page import Page
from tangguh.cli.household import Household
from tangguh.core.clock import SystemClock
from tangguh.core.service import TRANSFER_ONUS

_PEOPLE: Final = 8
_SAYS_SECONDS_MAX: Final = 30.0
_DEAD_SECONDS: Final = 20.0
_BACK_SECONDS_MAX: Final = 60.0
_LOOK_SECONDS: Final = 0.5
_BYTES_MAX: Final = 50 * 1024


class Saw(msgspec.Struct, kw_only=True):
    """What the page did while nobody else was there."""

    says_seconds: float | None = None
    looks: int = 0
    answered: int = 0
    said_since: str = ""
    ages: list[str] = []
    in_words: dict[str, bool] = {}
    largest: int = 0
    back_seconds: float | None = None


async def run(seed: int, times: int) -> Report:
    """Rehearse it; everybody pays ``times`` times before."""
    clock = SystemClock()
    notes = Notes(clock)
    recorder = Recorder()
    saw = Saw()
    async with rehearsal(notes) as (household, control):
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            Page(household, clock) as page,
        ):
            await page.until(lambda said: bool(said["bank_answers"]), _BACK_SECONDS_MAX)
            for number, payer in enumerate(people):
                for _ in range(times):
                    at = notes.seconds
                    state = await payer.to(people[number - 1].account)
                    recorder.add(Sample(TRANSFER_ONUS, at, notes.seconds - at, state))
            await _kill(household)
            began = notes.seconds
            notes.add("bank, gateway, watch, networks and PostgreSQL are killed")
            await _watch(saw, page, clock)
            band = Band(began, notes.seconds, "fault", "the bank is dead")
            assert household.postgres is not None
            await household.postgres.start()
            await household.restart()
            notes.add("the bank is back")
            saw.back_seconds = await page.until(
                lambda said: bool(said["bank_answers"]), _BACK_SECONDS_MAX
            )
            ending = await ending_of(household, control, clock, people, ())
    card = Card()
    ask_ending(card, ending, people)
    _ask(card, saw)
    plan = [seed, times]
    return report_of(
        "dead-bank", seed, card, ending, notes, recorder,
        sometimes={"the_page_was_alone": saw.looks > 0},
        measures={"page": msgspec.to_builtins(saw)},
        faults=[band],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _kill(household: Household) -> None:
    """SIGKILL everything but the page."""
    for child in (household.bank, household.gateway, household.watcher, household.world):
        if child is not None and child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    if household.postgres is not None:
        household.postgres.kill()


async def _watch(saw: Saw, page: Page, clock: Any) -> None:
    saw.says_seconds = await page.until(lambda said: not said["bank_answers"], _SAYS_SECONDS_MAX)
    until = clock.monotonic() + _DEAD_SECONDS
    while clock.monotonic() < until:
        code, text = await page.text()
        saw.looks += 1
        saw.answered += code == 200
        saw.largest = max(saw.largest, len(text.encode()))
        said = await page.status()
        saw.said_since = str(said.get("silent_since") or "")
        saw.ages.append(str(said.get("data_made_at")))
        await asyncio.sleep(_LOOK_SECONDS)
    for path, words in (("/", "belum menjawab"), ("/en/", "has not answered")):
        _, text = await page.text(path)
        saw.in_words[path] = words in text
    saw.ages = sorted(set(saw.ages))


def _ask(card: Card, saw: Saw) -> None:
    card.ask(
        "the page says so", f"within {_SAYS_SECONDS_MAX:g} s", f"{saw.says_seconds} s",
        oracle="O6", holds=saw.says_seconds is not None,
    )  # fmt: skip
    card.ask(
        "the page stays", "every look is answered, in at most 50 kB",
        f"{saw.answered} of {saw.looks}, {saw.largest} bytes", oracle="O6",
        holds=0 < saw.answered == saw.looks and saw.largest <= _BYTES_MAX,
    )  # fmt: skip
    card.ask(
        "and how old it is", "since when, and the time of what it shows, which stands still",
        f"silent since {saw.said_since}, data of {saw.ages}", oracle="O6",
        holds=bool(saw.said_since) and len(saw.ages) == 1,
    )  # fmt: skip
    card.ask(
        "in words, without a script", "in both languages", saw.in_words, oracle="O6",
        holds=len(saw.in_words) == 2 and all(saw.in_words.values()),
    )  # fmt: skip
    card.ask(
        "back with the bank", f"within {_BACK_SECONDS_MAX:g} s", f"{saw.back_seconds} s",
        oracle="O6", holds=saw.back_seconds is not None,
    )  # fmt: skip
