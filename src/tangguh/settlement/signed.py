"""Two people: whoever moves money by hand is never alone. Pure."""

from __future__ import annotations

import msgspec

from tangguh.core.outcome import Refusal, Refused


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it, who approved it, and why. The names are ids of staff, never the same."""

    by: str
    approved_by: str
    reason: str

    def refused(self) -> Refused | None:
        """ORDER_INVALID naming the field, when somebody is alone or gives no reason."""
        first, second = self.by.strip(), self.approved_by.strip()
        if not first:
            return Refused(Refusal.ORDER_INVALID, "by", "somebody signs")
        if not second or first.casefold() == second.casefold():
            return Refused(Refusal.ORDER_INVALID, "approved_by", "two different people sign")
        if not self.reason.strip():
            return Refused(Refusal.ORDER_INVALID, "reason", "say why")
        return None

    def as_told(self, **more: object) -> str:
        """What an act keeps of it: JSON with both names and the reason."""
        told = {"by": self.by, "approved_by": self.approved_by, "reason": self.reason, **more}
        return msgspec.json.encode(told).decode()
