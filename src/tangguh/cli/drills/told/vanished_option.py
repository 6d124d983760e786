"""vanished-option: BI-FAST is closed, and nobody finds a menu without it and without a word.

In March 2025 the option vanished from the app for two hours, and the word was "maintenance". Here
people close outgoing BI-FAST by hand while transfers wait for their answers. Asked, beside the
standard oracles:
O6 the option stays in the app with its reason, its next word and what works instead; whoever tries
   anyway is refused with the reason; everybody whose transfer waits is told within 60 s, the public
   page within 120 s, and nobody says maintenance;
O9 every other service goes on as before.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from tangguh.cli.device import Device
from tangguh.cli.drills.duty.crew import COMMANDER, RISK, Crew
from tangguh.cli.drills.partners import Payer, break_partner, payers, rehearsal
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_others, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.told.page import Notice, Page, condition_of, notices_of
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.service import TRANSFER_BIFAST
from tangguh.customers.seed import DEMO_PIN, demo

_SCOPE: Final = "rail=bifast direction=out"
_SERVICES: Final = ("onus", "qris", "ovo")
_PEOPLE: Final = 12
_WAITING: Final = 6
_PACE_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 6.0
_CLOSED_SECONDS: Final = 20.0
_TOLD_SECONDS_MAX: Final = 60.0
_PAGE_SECONDS_MAX: Final = 120.0
_CLOSE: Final[dict[str, Any]] = {
    "scope": _SCOPE,
    "reason": "by_hand",
    "cause": "a rehearsal",
    "message_id": "Transfer BI-FAST keluar kami tutup sementara. Saldo Anda tetap tercatat.",
    "message_en": "Outgoing BI-FAST is closed for now. Your balance is recorded in our books.",
}
_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "drop_request", "seconds": 1.0},
    {"name": "drop_request", "services": ["000"], "seconds": 1.0},
)
"""Lost on the way, and no question about it is answered either."""
_FORBIDDEN: Final = ("pemeliharaan", "maintenance")
_OVERRIDES: Final[dict[str, Any]] = {
    "guard": {"mode": "shadow"},
    "status": {"window_seconds": 30.0},
    "incidents": {"monitor_seconds": 3.0, "affected_seconds": 3.0},
}


class Saw(msgspec.Struct, kw_only=True):
    """What was found while it was closed."""

    page_seconds: float | None = None
    listed: dict[str, Any] = {}
    refused: str = ""
    public_texts: list[str] = []
    after_seconds: float | None = None


async def run(seed: int, times: int) -> Report:
    """Rehearse it; each of six people has ``times`` transfers without an answer."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    saw = Saw()
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with (
            payers(household, control, clock, _PEOPLE) as people,
            Page(household, clock) as page,
            Crew(household, clock) as crew,
        ):
            walking = asyncio.create_task(pay_in_turn(street, people, _SERVICES, _PACE_SECONDS))
            quiet = await street.window(_QUIET_SECONDS)
            await break_partner(control, "bifast", seed, *_FAULTS)
            await asyncio.gather(*(_transfer(one, times) for one in people[:_WAITING]))
            closed_at = clock.now()
            closure = (await crew.ask(COMMANDER, "POST", "/gates", _CLOSE))["closure"]
            began = notes.seconds
            notes.add("outgoing BI-FAST is closed by hand")
            shut, _ = await asyncio.gather(
                street.window(_CLOSED_SECONDS, "closed"),
                _look(saw, household.addresses["bank"], clock, page, people[-1]),
            )
            await break_partner(control, "bifast", seed)
            await _lift(crew, str(closure["id"]))
            band = Band(began, notes.seconds, "closure", "BI-FAST out", TRANSFER_BIFAST)
            notes.add("two people have opened it again")
            saw.after_seconds = await page.until(
                lambda said: condition_of(said, TRANSFER_BIFAST) == "operational",
                _PAGE_SECONDS_MAX,
            )
            street.stop()
            await walking
            ending = await ending_of(household, control, clock, people, ("qris", "bifast"))
            heard = await notices_of(household.dsn)
    card = Card()
    ask_ending(card, ending, people)
    waited = _asked_of_waiting(card, heard, closed_at)
    _ask_shown(card, saw)
    _ask_page(card, saw, heard)
    ask_others(card, street.recorder, _SERVICES, [quiet], [shut])
    plan = [seed, times, _CLOSE]
    return report_of(
        "vanished-option", seed, card, ending, notes, street.recorder,
        sometimes={"somebody_waited": waited > 0},
        measures={
            "page_seconds": saw.page_seconds,
            "open_again_seconds": saw.after_seconds,
            "people_told": waited,
            "shown": saw.listed,
            "compressed": {key: value for key, value in _OVERRIDES.items() if key != "guard"},
        },
        faults=[band],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _transfer(payer: Payer, times: int) -> None:
    await asyncio.gather(*(payer.over("bifast") for _ in range(times)))


async def _lift(crew: Crew, closure: str) -> None:
    proposed = await crew.ask(
        COMMANDER, "POST", f"/gates/{closure}/false-positive", {"why": "the rehearsal is over"}
    )
    await crew.agree(proposed, RISK)


async def _look(saw: Saw, url: str, clock: Clock, page: Page, payer: Payer) -> None:
    """As a customer in the app, and as anybody at the public page."""
    saw.page_seconds = await page.until(_shows_it, _PAGE_SECONDS_MAX)
    for path in ("/", "/en/"):
        _, text = await page.text(path)
        saw.public_texts.append(text)
    people, accounts, _ = demo(1)
    owner = next(customer for customer, account, _ in accounts if str(account) == payer.account)
    async with Device(url, clock) as device:
        await device.log_in(people[owner - 1].phone, DEMO_PIN)
        said = await device.ask("GET", "/v1/services")
        for one in said.body["services"]:
            if one["id"] == TRANSFER_BIFAST:
                saw.listed = dict(one)
    answer = await payer.order(payer.order_over("bifast", "10000.00"))
    saw.refused = answer.word


def _asked_of_waiting(card: Card, heard: list[Notice], closed_at: Any) -> int:
    begun = [one for one in heard if one.template == "incident_begun_yours"]
    people = {one.customer for one in begun}
    late = [(one.made_at - closed_at).total_seconds() for one in begun]
    card.ask(
        "everybody who waits is told", f"once, within {_TOLD_SECONDS_MAX:g} s of the closure",
        f"{len(people)} of {_WAITING}, {len(begun)} messages, slowest {max(late, default=0):.1f} s",
        oracle="O6",
        holds=len(people) == len(begun) == _WAITING and max(late) <= _TOLD_SECONDS_MAX,
    )  # fmt: skip
    return len(people)


def _ask_shown(card: Card, saw: Saw) -> None:
    shut = saw.listed.get("shut") or {}
    has_all = all(
        shut.get(name) for name in ("message_id", "message_en", "next_word_at", "alternative")
    )
    card.ask(
        "the option stays", "listed, closed, with reason, next word and what works instead",
        f"{saw.listed.get('id', 'gone')}: {shut.get('state', 'open')}, "
        f"instead {shut.get('alternative', '')}",
        oracle="O6",
        holds=bool(saw.listed) and not saw.listed.get("is_open", True) and has_all,
    )  # fmt: skip
    card.ask(
        "whoever tries is told", "refused for protection, nothing debited", saw.refused,
        oracle="O6", holds=saw.refused == "protective_closure",
    )  # fmt: skip


def _ask_page(card: Card, saw: Saw, heard: list[Notice]) -> None:
    card.ask(
        "the public page", f"within {_PAGE_SECONDS_MAX:g} s, and well again after",
        f"{saw.page_seconds} s; open again {saw.after_seconds} s", oracle="O6",
        holds=saw.page_seconds is not None
        and saw.page_seconds <= _PAGE_SECONDS_MAX
        and saw.after_seconds is not None,
    )  # fmt: skip
    said = [*saw.public_texts, *(one.body for one in heard), *(one.title for one in heard)]
    named = [word for word in _FORBIDDEN if any(word in text.lower() for text in said)]
    card.ask(
        "nobody says maintenance", "no text without a ticket says so", named or "nobody",
        oracle="O6", holds=not named and bool(saw.public_texts),
    )  # fmt: skip


def _shows_it(status: dict[str, Any]) -> bool:
    is_told = any(TRANSFER_BIFAST in one["components"] for one in status.get("incidents", ()))
    return condition_of(status, TRANSFER_BIFAST) == "protective_restriction" and is_told
