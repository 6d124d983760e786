"""Drafts of reports, filled from what the bank recorded; what only people know is marked. Pure.

A draft never invents. A field nobody recorded reads ``[ISI: ...]`` and is listed at the top, so
whoever sends it sees first what is missing. People send; the bank only writes and remembers.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from tangguh.core.format import instant, money
from tangguh.core.service import SERVICES
from tangguh.status.regulator.clocks import RunningClock

_TOP_LINES: Final = 400


class Report(StrEnum):
    """Which report."""

    INITIAL = "initial"
    FULL = "full"
    BREACH = "breach"
    COMPLAINTS = "complaints"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline: what was recorded, when, by whom (a role or part of the bank)."""

    at: datetime
    what: str
    by: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded of an incident. Empty and None: nobody recorded it.

    ``payments`` affected with ``payments_minor``; ``open``, ``came_back`` and ``arrived`` of them.
    """

    number: str
    bank: str
    kind: str
    known_at: datetime
    begun_at: datetime
    restored_at: datetime | None = None
    services: tuple[str, ...] = ()
    unaffected: tuple[str, ...] = ()
    scope: str = ""
    cause: str = ""
    fix: str = ""
    loss_minor: int | None = None
    customers: int | None = None
    payments: int | None = None
    payments_minor: int | None = None
    open: int | None = None
    came_back: int | None = None
    arrived: int | None = None
    books_hold: bool | None = None
    books_at: datetime | None = None
    personal_data: str = ""
    people_told: int | None = None
    public_url: str = ""
    contact: str = ""
    police_report: str = ""
    timeline: tuple[Line, ...] = ()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Complaints of one month: opened by what they are about, and how they stand."""

    bank: str
    month: str
    opened: dict[str, int]
    decided: dict[str, int]
    still_open: int
    overdue: int
    contact: str = ""


class Section(msgspec.Struct, frozen=True):
    """A heading with its fields, its table rows, or both."""

    heading: str
    fields: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A report as its parts; ``missing`` is what people must fill in before it is sent."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    missing: tuple[str, ...]
    note: str
    language: str


@lru_cache(maxsize=4)
def words_of(language: str) -> dict[str, dict[str, str]]:
    """The texts of one language."""
    known = language if language in ("id", "en") else "id"
    text = (files("tangguh.status.regulator") / "wording" / f"{known}.toml").read_text("utf-8")
    return tomllib.loads(text)


class _Writer:
    """Fills fields and remembers what nobody recorded."""

    def __init__(self, language: str) -> None:
        self.words = words_of(language)
        self.language = language
        self.missing: list[str] = []

    def field(self, name: str, value: str) -> tuple[str, str]:
        """A field with its value, or the mark that it is missing."""
        label = self.words["field"][name]
        if value:
            return label, value
        self.missing.append(label)
        return label, self.words["mark"]["fill"].format(what=label)

    def time(self, name: str, at: datetime | None) -> tuple[str, str]:
        """A field that is an instant."""
        return self.field(name, instant(at, self.language) if at is not None else "")

    def count(self, name: str, value: int | None) -> tuple[str, str]:
        """A field that is a number; nought is a number, unknown is not."""
        return self.field(name, str(value) if value is not None else "")

    def sum(self, name: str, minor: int | None) -> tuple[str, str]:
        """A field that is a sum of money."""
        return self.field(name, money(minor) if minor is not None else "")

    def services(self, name: str, ids: tuple[str, ...]) -> tuple[str, str]:
        """A field that lists services by name."""
        found = [SERVICES[one] for one in ids if one in SERVICES]
        names = [one.name_id if self.language == "id" else one.name_en for one in found]
        return self.field(name, ", ".join(names))

    def heading(self, name: str) -> str:
        """A section's heading."""
        return self.words["heading"][name]


def draft(
    report: Report, facts: Facts, clocks: list[RunningClock], language: str = "id"
) -> Document:
    """A report about an incident as it can be written now."""
    write = _Writer(language)
    sections = [_who(write, facts), _what(write, facts), _whom(write, facts)]
    if report is Report.BREACH:
        sections = [_who(write, facts), _what(write, facts), _data(write, facts)]
    elif report is Report.FULL:
        sections += [_why(write, facts), _timeline(write, facts)]
    sections.append(_clocks(write, clocks))
    titles = write.words["title"]
    return Document(
        title=titles[str(report)],
        subtitle=f"{facts.bank}, {facts.number}",
        sections=tuple(sections),
        missing=tuple(dict.fromkeys(write.missing)),
        note=write.words["mark"]["note"],
        language=language,
    )


