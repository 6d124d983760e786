"""mad-detector: two rules of the guard point at most of the traffic, and nothing is wrong.

One rule (class B) points at every account, one (class C) at whole rails. Asked, beside the
standard oracles: never more than a tenth of the attempts of any 15 seconds is stopped by them;
both lose their voice, and what they closed is declared wrong; few good payments are lost; and an
account whose row is changed beside the book is closed all the same (class A), within ten seconds.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import SEED, payers, rehearsal
from tangguh.cli.drills.paying import pay_in_turn
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.closures import Change, closed, told_in_brief
from tangguh.cli.drills.scores.ending import Ending, ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import STOPPED, Band, Recorder
from tangguh.cli.drills.street import Street
from tangguh.cli.drills.tampering import restore_rows, tamper, until_closed
from tangguh.core.clock import SystemClock
from tangguh.customers.seed import demo
from tangguh.guard.closure import SignalClass
from tangguh.guard.rules import DEFAULT_RULES, Metric, Rule
from tangguh.guard.scope import Scope

_PEOPLE: Final = 24
_PACE_SECONDS: Final = 1.2
_MAD_SECONDS: Final = 30.0
_WINDOW_SECONDS: Final = 15
_STOPPED_PERCENT_MAX: Final = 10.0
_LOST_PERCENT_MAX: Final = 2.0
_CLOSED_SECONDS_MAX: Final = 10.0
_TAMPERED_MINOR: Final = 1_000_000_00
_PARTNERS: Final = ("qris", "ovo")
_SERVICES: Final = ("onus", *_PARTNERS)
_MAD: Final = ("mad-account", "mad-rail")


def _mad_rule(name: str, signal_class: SignalClass, by: tuple[str, ...], threshold: int) -> Rule:
    return Rule(
        id=name,
        signal_class=signal_class,
        metric=Metric.ATTEMPTS,
        by=by,
        threshold=threshold,
        window_seconds=60,
        reason=name.replace("-", "_"),
        cause="a rehearsal: this rule points at nearly everything",
        message_id="Latihan: layanan ini ditutup sebentar.",
        message_en="A rehearsal: this service is closed for a moment.",
        ttl_seconds=300,
        where=Scope(direction="out"),
    )


_RULES: Final = (
    *DEFAULT_RULES,
    _mad_rule(_MAD[0], SignalClass.ABUSE, ("account",), 3),
    _mad_rule(_MAD[1], SignalClass.HEALTH, ("rail",), 20),
)


async def run(seed: int, times: int) -> Report:
    """Rehearse it; ``times`` accounts are changed beside the book afterwards, one by one."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    overrides = {"guard": {"rules": msgspec.to_builtins(_RULES), "pulse_seconds": 2.0}}
    async with rehearsal(notes, overrides) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            async with asyncio.TaskGroup() as group:
                group.create_task(pay_in_turn(street, people, _SERVICES, _PACE_SECONDS))
                mad = await street.window(_MAD_SECONDS, "mad")
                notes.add("the rules have pointed at everybody")
                after, busy = [], {int(payer.account) for payer in people}
                # One that pays is written as it truly is with its next payment; these do not.
                quiet = [one[1] for one in demo(SEED)[1] if one[1] not in busy]
                for number in range(times):
                    account = quiet[number]
                    at = await tamper(household.dsn, [account], _TAMPERED_MINOR)
                    after.append(await until_closed(household.dsn, clock, account, at))
                    notes.add(f"a changed row was closed after {after[-1]} s")
                street.stop()
            await restore_rows(household.dsn)
            ending = await ending_of(household, control, clock, people, _PARTNERS)
    card = Card()
    ask_ending(card, ending, people)
    measures = _ask_guard(card, ending, street.recorder, notes)
    card.ask(
        "integrity still acts", f"a changed row closed in at most {_CLOSED_SECONDS_MAX:g} s",
        f"{after} s", holds=all(one is not None and one <= _CLOSED_SECONDS_MAX for one in after),
    )  # fmt: skip
    by_mad = [one for one in closed(ending.history) if one.made_by.removeprefix("rule:") in _MAD]
    sometimes = {
        f"{name}_closed_something": any(name in one.made_by for one in by_mad) for name in _MAD
    }
    plan = [seed, _PEOPLE, _PACE_SECONDS, msgspec.to_builtins(_RULES[-2:])]
    return report_of(
        "mad-detector", seed, card, ending, notes, street.recorder,
        sometimes=sometimes, measures=measures | {"closed_after_seconds": after},
        faults=[Band(mad.begins, mad.ends, "fault", "two rules point at everything")],
        plan=ask_plan(card, plan, plan),
        shown_as={"onus": "onus", "qris": "qris", "ewallet": "ovo"},
    )  # fmt: skip


def _ask_guard(card: Card, ending: Ending, recorder: Recorder, notes: Notes) -> dict[str, Any]:
    made = {rule: _made_by(ending.history, rule) for rule in _MAD}
    worst = worst_share(recorder)
    card.ask(
        "little is stopped", f"at most {_STOPPED_PERCENT_MAX:g} % of any {_WINDOW_SECONDS} s",
        f"{worst} %", holds=worst <= _STOPPED_PERCENT_MAX,
    )  # fmt: skip
    tried, lost = len(recorder.samples), sum(s.state in STOPPED for s in recorder.samples)
    share = round(100 * lost / tried, 2) if tried else 0.0
    card.ask(
        "few good payments lost", f"at most {_LOST_PERCENT_MAX:g} % of all",
        f"{lost} of {tried} ({share} %)", holds=share <= _LOST_PERCENT_MAX,
    )  # fmt: skip
    seconds: dict[str, float | None] = {}
    for rule, changes in made.items():
        lifted = [one for one in changes if one.what == "false_positive"]
        begun = [one for one in changes if one.what == "closed"]
        again = [one for one in begun if lifted and one.at > lifted[-1].at + timedelta(seconds=1)]
        open_still = {one.closure.id for one in begun} - {one.closure.id for one in lifted}
        seconds[rule] = (
            round((lifted[0].at - begun[0].at).total_seconds(), 3) if lifted and begun else None
        )
        card.ask(
            f"{rule} is not believed", "what it closed is declared wrong, nothing closed after",
            f"{len(begun)} closed, {len(lifted)} lifted after {seconds[rule]} s, "
            f"{len(again)} closed again",
            holds=bool(lifted) and not again and not open_still,
        )  # fmt: skip
    return {
        "good_payments_stopped": lost,
        "stopped_percent_of_15_s_max": worst,
        "distrusted_after_seconds": seconds,
        "closures": told_in_brief(ending.history),
    }


def _made_by(history: list[Change], rule: str) -> list[Change]:
    ids = {one.closure.id for one in history if one.closure.made_by == f"rule:{rule}"}
    return [one for one in history if one.closure.id in ids]


def worst_share(recorder: Recorder, seconds: int = _WINDOW_SECONDS) -> float:
    """The greatest share, in percent, that gates stopped of the attempts of any such stretch."""
    rows = list(recorder.series().values())
    length = max((len(row) for row in rows), default=0)
    worst = 0.0
    for begin in range(max(length - seconds + 1, 1)):
        part = [one for row in rows for one in row[begin : begin + seconds]]
        tried, stopped = sum(one[0] for one in part), sum(one[2] for one in part)
        worst = max(worst, 100 * stopped / tried if tried else 0.0)
    return round(worst, 2)
