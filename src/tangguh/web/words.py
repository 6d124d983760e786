"""What a customer reads, in Indonesian and English: one TOML file a language, the same keys.

A text may hold ``{names}`` that are filled when it is said. A missing key is our bug and is raised:
no page ever shows a key, or nothing, in the place of a sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

LANGUAGES: Final = ("id", "en")
DEFAULT: Final = "id"


class Words:
    """The texts of one language. Call it with a key: ``words("login.title")``."""

    def __init__(self, language: str) -> None:
        text = (files("tangguh.web") / "wording" / f"{language}.toml").read_text("utf-8")
        self.language = language
        self.texts: dict[str, str] = dict(_flat("", tomllib.loads(text)))

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its names filled in."""
        return self.texts[key].format_map(values)

    def has(self, key: str) -> bool:
        """Whether there is such a text: for families with a general member."""
        return key in self.texts


def read_all() -> dict[str, Words]:
    """Every language the bank speaks."""
    return {language: Words(language) for language in LANGUAGES}


def choose(wish: str | None, accepted: str) -> str:
    """The language for somebody we do not know yet: their own choice, else their browser's."""
    if wish in LANGUAGES:
        return wish
    for part in accepted.split(","):
        language = part.partition(";")[0].strip().lower().partition("-")[0]
        # "in" is how old Java and Android write Indonesian.
        language = "id" if language == "in" else language
        if language in LANGUAGES:
            return language
    return DEFAULT


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", str(value)
