"""Scopes: which orders a closure covers, and the lattice they form. Pure.

A scope is a conjunction of what it names; the more it names, the narrower it is. The scope that
names nothing is the whole bank: no automatic step ever reaches it (``wider`` stops before).
A service stands for its rail, direction, channel and partner as well (``core.service``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from tangguh.core.cohort import place_of
from tangguh.core.service import SERVICES


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one order, in the dimensions of scopes. Empty: it has none.

    ``account`` is the customer's own side: the debtor of what goes out, the creditor of what comes
    in. ``version`` is that of the software the order came from. Amount in minor units, without fee.
    """

    service: str
    rail: str
    direction: str
    channel: str
    partner: str = ""
    customer_id: int = 0
    account: int = 0
    payee: str = ""
    terminal: str = ""
    device: str = ""
    version: str = ""
    amount_minor: int = 0


class Cohort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Customers whose place (``core.cohort``) is from ``first`` up to, not including, ``end``."""

    salt: str
    first: int
    end: int

    def has(self, customer_id: int) -> bool:
        """Whether the customer is one of them."""
        return self.first <= place_of(self.salt, customer_id) < self.end

    def includes(self, other: Cohort) -> bool:
        """Whether everybody in the other is in this one, as far as the salts can tell."""
        return self.salt == other.salt and self.first <= other.first and other.end <= self.end


EXACT: Final = (
    "service",
    "rail",
    "direction",
    "channel",
    "partner",
    "payee",
    "terminal",
    "device",
    "version",
)
"""The dimensions that are one word each."""
PINNED: Final = ("account", "payee", "terminal", "device")
"""Those that single out one customer, shop or machine among very many."""


class Scope(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A set of orders. What is empty is not asked.

    ``amount_from_minor`` is included, ``amount_to_minor`` is not (None: no upper end).
    """

    service: str = ""
    rail: str = ""
    direction: str = ""
    channel: str = ""
    partner: str = ""
    cohort: Cohort | None = None
    account: int = 0
    payee: str = ""
    terminal: str = ""
    device: str = ""
    version: str = ""
    amount_from_minor: int = 0
    amount_to_minor: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions it names."""
        named = [name for name in (*EXACT, "account") if getattr(self, name)]
        if self.cohort is not None:
            named.append("cohort")
        if self.has_band:
            named.append("amount")
        return tuple(named)

    @property
    def has_band(self) -> bool:
        """Whether it is about some amounts only."""
        return self.amount_from_minor > 0 or self.amount_to_minor is not None

    @property
    def is_whole_bank(self) -> bool:
        """Whether it names nothing at all."""
        return not self.names

    @property
    def is_one_way_of_a_rail(self) -> bool:
        """Whether it is exactly one rail in one direction: what the watch alone may close."""
        return set(self.names) == {"rail", "direction"}

    @property
    def is_pinned(self) -> bool:
        """Whether it singles out one account, payee, terminal or device."""
        return any(getattr(self, name) for name in PINNED)

    def covers(self, facts: Facts) -> bool:
        """Whether the order is in it."""
        for name in EXACT:
            wanted = getattr(self, name)
            if wanted and wanted != getattr(facts, name):
                return False
        if self.account and self.account != facts.account:
            return False
        if facts.amount_minor < self.amount_from_minor:
            return False
        if self.amount_to_minor is not None and facts.amount_minor >= self.amount_to_minor:
            return False
        return self.cohort is None or self.cohort.has(facts.customer_id)

    def includes(self, other: Scope) -> bool:
        """Whether every order the other covers is covered here too: this one is wider or equal."""
        there = implied(other)
        for name in (*EXACT, "account"):
            wanted = getattr(self, name)
            if wanted and wanted != getattr(there, name):
                return False
        if self.cohort is not None and (
            other.cohort is None or not self.cohort.includes(other.cohort)
        ):
            return False
        if other.amount_from_minor < self.amount_from_minor:
            return False
        if self.amount_to_minor is None:
            return True
        return other.amount_to_minor is not None and other.amount_to_minor <= self.amount_to_minor

    def __str__(self) -> str:
        return text_of(self)


def implied(scope: Scope) -> Scope:
    """The same orders, with everything said that its service stands for."""
    service = SERVICES.get(scope.service)
    if service is None:
        return scope
    return msgspec.structs.replace(
        scope,
        rail=service.rail,
        direction=service.direction,
        channel=service.channel,
        partner=scope.partner or service.partner,
    )


def wider(scope: Scope) -> tuple[Scope, ...]:
    """Every scope one step wider: one thing named is let go. Never the whole bank.

    Letting go of a service leaves its rail, direction and channel named; a band of amounts is let
    go as a whole.
    """
    if scope.service:
        return (msgspec.structs.replace(implied(scope), service=""),)
    steps = []
    for name in scope.names:
        match name:
            case "amount":
                step = msgspec.structs.replace(scope, amount_from_minor=0, amount_to_minor=None)
            case "cohort":
                step = msgspec.structs.replace(scope, cohort=None)
            case "account":
                step = msgspec.structs.replace(scope, account=0)
            case _:
                step = msgspec.structs.replace(scope, **{name: ""})
        if not step.is_whole_bank:
            steps.append(step)
    return tuple(steps)


def is_one_step_wider(scope: Scope, step: Scope) -> bool:
    """Whether ``step`` is the next thing up from ``scope``, and no more than that."""
    return step in wider(scope)


def narrower(scope: Scope, seen: Iterable[Facts]) -> tuple[Scope, ...]:
    """Every scope one step narrower that holds some of the orders seen: one thing more is named."""
    inside = [facts for facts in seen if scope.covers(facts)]
    full = implied(scope)
    steps: dict[Scope, None] = {}
    for name in (*EXACT, "account"):
        if getattr(full, name):
            continue
        for facts in inside:
            value = getattr(facts, name)
            if value:
                steps[msgspec.structs.replace(scope, **{name: value})] = None
    return tuple(steps)


def problem_of(scope: Scope) -> str:
    """What is wrong with a scope, or nothing: a service that is not there, an empty band."""
    if scope.service and scope.service not in SERVICES:
        return f"there is no service {scope.service!r}"
    known: dict[str, set[str]] = {
        "rail": {service.rail for service in SERVICES.values()},
        "direction": {service.direction for service in SERVICES.values()},
        "channel": {service.channel for service in SERVICES.values()},
    }
    for name, values in known.items():
        value = getattr(scope, name)
        if value and value not in values:
            return f"there is no {name} {value!r} (there are {', '.join(sorted(values))})"
    if scope.amount_to_minor is not None and scope.amount_to_minor <= scope.amount_from_minor:
        return "the band of amounts is empty"
    cohort = scope.cohort
    if cohort is not None and not 0 <= cohort.first < cohort.end <= 1000:
        return "a cohort is from 0 to 1000 of a thousand, and not empty"
    return ""


def text_of(scope: Scope) -> str:
    """One line for people and commands: ``rail=bifast direction=out``; the whole bank is ``*``."""
    parts = [
        f"{name}={getattr(scope, name)}" for name in (*EXACT, "account") if getattr(scope, name)
    ]
    if scope.cohort is not None:
        parts.append(f"cohort={scope.cohort.salt}:{scope.cohort.first}-{scope.cohort.end}")
    if scope.has_band:
        end = "" if scope.amount_to_minor is None else str(scope.amount_to_minor)
        parts.append(f"amount={scope.amount_from_minor}-{end}")
    return " ".join(parts) or "*"


def scope_of(text: str) -> Scope | str:
    """The scope a line says, or what is wrong with the line."""
    values: dict[str, object] = {}
    for part in text.split():
        name, _, value = part.partition("=")
        if part == "*":
            continue
        if name in EXACT and value:
            values[name] = value
        elif name == "account" and value.isascii() and value.isdigit():
            values["account"] = int(value)
        elif name == "amount" and (band := _band(value)) is not None:
            values["amount_from_minor"], values["amount_to_minor"] = band
        elif name == "cohort" and (cohort := _cohort(value)) is not None:
            values["cohort"] = cohort
        else:
            return f"{part!r} names nothing a scope has"
    scope = Scope(**values)  # type: ignore[arg-type]
    return problem_of(scope) or scope


def _band(text: str) -> tuple[int, int | None] | None:
    first, dash, end = text.partition("-")
    if not dash or not (first or "0").isdigit() or not (end or "0").isdigit():
        return None
    return int(first or "0"), int(end) if end else None


def _cohort(text: str) -> Cohort | None:
    salt, colon, places = text.rpartition(":")
    first, dash, end = places.partition("-")
    if not (salt and colon and dash and first.isdigit() and end.isdigit()):
        return None
    return Cohort(salt, int(first), int(end))
