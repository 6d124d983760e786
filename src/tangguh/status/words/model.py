"""The model texts: a word to the public, written from facts alone. Pure.

What works and what does not, where the money is and what to do come in every text and in this order
(customers' research §5). People may write their own; these are what is said when nobody has time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from typing import Final, assert_never

import msgspec

from tangguh.core.format import money, percent, spoken
from tangguh.status.component import Stage, names_of
from tangguh.status.incident import LANGUAGES, Incident, IncidentState, Kind, Money, Text
from tangguh.status.source import Extent, Source

_SUBJECTS_MAX: Final = 3
_TABLES: Final = {
    language: tomllib.loads((files("tangguh.status.words") / f"{language}.toml").read_text("utf-8"))
    for language in LANGUAGES
}


class Step(StrEnum):
    """Which word of the story it is."""

    ANNOUNCED = "announced"
    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    RECOVERING = "recovering"
    MONITORING = "monitoring"
    RESTORED = "restored"
    RESOLVED = "resolved"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the words are filled from. Component ids; times are instants.

    ``about``: what the incident is about, ``source`` by what it is known, ``extent`` how much of it
    is missing now and ``worst`` how much was. ``works``, ``partly``, ``broken``: every service as
    it is now. ``assurance_*``: whether the money is safe, computed elsewhere. ``until``: when a
    scheduled change is over.
    """

    kind: Kind
    now: datetime
    since: datetime
    about: Sequence[str]
    works: Sequence[str]
    partly: Sequence[str] = ()
    broken: Sequence[str] = ()
    assurance_id: str = ""
    assurance_en: str = ""
    money: Money = Money()
    stage: Stage | None = None
    unanswered_permille: int | None = None
    restored_at: datetime | None = None
    ticket: str = ""
    until: datetime | None = None
    source: Source = Source.UNKNOWN
    extent: Extent = Extent.NONE
    worst: Extent = Extent.NONE


def step_of(incident: Incident, to: IncidentState, extent: Extent, now: datetime) -> Step:
    """Which word leads an incident to a state, when so much of it is missing now."""
    match to:
        case IncidentState.RECOVERING:
            return Step.RECOVERING
        case IncidentState.MONITORING:
            return Step.MONITORING
        case IncidentState.SERVICE_RESTORED:
            return Step.RESTORED
        case IncidentState.MONEY_RESOLVED | IncidentState.POST_MORTEM:
            return Step.RESOLVED
        case _ if incident.begun_at > now:
            return Step.ANNOUNCED
        case _:
            again = incident.state is IncidentState.PUBLISHED and incident.extent is extent
            return Step.PUBLISHED if not again or _has_turned(incident, now) else Step.UNCHANGED


def _has_turned(incident: Incident, now: datetime) -> bool:
    """Whether a plan has begun, or should have ended, since the newest word."""
    told = incident.updates[-1].at if incident.updates else incident.begun_at
    turns = (incident.begun_at, incident.ends_at)
    return any(turn is not None and told < turn <= now for turn in turns)


def write(step: Step, facts: Facts) -> dict[str, Text]:
    """The word in every language.

    Raises ValueError for a step whose facts are missing: a stage while recovering, a ticket for a
    change, the end of the disruption once it is over.
    """
    if step is Step.RECOVERING and facts.stage is None:
        raise ValueError("recovering has a stage")
    if facts.kind is Kind.SCHEDULED_CHANGE and not facts.ticket:
        raise ValueError("a change has a ticket")
    if step in {Step.RESTORED, Step.RESOLVED} and facts.restored_at is None:
        raise ValueError("what is restored has been restored at some time")
    return {language: _Writer(facts, language).text(step) for language in LANGUAGES}


def counted(count: int, language: str) -> str:
    """``1.204`` or ``1,204``."""
    grouped = f"{count:,}"
    return grouped.replace(",", ".") if language == "id" else grouped


def joined(names: Sequence[str], language: str) -> str:
    """``a, b dan c``."""
    if len(names) < 2:
        return "".join(names)
    word = _TABLES[language]["list"]["and"]
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def limit_of(stage: Stage, language: str) -> str:
    """What a stage lets through, as part of a sentence."""
    words = _TABLES[language]["limit"]
    if stage.amount_max_minor is not None:
        return str(words["amount"]).format(amount=money(stage.amount_max_minor))
    if stage.limits_percent < 100:
        return str(words["percent"]).format(percent=stage.limits_percent)
    return str(words["usual"])


