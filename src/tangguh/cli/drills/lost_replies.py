"""lost-replies: every partner in turn carries payments out and loses its answers.

Asked, while customers go on paying:
O1 every posting balances and the book adds up to zero;
O2 every payment has exactly one outcome, and open ones hold their money;
O3 nobody is below their floor;
O4 what we posted over each partner is what its own books hold as paid, one for one;
O5 every payment that was acknowledged to a customer is there;
O6 nobody was told that a payment failed, at once or in the end, who was debited for it;
O7 the hash chain is unbroken;
O8 everything open ended by itself.
The rail is what is rehearsed, so the guard only says what it would do (shadow).
"""

from __future__ import annotations

from typing import Any, Final

from tangguh.cli.drills.partners import (
    PARTNERS,
    Told,
    all_payments,
    ask_again,
    break_partner,
    everybody,
    paid_there,
    payers,
    posted_here,
    rehearsal,
    struck,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.prove import prove_dsn
from tangguh.core.clock import SystemClock
from tangguh.payments.payment import Payment, State

_PEOPLE: Final = 6
_SHARE: Final = 0.6
_ENDED_SECONDS_MAX: Final = 45.0
_OVERRIDES: Final[dict[str, Any]] = {"guard": {"mode": "shadow"}}
_FAILED: Final = frozenset({State.VOIDED, State.REFUSED})


async def run(seed: int, times: int) -> Report:
    """Rehearse it; each customer pays each partner ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        losses: dict[str, int] = {}
        async with payers(household, control, clock, _PEOPLE) as people:
            for number, partner in enumerate(PARTNERS):
                fault = {"name": "drop_reply", "probability": _SHARE, "seconds": 0.1}
                await break_partner(control, partner, seed + number, fault)
                await everybody(people, partner, times)
                losses[partner] = await struck(control, partner)
                await break_partner(control, partner, seed)
                notes.add(f"{partner} lost {losses[partner]} replies")
            ended = await until_ended(household.dsn, clock, _ENDED_SECONDS_MAX)
            notes.add("nothing is open" if ended else "something never ended")
            told = await ask_again(people)
        payments = await all_payments(household)
        there = {partner: await paid_there(control, partner) for partner in PARTNERS}
        proof = await prove_dsn(household.dsn)
    here = {partner: posted_here(payments, partner) for partner in PARTNERS}
    differing = {name: len(there[name].items() ^ here[name].items()) for name in PARTNERS}
    oracles = oracles_of(proof) | {
        "O4": not any(differing.values()),
        "O5": not _lost(told, payments),
        "O6": not _deceived(told, payments),
        "O8": ended,
    }
    sometimes: dict[str, bool] = {f"{name}_lost_replies": losses[name] > 0 for name in PARTNERS}
    sometimes["a_payment_was_unanswered_and_then_posted"] = any(
        one.at_once not in _FAILED and one.at_once != State.POSTED
        and one.in_the_end == State.POSTED
        for one in told
    )  # fmt: skip
    measures: dict[str, Any] = {
        "acknowledged": len(told),
        "replies_lost": losses,
        "posted": {name: len(here[name]) for name in PARTNERS},
        "posted_minor": {name: sum(here[name].values()) for name in PARTNERS},
        "paid_there_minor": {name: sum(there[name].values()) for name in PARTNERS},
        "differing": differing,
        "told_failed_and_debited": len(_deceived(told, payments)),
        "broken": [one.name for one in proof.invariants if not one.holds],
    }
    passed = verdict(oracles, sometimes, proof)
    return Report("lost-replies", seed, passed, oracles, sometimes, measures, notes.moments)


def _lost(told: list[Told], payments: list[Payment]) -> list[str]:
    there = {str(payment.id) for payment in payments}
    return [one.payment_id for one in told if one.payment_id not in there]


def _deceived(told: list[Told], payments: list[Payment]) -> list[str]:
    """Payments whose customer was told "failed" and which were posted all the same."""
    posted = {str(one.id) for one in payments if one.state in {State.POSTED, State.REFUNDED}}
    return [
        one.payment_id
        for one in told
        if {one.at_once, one.in_the_end} & _FAILED and one.payment_id in posted
    ]
