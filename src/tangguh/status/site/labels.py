"""The fixed words of the page, in each language, and how it writes times. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from tangguh.core.clock import JAKARTA
from tangguh.core.format import clock_time, day
from tangguh.status.incident import LANGUAGES


class Labels:
    """The labels of one language: ``labels("open.title")``."""

    def __init__(self, language: str) -> None:
        text = (files("tangguh.status.site") / f"{language}.toml").read_text("utf-8")
        self.language = language
        self.texts: dict[str, str] = dict(_flat("", tomllib.loads(text)))

    def __call__(self, key: str, **values: object) -> str:
        """The label of a key, with its names filled in."""
        return self.texts[key].format_map(values)

    def time(self, at: datetime, now: datetime, *, seconds: bool = False) -> str:
        """The time alone today, with its day otherwise."""
        clock = "pukul " if self.language == "id" else ""
        said = f"{clock}{clock_time(at, self.language, seconds=seconds)}"
        if at.astimezone(JAKARTA).date() == now.astimezone(JAKARTA).date():
            return said
        comma = "" if self.language == "id" else ","
        return f"{day(at, self.language)}{comma} {said}"


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", str(value)


LABELS: Final = {language: Labels(language) for language in LANGUAGES}
