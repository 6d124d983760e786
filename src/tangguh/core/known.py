"""What is known, and since when: facts with their time, and answers that may be "unknown". Pure.

An answer that is missing or too old is a value of its own. It is neither yes nor no, and nothing
turns it into one: ``Tristate`` has no truth value. mypy (``truthy-bool``) refuses it wherever a
condition is expected, and at run time it raises. Ask ``is Tristate.YES``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Tristate(Enum):
    """Yes, no, or nobody knows."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    if not TYPE_CHECKING:
        # Hidden from the type checker: for a type without it, every condition is an error there.
        def __bool__(self) -> bool:
            raise TypeError(f"{self} is no truth value: ask `is Tristate.YES`")

    @property
    def opposite(self) -> Tristate:
        """Yes for no and no for yes; unknown stays unknown."""
        match self:
            case Tristate.YES:
                return Tristate.NO
            case Tristate.NO:
                return Tristate.YES
            case _:
                return Tristate.UNKNOWN


def known_as(answer: bool | None) -> Tristate:  # noqa: FBT001 - a conversion of one value
    """True is yes, False is no, None is unknown: for borders where a bool is what there is."""
    if answer is None:
        return Tristate.UNKNOWN
    return Tristate.YES if answer else Tristate.NO


def all_of(answers: Iterable[Tristate]) -> Tristate:
    """No if one is no; else unknown if one is unknown; else yes. Of nothing: unknown.

    Where nobody was asked, nothing was found to hold.
    """
    found = list(answers)
    if any(one is Tristate.NO for one in found):
        return Tristate.NO
    if not found or any(one is Tristate.UNKNOWN for one in found):
        return Tristate.UNKNOWN
    return Tristate.YES


def any_of(answers: Iterable[Tristate]) -> Tristate:
    """Yes if one is yes; else unknown if one is unknown; else no. Of nothing: unknown."""
    return all_of(one.opposite for one in answers).opposite


class Known(msgspec.Struct, Generic[T], frozen=True):
    """A value and the time at which it was so: when it was looked at, not when it was passed on."""

    value: T
    known_at: datetime

    def age(self, now: datetime) -> timedelta:
        """How long ago it was known; below zero when the clocks disagree."""
        return now - self.known_at

    def is_of_now(self, now: datetime, max_age: timedelta) -> bool:
        """Whether it may still be gone by. A time in the future proves nothing either."""
        return timedelta() <= self.age(now) <= max_age


def aged(known: Known[Tristate] | None, now: datetime, max_age: timedelta) -> Tristate:
    """The answer while it is of now; unknown when it is older, of the future, or was never known.

    ``max_age`` is inclusive.
    """
    if known is None or not known.is_of_now(now, max_age):
        return Tristate.UNKNOWN
    return known.value
