"""A network with its own truth, to compare the book with: what it really paid and refunded."""

from __future__ import annotations

from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.rails.rail import Capabilities, Instruction, Refunding


class Network:
    """``manner``: accepts, declines, paid_silently, lost_silently, not_sent."""

    name = "qris"

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.paid: dict[str, int] = {}
        self.refunded: dict[str, int] = {}
        self.cancelled: set[str] = set()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            settles_inside=False, send_timeout_seconds=20.0, inquiry_delays_seconds=(3.0, 10.0)
        )

    async def send(self, instruction: Instruction) -> Outcome:
        if instruction.reference in self.cancelled:
            return Declined(Refusal.PARTNER_DECLINED, "cancelled")
        return self._carry(self.paid, instruction.reference, instruction.amount_minor)

    async def inquire(self, instruction: Instruction) -> Outcome:
        if instruction.reference in self.paid:
            return Accepted(f"RRN{instruction.reference[:9]}")
        return Unanswered("not_found")

    async def reverse(self, instruction: Instruction) -> Outcome:
        self.cancelled.add(instruction.reference)
        return Declined(Refusal.PARTNER_DECLINED, "cancelled")

    async def refund(self, refunding: Refunding) -> Outcome:
        return self._carry(self.refunded, refunding.reference, refunding.amount_minor)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        if refunding.reference in self.refunded:
            return Accepted(f"REF{refunding.reference[:9]}")
        return Unanswered("not_found")

    async def close(self) -> None:
        """Nothing to let go of."""

    def _carry(self, done: dict[str, int], reference: str, amount_minor: int) -> Outcome:
        match self.manner:
            case "accepts":
                done[reference] = amount_minor
                return Accepted(f"RRN{reference[:9]}")
            case "paid_silently":
                done[reference] = amount_minor
                self.manner = "accepts"
                return Unanswered("timeout")
            case "lost_silently":
                self.manner = "accepts"
                return Unanswered("timeout")
            case "declines":
                return Declined(Refusal.PARTNER_DECLINED, "4035005")
            case _:
                return NotSent("connection refused")
