"""An account as the book sees it: a balance, what is held of it, and how low it may go. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from tangguh.ledger.chart import Kind


class AccountState(StrEnum):
    """Open moves both ways; frozen takes money in but gives none; closed moves not at all."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class Account(msgspec.Struct, frozen=True, gc=False):
    """Posted and held in minor units. ``floor_minor`` None: no floor; negative: an overdraft.

    ``entry_seq`` is the number of the account's last entry; entries count 1, 2, 3 without gaps.
    ``overdrawn_minor``: how far advices, which tell of money that is gone already, have taken it
    below its floor; what comes in makes it smaller. ``tier`` is the class its limits are read by.
    """

    account_id: int
    kind: Kind
    owner_id: int
    state: AccountState
    posted_minor: int
    held_minor: int
    floor_minor: int | None
    entry_seq: int
    opened_at: datetime
    overdrawn_minor: int = 0
    tier: str = ""

    @property
    def available_minor(self) -> int:
        """Posted minus held: what the owner may spend above the floor."""
        return self.posted_minor - self.held_minor

    def moved(self, amount_minor: int) -> Account:
        """After one more entry of this signed amount."""
        posted = self.posted_minor + amount_minor
        return Account(
            self.account_id,
            self.kind,
            self.owner_id,
            self.state,
            posted,
            self.held_minor,
            self.floor_minor,
            self.entry_seq + 1,
            self.opened_at,
            self._still_overdrawn(posted - self.held_minor) if self.overdrawn_minor else 0,
            self.tier,
        )

    def holding(self, change_minor: int) -> Account:
        """After the held sum changed by this much."""
        held = self.held_minor + change_minor
        return Account(
            self.account_id,
            self.kind,
            self.owner_id,
            self.state,
            self.posted_minor,
            held,
            self.floor_minor,
            self.entry_seq,
            self.opened_at,
            self._still_overdrawn(self.posted_minor - held) if self.overdrawn_minor else 0,
            self.tier,
        )

    def overdrawn(self) -> Account:
        """The same, with what it lacks to its floor written down as overdrawn by an advice."""
        lacks = 0 if self.floor_minor is None else self.floor_minor - self.available_minor
        return msgspec.structs.replace(self, overdrawn_minor=max(lacks, 0))

    def _still_overdrawn(self, available_minor: int) -> int:
        """An overdraft by advice only ever shrinks by itself."""
        lacks = max((self.floor_minor or 0) - available_minor, 0)
        return min(self.overdrawn_minor, lacks)
