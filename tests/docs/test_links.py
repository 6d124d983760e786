"""No dead link: in a document, in a message, in a letter, in the code that sends readers to a document.

The links of the pages are opened by the walk through them (tests/pages/test_accessibility.py).
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

import pytest
from starlette.routing import compile_path

from docs.test_documents import DOCUMENTS, ROOT
from tangguh.cli.place import Place
from tangguh.cli.post.link import PostLink
from tangguh.notices.settings import NoticesSettings
from tangguh.web.pages import PAGES
from tangguh.web.pages.care.inbox import _PLACES
from tangguh.web.problems import OF_REFUSAL, OF_REQUEST
from words.texts import wording

SRC = ROOT / "src"
_LINKS = re.compile(
    r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE
)
_FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|md|sql|html|css|toml))`")
_EXAMPLES = {"package/package.sql"}
"""Names that stand for any."""


def links_of(text: str) -> list[str]:
    """Every link of a document, its pictures too; what is shown as code is none."""
    bare = re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [next(filter(None, found)) for found in _LINKS.findall(bare)]


@cache
def anchors_of(document: Path) -> frozenset[str]:
    """What a link may name in a document: its headings, as public hosts of documents write them."""
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    found: list[str] = re.findall(r"(?:id|name)=\"([^\"]+)\"", text)
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        times = sum(
            one == name or re.fullmatch(rf"{re.escape(name)}-\d+", one) is not None for one in found
        )
        found.append(f"{name}-{times}" if times else name)
    return frozenset(found)


def fault_of(link: str, document: Path) -> str:
    """Why a link leads nowhere; empty: it leads somewhere, or outside by an address that can be one."""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https"):
        return (
            ""
            if re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}|127\.0\.0\.1|localhost", parts.hostname or "")
            else "no address"
        )
    if parts.scheme == "mailto":
        return "" if re.fullmatch(r"[^@\s]+@[\w.-]+\.\w+", parts.path) else "no address"
    if parts.scheme or parts.netloc:
        return f"{parts.scheme} is not opened from a document"
    target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
    if not target.is_relative_to(ROOT):
        return "outside of the project"
    if not target.exists():
        return "there is no such file"
    if parts.fragment and (target.suffix != ".md" or parts.fragment not in anchors_of(target)):
        return f"nothing there is called {parts.fragment}"
    return ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_to_the_place_it_names(document: Path) -> None:
    links = links_of(document.read_text("utf-8"))
    assert {one: fault_of(one, document) for one in links if fault_of(one, document)} == {}


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("docs/glossary.md", ""),
        ("docs/glossary.md#words-we-do-not-use", ""),
        ("docs/glosary.md", "there is no such file"),
        ("docs/glossary.md#no-such-heading", "nothing there is called no-such-heading"),
        ("#no-such-heading", "nothing there is called no-such-heading"),
        ("docs/pictures/home-phone.png", ""),
        ("../../etc/passwd", "outside of the project"),
        ("https://bank.example/x", ""),
        ("https://bank/x", "no address"),
        ("http:///x", "no address"),
        ("mailto:somebody", "no address"),
        ("javascript:alert(1)", "javascript is not opened from a document"),
    ],
)
def test_a_dead_link_is_found(link: str, fault: str) -> None:
    assert fault_of(link, ROOT / "README.md") == fault


def test_links_are_seen_however_they_are_written() -> None:
    text = (
        '[a](b.md "title") ![c](d.png)\n[e]: f.md\n<a href="g.md">h</a> [![i](j.png)](k.md)\n'
        "`[l](m.md)`\n```\n[n](o.md)\n```\n"
    )
    assert sorted(links_of(text)) == ["b.md", "d.png", "f.md", "g.md", "j.png", "k.md"]


def test_every_file_that_a_document_names_is_there() -> None:
    """By its path from the root, from the sources, or its last parts."""
    files = [
        path.as_posix()
        for folder in ("src", "tests", "docs", "scripts")
        for path in (ROOT / folder).rglob("*.*")
    ]
    gone = {
        f"{document.relative_to(ROOT)}: {named}"
        for document in DOCUMENTS
        if document.name != "CHANGELOG.md"  # it tells of files that were
        for named in _FILE.findall(document.read_text("utf-8"))
        if named not in _EXAMPLES and not any(one.endswith(f"/{named}") for one in files)
    }
    assert gone == set()


def test_every_document_that_the_code_names_is_there() -> None:
    """In a message, a comment or a setting: whoever reads it in the night opens it."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "src", "scripts", "tests", "Makefile", "pyproject.toml"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    decisions = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")}
    gone: set[str] = set()
    for path in map(ROOT.joinpath, listed):
        if (
            path.suffix in (".png", ".svg", ".jpg", ".bin")
            or path == Path(__file__)
            or not path.is_file()
        ):
            continue
        text = path.read_text("utf-8", errors="ignore")
        named = re.findall(r"\bdocs/[\w-]+(?:/[\w-]+)*\.(?:md|png|svg)\b", text)
        gone |= {f"{path.relative_to(ROOT)}: {one}" for one in named if not (ROOT / one).exists()}
        gone |= {
            f"{path.relative_to(ROOT)}: ADR-{one}"
            for one in re.findall(r"\bADR-(\d{4})\b", text)
            if one not in decisions
        }
    assert gone == set()


def leads_to_a_page(path: str) -> bool:
    """Whether the bank has a page to read there."""
    return any(
        page.get is not None and compile_path(page.path)[0].match(urlsplit(path).path)
        for page in PAGES
    )


def test_the_links_of_mails_and_short_messages_lead_to_pages(tmp_path: Path) -> None:
    """To agree and to end it, as the demo's bank is told to write them."""
    place = Place(tmp_path)
    place.take()
    link = PostLink(place, "http://127.0.0.1:8080", sms_port=1, mail_port=2)
    told = link.bank_settings(NoticesSettings())
    for name in ("confirm_url", "unsubscribe_url"):
        assert leads_to_a_page(told[name].format(token="x")), told[name]


@pytest.mark.parametrize("kind", _PLACES)
def test_a_notice_leads_to_the_page_of_what_it_is_about(kind: str) -> None:
    assert leads_to_a_page(f"{_PLACES[kind]}/{UUID(int=1)}")


def test_no_text_for_customers_writes_an_address_of_its_own() -> None:
    """Addresses are made when a message is sent, from the bank's settings: a text would keep an old one."""
    texts = [one for one in wording() if "values.toml" not in one.where]  # examples of values
    assert [one.where for one in texts if re.search(r"https?://|\bwww\.", one.raw)] == []
    assert len(texts) > 1_000


def test_each_problem_a_client_is_told_has_its_page() -> None:
    for code in (*OF_REQUEST, *map(str, OF_REFUSAL)):
        assert leads_to_a_page(f"/problems/{code}")
