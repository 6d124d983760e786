"""What a request is known by for ever, and which one a reversal means. Pure.

A network names a message by who sent it, when (DE7) and its number of the day (DE11); a reversal
repeats the three in DE90. Nothing else need agree: DE37 may be new in a reversal. DE7 has no year,
so the year is the latest in which it is not in the future. Source: ISO 8583:1987, DE90.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from tangguh.rails.iso8583.inbound.address import institution
from tangguh.rails.iso8583.message import Message

SWITCH: Final = "iso8583"
"""Begins the names of what came from the switch: the rail's name."""
TERMINAL: Final = "atm"
"""Begins the names of what came from our own terminals, which each count for themselves."""
_AHEAD: Final = timedelta(days=1)
"""How far a peer's clock may run before ours."""
_ELEMENTS: Final = 42
_UNDOABLE: Final = "012"
"""The second digit of a type that can be undone: authorisations, financial ones, or not said."""


def switch_name(message: Message, now: datetime) -> str:
    """A switch's request, the same on each copy of it."""
    return _name(SWITCH, institution(message.get(32)), message.get(7), message.get(11), now)


def terminal_name(message: Message, now: datetime) -> str:
    """A request of a terminal of ours, the same on each copy of it."""
    return _name(TERMINAL, message.get(41).strip(), message.get(7), message.get(11), now)


def original_at_switch(reversal: Message, now: datetime) -> str | None:
    """What ``switch_name`` says of the original this reversal means; None when it names none.

    Nobody takes back what another acquirer sent: one in DE90 that is not DE32 names none.
    """
    if not _names_one(reversal):
        return None
    elements, sender = reversal.get(90), institution(reversal.get(32))
    return _name(SWITCH, sender, elements[10:20], elements[4:10], now)


def original_at_terminal(reversal: Message, now: datetime) -> str | None:
    """What ``terminal_name`` says of the original; a terminal takes back only its own."""
    if not _names_one(reversal):
        return None
    elements = reversal.get(90)
    return _name(TERMINAL, reversal.get(41).strip(), elements[10:20], elements[4:10], now)


_DE7_LENGTH: Final = 10


def is_of_now(message: Message, now: datetime) -> bool:
    """Whether a request was sent (DE7) within a day of now: an old frame asks for nothing.

    A day, since clocks and even zones of machines differ; within it the name tells copies apart.
    """
    at = message.get(7)
    if len(at) != _DE7_LENGTH or not (at.isascii() and at.isdigit()):
        return False
    sent = _instant(at, _year_of(at, now))
    return sent is not None and abs(now - sent) <= _AHEAD


@lru_cache(maxsize=1024)
def _instant(at: str, year: int) -> datetime | None:
    """What a DE7 of that year means; None where no calendar has it. Many come in one second."""
    try:
        month, day, hour, minute, second = (int(at[i : i + 2]) for i in range(0, 10, 2))
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def settled_name(message: Message) -> str:
    """What the switch's settlement file calls a request: DE7, DE11, DE37."""
    return f"{message.get(7)}{message.get(11)}{message.get(37)}"


def _name(whose: str, sender: str, at: str, stan: str, now: datetime) -> str:
    return f"{whose}:{sender}-{_year_of(at, now)}{at}-{stan}"


def _year_of(at: str, now: datetime) -> int:
    """The year of a DE7; that of now where it is no date, so that nothing is lost."""
    latest, year = _day_ahead(int(now.timestamp()))
    return year if at <= latest else year - 1


@lru_cache(maxsize=16)
def _day_ahead(seconds: int) -> tuple[str, int]:
    """The latest DE7 that is of now, and its year; many are asked for in one second."""
    ahead = datetime.fromtimestamp(seconds, UTC) + _AHEAD
    return f"{ahead:%m%d%H%M%S}", ahead.year


def _names_one(reversal: Message) -> bool:
    elements = reversal.get(90)
    if len(elements) != _ELEMENTS or not elements[4:20].strip("0"):
        return False
    if elements[1] not in _UNDOABLE:
        return False
    return _is_its_own(elements[20:31], reversal.get(32).strip())


def _is_its_own(told: str, sender: str) -> bool:
    """Whether DE90's acquirer is who sends; it may stand left or right, or be left out as zeros."""
    if institution(told) in {"", institution(sender)}:
        return True
    left = (sender, institution(sender))
    return any(one and told.startswith(one) and not told[len(one) :].strip("0 ") for one in left)
