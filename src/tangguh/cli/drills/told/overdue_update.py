"""overdue-update: people promised a next word and gave none; the page shows it by itself.

The bank leaves the words between the steps to people, and nobody writes any. Asked, beside the
standard oracles:
O6 the incident is on the page with its first word; when the promised time is over the page says so
   in both languages and as JSON, and stops as soon as a person gives a word; a word the house does
   not allow is refused and changes nothing.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tangguh.cli.drills.duty.crew import COMMANDER, Crew
from tangguh.cli.drills.partners import payers, rehearsal
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band, Recorder, Sample
from tangguh.cli.drills.told.page import Page
from tangguh.core.clock import SystemClock
from tangguh.core.service import TRANSFER_ONUS

_WORD_SECONDS: Final = 8.0
_SECONDS_MAX: Final = 60.0
_LATE_SECONDS_MAX: Final = 10.0
_OVERRIDES: Final[dict[str, Any]] = {
    "incidents": {"words": "people", "next_word_seconds": _WORD_SECONDS},
}
_CLOSE: Final[dict[str, Any]] = {
    "scope": "rail=bifast direction=out",
    "reason": "by_hand",
    "cause": "a rehearsal",
    "message_id": "Transfer BI-FAST keluar kami tutup sementara. Saldo Anda tetap tercatat.",
    "message_en": "Outgoing BI-FAST is closed for now. Your balance is recorded in our books.",
}
_ID: Final = {
    "headline": "BI-FAST keluar masih kami tutup.",
    "happened": "Kami sedang mencocokkan setiap transfer dengan jaringan.",
    "money": "Dana yang belum pasti ditahan di rekening pemiliknya.",
    "do": "Jangan kirim ulang transfer yang menunggu kepastian.",
}
_EN: Final = {
    "headline": "Outgoing BI-FAST is still closed.",
    "happened": "We are matching each transfer with the network.",
    "money": "Money not yet certain is on hold in its owner's account.",
    "do": "Please do not send transfers again that await confirmation.",
}
_FORBIDDEN: Final = {**_ID, "happened": "Ada pemeliharaan sistem, coba beberapa saat lagi."}


class Saw(msgspec.Struct, kw_only=True):
    """What the page said."""

    told_seconds: float | None = None
    late_seconds: float | None = None
    in_words: dict[str, bool] = {}
    refused: str = ""
    still_late: bool = False
    over_seconds: float | None = None


async def run(seed: int, times: int) -> Report:
    """Rehearse it; everybody pays ``times`` times beside it."""
    clock = SystemClock()
    notes = Notes(clock)
    recorder = Recorder()
    saw = Saw()
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        async with (
            payers(household, control, clock, 4) as people,
            Page(household, clock) as page,
            Crew(household, clock) as crew,
        ):
            began = notes.seconds
            await crew.ask(COMMANDER, "POST", "/gates", _CLOSE)
            notes.add("outgoing BI-FAST is closed by hand")
            saw.told_seconds = await page.until(lambda said: bool(said["incidents"]), _SECONDS_MAX)
            for number, payer in enumerate(people):
                for _ in range(times):
                    at = notes.seconds
                    state = await payer.to(people[number - 1].account)
                    recorder.add(Sample(TRANSFER_ONUS, at, notes.seconds - at, state))
            saw.late_seconds = await page.until(lambda said: bool(said["overdue"]), _SECONDS_MAX)
            notes.add("the promised time is over, and the page says so")
            for path, words in (("/", "terlambat: kabar"), ("/en/", "late: a word")):
                _, text = await page.text(path)
                saw.in_words[path] = words in text.lower()
            await _speak(saw, crew, page)
            notes.add("somebody has given a word")
            band = Band(began, notes.seconds, "closure", "BI-FAST out", "")
            ending = await ending_of(household, control, clock, people, ("qris",))
    card = Card()
    ask_ending(card, ending, people)
    _ask(card, saw)
    plan = [seed, times, _WORD_SECONDS]
    return report_of(
        "overdue-update", seed, card, ending, notes, recorder,
        sometimes={"a_word_was_late": saw.late_seconds is not None},
        measures={"page": msgspec.to_builtins(saw), "compressed": _OVERRIDES},
        faults=[band],
        plan=ask_plan(card, plan, plan),
    )  # fmt: skip


async def _speak(saw: Saw, crew: Crew, page: Page) -> None:
    found = (await crew.ask(COMMANDER, "GET", "/incidents"))["incidents"]
    path = f"/incidents/{found[0]['id']}/word"
    said = await crew.ask(COMMANDER, "POST", path, {"id": _FORBIDDEN, "en": _EN})
    saw.refused = str(said.get("code", ""))
    saw.still_late = bool((await page.status()).get("overdue"))
    await crew.ask(COMMANDER, "POST", path, {"id": _ID, "en": _EN, "next_minutes": 15})
    saw.over_seconds = await page.until(lambda now: not now["overdue"], _SECONDS_MAX)


def _ask(card: Card, saw: Saw) -> None:
    card.ask(
        "the first word", f"on the page within {_SECONDS_MAX:g} s", f"{saw.told_seconds} s",
        oracle="O6", holds=saw.told_seconds is not None,
    )  # fmt: skip
    latest = _WORD_SECONDS + _LATE_SECONDS_MAX
    card.ask(
        "overdue shows itself", f"within {_LATE_SECONDS_MAX:g} s of the promised time",
        f"{saw.late_seconds} s after the first word was seen", oracle="O6",
        holds=saw.late_seconds is not None and saw.late_seconds <= latest,
    )  # fmt: skip
    card.ask(
        "in words", "in both languages, without a script", saw.in_words, oracle="O6",
        holds=len(saw.in_words) == 2 and all(saw.in_words.values()),
    )  # fmt: skip
    card.ask(
        "a forbidden word", "is refused and changes nothing", saw.refused, oracle="O6",
        holds=saw.refused in {"ticket_missing", "text_not_allowed"} and saw.still_late,
    )  # fmt: skip
    card.ask(
        "over with a word", f"within {_LATE_SECONDS_MAX:g} s", f"{saw.over_seconds} s",
        oracle="O6", holds=saw.over_seconds is not None and saw.over_seconds <= _LATE_SECONDS_MAX,
    )  # fmt: skip