class _Writer:
    """One text in one language."""

    def __init__(self, facts: Facts, language: str) -> None:
        self._facts = facts
        self._language = language
        self._table = _TABLES[language]

    def text(self, step: Step) -> Text:
        headline, happened, do = self._wanted(step)
        values = self._values()
        return Text(
            headline=_capital(headline.format_map(values)),
            happened=happened.format_map(values).strip(),
            works=self._works(),
            broken=self._broken(),
            money=self._money(),
            do=do,
        )

    def _wanted(self, step: Step) -> tuple[str, str, str]:
        """Headline, what happened and what to do, of this step and these facts."""
        table = self._table
        match step:
            case Step.PUBLISHED:
                return self._published()
            case Step.MONITORING:
                words = table["any"]["monitoring"]
                return (
                    table["headline"]["monitoring"][self._after()],
                    words["happened"],
                    words["do"],
                )
            case Step.ANNOUNCED | Step.UNCHANGED | Step.RECOVERING | Step.RESTORED | Step.RESOLVED:
                words = table["any"][str(step)]
                return words["headline"], words["happened"], words["do"]
            case _:
                assert_never(step)

    def _published(self) -> tuple[str, str, str]:
        """Said of who closed or saw it, and of how much of it is missing; nothing else."""
        facts, heads = self._facts, self._table["headline"]
        said, do = self._table["happened"], self._table["do"]["published"]
        kind, extent, source = str(facts.kind), str(facts.extent), str(facts.source)
        match facts.source:
            case Source.MONEY | Source.ABUSE | Source.NETWORK | Source.CONTROL:
                return heads["closed"][extent], said["closed"][source], do["closed"]
            case Source.STAFF_CLOSED:
                return heads["closed"][extent], said["staff"][extent], do["closed"]
            case Source.PLANNED:
                head = heads["seen"]["scheduled_change"]
                if facts.extent.rank:
                    head = heads["closed"][extent]
                return head, said["closed"]["planned"], do["planned"]
            case Source.SEEN | Source.PROBED:
                return heads["seen"][kind], said["seen"][source], do["open"]
            case Source.STAFF_SAID:
                return heads["said"][kind], said["said"][extent], do["open"]
            case Source.UNKNOWN:
                return heads["unknown"][extent], said["seen"]["unknown"], do["open"]
            case _:
                assert_never(facts.source)

    def _after(self) -> str:
        """What is well again: only what was closed is opened, only what was silent answers."""
        facts = self._facts
        if facts.source.is_closure:
            match facts.worst:
                case Extent.ALL | Extent.MIXED:
                    return "closed_all"
                case Extent.PART:
                    return "closed_part"
                case Extent.NONE | Extent.UNKNOWN:
                    return "other"
                case _:
                    assert_never(facts.worst)
        return "seen" if facts.source in {Source.SEEN, Source.PROBED} else "other"

    def _values(self) -> dict[str, str]:
        facts, language = self._facts, self._language
        stage = facts.stage
        known = {
            "subject": self._subject(),
            "since": spoken(facts.since, facts.now, language),
            "ticket": facts.ticket,
            "share": self._share(),
            "until": self._until(),
            "long": self._long(),
            "limits": self._limits(),
            "touched": str(self._table["touched"]["some" if facts.money.affected else "none"]),
        }
        if stage is not None:
            known |= {
                "stage": str(stage.number),
                "stages": str(stage.last),
                "stage_since": spoken(stage.since, facts.now, language),
                "share_in": percent(stage.permille * 10, language),
                "limit": limit_of(stage, language),
            }
        return known

    def _subject(self) -> str:
        names = names_of(self._facts.about, self._language)
        if len(names) > _SUBJECTS_MAX:
            return str(self._table["subject"]["many"]).format(count=len(self._facts.about))
        return joined(names, self._language)

    def _share(self) -> str:
        share, words = self._facts.unanswered_permille, self._table["share"]
        if share is None:
            return ""
        if share >= 1000:
            return str(words["all"])
        return str(words["known"]).format(percent=percent(share * 10, self._language))

    def _until(self) -> str:
        facts, words = self._facts, self._table["until"]
        if facts.until is None:
            return str(words["unknown"])
        key = "known" if facts.extent.rank else "planned"
        if facts.until <= facts.now:
            key = "over"
        return str(words[key]).format(until=spoken(facts.until, facts.now, self._language))

    def _limits(self) -> str:
        """That limits are usual again is news only where something was closed or limited."""
        was = self._facts.source.is_closure and self._facts.worst.rank > 0
        return str(self._table["limits"]["usual"]) if was else ""

    def _long(self) -> str:
        facts, words = self._facts, self._table["long"]
        lasted = (facts.restored_at or facts.now) - facts.since
        hours, minutes = divmod(max(1, int(lasted.total_seconds() // 60)), 60)
        key = "hours" if hours else "minutes"
        return str(words[key]).format(hours=hours, minutes=minutes)

    def _works(self) -> str:
        facts, words = self._facts, self._table["list"]
        if not facts.broken and not facts.partly:
            return str(words["all_work"])
        return self._listed("works", facts.works)

    def _broken(self) -> str:
        facts = self._facts
        said = (self._listed("broken", facts.broken), self._listed("partly", facts.partly))
        return " ".join(one for one in said if one)

    def _listed(self, key: str, components: Sequence[str]) -> str:
        names = names_of(components, self._language)
        if not names:
            return ""
        return str(self._table["list"][key]).format(names=joined(names, self._language))

    def _money(self) -> str:
        facts = self._facts
        proved = facts.assurance_id if self._language == "id" else facts.assurance_en
        return " ".join(one for one in (proved, self._counts()) if one)

    def _counts(self) -> str:
        heaps, words, language = self._facts.money, self._table["money"], self._language
        if heaps.counted_at is None:
            return str(words["uncounted"])
        if heaps.affected == 0:
            return str(words["none"])
        if heaps.open:
            return str(words["open"]).format(
                count=counted(heaps.open, language), sum=money(heaps.open_minor)
            )
        return str(words["done"]).format(
            affected=counted(heaps.affected, language),
            arrived=counted(heaps.arrived, language),
            arrived_sum=money(heaps.arrived_minor),
            back=counted(heaps.came_back, language),
            back_sum=money(heaps.came_back_minor),
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
