"""The values a text may name: how each is written for people, and its longest form. Pure.

Values come as plain JSON: money as integer minor units, counts as integers, instants as ISO 8601
with an offset, words as strings, an assurance as its four fields. Anything else is refused.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

import msgspec

from tangguh.core import format as written
from tangguh.core.money import MINOR_MAX
from tangguh.core.outcome import Refusal, Refused
from tangguh.notices.assurance import Assurance, Assured, assure
from tangguh.notices.gsm7 import plain

LINK: Final = "{link}"
"""Stays in a rendered text until it is sent: the link holds a secret and is written nowhere."""

_COUNT_MAX: Final = 999_999_999
_FEW_MAX: Final = 999
_TEXT_MAX: Final = 200
_PROSE_MAX: Final = 400
_SAMPLE_AT: Final = datetime.fromisoformat("2026-12-28T13:59:00+00:00")
_SAMPLE_NOW: Final = datetime.fromisoformat("2026-12-27T13:59:00+00:00")
SAMPLE_PROOF: Final = {
    "id": Assured(language="id", proved_at=_SAMPLE_AT, matched_at=_SAMPLE_AT),
    "en": Assured(language="en", proved_at=_SAMPLE_AT, matched_at=_SAMPLE_AT),
}


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One name of ``values.toml``: its kind, and for words the longest plausible example."""

    kind: str
    id: str = ""
    en: str = ""

    def example(self, language: str) -> str:
        """The longest it may be in a language, as it is written."""
        match self.kind:
            case "money":
                return written.money(MINOR_MAX - 1)
            case "count":
                return _count(_COUNT_MAX, language)
            case "few":
                return str(_FEW_MAX)
            case "time":
                return written.spoken(_SAMPLE_AT, _SAMPLE_NOW, language)
            case "when":
                return written.happened(_SAMPLE_AT, _SAMPLE_NOW, language)
            case "assurance":
                return SAMPLE_PROOF[language].text
            case _:
                return self.id if language == "id" else self.en


VALUES: Final = msgspec.convert(
    tomllib.loads((files("tangguh.notices") / "wording" / "values.toml").read_text("utf-8")),
    dict[str, Value],
)


class Filled(msgspec.Struct, frozen=True):
    """One value as it is written: in the app and in letters, and in an SMS."""

    long: str
    short: str
    assured: Assured | None = None


def fill(name: str, given: Any, language: str, now: datetime) -> Filled | Refused:
    """One value as it is written. Refuses ORDER_INVALID, naming the value that is not its kind.

    An assurance that does not hold is no refusal: the sentence is then left out.
    """
    value = VALUES[name]
    text: str | None
    match value.kind:
        case "money":
            text = written.money(given) if _is_whole(given, MINOR_MAX) else None
        case "count":
            text = _count(given, language) if _is_whole(given, _COUNT_MAX) else None
        case "few":
            text = str(given) if _is_whole(given, _FEW_MAX) else None
        case "time":
            at = _instant(given)
            text = written.spoken(at, now, language) if at else None
        case "when":
            at = _instant(given)
            text = written.happened(at, now, language) if at else None
        case "assurance":
            return _assured(name, given, language, now)
        case "prose":
            text = _words(given, _PROSE_MAX)
        case _:
            text = _words(given, _TEXT_MAX)
            if text:
                return Filled(text, _cut(plain(text), len(value.example(language))))
    return Filled(text, text) if text else _refused(name)


def _is_whole(given: Any, most: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= most


def _count(number: int, language: str) -> str:
    grouped = f"{number:,}"
    return grouped.replace(",", ".") if language == "id" else grouped


def _instant(given: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(given)
        # A time within a day of the calendar's edge has no date in another zone.
        return at if at.tzinfo and 1 < at.year < 9999 else None
    except (TypeError, ValueError):
        return None


def _words(given: Any, most: int) -> str | None:
    """One line without what is not seen, and without braces: no value names another."""
    if not isinstance(given, str):
        return None
    seen = "".join(
        " " if unicodedata.category(one).startswith(("C", "Z")) else one
        for one in given.translate({ord("{"): None, ord("}"): None})
        if unicodedata.category(one) != "Cf"
    )
    return _cut(re.sub(r" +", " ", seen).strip(), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def _assured(name: str, given: Any, language: str, now: datetime) -> Filled | Refused:
    try:
        assurance = msgspec.convert(given, Assurance)
        proved = assure(assurance, language, now=now)
    except (msgspec.ValidationError, TypeError):
        return _refused(name)
    if isinstance(proved, Refused):
        return Filled("", "")
    return Filled(proved.text, "", proved)


def _refused(name: str) -> Refused:
    return Refused(Refusal.ORDER_INVALID, name, f"it is no {VALUES[name].kind}")
