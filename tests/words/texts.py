"""Every text of the house, with its language: what customers read, and the documents."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent.parent
SRC: Final = ROOT / "src" / "tangguh"
GLOSSARY: Final = ROOT / "docs" / "glossary.md"
_NO_TEXT: Final = {"lint.toml"}
_NO_KEYS: Final = {"needs", "kind"}
"""Keys whose values are names of the program."""

_MADE: Final = {ROOT / "docs" / "reference" / "words.md"}
_QUOTED: Final = re.compile(r"\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\"[^\"]+\"|“[^”]+”|\[[^\]]+\](?!\[)")
_NO_WORDS: Final = re.compile(
    r"\{[^}]*\}|<[^>]+>|\S+://\S+|https?:|\S+@\S+|\S*/\S*\.\w+"
    r"|\b\w+\.(?:md|py|toml|sql|json|html|js|org|io)\b|\b[a-z]{4}\.\d+\b"
    r"|\b(?:application|text|image)/[\w.+-]+|\btangguh [a-z]+(?: [a-z]+(?= --))?(?: --[a-z-]+)*|\bstaff:\d+"
)
"""Placeholders, tags, addresses, files, names of ISO messages and of media, commands."""


class Text(NamedTuple):
    """One text: where it stands, its language, its words without what a machine reads, and as it is."""

    where: str
    language: str
    words: str
    raw: str = ""


class Preference(NamedTuple):
    """A row of the glossary's last table: what is not written, and what is instead."""

    language: str
    avoid: str
    write: str


def preferences() -> list[Preference]:
    """The table of words we do not use."""
    _, _, table = GLOSSARY.read_text("utf-8").partition("## Words we do not use")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [
        Preference(language, avoid, write)
        for language, avoid, write, *_ in rows
        if language in ("id", "en")
    ]


def wording() -> Iterator[Text]:
    """What customers and authorities read: every wording file, by the language in its name."""
    for path in sorted(SRC.rglob("*.toml")):
        if path.name in _NO_TEXT:
            continue
        known = path.stem if path.stem in ("id", "en") else path.parent.name
        for key, text in _strings("", tomllib.loads(path.read_text("utf-8"))):
            language = known if known in ("id", "en") else key.rpartition(".")[2]
            if language in ("id", "en"):
                yield Text(f"{path.relative_to(ROOT)}: {key}", language, _plain(text), text)


def documents() -> Iterator[Text]:
    """Every document, a line at a time; the glossary's second column is Indonesian.

    What is quoted or stands out may be what the app says: of either language, "any". What is made from
    the wording files is not read twice.
    """
    folders = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *SRC.rglob("*.md")]
    for path in sorted(folders):
        if path in _MADE:
            continue
        text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
        if path == GLOSSARY:
            # The last table writes on purpose what is not to be written.
            text = text.partition("## Words we do not use")[0]
        for line in text.splitlines():
            where = f"{path.relative_to(ROOT)}"
            if path == GLOSSARY and line.startswith("| ") and line.count(" | ") >= 3:
                word, indonesian, rest = line.strip("| ").split(" | ", 2)
                yield Text(where, "id", _plain(indonesian))
                line = f"{word} | {rest}"
            line = _unmarked(line)
            for quoted in _QUOTED.findall(line):
                yield Text(where, "any", _plain(quoted))
            yield Text(where, "en", _plain(_QUOTED.sub(" ", line)))


def _strings(prefix: str, given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, str):
        yield prefix, given
    elif isinstance(given, dict):
        for key, value in given.items():
            if key not in _NO_KEYS:
                yield from _strings(f"{prefix}.{key}".strip("."), value)
    elif isinstance(given, list):
        for value in given:
            yield from _strings(prefix, value)


def _unmarked(line: str) -> str:
    line = re.sub(r"`[^`]*`", " ", line)
    line = re.sub(r"\]\([^)]*\)", "]", line)
    return re.sub(r"&\w+;", " ", line)


def _plain(text: str) -> str:
    """Without placeholders, tags, addresses and paths."""
    return _NO_WORDS.sub(" ", text)
