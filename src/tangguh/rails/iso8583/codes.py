"""What a response code (DE39) means for the money, by a table that each link may amend.

Peers differ: one Indonesian host says 06 where others say 68. A code that is in no table is
Unanswered, never a no. Sources: public lists and adapter behaviour named in README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from tangguh.core.errors import Misconfigured
from tangguh.core.known import Tristate
from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered

Meaning = Literal["approved", "declined", "limit", "payee", "unreachable", "unknown", "too_late"]

APPROVED: Final = "00"
FORMAT_ERROR: Final = "30"
NOT_PERMITTED: Final = "58"
SECURITY: Final = "63"
MALFUNCTION: Final = "96"
INOPERATIVE: Final = "91"
LATE: Final = "68"
PARTIAL: Final = "32"
"""In a reversal: why it is sent. 68 no answer in time, 32 part of the notes came out."""

_DECLINES: Final = (
    "01 02 03 04 05 07 12 13 15 19 30 34 36 37 38 41 43 51 54 55 57 58 59 62 63 75 83"
)
PUBLISHED: Final[dict[str, Meaning]] = {
    APPROVED: "approved",
    **dict.fromkeys(_DECLINES.split(), "declined"),
    **dict.fromkeys(("14", "39", "52", "53", "76", "77", "78", "88"), "payee"),
    **dict.fromkeys(("61", "65"), "limit"),
    **dict.fromkeys(("90", "92"), "unreachable"),
    # Somebody may have carried it out before the answer was lost: a reversal must tell.
    **dict.fromkeys((LATE, INOPERATIVE, "94", "95", MALFUNCTION), "unknown"),
}
"""Answers to a request (0200)."""

REVERSALS: Final[dict[str, Meaning]] = {
    **dict.fromkeys((APPROVED, "25", "79"), "declined"),
    # 21: unable to back out the prior transaction (ISO 8583:1987).
    "21": "too_late",
}
"""Answers to a reversal: declined means that the original did not happen and never will."""

_MEANINGS: Final = frozenset(
    ("approved", "declined", "limit", "payee", "unreachable", "unknown", "too_late")
)
_REFUSALS: Final[dict[str, Refusal]] = {
    "declined": Refusal.PARTNER_DECLINED,
    "limit": Refusal.PARTNER_LIMIT,
    "payee": Refusal.FAR_ACCOUNT_NOT_FOUND,
    "unreachable": Refusal.PARTNER_UNREACHABLE,
}


class ResponseCodes:
    """One link's tables. ``overrides`` for requests, ``reversals`` for answers to reversals."""

    def __init__(
        self, overrides: Mapping[str, str] | None = None, reversals: Mapping[str, str] | None = None
    ) -> None:
        """Raises Misconfigured for a meaning that does not exist."""
        self._requests = _amended(PUBLISHED, overrides or {})
        self._reversals = _amended(REVERSALS, reversals or {})

    def outcome(self, code: str, reference: str, approval: str = "") -> Outcome:
        """Of an answered request; ``reference`` and ``approval`` are kept with an acceptance."""
        meaning = self._requests.get(code, "unknown")
        if meaning == "approved":
            return Accepted(reference, approval)
        refusal = _REFUSALS.get(meaning)
        return Declined(refusal, code) if refusal else Unanswered(f"response code {code}")

    def outcome_of_reversal(self, code: str, reference: str) -> Outcome:
        """Declined: undone or never known. Accepted: too late. Unanswered: repeat it."""
        meaning = self._reversals.get(code, "unknown")
        if meaning == "declined":
            return Declined(Refusal.NOT_CARRIED_OUT, code)
        if meaning == "too_late":
            return Accepted(reference)
        return Unanswered(f"reversal answered {code}")


ADVISED: Final = frozenset((APPROVED, "08", "10", "11", "16"))
"""In an advice: it was approved, with or without a remark (ISO 8583:1987)."""


def took_place(code: str) -> Tristate:
    """Whether an advice tells of something that happened; unknown for a code in no table."""
    if code in ADVISED:
        return Tristate.YES
    return Tristate.NO if code in PUBLISHED else Tristate.UNKNOWN


def _amended(table: Mapping[str, Meaning], changes: Mapping[str, str]) -> dict[str, str]:
    for code, meaning in changes.items():
        if meaning not in _MEANINGS:
            raise Misconfigured(f"iso8583: response code {code}: no such meaning as {meaning!r}")
    return {**table, **changes}
