"""Trace numbers: which message is which, today and after a restart.

A payment's numbers follow from the payment itself, so that a reversal may leave from another
process: DE7 is its acceptance, DE37 ends in six digits of its id, and DE11 mixes in six more. Two
payments share all three only when accepted in one second with twelve digits of their ids alike. A
STAN alone does come twice in a day: a switch has to compare DE7 and DE37 too, as ours does; one
that does not answers 94, which is Unanswered. Messages that are no payment take their numbers from
``TraceNumbers``.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from tangguh.core.clock import JAKARTA, Clock, business_date
from tangguh.rails.iso8583.message import Message

STAN_VALUES: Final = 1_000_000
_ORIGINAL_INSTITUTION_DIGITS: Final = 11
_NAMED: Final = 10 + 6 + 12
"""DE7, DE11 and DE37 in a row."""


class Trace(NamedTuple):
    """What names one message: when (UTC), its number of the day, its retrieval reference."""

    at: datetime
    stan: str
    rrn: str


class MatchKey(NamedTuple):
    """What an answer has in common with its question: DE7, DE11, DE32, DE37."""

    family: str
    at: str
    stan: str
    acquirer: str
    rrn: str


def trace_of(payment_id: UUID, accepted_at: datetime) -> Trace:
    """A payment's numbers, the same whenever they are asked for."""
    high, low = divmod(payment_id.int, STAN_VALUES)
    stan = f"{(low + high) % STAN_VALUES:06d}"
    return Trace(accepted_at, stan, reference_number(accepted_at, f"{low:06d}"))


def reversal_stan_of(payment_id: UUID) -> str:
    """The STAN of a payment's reversal: by more digits of the id, never the payment's own."""
    high, low = divmod(payment_id.int, STAN_VALUES)
    more = high // STAN_VALUES % (STAN_VALUES - 1)
    return f"{(low + high + 1 + more) % STAN_VALUES:06d}"


def reference_number(at: datetime, six_digits: str) -> str:
    """DE37, 12 digits: last digit of the year, day of the year, hour (GMT), six of the message."""
    utc = at.astimezone(UTC)
    return f"{utc.year % 10}{utc:%j%H}{six_digits}"


def settled_as(trace: Trace) -> str:
    """A payment's reference in the switch's settlement file: DE7, DE11, DE37."""
    return f"{trace.at.astimezone(UTC):%m%d%H%M%S}{trace.stan}{trace.rrn}"


def named_in(reference: str, at: datetime) -> Trace | None:
    """The numbers in a reference the book made: DE7, DE11 and DE37; None when it is no such."""
    if len(reference) != _NAMED or not reference.isdecimal():
        return None
    trace = Trace(at, reference[10:16], reference[16:])
    return trace if settled_as(trace) == reference else None


def times_of(at: datetime, cut_over: time) -> dict[int, str]:
    """DE7 (GMT), DE12 and DE13 (Jakarta) and DE15, the day it will be settled on."""
    local = at.astimezone(JAKARTA)
    return {
        7: f"{at.astimezone(UTC):%m%d%H%M%S}",
        12: f"{local:%H%M%S}",
        13: f"{local:%m%d}",
        15: f"{settlement_date(at, cut_over):%m%d}",
    }


def settlement_date(at: datetime, cut_over: time) -> date:
    """The Jakarta day, or the next one from the cut-over on."""
    local = at.astimezone(JAKARTA)
    return local.date() + timedelta(days=1 if local.time() >= cut_over else 0)


def original_elements(mti: str, stan: str, at: str, acquirer: str, forwarder: str = "") -> str:
    """DE90: the original's type, STAN, DE7, DE32 and DE33, the last two padded with zeros."""
    wide = _ORIGINAL_INSTITUTION_DIGITS
    return f"{mti}{stan}{at}{acquirer:0>{wide}}{forwarder:0>{wide}}"


def key_of(message: Message) -> MatchKey:
    """The same for a question, its repeats and its answer."""
    family = message.mti[1:3].translate(_ANSWERED)
    return MatchKey(family, message.get(7), message.get(11), message.get(32), message.get(37))


def agrees(question: Message, answer: Message) -> bool:
    """Whether what the answer repeats of kind, amount, terminal and currency is as it was asked.

    An element the answer leaves out says nothing. Settled in another currency (DE50) it is another.
    """
    if question.get(49) and answer.get(50) not in {"", question.get(49)}:
        return False
    if answer.get(70) != question.get(70) and question.get(70):
        return False
    return all(
        number not in answer.fields or answer.get(number) == question.get(number)
        for number in (3, 4, 41, 49)
    )


class TraceNumbers:
    """STANs for messages that are no payment. None repeats within a day of one process.

    They begin at a random place, so that a restarted process is unlikely to walk in its
    predecessor's steps; DE7 keeps the two apart should it do so.
    """

    def __init__(self, clock: Clock, source: random.Random | None = None) -> None:
        # A trace number is no secret: a generator seeded by the system is enough.
        self._random = source if source is not None else random.Random()  # noqa: S311
        self._clock = clock
        self._day = business_date(clock.now())
        self._used = 0
        self._next = self._random.randrange(STAN_VALUES)

    def next(self) -> Trace:
        """A fresh trace of now. A million a day, then the day's numbers are used again."""
        now = self._clock.now()
        if (today := business_date(now)) != self._day:
            self._day, self._used = today, 0
            self._next = self._random.randrange(STAN_VALUES)
        stan = f"{self._next:06d}"
        self._next = (self._next + 1) % STAN_VALUES
        self._used += 1
        return Trace(now, stan, reference_number(now, stan))


_ANSWERED: Final = str.maketrans("13579", "02468")
