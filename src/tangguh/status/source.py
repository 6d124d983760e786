"""By what an incident is known, and how much of its services it takes away: facts for words. Pure.

A word to the public says no more than these: who closed or said it, and what can be used now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from tangguh.status.component import ComponentState, Reach, Why

STAFF: Final = "staff:"
"""How the ids of people begin; everything else is a rule, the watch or the pulse."""


class Source(StrEnum):
    """Who closed, said or saw it. Kept with incidents: never renamed."""

    UNKNOWN = "unknown"
    """Of an incident from before this was written down."""
    SEEN = "seen"
    """Payments without an answer, or with a late one. Nothing is closed."""
    PROBED = "probed"
    """The bank's own questions to a network, or to itself, without an answer."""
    MONEY = "money"
    """Closed by itself: money or books do not agree (class A)."""
    ABUSE = "abuse"
    """Closed by itself: far from what is usual (class B)."""
    NETWORK = "network"
    """Closed by itself: a network does not answer (class C)."""
    CONTROL = "control"
    """Closed by itself: what the bank's own people did is to be looked at (class D)."""
    STAFF_CLOSED = "staff_closed"
    """Closed or limited by people of the bank; why, only they say."""
    STAFF_SAID = "staff_said"
    """Written down by people of the bank. Nothing is closed for it."""
    PLANNED = "planned"
    """A change with a ticket."""

    @property
    def is_closure(self) -> bool:
        """Whether something was closed or limited, and opens again."""
        return self in _CLOSURES


_CLOSURES: Final = frozenset(
    {
        Source.MONEY,
        Source.ABUSE,
        Source.NETWORK,
        Source.CONTROL,
        Source.STAFF_CLOSED,
        Source.PLANNED,
    }
)


class Extent(StrEnum):
    """How much of the services it is about cannot be used. Kept with incidents: never renamed."""

    NONE = "none"
    UNKNOWN = "unknown"
    """Nothing is closed, and nobody has measured yet whether it works."""
    PART = "part"
    MIXED = "mixed"
    """Some not at all, some in part or whole."""
    ALL = "all"

    @property
    def rank(self) -> int:
        """From 0, nothing is known to be missing, to 3."""
        return max(list(Extent).index(self) - 1, 0)


def source_of_states(states: Iterable[ComponentState]) -> Source:
    """By what services are known to be ill that no closure explains."""
    whys = {state.why for state in states}
    if Why.PEOPLE in whys:
        return Source.STAFF_SAID
    if Why.OUTCOMES in whys:
        return Source.SEEN
    return Source.PROBED if Why.PROBE in whys else Source.UNKNOWN


def extent_of(states: Mapping[str, ComponentState], components: Iterable[str]) -> Extent:
    """How much of these services is missing now."""
    found = {states[one].reach for one in components if one in states}
    if Reach.NONE in found:
        return Extent.ALL if found == {Reach.NONE} else Extent.MIXED
    if Reach.PART in found:
        return Extent.PART
    return Extent.UNKNOWN if Reach.UNKNOWN in found else Extent.NONE


def worse(one: Extent, other: Extent) -> Extent:
    """The one that takes more away."""
    return max(one, other, key=lambda it: it.rank)
