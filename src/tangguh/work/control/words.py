"""Why something is closed, as one member of staff tells every customer it stops. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tangguh.core.outcome import Refusal, Refused
from tangguh.work.incidents.lint import lint_with

_LINT: Final = lint_with({})


def refuse_words(told: Mapping[str, str]) -> Refused | None:
    """Whether these may be said, by language; empty ones are. Refuses ORDER_INVALID by field."""
    has_ticket = False
    for language, text in told.items():
        if not text.strip():
            continue
        for fault in _LINT(text, language, has_ticket):
            return Refused(Refusal.ORDER_INVALID, f"message_{language}", fault)
    return None
