"""late-success-after-refund: the bank gives money before it knows, and then it turns out paid.

First, nobody answers: QRIS and BI-FAST lose answers, orders and inquiries beyond the limit of the
bank's patience, so it advances what is small and pays for the waiting of the rest. Then everybody
answers: some was paid, some was not. Two customers have spent the advance. Second, two networks
decline for certain what their settlement files list as paid. Times are scaled (see the measures).

Asked, beside the standard oracles:
O4 what we posted is what the networks' books hold, but for what they declined and paid;
O5 nobody was told that a payment failed, at once or in the end, who was debited for it;
O6 whoever was not paid for can read why, and when they hear more;
O8 nothing is open once the networks answer.
The rails are what is rehearsed, so the guard only says what it would do (shadow).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any, Final

import msgspec

from tangguh.cli.drills.care.money import Has, Whereabouts, report_of_money, settled
from tangguh.cli.drills.partners import (
    PARTNERS,
    Payer,
    break_partner,
    payers,
    rehearsal,
    struck,
)
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import (
    Ending,
    ask_plan,
    ask_words,
    ending_of,
)
from tangguh.cli.household import Household
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import SystemClock, business_date
from tangguh.core.errors import StoreUnavailable
from tangguh.core.money import RUPIAH, format_decimal
from tangguh.payments.payment import State
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.payments.redress.rows import Advance, Redress
from tangguh.payments.rules import DEFAULT_FEES
from tangguh.settlement.breaks import Break
from tangguh.settlement.match import Kind

_PEOPLE: Final = 6
_SPENDERS: Final = 2
"""They spend the advance: the last but one gets money again, the last never does."""
_SILENT: Final = ("qris", "bifast")
_LIARS: Final = ("qris", "cards")
_LIES_EACH: Final = 3
_LARGE_MINOR: Final = 1_500_000 * RUPIAH
"""Too large for an advance: its payer waits, and the bank pays for that."""
_POLICY: Final = RedressPolicy(
    advance_after_seconds=4.0,
    notice_seconds=4.0,
    retry_seconds=0.5,
    late_after_seconds=7.0,
    round_seconds=0.2,
)
_NOT_YET_SECONDS: Final = 12.0
"""So long a network itself does not know the end of some payments."""
_OVERRIDES: Final[dict[str, Any]] = {
    "guard": {"mode": "shadow"},
    "redress": {
        name: getattr(_POLICY, name)
        for name in (
            "advance_after_seconds", "notice_seconds", "retry_seconds", "late_after_seconds",
            "round_seconds",
        )
    },
    "qris": {"inquiry_delays_seconds": (1.0, 2.0, 3.0)},
    "bifast": {"inquiry_delays_seconds": (1.0, 2.0, 3.0), "not_found_apart_seconds": 2.0},
}  # fmt: skip
_MIXED: Final[dict[str, list[dict[str, Any]]]] = {
    "qris": [
        {"name": "drop_reply", "probability": 0.4, "seconds": 0.1},
        {"name": "drop_request", "probability": 0.5, "seconds": 0.1},
        {"name": "pending", "seconds": _NOT_YET_SECONDS, "becomes": "failed", "probability": 0.5},
        {"name": "pending", "seconds": _NOT_YET_SECONDS, "becomes": "paid"},
    ],
    "bifast": [
        {"name": "drop_request", "probability": 0.4, "seconds": 0.1},
        {"name": "pending", "seconds": _NOT_YET_SECONDS, "becomes": "failed", "probability": 0.4},
        {"name": "pending", "seconds": _NOT_YET_SECONDS, "becomes": "paid"},
    ],
}
"""What becomes of what nobody answers: paid, never arrived, failed late, paid late."""
_DEAF: Final[dict[str, dict[str, Any]]] = {
    "qris": {"name": "drop_request", "services": ["51", "77"], "seconds": 0.1},
    "bifast": {"name": "drop_request", "services": ["000"], "seconds": 0.1},
}
_FREE_SECONDS_MAX: Final = 5.0
_ADVANCED_SECONDS_MAX: Final = 5.0
_LOOKED_AFTER_SECONDS_MAX: Final = 30.0
_BACK_SECONDS_MAX: Final = 20.0


class _Walk(msgspec.Struct):
    """What a rehearsal saw, besides what the books say in the end."""

    before: dict[int, Has] = {}
    sent: dict[int, int] = {}
    struck: dict[str, int] = {}
    looked_after: bool = False
    owing_minor: int = 0
    could_not_pay: int = 0
    free_seconds: list[float] = []
    not_free: int = 0
    lied: dict[str, int] = {}


def plan_of(seed: int, times: int) -> dict[str, list[list[int]]]:
    """For each silent network, what each customer pays, in minor units, one after the other."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    return {
        partner: [
            [dice.randrange(10, 90) * 1_000 * RUPIAH for _ in range(times)]
            + ([_LARGE_MINOR] if partner == "qris" and number < _PEOPLE - _SPENDERS else [])
            for number in range(_PEOPLE)
        ]
        for partner in _SILENT
    }


