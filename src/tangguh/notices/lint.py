"""What a message may not say, and what it must: judged before anybody reads it. Pure.

A message about money answers four questions, each in a field of its own: where the money is, what
happens next, by when (a clock time or a date), and what to do. Their presence is checked, not
guessed. Whether they are true the lint cannot know; the rules and lists are ``wording/lint.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

import msgspec

from tangguh.notices.assurance import Assured
from tangguh.notices.gsm7 import UNITS_MAX, units_of


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One message as its parts, with its values filled in.

    ``what`` happened comes first; then the four answers. ``about_money`` False is for messages
    that concern no money at all, such as the confirmation of a subscription.
    """

    title: str
    what: str
    where: str = ""
    next: str = ""
    by_when: str = ""
    do: str = ""
    sms: str = ""
    about_money: bool = True

    @property
    def text(self) -> str:
        """The whole message, one answer a line: what the app and the e-mail show."""
        parts = (self.what, self.where, self.next, self.by_when, self.do)
        return "\n".join(part for part in parts if part)


class Fault(msgspec.Struct, frozen=True):
    """One broken rule: in which field, which rule (a stable code), and the words it is about."""

    field: str
    rule: str
    words: str = ""


ANSWERS: Final = ("where", "next", "by_when", "do")
FIELDS: Final = ("title", "what", *ANSWERS, "sms")
_SHORT: Final = ("title", "sms")
_CLOCK: Final = re.compile(r"\b(?:[01]?\d|2[0-3])[.:][0-5]\d\b")
_DATE: Final = re.compile(
    r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|Mei|May|Jun|Jul|Agu|Aug|Sep|Okt|Oct|Nov|Des|Dec) \d{4}\b"
)
_AMOUNT: Final = re.compile(r"Rp\s?\d")
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f]"
)
_END_OF_SENTENCE: Final = re.compile(r"[.;:?!]\s|\n")


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    banned: dict[str, list[str]]
    alone: dict[str, list[str]]
    without_number: dict[str, list[str]]
    without_ticket: dict[str, list[str]]
    assured: dict[str, list[str]]
    money: dict[str, list[str]]
    marks: list[str]
    sentence_words_max: int
    title_characters_max: int


RULES: Final = msgspec.convert(
    tomllib.loads((files("tangguh.notices") / "wording" / "lint.toml").read_text("utf-8")), _Rules
)


def faults_of(
    said: Said, language: str, *, ticket: str = "", assured: Assured | None = None
) -> list[Fault]:
    """Everything that is wrong with a message; empty when it may go out.

    ``ticket`` is the change a maintenance belongs to. ``assured`` is the computed sentence: where
    it stands exactly as computed, its words are allowed, and nowhere else.
    """
    found: list[Fault] = []
    for field in FIELDS:
        text = getattr(said, field)
        if assured is not None and assured.language == language and field not in _SHORT:
            text = text.replace(assured.text, "")
        found += _words_in(field, _bare(text), said, language, ticket)
    found += _form_of(said)
    if said.about_money:
        found += _answers_of(said, language)
    return found


def _words_in(field: str, text: str, said: Said, language: str, ticket: str) -> Iterator[Fault]:
    """Words that hide, promise without a time, or claim what is not proved."""
    for word in _found(RULES.banned[language], text):
        yield Fault(field, "banned", word)
    for word in _found(RULES.alone[language], text):
        if field in _SHORT or not said.where.strip():
            yield Fault(field, "alone", word)
    for sentence in _END_OF_SENTENCE.split(text):
        for word in _found(RULES.without_number[language], sentence):
            if not re.search(r"\d", sentence):
                yield Fault(field, "without_number", word)
        if len(sentence.split()) > RULES.sentence_words_max:
            yield Fault(field, "long", sentence[:60])
    if not ticket.strip():
        for word in _found(RULES.without_ticket[language], text):
            yield Fault(field, "without_ticket", word)
    for word in _found(RULES.assured[language], text):
        yield Fault(field, "without_proof", word)
    for mark in RULES.marks:
        if mark in text:
            yield Fault(field, "mark", mark)
    if emoji := _EMOJI.search(text):
        yield Fault(field, "emoji", emoji[0])
    if language == "id" and re.search(r"\banda\b", text):
        yield Fault(field, "address", "anda")


def _form_of(said: Said) -> Iterator[Fault]:
    """What every message has, and what fits where it is shown."""
    for field in ("title", "what"):
        if not getattr(said, field).strip():
            yield Fault(field, "missing")
    if len(said.title) > RULES.title_characters_max:
        yield Fault("title", "long", said.title[:60])
    if amount := _AMOUNT.search(said.title):
        # A title is read on a locked screen, by whoever holds the phone.
        yield Fault("title", "amount", amount[0])
    units = units_of(said.sms)
    if units is None:
        yield Fault("sms", "alphabet", said.sms[:60])
    elif units > UNITS_MAX:
        yield Fault("sms", "long", f"{units} of {UNITS_MAX}")


def _answers_of(said: Said, language: str) -> Iterator[Fault]:
    """The four answers, as far as a machine can see them."""
    for field in ANSWERS:
        if len(getattr(said, field).split()) < 2:
            yield Fault(field, "missing")
    if said.where.strip() and not list(_found(RULES.money[language], said.where)):
        yield Fault("where", "not_about_money")
    if said.by_when.strip() and not (_CLOCK.search(said.by_when) or _DATE.search(said.by_when)):
        yield Fault("by_when", "without_time")


def _found(words: list[str], text: str) -> Iterator[str]:
    for word in words:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
            yield word


def _bare(text: str) -> str:
    """The text as a reader sees it: without marks that are not seen, one kind of blank."""
    seen = (one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    return re.sub(r"[^\S\n]+", " ", "".join(seen))
