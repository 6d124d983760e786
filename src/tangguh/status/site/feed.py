"""The Atom feed: one entry for every word given, newest first (RFC 4287). Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from tangguh.status.site.labels import LABELS
from tangguh.status.site.view import Seen, Silence
from tangguh.status.snapshot import PublicIncident

_ATOM: Final = "http://www.w3.org/2005/Atom"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
ENTRIES_MAX: Final = 50


def feed(seen: Seen, language: str) -> bytes:
    """The feed of a language. With the bank away for long, the newest entry says so."""
    register_namespace("", _ATOM)
    words = LABELS[language]
    root = Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": language})
    bank = seen.status.bank if seen.status else ""
    place = seen.public_url.rstrip("/")
    folder = "" if language == "id" else f"{language}/"
    entries = [
        (one.updates[number].at, one, number)
        for one in seen.stories
        for number in range(len(one.updates))
    ]
    entries.sort(key=lambda entry: (entry[0], entry[1].id, entry[2]), reverse=True)
    _put(root, "title", f"{bank} · {words('title')}".lstrip(" ·"))
    mine = feed_url(place, language)
    _put(root, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, f'{place}/{folder}feed.atom')}")
    _put(root, "updated", _instant(_changed_at(seen, entries[0][0] if entries else None)))
    author = SubElement(root, f"{{{_ATOM}}}author")
    _put(author, "name", bank or words("title"))
    _link(root, mine, rel="self")
    _link(root, f"{place}/{folder}index.html" if place else "index.html")
    if seen.silence is Silence.DOWN and seen.silent_since is not None:
        _silence(root, seen, seen.silent_since, f"{place}/{folder}index.html", language)
    for _, one, number in entries[:ENTRIES_MAX]:
        _entry(root, one, number, f"{place}/{folder}incident/{one.id}.html", language)
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def feed_url(place: str, language: str) -> str:
    """Where a language's feed is, under the page's address; without one, its name alone."""
    folder = "" if language == "id" else f"{language}/"
    return f"{place.rstrip('/')}/{folder}feed.atom" if place else "feed.atom"


def _changed_at(seen: Seen, newest: datetime | None) -> datetime:
    if seen.silence is Silence.DOWN and seen.silent_since is not None:
        return seen.silent_since
    return newest or datetime(1970, 1, 1, tzinfo=UTC)


def _silence(root: Element, seen: Seen, since: datetime, link: str, language: str) -> None:
    words = LABELS[language]
    entry = SubElement(root, f"{{{_ATOM}}}entry")
    _put(entry, "id", f"urn:uuid:{uuid5(NAMESPACE_URL, f'silence/{since.isoformat()}')}")
    _put(entry, "title", words("silent.down", since=words.time(since, seen.now)))
    _put(entry, "updated", _instant(since))
    _link(entry, link)
    _put(entry, "summary", words("answer.do_silent"))


def _entry(root: Element, one: PublicIncident, number: int, link: str, language: str) -> None:
    word = one.updates[number]
    text = word.texts[language]
    entry = SubElement(root, f"{{{_ATOM}}}entry")
    _put(entry, "id", f"urn:uuid:{uuid5(UUID(one.id), str(number))}")
    _put(entry, "title", text.headline)
    _put(entry, "updated", _instant(word.at))
    _link(entry, link)
    _put(entry, "content", "\n\n".join(text.parts[1:])).set("type", "text")


def _put(parent: Element, name: str, text: str) -> Element:
    child = SubElement(parent, f"{{{_ATOM}}}{name}")
    child.text = text
    return child


def _link(parent: Element, href: str, rel: str = "alternate") -> None:
    kind = "application/atom+xml" if rel == "self" else "text/html"
    SubElement(parent, f"{{{_ATOM}}}link", {"rel": rel, "type": kind, "href": href})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
