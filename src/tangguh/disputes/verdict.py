"""What the bank's own evidence says of a case: decided, waiting for a clock, or for people. Pure.

The bank does not ask a customer to prove what it can see itself. A payment that ended says how; one
that has not is on a clock already; one that a settled file does not list was never paid out, so the
bank gives it back. Only what is left needs people.

Settled is not received: a file says that two banks agree, not that notes came out of a machine,
that a chip was loaded, or that a meter's token was read. Each of these has its own evidence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.order import PaymentOrder, ToBiller, ToCash
from tangguh.core.service import BILL
from tangguh.disputes.case import About, Case, Outcome
from tangguh.payments.payment import NEXT_WORD_SECONDS, Payment, State
from tangguh.payments.redress.policy import RedressPolicy

FILE_WAIT: Final = timedelta(hours=36)
"""A network's file of a day is here within so long; until then nobody can say it lists nothing."""
_NEEDS_PEOPLE: Final = frozenset({About.NOT_MINE})
"""Somebody else may have paid: a posted payment proves nothing about who ordered it."""


class WaitsFor(StrEnum):
    """What a case can wait for. The value is the reason that is stored with the case."""

    NETWORK = "its network has not answered yet"
    SERVICE = "its service is closed and it is not sent yet"
    ADVANCE = "the bank has advanced it meanwhile"
    FILE = "the network's file of that day is still to come"
    MONEY_BACK = "its money is on the way back"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank knows of the payment a case is about.

    ``listed_minor``: what settled files list of it, None when none does. ``is_break``: settlement
    has an open break for it. ``file_closed``: the file of its cycle has been read and posted.
    ``is_inside``: it never left the bank. ``waits_for_tap``: it is on the server of a card that no
    reader has loaded since. ``receipt``: what the payee gave for it, such as a power token.
    ``assured_at``: when the books and the settlement were last seen to hold, None when they are
    not.
    """

    payment: Payment | None
    listed_minor: int | None = None
    is_break: bool = False
    file_closed: bool = False
    is_inside: bool = False
    waits_for_tap: bool = False
    receipt: str = ""
    assured_at: datetime | None = None


class Decide(msgspec.Struct, frozen=True, tag="decide"):
    """The bank's own evidence decides it."""

    outcome: Outcome
    why: str


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Its payment is on a clock; look again by then."""

    until: datetime
    why: WaitsFor


class AskNetwork(msgspec.Struct, frozen=True, tag="ask_network"):
    """It was debited and no settled file lists it: the network is asked once more, then it is given
    back, or people look.
    """

    why: str


class AskStaff(msgspec.Struct, frozen=True, tag="ask_staff"):
    """People decide, and why the bank cannot."""

    why: str


Verdict = Decide | Wait | AskNetwork | AskStaff


def judge(case: Case, seen: Seen, policy: RedressPolicy, now: datetime) -> Verdict:
    """What to do with a case now."""
    if case.has_objected:
        return AskStaff("they object to our own evidence")
    payment = seen.payment
    if payment is None:
        return _without_payment(case, seen)
    if case.about in _NEEDS_PEOPLE:
        return AskStaff("they say they did not order it")
    match payment.state:
        case State.REFUSED:
            return Decide(Outcome.NOTHING_TAKEN, "it was refused before anything was debited")
        case State.VOIDED:
            return Decide(Outcome.MONEY_FREE, "it did not happen; the money is free again")
        case State.REFUNDED:
            return Decide(Outcome.CAME_BACK, "all of it came back")
        case State.HELD | State.UNANSWERED | State.PARKED:
            return _wait_for(payment, policy, now)
        case _:
            return _judge_posted(payment, seen, now)


def _judge_posted(payment: Payment, seen: Seen, now: datetime) -> Verdict:
    if payment.refunding_minor:
        return Wait(now + timedelta(days=1), WaitsFor.MONEY_BACK)
    if (verdict := _judge_by_own_evidence(payment, seen)) is not None:
        return verdict
    if seen.is_inside:
        return Decide(Outcome.ARRIVED, "it was credited inside the bank as it was debited")
    if seen.is_break:
        if (seen.listed_minor or 0) == 0 and seen.file_closed:
            return AskNetwork("the network's file does not list it")
        return AskStaff("the network's file and our book differ")
    if seen.listed_minor == payment.to_payee_minor:
        return Decide(Outcome.ARRIVED, "the network's settled file lists it")
    if seen.listed_minor is None:
        until = payment.accepted_at + FILE_WAIT
        if now < until:
            return Wait(until, WaitsFor.FILE)
    return AskStaff("no settled file decides it")


def _judge_by_own_evidence(payment: Payment, seen: Seen) -> Verdict | None:
    """What decides it where settlement cannot say that the payer got it; None where it can."""
    payee = payment.order.payee if isinstance(payment.order, PaymentOrder) else None
    if isinstance(payee, ToCash):
        return AskStaff(
            "our machine's journal says whether the notes came out"
            if payee.vault
            else "the other machine's journal says whether the notes came out"
        )
    if seen.waits_for_tap:
        return Decide(Outcome.WAITS_FOR_TAP, "it waits for the card's next tap at a reader")
    if isinstance(payee, ToBiller) and payment.service == BILL["prepaid"]:
        if seen.receipt:
            return Decide(Outcome.TOKEN_GIVEN, "the biller gave this token for it")
        return AskStaff("the biller has given no token for it")
    return None


def _wait_for(payment: Payment, policy: RedressPolicy, now: datetime) -> Wait:
    word = now + timedelta(seconds=NEXT_WORD_SECONDS)
    due = policy.advance_due(payment)
    if payment.advanced_minor:
        return Wait(max(word, now + timedelta(days=1)), WaitsFor.ADVANCE)
    reason = WaitsFor.SERVICE if payment.state is State.PARKED else WaitsFor.NETWORK
    return Wait(max(word, due) if due > now else word, reason)


def _without_payment(case: Case, seen: Seen) -> Verdict:
    if case.about is About.SAFETY and seen.assured_at is not None:
        return Decide(Outcome.ASSURED, "books and settlement were seen to hold")
    return AskStaff("no payment is named" if case.complete_at is None else "people answer it")
