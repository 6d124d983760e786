"""The clocks of one incident: each authority's deadline, from the moment it was known. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.deadlines import (
    BI_INCIDENT,
    DEADLINES,
    OJK_INITIAL,
    OJK_REPORT,
    PDP_BREACH,
    Deadline,
)

DRAFT_WITHIN: Final = timedelta(minutes=15)
"""The bank's own aim: a draft is there so soon after an incident is known."""
_SOON: Final = timedelta(hours=1)


class Urgency(StrEnum):
    """How a clock stands."""

    SENT = "sent"
    RUNNING = "running"
    SOON = "soon"
    LATE = "late"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A report that people sent: which, when, by whom, and the hash of exactly what."""

    deadline_id: str
    at: datetime
    by: str
    sha256: str
    reference: str = ""


class RunningClock(msgspec.Struct, frozen=True, kw_only=True):
    """One deadline of one incident. ``sent``: the first report that stopped it."""

    deadline: Deadline
    known_at: datetime
    due_at: datetime
    sent: Sent | None = None

    def urgency(self, now: datetime) -> Urgency:
        """How it stands: a report that was sent late stays sent, and its time says so."""
        if self.sent is not None:
            return Urgency.SENT
        if now > self.due_at:
            return Urgency.LATE
        return Urgency.SOON if self.due_at - now <= _SOON else Urgency.RUNNING


def clocks_of(
    known_at: datetime, *, personal_data: bool, sent: tuple[Sent, ...] = ()
) -> list[RunningClock]:
    """Every clock that runs, the first due first. ``personal_data``: some of it may be out."""
    wanted = [BI_INCIDENT, OJK_INITIAL, OJK_REPORT, *([PDP_BREACH] if personal_data else [])]
    stopped = {one.deadline_id: one for one in sorted(sent, key=lambda one: one.at, reverse=True)}
    running = [
        RunningClock(
            deadline=DEADLINES[name],
            known_at=known_at,
            due_at=DEADLINES[name].due(known_at),
            sent=stopped.get(name),
        )
        for name in wanted
    ]
    return sorted(running, key=lambda one: one.due_at)