async def run(seed: int, times: int) -> Report:
    """Rehearse it; each customer pays each silent network ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    plan = plan_of(seed, times)
    walk = _Walk()
    days = {business_date(clock.now())}
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        books = await Whereabouts.of(household, clock)
        try:
            async with payers(household, control, clock, _PEOPLE) as people:
                walk.before = await books.balances(_accounts(people))
                await _silence(control, notes, people, plan, walk, seed)
                await _spend(control, notes, people, books, walk, seed)
                await _declined(control, notes, people, walk, seed)
                partners = sorted({*_SILENT, *_LIARS})
                ending = await ending_of(household, control, clock, people, partners)
            after = await books.balances(_accounts(people))
            days.add(business_date(clock.now()))
            breaks = await _settle(household, notes, days)
            still = await books.balances(_accounts(people))
            card = Card()
            measures = await _ask(card, ending, people, books, walk, after)
            ask_words(card, ending, people)
            _ask_declined(card, ending, walk, breaks, unchanged=after == still)
        finally:
            await books.close()
    happened = measures["happened"]
    sometimes = {
        f"{name}_answered_nobody": walk.struck.get(name, 0) > 0 for name in _SILENT
    } | {
        "an_advance_was_given": happened.get("advanced", 0) > 0,
        "an_advanced_payment_turned_out_paid": happened.get("advance_owed", 0) > 0,
        "an_advanced_payment_did_not_happen": measures["repaid_in_the_same_step"] > 0,
        "an_advance_was_taken_back": measures["taken_back_after_notice"] > 0,
        "waiting_was_paid_for": happened.get("late_paid", 0) > 0,
        "somebody_could_not_pay_back": walk.could_not_pay > 0,
        "a_network_declined_and_paid": sum(walk.lied.values()) > 0,
    }  # fmt: skip
    return report_of_money(
        "late-success-after-refund", seed, card, ending, notes,
        sometimes=sometimes, measures=measures,
        plan=ask_plan(card, plan, plan_of(seed, times)),
    )  # fmt: skip


# ---- what happens ---------------------------------------------------------------------------


async def _silence(
    control: Control,
    notes: Notes,
    people: list[Payer],
    plan: dict[str, list[list[int]]],
    walk: _Walk,
    seed: int,
) -> None:
    """Everybody pays, and no network says what became of it."""
    spenders, others = people[-_SPENDERS:], people[:-_SPENDERS]
    for number, partner in enumerate(_SILENT):
        paid = {"name": "pending", "seconds": _NOT_YET_SECONDS, "becomes": "paid"}
        groups = ((spenders, [paid]), (others, _MIXED[partner]))
        for group, faults in groups:
            await break_partner(control, partner, seed + number, *faults, _DEAF[partner])
            await asyncio.gather(
                *(_pay(one, partner, plan[partner][people.index(one)]) for one in group)
            )
            walk.struck[partner] = walk.struck.get(partner, 0) + await struck(control, partner)
    notes.add(f"{sum(walk.struck.values())} orders and questions got no answer")


async def _spend(
    control: Control,
    notes: Notes,
    people: list[Payer],
    books: Whereabouts,
    walk: _Walk,
    seed: int,
) -> None:
    """The bank looks after everybody; two spend it all; then the networks answer."""
    walk.looked_after = await books.until_looked_after(_LOOKED_AFTER_SECONDS_MAX)
    notes.add("everybody who waits has an advance, or is paid for waiting")
    friend = people[0]
    kept = [await _give_all(one, friend, walk) for one in people[-_SPENDERS:]]
    notes.add("two customers have spent it all")
    for partner in _SILENT:
        await break_partner(control, partner, seed)
    notes.add("the networks answer again")
    spenders = {int(one.account) for one in people[-_SPENDERS:]}
    owed = sum(one.advance_minor for one in await books.redress() if one.account in spenders)
    back = await books.until_advances_are(owed, _LOOKED_AFTER_SECONDS_MAX)
    notes.add("only those who spent it owe an advance" if back else "advances are still out")
    walk.could_not_pay = sum(
        one.advance is Advance.OWED for one in await books.redress() if one.account in spenders
    )
    returned = people[-_SPENDERS]
    await _give(friend, returned, kept[0], walk)
    last = int(people[-1].account)
    walk.owing_minor = sum(
        one.advance_minor for one in await books.redress() if one.account == last
    )
    if not await books.until_advances_are(walk.owing_minor, _BACK_SECONDS_MAX):
        notes.add("an advance that could be paid back was not taken")
    notes.add("one of them had money again and paid it back")


async def _declined(
    control: Control, notes: Notes, people: list[Payer], walk: _Walk, seed: int
) -> None:
    """Two networks say no for certain, and pay. Who is told no has the money free at once."""
    for number, partner in enumerate(_LIARS):
        await break_partner(control, partner, seed + number, {"name": "lie", "books": "paid"})
        for payer in people[:-_SPENDERS]:
            for _ in range(_LIES_EACH):
                await _pay_and_look(payer, partner, notes, walk)
        walk.lied[partner] = await struck(control, partner)
        await break_partner(control, partner, seed)
    notes.add(f"{sum(walk.lied.values())} payments were declined for certain, and paid")


async def _settle(household: Household, notes: Notes, days: set[Any]) -> list[Break]:
    assert household.bank is not None
    await household.bank.stop()
    tomorrow = notes.clock.now() + timedelta(days=1)
    breaks = await settled(household, household.addresses["control"], days, tomorrow)
    notes.add(f"the files are settled: {len(breaks)} breaks")
    return breaks


async def _pay(payer: Payer, partner: str, amounts: list[int]) -> None:
    for minor in amounts:
        await payer.over(partner, format_decimal(minor))


async def _pay_and_look(payer: Payer, partner: str, notes: Notes, walk: _Walk) -> None:
    """Pay, and look at the balance until the money is free again."""
    free = await payer.available()
    began = notes.seconds
    await payer.over(partner)
    while await payer.available() < free:
        if notes.seconds - began > 2 * _FREE_SECONDS_MAX:
            walk.not_free += 1
            break
        await notes.clock.sleep(0.05)
    walk.free_seconds.append(round(notes.seconds - began, 3))


async def _give_all(payer: Payer, to: Payer, walk: _Walk) -> int:
    minor = await payer.available()
    await _give(payer, to, minor, walk)
    return minor


async def _give(payer: Payer, to: Payer, minor: int, walk: _Walk) -> None:
    said = await payer.to(to.account, format_decimal(minor))
    if said != State.POSTED:
        raise StoreUnavailable(f"a transfer inside the bank was not made: {said}")
    walk.sent[int(payer.account)] = walk.sent.get(int(payer.account), 0) - minor
    walk.sent[int(to.account)] = walk.sent.get(int(to.account), 0) + minor


# ---- what is asked ----------------------------------------------------------------------------


async def _ask(
    card: Card,
    ending: Ending,
    people: list[Payer],
    books: Whereabouts,
    walk: _Walk,
    after: dict[int, Has],
) -> dict[str, Any]:
    redress = await books.redress()
    expected = _expected(ending, people, walk, redress)
    wrong = [account for account, minor in expected.items() if after[account].posted_minor != minor]
    card.ask(
        "balances", "each is what the networks' own books say was bought, and the compensation",
        f"{len(wrong)} of {len(people)} differ", holds=not wrong, oracle="O2",
    )  # fmt: skip
    gained = await books.gained()
    card.ask(
        "one way back", "no payer has more of a payment than before it", f"{gained} have",
        holds=not gained, oracle="O2",
    )  # fmt: skip
    below = [account for account, has in after.items() if has.posted_minor < has.held_minor]
    card.ask("nobody below zero", "0 customers", len(below), holds=not below, oracle="O3")
    out_minor = await books.advances_minor()
    card.ask(
        "advances", "out is what the one declared customer still owes, and nothing else",
        f"{out_minor // RUPIAH} of {walk.owing_minor // RUPIAH} rupiah",
        holds=out_minor == walk.owing_minor,
    )  # fmt: skip
    late = _seconds_late(ending, redress)
    card.ask(
        "advanced in time", f"at most {_ADVANCED_SECONDS_MAX:g} s after the limit",
        f"{late} s; everybody looked after: {walk.looked_after}",
        holds=late <= _ADVANCED_SECONDS_MAX and walk.looked_after,
    )  # fmt: skip
    happened = await books.happened()
    settled_ids = {one.payment_id for one in redress if one.advance is Advance.SETTLED}
    voided = {one.id for one in ending.payments if one.state is State.VOIDED}
    return {
        "scaled": _OVERRIDES["redress"] | {"networks_know_after_seconds": _NOT_YET_SECONDS},
        "faults_struck": walk.struck,
        "happened": happened,
        "not_advanced": dict(Counter(one.why_not for one in redress if one.why_not)),
        "repaid_in_the_same_step": len(settled_ids & voided),
        "taken_back_after_notice": len(settled_ids - voided),
        "still_owed_minor": out_minor,
        "could_not_pay_back_at_first": walk.could_not_pay,
        "compensation_minor": sum(one.late_minor for one in redress),
        "advanced_seconds_after_the_limit_max": late,
        "money_free_seconds_max": max(walk.free_seconds, default=0.0),
        "declined_and_paid": walk.lied,
    }


def _ask_declined(
    card: Card, ending: Ending, walk: _Walk, breaks: list[Break], *, unchanged: bool
) -> None:
    slowest = max(walk.free_seconds, default=0.0)
    card.ask(
        "money free", f"at most {_FREE_SECONDS_MAX:g} s after a certain no", f"{slowest} s",
        holds=slowest <= _FREE_SECONDS_MAX and not walk.not_free,
    )  # fmt: skip
    told = {name: len(_lies(ending, name)) for name in _LIARS}
    differing = {
        name: len(ending.here[name].items() ^ ending.there[name].items()) - len(_lies(ending, name))
        for name in ending.here
    }
    card.ask(
        "networks agree", "only what they declined and paid differs",
        f"{differing}, and {told} declined and paid",
        holds=not any(differing.values()) and told == walk.lied, oracle="O4",
    )  # fmt: skip
    found = {one.reference for one in breaks if one.kind is Kind.STATE_DIFFERS and one.owner}
    wanted = {reference for name in _LIARS for reference in _lies(ending, name)}
    card.ask(
        "breaks", "one with an owner for each of them, and no other",
        f"{len(found & wanted)} of {len(wanted)}, {len(breaks)} in all",
        holds=found == wanted and len(breaks) == len(wanted),
    )  # fmt: skip
    card.ask(
        "nobody is debited for it", "settlement moves no customer's money",
        "it moved none" if unchanged else "it moved some", holds=unchanged,
    )  # fmt: skip


def _expected(
    ending: Ending, people: list[Payer], walk: _Walk, redress: list[Redress]
) -> dict[int, int]:
    """What each customer should have: by the networks' own books, what was told at the phones, and
    what the bank gave for waiting.
    """
    payer_of = {one.payment_id: int(payer.account) for payer in people for one in payer.answers}
    ids = {payment.reference: str(payment.id) for payment in ending.payments}
    expected = {account: has.posted_minor for account, has in walk.before.items()}
    for partner, paid in ending.there.items():
        fee = DEFAULT_FEES.get(PARTNERS[partner].service, 0)
        for reference in paid.keys() - _lies(ending, partner):
            expected[payer_of[ids[reference]]] -= paid[reference] + fee
    for account, minor in walk.sent.items():
        expected[account] += minor
    for one in redress:
        expected[one.account] += one.late_minor
    expected[int(people[-1].account)] += walk.owing_minor
    return expected


def _lies(ending: Ending, partner: str) -> set[str]:
    """What this network declined and paid all the same."""
    voided = {one.reference for one in ending.payments if one.state is State.VOIDED}
    return voided & ending.there[partner].keys()


def _seconds_late(ending: Ending, redress: list[Redress]) -> float:
    """How long after the limit the slowest advance came."""
    accepted = {one.id: one.accepted_at for one in ending.payments}
    waited = [
        (one.advanced_at - accepted[one.payment_id]).total_seconds()
        for one in redress
        if one.advanced_at is not None
    ]
    return round(max(waited, default=0.0) - _POLICY.advance_after_seconds, 3)


def _accounts(people: list[Payer]) -> list[int]:
    return [int(payer.account) for payer in people]
