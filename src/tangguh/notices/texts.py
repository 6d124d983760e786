"""The texts of notices, from files anybody can edit: read, linted, filled in.

``wording/<language>/<family>.toml`` holds templates; each part of one answers one question. Texts
that break a rule are not loaded: the bank says what is wrong and does not start. A bank may keep a
folder of its own with the same layout.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import msgspec

from tangguh.core.errors import Misconfigured
from tangguh.core.outcome import Refusal, Refused
from tangguh.notices.assurance import Assured
from tangguh.notices.lint import FIELDS, Fault, Said, faults_of
from tangguh.notices.values import LINK, SAMPLE_PROOF, VALUES, Filled, fill

LANGUAGES: Final = ("id", "en")
_NAME: Final = re.compile(r"\{(\w*)\}")
_LETTER: Final = "letter"


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message with ``{names}`` to fill in. ``needs`` lists them, once each."""

    needs: tuple[str, ...]
    title: str
    what: str
    sms: str
    where: str = ""
    next: str = ""
    by_when: str = ""
    do: str = ""
    about_money: bool = True

    def names_in(self, field: str) -> list[str]:
        """The names one part has, in order of the alphabet."""
        return sorted(_NAME.findall(getattr(self, field)))

    def filled(self, values: Mapping[str, Filled]) -> Said:
        """The message with its names filled in; a name without a value is our bug."""

        def write(text: str, *, short: bool = False) -> str:
            done = _NAME.sub(
                lambda found: values[found[1]].short if short else values[found[1]].long, text
            )
            return re.sub(r" +", " ", done).strip()

        return Said(
            title=write(self.title),
            what=write(self.what),
            where=write(self.where),
            next=write(self.next),
            by_when=write(self.by_when),
            do=write(self.do),
            sms=write(self.sms, short=True),
            about_money=self.about_money,
        )


class Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands under an e-mail in one language."""

    never_ask: str
    unsubscribe: str


class Words(msgspec.Struct, frozen=True):
    """One message as it will be read; ``LINK`` in it is filled when it is sent."""

    title: str
    text: str
    sms: str


class Texts:
    """Every template in every language. ``folder`` holds a bank's own; None: those that come along.

    Raises Misconfigured with every fault of every text.
    """

    def __init__(self, folder: Path | None = None) -> None:
        root: Traversable = folder if folder else files("tangguh.notices") / "wording"
        self.templates: dict[tuple[str, str], Template] = {}
        self.letters: dict[str, Letter] = {}
        for language in LANGUAGES:
            self._read(root / language, language)
        faults = list(faults_in(self.templates))
        if faults:
            raise Misconfigured("texts of notices: " + "; ".join(faults))

    def render(
        self,
        name: str,
        language: str,
        values: Mapping[str, Any],
        *,
        now: datetime,
        ticket: str = "",
    ) -> Words | Refused:
        """A message for one reader. Refuses ORDER_INVALID: unknown text, wrong values, or prose
        that breaks a rule of the lint (the field is then the part it stands in).
        """
        template = self.templates.get((name, language))
        if template is None:
            return Refused(Refusal.ORDER_INVALID, "template", f"there is no {name} in {language}")
        if odd := set(values) ^ {need for need in template.needs if VALUES[need].kind != "link"}:
            return Refused(Refusal.ORDER_INVALID, min(odd), f"{name} needs {template.needs}")
        filled: dict[str, Filled] = {"link": Filled(LINK, LINK)}
        for need, given in values.items():
            one = fill(need, given, language, now)
            if isinstance(one, Refused):
                return one
            filled[need] = one
        prose = tuple(
            (need, filled[need].long) for need in template.needs if VALUES[need].kind == "prose"
        )
        if prose and (faults := _faults_of_prose(template, language, prose, ticket)):
            fault = faults[0]
            return Refused(Refusal.ORDER_INVALID, fault.field, f"{fault.rule} {fault.words}")
        said = template.filled(filled)
        return Words(title=said.title, text=said.text, sms=said.sms)

    def _read(self, folder: Traversable, language: str) -> None:
        if not folder.is_dir():
            raise Misconfigured(f"texts of notices: there is no folder {folder}")
        for entry in sorted(folder.iterdir(), key=lambda one: one.name):
            if not entry.name.endswith(".toml"):
                continue
            try:
                tables = tomllib.loads(entry.read_text(encoding="utf-8"))
                if _LETTER in tables:
                    self.letters[language] = msgspec.convert(tables.pop(_LETTER), Letter)
                for name, table in tables.items():
                    self.templates[name, language] = msgspec.convert(table, Template)
            except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as broken:
                raise Misconfigured(
                    f"texts of notices: {language}/{entry.name}: {broken}"
                ) from None
        if language not in self.letters:
            raise Misconfigured(f"texts of notices: {language} has no [{_LETTER}]")


def faults_in(templates: Mapping[tuple[str, str], Template]) -> Iterator[str]:
    """Everything wrong with a set of texts, each naming language, text, part and rule.

    A text is judged with its longest values filled in, with and without what may be left out.
    """
    for (name, language), template in templates.items():
        where = f"{language}/{name}"
        for fault in list(_names_of(template)) or _longest(template, language):
            yield f"{where}: {fault.field}: {fault.rule} {fault.words}".rstrip()
        for other in LANGUAGES:
            twin = templates.get((name, other))
            if twin is None:
                yield f"{where}: there is none in {other}"
            elif set(twin.needs) != set(template.needs) or twin.about_money != template.about_money:
                yield f"{where}: {other} tells other things"


def _names_of(template: Template) -> Iterator[Fault]:
    used = {name for field in FIELDS for name in template.names_in(field)}
    for name in sorted(used ^ set(template.needs)):
        yield Fault("needs", "not_the_names_used", name)
    for field in FIELDS:
        bare = _NAME.sub("", getattr(template, field))
        if "{" in bare or "}" in bare:
            yield Fault(field, "brace")
        for name in template.names_in(field):
            kind = VALUES[name].kind if name in VALUES else ""
            if not kind:
                yield Fault(field, "unknown_name", name)
            elif (field == "sms" and kind in ("prose", "assurance")) or (
                field == "title" and kind in ("prose", "assurance", "money", "link")
            ):
                yield Fault(field, "not_here", name)
    if not template.sms.strip():
        yield Fault("sms", "missing")


def _longest(template: Template, language: str) -> list[Fault]:
    proof = SAMPLE_PROOF[language] if "assurance" in template.needs else None
    return faults_of(template.filled(_examples(language)), language, assured=proof)


def _examples(language: str) -> dict[str, Filled]:
    found = {name: value.example(language) for name, value in VALUES.items()}
    return {name: Filled(text, text) for name, text in found.items()}


@lru_cache(maxsize=512)
def _faults_of_prose(
    template: Template, language: str, prose: tuple[tuple[str, str], ...], ticket: str
) -> list[Fault]:
    """One incident's words go to a hundred thousand people and are judged once."""
    values = _examples(language) | {name: Filled(text, text) for name, text in prose}
    assured: Assured | None = SAMPLE_PROOF[language] if "assurance" in template.needs else None
    return faults_of(template.filled(values), language, ticket=ticket, assured=assured)
