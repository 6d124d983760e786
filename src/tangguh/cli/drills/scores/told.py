"""O6: whether everyone who was not paid for can read why, and when they hear more."""

from __future__ import annotations

from typing import Any, Final

from tangguh.cli.drills.scores.closures import Change
from tangguh.cli.drills.scores.recorder import STOPPED
from tangguh.web.words import Words, read_all

_OPEN: Final = frozenset({"parked", "held", "unanswered"})
_NOT_PAID: Final = frozenset({"refused", "voided"})


class Told:
    """Judges payments as the API shows them to their customers."""

    def __init__(self, history: list[Change]) -> None:
        self._closures = {str(change.closure.id): change.closure for change in history}
        self._words: dict[str, Words] = read_all()

    def lacks(self, view: dict[str, Any]) -> str:
        """What such a payment's customer was not told; empty: nothing."""
        state = view.get("state")
        if state in _OPEN:
            return "" if view.get("next_word_at") else f"{state} without a next word"
        if state not in _NOT_PAID:
            return "" if state else "not shown at all"
        refusal = view.get("refusal") or {}
        code = str(refusal.get("code", ""))
        for language, words in self._words.items():
            if not all(words.has(f"problem.{code}.{part}") for part in ("reason", "do")):
                return f"no words for {code!r} in {language}"
        return self._lacks_of_closure(str(refusal.get("detail", ""))) if code in STOPPED else ""

    def _lacks_of_closure(self, detail: str) -> str:
        closure = self._closures.get(detail.partition(" ")[0])
        if closure is None:
            return f"names no closure: {detail!r}"
        if not (closure.message_id and closure.message_en):
            return f"closure {closure.id} has no message"
        return "" if closure.next_word_at else f"closure {closure.id} has no next word"
