"""A payment in words: where the money is, what happens next, by when, what to do. Pure.

The state decides the label, the icon's shape and the colour; the side (who paid, who was paid)
decides the sentence. An open payment is never shown as done, an unknown end never as a no.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.format import clock_time, day, happened, money, spoken
from tangguh.payments.payment import Payment, State, next_word_at
from tangguh.payments.store import Event
from tangguh.web.pages.arrival import arrival_of
from tangguh.web.pages.people import Ends, Party
from tangguh.web.words import Words

SILENCE_SECONDS: Final = 10
"""After so long without an answer we say that we do not know (E25)."""


class Side(StrEnum):
    """Where the reader stands: their money goes out, or comes in."""

    PAYER = "payer"
    PAYEE = "payee"


class Look(msgspec.Struct, frozen=True):
    """The icon's shape and the colour of a state; the shape alone tells the states apart."""

    icon: str
    tone: str


LOOKS: Final[dict[str, Look]] = {
    "refused": Look("cross", "bad"),
    "processing": Look("spinner", "info"),
    "parked": Look("pause", "wait"),
    "unanswered": Look("clock", "wait"),
    "posted": Look("check", "ok"),
    "received": Look("in", "ok"),
    "voided": Look("back", "info"),
    "refunded": Look("back", "ok"),
}


class Step(msgspec.Struct, frozen=True):
    """A line of the timeline; repeated ones are told once, with how often and the last time."""

    at: datetime
    what: str
    times: int
    last_at: datetime
    is_last: bool


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the payment's page says about its state."""

    phase: str
    label: str
    look: Look
    total_label: str
    sentence: str
    money_line: str
    next_word_at: datetime | None
    is_open: bool
    may_retry: bool


def phase_of(payment: Payment, now: datetime, side: Side = Side.PAYER) -> str:
    """The state as the reader sees it: silence becomes "we do not know" after ten seconds."""
    match payment.state:
        case State.HELD:
            age = (now - payment.accepted_at).total_seconds()
            return "processing" if age < SILENCE_SECONDS else "unanswered"
        case State.POSTED if side is Side.PAYEE:
            return "refunded" if payment.kind == "refund" else "received"
        case state:
            return str(state)


def label_of(words: Words, payment: Payment, now: datetime, side: Side) -> str:
    """The state in a word or two."""
    return words(f"state.{phase_of(payment, now, side)}.label_{_told_as(payment)}")


def tell(
    words: Words, payment: Payment, ends: Ends, side: Side, now: datetime, *, waits: bool = False
) -> Story:
    """The whole story of a payment as of now. ``waits``: its payee gets it at their cut-off."""
    phase = phase_of(payment, now, side)
    concluded = payment.concluded_at or payment.accepted_at
    word_at = next_word_at(payment, now)
    language = words.language
    values = {
        "money": money(payment.total_minor),
        "given": money(payment.to_payee_minor),
        "time": happened(concluded, now, language),
        "day": day(payment.accepted_at, language),
        "next": spoken(word_at, now, language) if word_at else "",
        "bank": _network(words, ends),
        "payee": ends.payee.name,
        "payer": ends.payer.name,
        "reference": payment.network_reference,
        "reason": reason_of(words, payment),
    }
    return Story(
        phase=phase,
        label=label_of(words, payment, now, side),
        look=LOOKS[phase],
        total_label=words(f"payment.total_{fate_of(payment)}"),
        sentence=words(_sentence_key(words, phase, payment, side, waits=waits), **values),
        money_line=_refunded_part(words, payment, side),
        next_word_at=word_at,
        is_open=payment.is_open,
        may_retry=may_retry(payment) and side is Side.PAYER,
    )


def fate_of(payment: Payment) -> str:
    """What became of the sum: ``held`` while open, ``moved``, or ``void``: never debited."""
    if payment.is_open:
        return "held"
    return "moved" if payment.state in {State.POSTED, State.REFUNDED} else "void"


def may_retry(payment: Payment) -> bool:
    """Whether sending it again cannot pay twice: only when it certainly did not happen."""
    return payment.kind == "payment" and payment.state in {State.REFUSED, State.VOIDED}


def reason_of(words: Words, payment: Payment) -> str:
    """Why it was refused or did not happen, as the end of a sentence; empty when it did."""
    if payment.refusal is None:
        return ""
    return words(f"problem.{payment.refusal}.reason")


def advice_of(words: Words, payment: Payment) -> str:
    """What to do about a refusal."""
    if payment.refusal is None:
        return ""
    return words(f"problem.{payment.refusal}.do", seconds=30)


def steps(words: Words, events: list[Event]) -> list[Step]:
    """The timeline; our repeated questions to a silent network become one line."""
    told: list[Step] = []
    for event in events:
        known = f"event.{event.what}"
        text = words(known if words.has(known) else "event.other")
        if told and told[-1].what == text:
            first = told.pop()
            told.append(Step(first.at, text, first.times + 1, event.at, is_last=False))
        else:
            told.append(Step(event.at, text, 1, event.at, is_last=False))
    if told:
        told[-1] = msgspec.structs.replace(told[-1], is_last=True)
    return told


def step_time(step: Step, language: str) -> str:
    """When: the first time, and the last when there were several."""
    first = clock_time(step.at, language, seconds=True)
    return first if step.times == 1 else clock_time(step.last_at, language, seconds=True)


def _sentence_key(
    words: Words, phase: str, payment: Payment, side: Side, *, waits: bool = False
) -> str:
    """What was paid is told by who was paid; every other state by the state and the side alone."""
    general = f"state.{phase}.{_told_as(payment)}_{side}"
    if phase == State.POSTED and payment.kind == "payment":
        return f"{general}_{arrival_of(payment)}"
    if waits and words.has(f"{general}_waits"):
        return f"{general}_waits"
    return general


def _told_as(payment: Payment) -> str:
    """A credit from another bank is told like any payment received."""
    return "refund" if payment.kind == "refund" else "payment"


def _network(words: Words, ends: Ends) -> str:
    merchant: Party = ends.payee if ends.payee.account_id == 0 else ends.payer
    return merchant.bank or words("payment.other_bank")


def _refunded_part(words: Words, payment: Payment, side: Side) -> str:
    """What the bank has advanced; what came back of it, or is on its way."""
    if payment.advanced_minor and side is Side.PAYER:
        told = money(payment.advanced_minor)
        if payment.is_open:
            return words("payment.advanced", money=told)
        return words("payment.advance_owed", money=told)
    if payment.kind == "refund" or payment.state is not State.POSTED:
        return ""
    if payment.refunded_minor:
        key = f"payment.part_refunded_{side}"
        return words(key, money=money(payment.refunded_minor))
    if payment.refunding_minor:
        return words("payment.refunding", money=money(payment.refunding_minor))
    return ""
