"""Why something is closed, as one member of staff tells every customer it stops. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tangguh.core.outcome import Refusal, Refused
from tangguh.notices.lint import Said, faults_of
from tangguh.notices.traps import traps_in


def refuse_words(told: Mapping[str, str]) -> Refused | None:
    """Whether these may be said, by language; empty ones are. Refuses ORDER_INVALID by field."""
    for language, text in told.items():
        if not text.strip():
            continue
        said = Said(title="-", what=text, about_money=False)
        broken = [(one.rule, one.words) for one in faults_of(said, language) if one.field == "what"]
        for rule, words in (*broken, *traps_in(text)):
            return Refused(Refusal.ORDER_INVALID, f"message_{language}", f"{rule}: {words}")
    return None
