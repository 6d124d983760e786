"""The files of the public page, by their names. Pure: the same words give the same bytes.

Every link is relative and names a file, so the files work in a bucket, in a folder of another site
and from a disk. Nothing is loaded from elsewhere; the one script counts the page's age and puts
the newest words in their places. A page never reloads itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tangguh.core.clock import JAKARTA
from tangguh.core.format import day, money, percent, spoken_money
from tangguh.status.component import CHANNELS, GROUPS, Condition, Reach
from tangguh.status.incident import LANGUAGES
from tangguh.status.site.badge import badge
from tangguh.status.site.feed import feed
from tangguh.status.site.labels import LABELS
from tangguh.status.site.view import (
    NOT_KNOWN,
    OPEN_SHOWN,
    RECENT_SHOWN,
    UNKNOWN,
    UNREACHABLE,
    Seen,
    Silence,
    filled,
    good_share,
    measured_by,
    unmeasured_seconds,
)
from tangguh.status.snapshot import PublicComponent, PublicIncident
from tangguh.status.words.model import counted, joined

HTML: Final = "text/html; charset=utf-8"
SVG: Final = "image/svg+xml"
JSON: Final = "application/json"
ATOM: Final = "application/atom+xml; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"

_HERE: Final = files("tangguh.status.site")
_STYLE: Final = "".join(
    line.strip() for line in (_HERE / "site.css").read_text("utf-8").splitlines()
)
_SCRIPT: Final = "\n".join(
    line
    for line in (one.strip() for one in (_HERE / "live.js").read_text("utf-8").splitlines())
    if line and not line.startswith("//")
)
_MARK: Final = (_HERE / "mark.svg").read_bytes()


class File(msgspec.Struct, frozen=True):
    """One file of the page."""

    content: bytes
    content_type: str


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


POLICY: Final = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)};"
    " connect-src 'self';"
    " img-src 'self'; base-uri 'none'; form-action 'none'"
)
"""The content security policy of every page, in the page itself: a bucket sends no headers."""


def _written_date(on: date, language: str) -> str:
    return day(datetime.combine(on, time(12), JAKARTA), language)


_ICONS: Final = {
    Condition.OPERATIONAL: "ok",
    Condition.NOT_MEASURED: "gone",
    Condition.DEGRADED: "slow",
    Condition.PARTNER_OUTAGE: "partner",
    Condition.PROTECTIVE_RESTRICTION: "shield",
    Condition.SCHEDULED_CHANGE: "change",
    Condition.DOWN: "down",
    UNREACHABLE: "gone",
    UNKNOWN: "gone",
}
_environment: Final = Environment(
    loader=FileSystemLoader(Path(str(_HERE / "templates"))),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(
    style=Markup(_STYLE),  # noqa: S704 - our own file
    script=Markup(_SCRIPT),  # noqa: S704 - our own file
    policy=Markup(POLICY),  # noqa: S704 - made above; its quotes are part of it
    icons=_ICONS,
    money=money,
    spoken_money=spoken_money,
    counted=counted,
    percent=percent,
    written_date=_written_date,
)


def render_now(seen: Seen) -> Iterator[tuple[str, File]]:
    """What changes with every look: the first page, the JSON, the feeds, the badges."""
    for language in LANGUAGES:
        folder = _folder(language)
        yield (
            f"{folder}index.html",
            _page("index.html", seen, language, "index.html", **_index(seen, language)),
        )
        yield f"{folder}feed.atom", File(feed(seen, language), ATOM)
        yield from _badges(seen, language)
    yield "status.json", File(_json(seen), JSON)


def render_story(seen: Seen, incident: PublicIncident) -> Iterator[tuple[str, File]]:
    """The pages of one incident."""
    names = {one.id: one for one in seen.components}
    for language in LANGUAGES:
        path = f"incident/{incident.id}.html"
        said = [names[one].name(language) for one in incident.components if one in names]
        values = {"incident": incident, "names": said}
        yield f"{_folder(language)}{path}", _page("incident.html", seen, language, path, **values)


def render_history(seen: Seen) -> Iterator[tuple[str, File]]:
    """Ninety days of every component, and twelve months of incidents."""
    for language in LANGUAGES:
        folder = _folder(language)
        rows = []
        for one in seen.components:
            days = filled(seen.days.get(one.id, ()), seen.now)
            rows.append((one, good_share(days), measured_by(days)))
            path = f"history/{one.id}.html"
            values = {
                "component": one,
                "days": days,
                "share": good_share(days),
                "ways": measured_by(days),
                "unmeasured": unmeasured_seconds(days),
                "trouble": [day for day in reversed(days) if _is_bad(day.worst)],
                "gone": sum(day.worst in NOT_KNOWN for day in days),
                "good": sum(day.worst == Condition.OPERATIONAL for day in days),
            }
            yield f"{folder}{path}", _page("component.html", seen, language, path, **values)
        path = "history/index.html"
        yield f"{folder}{path}", _page("history.html", seen, language, path, rows=rows)


def render_fixed() -> Iterator[tuple[str, File]]:
    """What never changes."""
    yield "robots.txt", File(b"User-agent: *\nAllow: /\n", TEXT)
    yield "mark.svg", File(_MARK, SVG)


def render_missing(seen: Seen) -> File:
    """The page for what is not there: the first page's frame, with a way back."""
    return _page("missing.html", seen, "id", "index.html")


