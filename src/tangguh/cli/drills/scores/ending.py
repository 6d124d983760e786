"""What is looked at when a drill's trouble is over, the same in every drill that has payers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import (
    Payer,
    all_payments,
    paid_there,
    posted_here,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report, oracles_with, verdict
from tangguh.cli.drills.scores.card import Card, plan_hash
from tangguh.cli.drills.scores.closures import Change, bands_of, gate_history
from tangguh.cli.drills.scores.recorder import Band, Recorder, Window, fall_in_points
from tangguh.cli.drills.scores.told import Told
from tangguh.cli.household import Household
from tangguh.cli.prove import prove_dsn
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock
from tangguh.payments.payment import Payment, State
from tangguh.payments.proof import Proof

ENDED_SECONDS_MAX: Final = 30.0
SHOWN_MAX: Final = 40
"""So many payments of each customer that were not paid are looked at as the app shows them."""
FALL_POINTS_MAX: Final = 0.1
_FAILED: Final = frozenset({"refused", "voided"})


class Ending(msgspec.Struct, frozen=True):
    """How it all stands in the end: our book, the networks', the gates' history, what is shown."""

    ended: bool
    payments: list[Payment]
    here: dict[str, dict[str, int]]
    there: dict[str, dict[str, int]]
    history: list[Change]
    lacking: list[str]
    shown: int
    proof: Proof


async def ending_of(
    household: Household,
    control: Control,
    clock: Clock,
    people: Sequence[Payer],
    partners: Iterable[str],
    seconds_max: float = ENDED_SECONDS_MAX,
) -> Ending:
    """Wait until nothing is open, then read both sides' books and what customers are shown."""
    dsn = household.dsn
    ended = await until_ended(dsn, clock, seconds_max)
    payments = await all_payments(household)
    history = await gate_history(dsn)
    told, lacking, shown = Told(history), [], 0
    for payer in people:
        unpaid = [one for one in payer.answers if one.payment_id and one.state != State.POSTED]
        for answer in unpaid[:SHOWN_MAX]:
            shown += 1
            if lack := told.lacks(await payer.shown(answer.payment_id)):
                lacking.append(lack)
    here = {partner: posted_here(payments, partner) for partner in partners}
    there = {partner: await paid_there(control, partner) for partner in here}
    return Ending(ended, payments, here, there, history, lacking, shown, await prove_dsn(dsn))


def ask_ending(card: Card, ending: Ending, people: Sequence[Payer]) -> None:
    """O4, O5, O6 and O8."""
    differing = {
        name: len(ending.here[name].items() ^ ending.there[name].items()) for name in ending.here
    }
    card.ask(
        "networks agree", "0 payments differ", differing, oracle="O4",
        holds=not any(differing.values()),
    )  # fmt: skip
    ask_words(card, ending, people)


def ask_words(card: Card, ending: Ending, people: Sequence[Payer]) -> None:
    """O5, O6 and O8: what customers were told, and that all has ended."""
    lost, deceived = broken_words(people, ending.payments)
    card.ask(
        "nothing told is lost", "0 acknowledged lost, 0 told failed and debited",
        f"{lost} lost, {deceived} debited", oracle="O5", holds=not lost and not deceived,
    )  # fmt: skip
    card.ask(
        "told why", "every payment that was not made shows its reason and the next word",
        f"{ending.shown - len(ending.lacking)} of {ending.shown} looked at "
        + "; ".join(sorted(set(ending.lacking))[:3]),
        oracle="O6", holds=not ending.lacking,
    )  # fmt: skip
    card.ask(
        "all ended", "nothing open after the trouble", "nothing" if ending.ended else "something",
        oracle="O8", holds=ending.ended,
    )  # fmt: skip


def ask_others(
    card: Card,
    recorder: Recorder,
    services: Iterable[str],
    quiet: Sequence[Window],
    trouble: Sequence[Window],
    fall_points_max: float = FALL_POINTS_MAX,
) -> float:
    """O9: success of these services in trouble against quiet windows; the fall in points."""
    names = list(services)
    calm, shaken = recorder.count(names, quiet), recorder.count(names, trouble)
    fall = fall_in_points(calm, shaken)
    card.ask(
        "others unharmed", f"success falls by at most {fall_points_max} point",
        f"{fall} ({calm.paid} of {calm.tried} quiet, {shaken.paid} of {shaken.tried} in trouble)",
        oracle="O9", holds=fall <= fall_points_max and calm.tried > 0 and shaken.tried > 0,
    )  # fmt: skip
    return fall


def ask_plan(card: Card, plan: Any, again: Any) -> str:
    """O10: the plan of faults and orders follows from the seed alone; its hash."""
    made = plan_hash(plan)
    card.ask(
        "the same plan", "the same seed plans the same faults and orders", made, oracle="O10",
        holds=made == plan_hash(again),
    )  # fmt: skip
    return made


def report_of(
    drill: str,
    seed: int,
    card: Card,
    ending: Ending,
    notes: Notes,
    recorder: Recorder,
    *,
    sometimes: dict[str, bool],
    measures: dict[str, Any],
    faults: Sequence[Band] = (),
    plan: str = "",
    shown_as: dict[str, str] | None = None,
) -> Report:
    """The report. ``shown_as``: the drill's name of a service or partner, for the picture."""
    oracles = oracles_with(card, ending.proof)
    broken = [one.name for one in ending.proof.invariants if not one.holds]
    return Report(
        drill,
        seed,
        verdict(oracles, sometimes, ending.proof),
        oracles,
        sometimes,
        measures | {"payments": len(ending.payments), "broken": broken},
        notes.moments,
        card.lines,
        plan,
        recorder.series(),
        [*faults, *bands_of(ending.history, notes.began_at, shown_as or {})],
    )


def broken_words(people: Sequence[Payer], payments: list[Payment]) -> tuple[int, int]:
    """How many acknowledged payments are not there or not as told, and told failed but debited."""
    there = {str(payment.id): payment.state for payment in payments}
    made = {State.POSTED, State.REFUNDED}
    lost = deceived = 0
    for payer in people:
        for answer in payer.answers:
            if not answer.payment_id:
                continue
            state = there.get(answer.payment_id)
            if state is None or (answer.state == State.POSTED and state not in made):
                lost += 1
            elif answer.state in _FAILED and state in made:
                deceived += 1
    return lost, deceived
