"""Staff as the rules about two people see them: roles, reporting lines, one person or two. Pure.

An account is not a person. Who approves is judged by the person behind it: the same HR number makes
two accounts one. A device is one account's (``staff``), so it never speaks of two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec


class Role(StrEnum):
    """What somebody answers for. Leaves the house: never renamed."""

    INCIDENT_COMMANDER = "incident_commander"
    RAIL_OWNER = "rail_owner"
    RISK_OFFICER = "risk_officer"
    CISO = "ciso"
    RECON_OWNER = "recon_owner"
    COMPLAINTS_OFFICER = "complaints_officer"


GATE_ROLES: Final = frozenset(Role) - {Role.COMPLAINTS_OFFICER}
"""Who answers for closures: may close, confirm and propose."""
CASE_ROLES: Final = frozenset({Role.COMPLAINTS_OFFICER, Role.RISK_OFFICER, Role.INCIDENT_COMMANDER})
"""Who reads what customers complain of, and answers it."""


class StaffState(StrEnum):
    """A frozen account stays in every list, and signs nothing."""

    ACTIVE = "active"
    FROZEN = "frozen"


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """One account of staff. ``id`` is like ``staff:17``; ``hr_id`` names the person behind it.

    ``reports_to`` is the staff id of their superior, or empty. ``group`` is the team a change may
    name as suspected.
    """

    id: str
    hr_id: str
    roles: frozenset[Role] = frozenset()
    reports_to: str = ""
    group: str = ""
    full_name: str = ""
    state: StaffState = StaffState.ACTIVE

    @property
    def is_active(self) -> bool:
        """Whether it may sign anything."""
        return self.state is StaffState.ACTIVE

    @property
    def answers_for_gates(self) -> bool:
        """Whether they may close a gate, stand behind a closure, or propose a change."""
        return not self.roles.isdisjoint(GATE_ROLES)

    @property
    def answers_complaints(self) -> bool:
        """Whether they may read cases and act on them."""
        return self.is_active and not self.roles.isdisjoint(CASE_ROLES)


def are_one_person(one: Staff, other: Staff) -> bool:
    """Whether two accounts belong to one person, as far as anything shows it."""
    if one.id == other.id:
        return True
    return one.hr_id.strip().casefold() == other.hr_id.strip().casefold()


def are_in_one_line(one: Staff, other: Staff, everyone: Sequence[Staff] = ()) -> bool:
    """Whether one is above the other, at any distance, or both report to the same superior."""
    if one.reports_to != "" and one.reports_to == other.reports_to:
        return True
    above = {account.id: account.reports_to for account in (*everyone, one, other)}
    return other.id in _superiors(one.id, above) or one.id in _superiors(other.id, above)


def _superiors(staff_id: str, above: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    here = above.get(staff_id, "")
    while here and here not in found:  # a list that goes round in a circle ends too
        found.add(here)
        here = above.get(here, "")
    return found


def lacking(required: Sequence[Role], held: Mapping[str, frozenset[Role]]) -> tuple[Role, ...]:
    """The required roles that these people cannot fill when each of them fills one role only."""
    if not required:
        return ()
    first, rest = required[0], required[1:]
    best = (first, *lacking(rest, held))
    for person, roles in held.items():
        if first not in roles:
            continue
        left = lacking(rest, {key: value for key, value in held.items() if key != person})
        if len(left) <= len(best):
            best = left
        if not best:
            break
    return best