def monthly(figures: Figures, language: str = "id") -> Document:
    """The month's complaint figures."""
    write = _Writer(language)
    about = write.words["about"]
    opened = [(about.get(kind, kind), str(count)) for kind, count in sorted(figures.opened.items())]
    ends = write.words["outcome"]
    decided = [(ends.get(end, end), str(count)) for end, count in sorted(figures.decided.items())]
    total = sum(figures.opened.values())
    sections = (
        Section(
            write.heading("figures"),
            (
                write.field("month", figures.month),
                write.count("opened", total),
                write.count("still_open", figures.still_open),
                write.count("overdue", figures.overdue),
                write.field("contact", figures.contact),
            ),
        ),
        Section(write.heading("by_kind"), rows=tuple(opened)),
        Section(write.heading("by_outcome"), rows=tuple(decided)),
    )
    return Document(
        title=write.words["title"][str(Report.COMPLAINTS)],
        subtitle=f"{figures.bank}, {figures.month}",
        sections=sections,
        missing=tuple(dict.fromkeys(write.missing)),
        note=write.words["mark"]["note"],
        language=language,
    )


def _who(write: _Writer, facts: Facts) -> Section:
    return Section(
        write.heading("who"),
        (
            write.field("bank", facts.bank),
            write.field("number", facts.number),
            write.field("contact", facts.contact),
        ),
    )


def _what(write: _Writer, facts: Facts) -> Section:
    kinds = write.words["kind"]
    return Section(
        write.heading("what"),
        (
            write.field("kind", kinds.get(facts.kind, facts.kind)),
            write.time("begun_at", facts.begun_at),
            write.time("known_at", facts.known_at),
            write.time("restored_at", facts.restored_at),
            write.services("services", facts.services),
            write.services("unaffected", facts.unaffected),
            write.field("scope", facts.scope),
            write.field("cause", facts.cause),
            write.field("fix", facts.fix),
        ),
    )


def _whom(write: _Writer, facts: Facts) -> Section:
    books = ""
    if facts.books_hold is not None and facts.books_at is not None:
        says = write.words["mark"]["books_hold" if facts.books_hold else "books_differ"]
        books = says.format(at=instant(facts.books_at, write.language))
    return Section(
        write.heading("whom"),
        (
            write.count("customers", facts.customers),
            write.count("payments", facts.payments),
            write.sum("payments_minor", facts.payments_minor),
            write.count("open", facts.open),
            write.count("came_back", facts.came_back),
            write.count("arrived", facts.arrived),
            write.sum("loss_minor", facts.loss_minor),
            write.field("books", books),
            write.count("people_told", facts.people_told),
            write.field("public_url", facts.public_url),
        ),
    )


def _why(write: _Writer, facts: Facts) -> Section:
    return Section(
        write.heading("why"),
        (
            write.field("cause", facts.cause),
            write.field("fix", facts.fix),
            write.field("police_report", facts.police_report),
        ),
    )


def _data(write: _Writer, facts: Facts) -> Section:
    return Section(
        write.heading("data"),
        (
            write.field("personal_data", facts.personal_data),
            write.count("customers", facts.customers),
            write.field("cause", facts.cause),
            write.field("fix", facts.fix),
            write.count("people_told", facts.people_told),
        ),
    )


def _timeline(write: _Writer, facts: Facts) -> Section:
    lines = sorted(facts.timeline, key=lambda one: one.at)[:_TOP_LINES]
    rows = tuple((instant(one.at, write.language), one.what, one.by) for one in lines)
    if not rows:
        write.missing.append(write.heading("timeline"))
    return Section(write.heading("timeline"), rows=rows)


def _clocks(write: _Writer, clocks: list[RunningClock]) -> Section:
    rows = tuple(
        (
            one.deadline.authority,
            one.deadline.source,
            instant(one.due_at, write.language),
            instant(one.sent.at, write.language) if one.sent else write.words["mark"]["unsent"],
        )
        for one in clocks
    )
    return Section(write.heading("clocks"), rows=rows)
