"""Names of other customers: how many one customer may come to know, by whatever way.

Whoever orders a transfer chooses the account, and one sen or a sum nobody has is enough for a
payment that could be looked at. So a name that comes out with a payment is counted like one that
was asked for. A name told lately is told again without being counted.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tangguh.access.rate import Rate
from tangguh.core.bounded import Recent
from tangguh.core.clock import Clock

_KEPT_MAX: Final = 200_000
_REMEMBERED: Final = timedelta(days=30)


class Names:
    """Who was told whose name, and the rate of new ones."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock = clock
        self._rate = rate
        self._told = Recent[tuple[int, int], str](_KEPT_MAX, _REMEMBERED)

    def remember(self, customer_id: int, account_id: int) -> None:
        """A name was asked for, counted and told."""
        self._told.keep((customer_id, account_id), "told", self._clock.now())

    def may_tell(self, customer_id: int, account_id: int) -> bool:
        """Whether a customer may see the name behind an account they chose; a new one is counted.

        Takes one of their turns to look a name up; False when none is left now.
        """
        if self._told.get((customer_id, account_id), self._clock.now()) is None:
            if self._rate.seconds_until_allowed(str(customer_id)):
                return False
            self.remember(customer_id, account_id)
        return True
