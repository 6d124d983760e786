"""The house's rules of writing, as the book asks them of every public word. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tangguh.notices.assurance import Assured
from tangguh.notices.lint import Said, faults_of
from tangguh.notices.traps import traps_in
from tangguh.status.component import COMPONENTS, ComponentState
from tangguh.status.incident import Lint
from tangguh.work.incidents.claims import contradictions

_NAMES_MIN: Final = 3


def lint_with(
    assured: Mapping[str, Assured | None], states: Mapping[str, ComponentState] | None = None
) -> Lint:
    """The lint that lets the computed sentence through, and nobody else's "safe".

    ``states``: what is known of the services now, against which people's words are held; None for
    words that were computed from it.
    """

    def lint(text: str, language: str, has_ticket: bool) -> list[str]:  # noqa: FBT001 - its shape
        said = Said(title="-", what=text, about_money=False)
        found = faults_of(
            said,
            language,
            ticket="named" if has_ticket else "",
            assured=assured.get(language),
        )
        broken = [
            (one.rule, one.words)
            for one in found
            if one.field == "what" and not (one.rule == "long" and _is_list(text))
        ]
        unnamed = _without_names(text, language)  # a service is called "PIN", too
        broken += [one for one in traps_in(unnamed) if not (one[0] == "long" and _is_list(text))]
        if states is not None:
            computed = assured.get(language)
            own = text.replace(computed.text, "") if computed is not None else text
            broken += contradictions(own, language, states)
        return [f"{rule}: {words}" for rule, words in broken]

    return lint


def _without_names(text: str, language: str) -> str:
    """The text without the names of services, which are ours."""
    for component in COMPONENTS.values():
        text = text.replace(component.name(language), "")
    return text


def _is_list(text: str) -> bool:
    """Names of services after a colon: as long as there are services, and read as a list."""
    _, colon, names = text.partition(": ")
    return bool(colon) and names.count(", ") >= _NAMES_MIN
