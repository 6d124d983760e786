"""A break: what does not match, whose it is, how old, and what would repair it. Pure.

After the position is posted, what a network and the book say differently stands on the account
between them: theirs minus ours. A repair moves exactly that to suspense or to the customer.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

import msgspec

from tangguh.ledger import chart
from tangguh.ledger.posting import Entry
from tangguh.settlement.match import Found, Kind

_BREAK: Final = UUID("73657474-6c65-5700-8000-000000000001")
_REPAIR: Final = UUID("73657474-6c65-5700-8000-000000000002")

OPEN: Final = "open"
REPAIRED: Final = "repaired"
CLOSED: Final = "closed"

PROPOSALS: Final[dict[Kind, str]] = {
    Kind.MISSING_IN_BOOK: "post to suspense until its owner is known",
    Kind.AMOUNT_DIFFERS: "post the difference to suspense, or to the customer who ordered it",
    Kind.STATE_DIFFERS: "post to suspense as owed by the customer, and open a dispute",
    Kind.MISSING_IN_FILE: "inquire; if the network never had it, post to suspense and give it back",
    Kind.ACCOUNT_DIFFERS: "agree with the network whose it is, then clear it from suspense",
    Kind.DUPLICATE: "post to suspense as due from the network, and claim it",
}
"""What is proposed for each kind. Nothing is posted before two people have signed."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """One break. Amounts in minor units, positive is what we owe the network.

    ``account_id`` is where the difference stands in the book. ``state``: open, repaired (by a
    posting) or closed (it is none any more); ``reason`` then says why.
    """

    break_id: UUID
    network: str
    day: date
    cycle: int
    kind: Kind
    reference: str
    payment_id: UUID | None
    account_id: int
    ours_minor: int
    theirs_minor: int
    found_at: datetime
    owner: str
    proposal: str
    state: str
    posting_id: UUID | None = None
    repaired_by: str = ""
    approved_by: str = ""
    reason: str = ""
    ended_at: datetime | None = None

    @property
    def difference_minor(self) -> int:
        """What stands on the account because of it, with the sign turned: what the repair adds."""
        return self.theirs_minor - self.ours_minor

    def age(self, now: datetime) -> timedelta:
        """How long it has been known."""
        return now - self.found_at

    def entries(self, to: int = chart.SUSPENSE) -> tuple[Entry, ...]:
        """The repair: the account between us and the network becomes whole, ``to`` takes it."""
        return (self.account_id, self.difference_minor), (to, -self.difference_minor)


def undone(repaired: Break) -> Found:
    """What is found when a superseding file takes back what a repair has mended already.

    The repair stands in the book, so it is the repair that no file lists now. (With a payment, the
    match itself finds it: a repair counts as settled.)
    """
    return Found(
        Kind.MISSING_IN_FILE,
        repaired.reference,
        None,
        repaired.account_id,
        repaired.theirs_minor,
        repaired.ours_minor,
    )


def break_id_of(network: str, day: date, cycle: int, found: Found) -> UUID:
    """The same break of the same cycle always has the same id, so finding it again adds nothing."""
    told = f"{found.kind}:{found.reference}:{found.ours_minor}:{found.theirs_minor}"
    return uuid5(_BREAK, f"{network}:{day.isoformat()}:{cycle}:{told}")


def repair_id_of(break_id: UUID) -> UUID:
    """The id of the one posting that repairs a break."""
    return uuid5(_REPAIR, break_id.hex)


def subject_of(break_id: UUID) -> str:
    """What acts call it."""
    return f"break:{break_id}"