def _is_bad(worst: str) -> bool:
    return worst not in NOT_KNOWN | {Condition.OPERATIONAL}


def _folder(language: str) -> str:
    return "" if language == "id" else f"{language}/"


def _page(template: str, seen: Seen, language: str, path: str, **values: Any) -> File:
    """``path`` is that of the page inside its language's folder."""
    up = "../" * path.count("/")
    here = up if language == "id" else f"{up}../"
    other = "en" if language == "id" else "id"
    words = LABELS[language]
    text = _environment.get_template(template).render(
        t=words,
        lang=language,
        seen=seen,
        now=seen.now,
        silence=str(seen.silence),
        bank=seen.status.bank if seen.status else words("title"),
        root=here,
        mine=up,
        other=other,
        other_url=f"{here}en/{path}" if language == "id" else f"{here}{path}",
        say=lambda key, **given: _said(words.texts[key], given),
        stamp=lambda at, seconds=False: _stamp(at, seen, language, seconds=seconds),
        **values,
    )
    return File(text.encode(), HTML)


def _said(text: str, given: dict[str, object]) -> Markup:
    """A label with marked-up values; whatever is not marked up is escaped."""
    return Markup("").join([escape(text)]).format(**given)


def _stamp(at: Any, seen: Seen, language: str, *, seconds: bool) -> Markup:
    said = LABELS[language].time(at, seen.now, seconds=seconds)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), said)


def _index(seen: Seen, language: str) -> dict[str, Any]:
    names: dict[str, str] = {
        reach.name.lower(): joined(_names(seen, reach, language), language) for reach in Reach
    }
    groups = {key: [one for one in seen.components if one.group == key] for key in GROUPS}
    channel = {key: [one for one in seen.components if one.channel == key] for key in CHANNELS}
    pick = 0 if language == "id" else 1
    return {
        "names": names,
        "groups": [
            (GROUPS[key][pick], members, all(map(_is_well, members)))
            for key, members in groups.items()
        ],
        "channels": [
            (CHANNELS[key][pick], sum(one.reach is Reach.ALL for one in members), len(members))
            for key, members in channel.items()
        ],
        "told": seen.ongoing[:OPEN_SHOWN],
        "untold": seen.ongoing[OPEN_SHOWN:],
        "recent": seen.past[:RECENT_SHOWN],
        "overdue": [one for one in seen.ongoing if one.is_overdue(seen.now)],
        "is_down": seen.silence is Silence.DOWN,
    }


def _is_well(one: PublicComponent) -> bool:
    return one.condition is Condition.OPERATIONAL


def _names(seen: Seen, reach: Reach, language: str) -> list[str]:
    """Names for a sentence: a group that is there whole is said by its own name."""
    said: list[str] = []
    for key, group in GROUPS.items():
        members = [one for one in seen.components if one.group == key]
        here = [one for one in members if one.reach is reach]
        if members and len(here) == len(members):
            said.append(group[0] if language == "id" else group[1])
        else:
            said += [one.name(language) for one in here]
    return said


def _badges(seen: Seen, language: str) -> Iterator[tuple[str, File]]:
    words, folder = LABELS[language], _folder(language)
    bank = seen.status.bank if seen.status else words("title")
    overall = words(f"condition.{seen.overall}")
    if seen.overall not in (UNREACHABLE, UNKNOWN, str(Condition.OPERATIONAL)):
        overall = words("overall.part", good=seen.good, count=len(seen.components))
    yield f"{folder}badge/bank.svg", File(badge(bank, seen.overall, overall, language), SVG)
    for one in seen.components:
        condition = str(one.condition)
        if seen.silence in (Silence.DOWN, Silence.BLIND):
            condition = UNREACHABLE if seen.silence is Silence.DOWN else UNKNOWN
        picture = badge(one.name(language), condition, words(f"condition.{condition}"), language)
        yield f"{folder}badge/{one.id}.svg", File(picture, SVG)


def _json(seen: Seen) -> bytes:
    """The page as data: what the bank said, and what this process knows of its age."""
    status = seen.status
    told = {
        "page_made_at": seen.now,
        "data_made_at": status.made_at if status else None,
        "data_looked_at": status.looked_at if status else None,
        "data_read_at": status.read_at if status else None,
        "bank_answers": seen.silence in (Silence.NONE, Silence.BLIND),
        "bank_sees": seen.silence is Silence.NONE and seen.unread_since is None,
        "silent_since": seen.silent_since,
        "overall": seen.overall,
        "bank": status.bank if status else "",
        "assurance": seen.assurance if status else None,
        "components": seen.components,
        "incidents": seen.ongoing + seen.past[:RECENT_SHOWN],
        "overdue": [one.id for one in seen.ongoing if one.is_overdue(seen.now)],
    }
    return msgspec.json.encode(told)
