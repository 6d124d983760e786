"""insider-approver: somebody on duty tries to open what is closed, alone, through other accounts.

BI-FAST outgoing is closed. An insider proposes that the closure was wrong, and tries to be the
second person as well: with the same account, with a second one of the same HR number, with one
at another's device, with another hash than the one proposed, and with accounts that were frozen
for it. Customers pay all the while. Asked, beside the standard oracles:
O7 the hash chain is unbroken, and nothing that was used was signed by one person only;
O9 customers notice nothing: class D touches the operator, never them;
O14 nothing opens, every try is refused for its own reason, and both accounts of the pair freeze.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from tangguh.access.people import Role, Staff
from tangguh.access.staff import StaffRegister
from tangguh.cli.drills.duty.crew import COMMANDER, RAIL_OWNER, RECON, RISK, Crew
from tangguh.cli.drills.partners import payers, rehearsal
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_others, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Window
from tangguh.cli.drills.street import Street
from tangguh.cli.household import Household
from tangguh.core.clock import Clock, SystemClock
from tangguh.db.pool import Pool

_SCOPE: Final = "rail=bifast direction=out"
_SERVICES: Final = ("onus", "qris", "ovo")
_PEOPLE: Final = 9
_PACE_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 6.0
_TRY_SECONDS: Final = 0.6
_SIGNED_ALONE: Final = (
    "SELECT u.change_id FROM change_events AS u WHERE u.what = 'used' AND (SELECT count(DISTINCT"
    " e.made_by) FROM change_events AS e WHERE e.change_id = u.change_id AND e.what IN"
    " ('proposed', 'approved')) < 2"
)
_CLOSE: Final[dict[str, Any]] = {
    "scope": _SCOPE,
    "reason": "by_hand",
    "cause": "a rehearsal",
    "message_id": "Transfer BI-FAST ditutup sementara. Saldo Anda tetap tercatat.",
    "message_en": "BI-FAST transfers are closed for now. Your balance is recorded.",
}


class Try(msgspec.Struct, frozen=True):
    """One attempt to open alone, what it had to be refused as, and what it was."""

    what: str
    asked: str
    was: str


async def run(seed: int, times: int) -> Report:
    """Rehearse it; the insider goes through all attempts ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    tries: list[Try] = []
    async with rehearsal(notes) as (household, control):
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            Crew(household, clock) as crew,
        ):
            async with asyncio.TaskGroup() as group:
                group.create_task(pay_in_turn(street, people, _SERVICES, _PACE_SECONDS))
                await clock.sleep(1.0)
                quiet = await street.window(_QUIET_SECONDS)
                begins = notes.seconds
                for turn in range(times):
                    tries += await _insider(household, crew, clock, notes, turn)
                trouble = Window(begins, notes.seconds, "insider")
                street.stop()
            board = await crew.ask(COMMANDER, "GET", "/gates")
            ending = await ending_of(household, control, clock, people, ("qris", "ovo"))
            alone, frozen = await _read(household, clock)
    still = [one["scope"] for one in board["closures"]]
    card = Card()
    ask_ending(card, ending, people)
    ask_others(card, street.recorder, _SERVICES, [quiet], [trouble])
    wrong = [f"{one.what}: {one.was}" for one in tries if one.was != one.asked]
    card.ask(
        "nothing opens", "BI-FAST outgoing stays closed", still, oracle="O14",
        holds=still == [_SCOPE],
    )  # fmt: skip
    card.ask(
        "every try is refused", "each for its own reason", wrong or f"{len(tries)} of {len(tries)}",
        oracle="O14", holds=not wrong and bool(tries),
    )  # fmt: skip
    card.ask(
        "both accounts freeze", "the pair, and nobody else", frozen, oracle="O14",
        holds=frozen == sorted({RAIL_OWNER, _twins(times)[0]}),
    )  # fmt: skip
    card.ask(
        "nobody signed alone", "0 changes were used with one signature", alone, oracle="O7",
        holds=alone == 0,
    )  # fmt: skip
    plan = [seed, times, [one.what for one in tries]]
    return report_of(
        "insider-approver", seed, card, ending, notes, street.recorder,
        sometimes={
            "a_second_account_was_tried": any(one.was == "same_person" for one in tries),
            "a_frozen_account_was_tried": any(one.was == "not_logged_in" for one in tries),
            "another_hash_was_tried": any(one.was == "change_differs" for one in tries),
        },
        measures={"tries": [[one.what, one.was] for one in tries], "frozen": frozen},
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _insider(
    household: Household, crew: Crew, clock: Clock, notes: Notes, turn: int
) -> list[Try]:
    """All attempts, in order. In a later turn the accounts are frozen already."""
    if turn:
        await clock.sleep(_TRY_SECONDS)
        said = await crew.ask(RAIL_OWNER, "GET", "/gates")
        return [Try("a frozen account comes again", "not_logged_in", str(said.get("code")))]
    closed = await crew.ask(COMMANDER, "POST", "/gates", _CLOSE)
    closure = closed["closure"]["id"]
    notes.add("BI-FAST outgoing is closed")
    wrong = {"why": "nothing happened, trust me"}
    asked = await crew.ask(RAIL_OWNER, "POST", f"/gates/{closure}/false-positive", wrong)
    change = asked["change"]
    path, sha256 = f"/changes/{change['id']}/approve", {"sha256": change["sha256"]}
    found = []

    async def attempt(what: str, refused_as: str, by: str, body: dict[str, Any]) -> None:
        said = await crew.ask(by, "POST", path, body)
        found.append(Try(what, refused_as, str(said.get("code", "it was taken"))))
        notes.add(f"{what}: {found[-1].was}")
        await clock.sleep(_TRY_SECONDS)

    await attempt(
        "another hash than the proposed one", "change_differs", RISK, {"sha256": "0" * 64}
    )
    await attempt("the maker with the same account", "same_person", RAIL_OWNER, sha256)
    twin, cousin = _twins(1)
    await crew.enrol(
        household,
        Staff(id=twin, hr_id="hr-002", roles=frozenset({Role.RISK_OFFICER}), group="risk"),
    )
    await attempt("a second account of the same HR number", "same_person", twin, sha256)
    await attempt("the frozen twin once more", "not_logged_in", twin, sha256)
    await attempt("a risk officer, after the change died", "change_ended", RISK, sha256)
    again = await crew.ask(RECON, "POST", f"/gates/{closure}/false-positive", wrong)
    change = again["change"]
    path, sha256 = f"/changes/{change['id']}/approve", {"sha256": change["sha256"]}
    await crew.enrol(
        household,
        Staff(id=cousin, hr_id="hr-099", roles=frozenset({Role.RISK_OFFICER})),
    )
    crew.share(RECON, cousin)
    await attempt("another name at the same device", "approver_not_allowed", cousin, sha256)
    return found


def _twins(_times: int) -> tuple[str, str]:
    return "staff:77", "staff:78"


async def _read(household: Household, clock: Clock) -> tuple[int, list[str]]:
    """How many changes were used with one signature; who is frozen."""
    pool = await Pool.open(household.dsn, size_max=1)
    try:
        alone = await pool.fetch(_SIGNED_ALONE)
        everyone = await StaffRegister(pool, household.settings.book.book_id, clock).everyone()
    finally:
        await pool.close()
    return len(alone), sorted(one.id for one in everyone if not one.is_active)
