"""A customer's yes to what moves money, now or later: given by a signature or by a PIN. Pure.

Only two places make one: the API, when a device's signature over the very request is right, and the
pages, when the PIN is. Whatever pays, gives back or makes a code that pays asks for it in its
signature, so what forgot to ask for a yes cannot be written (ADR-0027).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tangguh.core.errors import InvariantBroken


class By(StrEnum):
    """How the yes was given."""

    SIGNATURE = "signature"
    PIN = "pin"


class Consent(msgspec.Struct, frozen=True):
    """Whose yes it is, and how it was given."""

    customer_id: int
    by: By

    def must_be_of(self, customer_id: int) -> None:
        """Raises InvariantBroken when it is another customer's money that would move."""
        if customer_id != self.customer_id:
            raise InvariantBroken(f"a yes of {self.customer_id} for money of {customer_id}")
