"""A hold's life: held, then posted, voided or expired, once. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refusal, Refused


class HoldState(StrEnum):
    """Where a hold is. Only ``held`` still sets money aside."""

    HELD = "held"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


_ENDED: dict[HoldState, Refusal] = {
    HoldState.POSTED: Refusal.HOLD_ALREADY_POSTED,
    HoldState.VOIDED: Refusal.HOLD_ALREADY_VOIDED,
    HoldState.EXPIRED: Refusal.HOLD_ALREADY_EXPIRED,
}


class Hold(msgspec.Struct, frozen=True, gc=False):
    """Money set aside on one account, still the customer's. Amounts in minor units.

    ``posted_minor`` is what was taken when it was posted; the rest became available again.
    ``expires_at`` None never expires by the clock: its end is a duty (a payment's resolver).
    """

    id: UUID
    account_id: int
    amount_minor: int
    state: HoldState
    placed_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    posted_minor: int = 0

    def ended(self, state: HoldState, at: datetime, posted_minor: int = 0) -> Hold:
        """The same hold after its end."""
        return Hold(
            self.id,
            self.account_id,
            self.amount_minor,
            state,
            self.placed_at,
            self.expires_at,
            at,
            posted_minor,
        )


def already_ended(hold: Hold) -> Refused | None:
    """Why a hold cannot end again, or None while it is held."""
    if hold.state is HoldState.HELD:
        return None
    return Refused(_ENDED[hold.state], "hold_id", f"the hold is already {hold.state}")
