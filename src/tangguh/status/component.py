"""Components: what the public page says of each service, one per service of the table. Pure.

A component's condition is computed (``judgement``); nobody types it. Its id is the service's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from tangguh.core.service import SERVICES, Service


class Condition(StrEnum):
    """How a component is. Leaves the house (page, JSON, badges): never renamed."""

    OPERATIONAL = "operational"
    NOT_MEASURED = "not_measured"
    SCHEDULED_CHANGE = "scheduled_change"
    DEGRADED = "degraded"
    PARTNER_OUTAGE = "partner_outage"
    PROTECTIVE_RESTRICTION = "protective_restriction"
    DOWN = "down"

    @property
    def rank(self) -> int:
        """From 0, operational, to 6, down: what is worse is higher; not measured is 1."""
        return _RANKS[self]


_RANKS: Final = {condition: rank for rank, condition in enumerate(Condition)}


class Reach(IntEnum):
    """How much of a service a customer can use. UNKNOWN: nothing has measured it."""

    NONE = 0
    PART = 1
    ALL = 2
    UNKNOWN = 3


class Why(StrEnum):
    """What a condition was judged by. Public; the cause is not told here."""

    OUTCOMES = "outcomes"
    PROBE = "probe"
    PROTECTION = "protection"
    PARTNER = "partner"
    CHANGE = "change"
    PEOPLE = "people"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Stage ``number`` of ``last`` on the way back: who is let in, and for how much.

    ``permille`` of the customers; ``amount_max_minor`` per payment (None: the usual limits);
    ``limits_percent`` of the usual limits.
    """

    number: int
    last: int
    since: datetime
    permille: int = 0
    amount_max_minor: int | None = None
    limits_percent: int = 100


class Component(msgspec.Struct, frozen=True):
    """One line of the page. ``group`` and ``channel`` are keys of ``GROUPS`` and ``CHANNELS``."""

    id: str
    group: str
    channel: str
    name_id: str
    name_en: str

    def name(self, language: str) -> str:
        """Its name for the reader."""
        return self.name_id if language == "id" else self.name_en


class ComponentState(msgspec.Struct, frozen=True, kw_only=True):
    """How a component is now. ``unanswered_permille``: of the tries in the window; None: too few.

    ``known_at``: when the newest fact behind it was so; None: there is none.
    """

    component: str
    condition: Condition
    reach: Reach
    since: datetime
    why: Why = Why.OUTCOMES
    stage: Stage | None = None
    unanswered_permille: int | None = None
    closure_ids: tuple[str, ...] = ()
    known_at: datetime | None = None


GROUPS: Final[dict[str, tuple[str, str]]] = {
    "transfer": ("Transfer", "Transfers"),
    "qris": ("QRIS", "QRIS"),
    "topup": ("Isi saldo dompet digital", "Wallet top-up"),
    "bill": ("Tagihan", "Bills"),
    "atm": ("ATM dan kartu", "ATM and card"),
    "emoney": ("Uang elektronik", "E-money"),
    "receive": ("Menerima uang", "Receiving money"),
}
"""Groups in the order they are shown: (Indonesian, English)."""

CHANNELS: Final[dict[str, tuple[str, str]]] = {
    "mobile": ("Aplikasi", "App"),
    "atm": ("ATM kami", "Our ATMs"),
    "card": ("Kartu kami di ATM lain", "Our cards at other ATMs"),
    "emoney": ("Uang elektronik", "E-money"),
    "in": ("Uang masuk", "Incoming money"),
}
"""Where a service is used: (Indonesian, English)."""


def group_of(service: Service) -> str:
    """The group readers look for a service in."""
    channel, operation, _ = service.id.split(".")
    if channel == "in":
        return "receive"
    if channel in ("atm", "card"):
        return "atm"
    return channel if channel == "emoney" else operation


COMPONENTS: Final[dict[str, Component]] = {
    service.id: Component(
        service.id, group_of(service), service.channel, service.name_id, service.name_en
    )
    for service in sorted(SERVICES.values(), key=lambda one: list(GROUPS).index(group_of(one)))
}


def names_of(components: Iterable[str], language: str) -> tuple[str, ...]:
    """Names of components for a sentence: a group that is there whole is said by its own name."""
    wanted = set(components)
    said: list[str] = []
    for group, names in GROUPS.items():
        members = [one for one in COMPONENTS.values() if one.group == group]
        here = [one for one in members if one.id in wanted]
        if len(here) == len(members):
            said.append(names[0] if language == "id" else names[1])
        else:
            said += [one.name(language) for one in here]
    return tuple(said)


def split(states: Iterable[ComponentState]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what works, what does not or only in part), as ids; the unmeasured is in neither."""
    works: list[str] = []
    broken: list[str] = []
    for state in states:
        if state.reach is not Reach.UNKNOWN:
            (works if state.reach is Reach.ALL else broken).append(state.component)
    return tuple(works), tuple(broken)


def worst_of(conditions: Iterable[Condition]) -> Condition:
    """The worst of them; operational when there is none."""
    return max(conditions, key=lambda one: one.rank, default=Condition.OPERATIONAL)
