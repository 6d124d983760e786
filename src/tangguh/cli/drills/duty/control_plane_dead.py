"""control-plane-dead: a closure is in force, and then everybody who could make one is killed.

A person closes BI-FAST outgoing; then the watch and the bank are killed by SIGKILL, and the gateway
too, and only the gateway is started again. A thief, for whom ring 1 is off, posts all the while. In
the end the bank comes back. Asked, beside the standard oracles:
O9 after the bank is back, every other service is as it was before;
O11 not one order leaves while bank and watch are dead, and after the gateway was restarted;
O15 the closure was in force in the book within 1 s and at the gateway within 2 s, it is in force
   when the bank is back.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp

from tangguh.cli.device import Device
from tangguh.cli.drills.duty.crew import COMMANDER, Crew
from tangguh.cli.drills.partners import Payer, paid_there, payers, rehearsal
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_others, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.theft.thief import Thief
from tangguh.cli.household import Household
from tangguh.core.clock import Clock, SystemClock

_SCOPE: Final = "rail=bifast direction=out"
_SERVICES: Final = ("onus", "qris", "ovo")
_PEOPLE: Final = 9
_PACE_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 6.0
_PER_SECOND: Final = 6.0
_BOOK_SECONDS_MAX: Final = 1.0
_EDGE_SECONDS_MAX: Final = 2.0
_OVERRIDES: Final[dict[str, Any]] = {
    "gateway": {"require_authorisation": False},
    "sim": {"bifast": {"prefunded_minor": None}},
}
_CLOSE: Final[dict[str, Any]] = {
    "scope": _SCOPE,
    "reason": "by_hand",
    "cause": "a rehearsal",
    "message_id": "Transfer BI-FAST ditutup sementara. Saldo Anda tetap tercatat.",
    "message_en": "BI-FAST transfers are closed for now. Your balance is recorded.",
}


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times`` orders are forged in each of the three stretches."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        thief = Thief(household, clock, seed)
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            Crew(household, clock) as crew,
        ):
            quiet = await _stretch(street, people)
            in_book, at_edge = await _close(household, crew, clock)
            notes.add(f"closed: in the book {in_book} s, at the gateway {at_edge} s")
            began = notes.seconds
            dead = await _kill(household, thief, times, notes)
            await household.restart()
            band = Band(began, notes.seconds, "fault", "bank and watch are dead")
            notes.add("the bank is back")
            board = await crew.ask(COMMANDER, "GET", "/gates")
            again = Street(clock, notes)
            after = await _stretch(again, people)
            for sample in again.recorder.samples:
                street.recorder.add(sample)
            ending = await ending_of(household, control, clock, people, ("qris", "ovo"))
            left = await _left(control, thief)
    still = [one["scope"] for one in board["closures"]]
    card = Card()
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, _SERVICES, [quiet], [after])
    card.ask(
        "nothing leaves", "0 forged orders while bank and watch are dead",
        f"{left} of {len(thief.posted)}", oracle="O11", holds=left == 0,
    )  # fmt: skip
    card.ask(
        "in force", "in the book <= 1 s, at the gateway <= 2 s",
        f"{in_book} s, {at_edge} s", oracle="O15",
        holds=in_book <= _BOOK_SECONDS_MAX and at_edge <= _EDGE_SECONDS_MAX,
    )  # fmt: skip
    card.ask(
        "still in force", "after every process was killed", still, oracle="O15",
        holds=still == [_SCOPE],
    )  # fmt: skip
    plan = [seed, times, _PER_SECOND]
    return report_of(
        "control-plane-dead", seed, card, ending, notes, street.recorder,
        sometimes={
            "orders_were_forged": len(thief.posted) == 3 * times,
            "the_gateway_answered_alone": dead["answered_alone"] > 0,
            "the_gateway_was_restarted": dead["after_restart"] > 0,
        },
        measures={"in_book_seconds": in_book, "at_gateway_seconds": at_edge, "left": left, **dead},
        faults=[band],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _stretch(street: Street, people: list[Payer]) -> Any:
    """Everybody pays for a while; the window it was."""
    paying = asyncio.create_task(pay_in_turn(street, people, _SERVICES, _PACE_SECONDS))
    window = await street.window(_QUIET_SECONDS)
    street.stop()
    await paying
    return window


async def _close(household: Household, crew: Crew, clock: Clock) -> tuple[float, float]:
    """Close by hand; seconds until the book has it, and until the gateway enforces it."""
    began = clock.monotonic()
    done = await crew.ask(COMMANDER, "POST", "/gates", _CLOSE)
    closure = done["closure"]["id"]
    in_book = round(clock.monotonic() - began, 3)
    async with Device(household.addresses["gateway"], clock) as asking:
        while clock.monotonic() - began < 10:
            status = (await asking.ask("GET", "/status")).body
            if any(one["id"] == closure for one in status["closures"]["in_force"]):
                break
            await clock.sleep(0.02)
    return in_book, round(clock.monotonic() - began, 3)


async def _kill(household: Household, thief: Thief, times: int, notes: Notes) -> dict[str, int]:
    """Kill the watch and the bank, then the gateway, which alone comes back; the thief posts on."""
    assert household.watcher is not None
    assert household.bank is not None
    assert household.gateway is not None
    household.watcher.kill()
    household.bank.kill()
    notes.add("watch and bank are killed")
    await thief.steal(times, _PER_SECOND)
    alone = _answered(thief)
    await thief.steal(times, _PER_SECOND)
    household.gateway.kill()
    await household.gateway.start()
    notes.add("the gateway was killed and started alone")
    before = _answered(thief)
    await thief.steal(times, _PER_SECOND)
    return {"answered_alone": alone, "after_restart": _answered(thief) - before}


def _answered(thief: Thief) -> int:
    """How many of the thief's orders got any answer from the gateway."""
    return sum(one.status != 0 for one in thief.posted)


async def _left(control: Any, thief: Thief) -> int:
    """How many forged orders the hub has settled."""
    forged = {one.reference for one in thief.posted}
    try:
        return len(forged & (await paid_there(control, "bifast")).keys())
    except aiohttp.ClientError:
        return -1
