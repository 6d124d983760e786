"""The rail that never leaves the bank: both accounts are in our own book. Read this one first.

There is no network to ask, so there is nothing it could not know: the book posts, and the book is
the truth. Hence every answer is Accepted, at once and for ever the same. That includes ``reverse``:
a posted on-us payment is undone by a posting of the book, never by this rail, so from here it is
always "too late". A hold that was never concluded is therefore completed, not dropped.
"""

from __future__ import annotations

from tangguh.core.outcome import Accepted, Outcome
from tangguh.rails.rail import Capabilities, Instruction, Refunding


class OnUs:
    """Payments between two accounts of this bank."""

    def __init__(self, name: str = "onus") -> None:
        """``name``: e-money settles inside the bank too, on a rail of its own name."""
        self.name = name

    def capabilities(self) -> Capabilities:
        """It settles inside and waits for nobody."""
        return Capabilities(
            settles_inside=True, send_timeout_seconds=5.0, inquiry_delays_seconds=(5.0,)
        )

    async def send(self, instruction: Instruction) -> Outcome:
        """Nothing is sent: the book's own posting pays."""
        return Accepted(instruction.reference)

    async def inquire(self, instruction: Instruction) -> Outcome:
        """What ``send`` would say, as nothing outside can have changed it."""
        return Accepted(instruction.reference)

    async def reverse(self, instruction: Instruction) -> Outcome:
        """Too late, always: undoing an on-us payment is the book's own posting."""
        return Accepted(instruction.reference)

    async def refund(self, refunding: Refunding) -> Outcome:
        """Nothing is sent: the book's own posting gives back."""
        return Accepted(refunding.reference)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """What ``refund`` would say."""
        return Accepted(refunding.reference)

    async def close(self) -> None:
        """Nothing to let go of."""
