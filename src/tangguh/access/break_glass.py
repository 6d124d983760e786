"""Breaking the glass: a right for a quarter of an hour, alone, in an emergency. Pure.

It may keep the bank standing or make it smaller. It never moves money, opens a scope or changes a
limit: those need two people at any hour. Using it is an act in the hash chain and wakes somebody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.access.people import Staff
from tangguh.audit.trail import Remember
from tangguh.core.outcome import Refusal, Refused

GRANT_SECONDS: Final = 15 * 60


class Right(StrEnum):
    """What staff may be allowed to do. Leaves the house: never renamed."""

    READ_LOGS = "read_logs"
    RESTART_PROCESS = "restart_process"
    FAIL_OVER = "fail_over"
    CLOSE_SCOPE = "close_scope"
    REVOKE_KEY = "revoke_key"
    POST_MONEY = "post_money"
    REPAIR_BREAK = "repair_break"
    RELEASE_PAYMENTS = "release_payments"
    OPEN_SCOPE = "open_scope"
    CHANGE_LIMIT = "change_limit"
    CHANGE_STAFF = "change_staff"


ALONE: Final = frozenset(
    {Right.READ_LOGS, Right.RESTART_PROCESS, Right.FAIL_OVER, Right.CLOSE_SCOPE, Right.REVOKE_KEY}
)
"""What one person may take in an emergency. A right that is not listed here is not given."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A right taken in an emergency, by whom, why and until when."""

    id: UUID
    staff_id: str
    right: Right
    reason: str
    given_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself. It is never made longer; another one is another act."""
        return self.given_at + timedelta(seconds=GRANT_SECONDS)

    def is_live(self, now: datetime) -> bool:
        """Whether it may be used now."""
        return self.given_at <= now < self.ends_at

    def act(self) -> Remember:
        """The act to be written down before the right is used."""
        detail = f"{self.right} until {self.ends_at.isoformat()}: {self.reason}"
        return Remember(self.staff_id, "glass.broken", f"grant:{self.id}", detail)


def break_glass(
    grant_id: UUID, who: Staff, right: Right, reason: str, *, now: datetime
) -> Grant | Refused:
    """Take a right alone, without a ticket, at any hour.

    Refuses APPROVER_NOT_ALLOWED for a frozen account and for every right over money, and
    ORDER_INVALID without a reason.
    """
    if not who.is_active:
        return Refused(Refusal.APPROVER_NOT_ALLOWED, "staff", f"{who.id} is frozen")
    if right not in ALONE:
        return Refused(Refusal.APPROVER_NOT_ALLOWED, "right", f"{right} needs two people")
    if not reason.strip():
        return Refused(Refusal.ORDER_INVALID, "reason", "say why")
    return Grant(id=grant_id, staff_id=who.id, right=right, reason=reason.strip(), given_at=now)
