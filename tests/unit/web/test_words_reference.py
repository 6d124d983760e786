"""What customers read, as one page: made from the code, complete, and without raw values in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tangguh.core.outcome import Refusal
from tangguh.disputes.letters import words_of
from tangguh.notices.notice import CLOSING, OWN_LIMITS
from tangguh.web.pages.story import LOOKS
from tangguh.web.problems import OF_REQUEST
from tangguh.web.reference.words import (
    NOTICES,
    STATES,
    notices,
    page,
    refusals,
    sms,
    states,
    told,
)
from tangguh.web.words import LANGUAGES, read_all

ROOT = Path(__file__).parents[3]
RAW = {
    "a raw code": re.compile(r"\b[a-z]+(?:_[a-z]+)+\b"),
    "an unfilled name": re.compile(r"[{}]"),
    "an account of the bank": re.compile(r"\b10\d{4}\b"),
    "a bare account number": re.compile(r"\b\d{10,}\b"),
    "an unformatted amount": re.compile(r"Rp ?\d{4,}|\b\d+\.\d{2}\b(?! WIB|\.\d)|minor"),
    "Rp without a sum": re.compile(r"Rp(?!\d)"),
    "a raw time": re.compile(r"\d{4}-\d\d-\d\d|\d\dT\d\d|[+]00:00|UTC"),
    "a repeated word": re.compile(r"\b(pukul pukul|at at|on at|pada pada|by by|sejak pada)\b"),
}
NO_CLOCK_WORD = re.compile(r"(?<!pukul )\b\d\d\.\d\d(?:\.\d\d)? WIB")
MUST = {
    "id": {
        "where": ("ditahan", "saldo", "uang"),
        "next": ("kami periksa", "dikirim begitu"),
        "by": ("paling lambat pukul",),
        "do": ("jangan kirim ulang",),
    },
    "en": {
        "where": ("on hold", "balance", "money"),
        "next": ("we are checking", "is sent when"),
        "by": ("update by",),
        "do": ("do not send it again",),
    },
}


def faults(text: str, language: str) -> list[str]:
    """What a customer must never read."""
    found = [name for name, raw in RAW.items() if raw.search(text)]
    if language == "id" and NO_CLOCK_WORD.search(text):
        found.append("a time without pukul")
    return found


def everything(language: str) -> Iterator[tuple[str, str]]:
    """Every sentence of the page."""
    for code, _, said in refusals():
        yield code, said[language]
    for key, said in states():
        yield key, said[language]
    for name, templates in notices():
        yield name, told(templates[language], language)
        yield f"{name} sms", sms(templates[language], language)


def test_the_file_is_what_the_code_makes() -> None:
    """Mended by: python -m tangguh.web.reference.words > docs/reference/words.md"""
    assert (ROOT / "docs/reference/words.md").read_text("utf-8") == page()


def test_every_refusal_state_and_notice_is_on_it() -> None:
    assert {code for code, _, _ in refusals()} == {*map(str, Refusal), *OF_REQUEST}
    assert set(STATES) == set(LOOKS) == {key.split(".")[1] for key, _ in states()}
    assert set(NOTICES) == {name for name, _ in notices()}
    assert set(NOTICES) >= {*CLOSING, *OWN_LIMITS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_reads_a_raw_value(language: str) -> None:
    for name, text in everything(language):
        assert faults(text, language) == [], (name, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ditolak: partner_declined.", "a raw code"),
        ("Sebesar {amount}.", "an unfilled name"),
        ("Dari 106001.", "an account of the bank"),
        ("Ke 10100000011.", "a bare account number"),
        ("Sebesar 312500.00.", "an unformatted amount"),
        ("Sebesar Rp50000.", "an unformatted amount"),
        ("Sebesar Rp .", "Rp without a sum"),
        ("Sejak 2026-03-20.", "a raw time"),
        ("Kabar paling lambat 22.39 WIB.", "a time without pukul"),
        ("Diterima pada pada 20 Mar.", "a repeated word"),
    ],
)
def test_what_is_raw_is_found(text: str, name: str) -> None:
    assert name in faults(text, "id")


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_waits_is_told_where_next_by_when_and_what_to_do(language: str) -> None:
    """Of a payment without an end: all four, in one breath."""
    open_ones = {"state.parked.payment_payer", "state.unanswered.payment_payer"}
    said = {key: text[language].lower() for key, text in states() if key in open_ones}
    assert set(said) == open_ones
    for key, text in said.items():
        for question, answers in MUST[language].items():
            assert any(answer in text for answer in answers), (key, question)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_did_not_happen_says_that_the_money_is_there(language: str) -> None:
    for code, kind, said in refusals():
        assert read_all()[language](f"money.{kind.money}") in said[language], code


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_sums_have_three_words_everywhere(language: str) -> None:
    """The glossary's: to the payee, fee, total; on pages and in letters alike."""
    rows = re.findall(
        r"^\| (sum to the payee|fee|total) \| ([^|]+) \| ([^|]+) \|",
        (ROOT / "docs/glossary.md").read_text("utf-8"),
        re.MULTILINE,
    )
    glossary = {
        name: {"id": said.strip(), "en": english.split(":")[0].strip()}
        for name, said, english in rows
    }
    words, letter = read_all()[language], words_of(language)["letter"]
    payee, fee, total = (glossary[name][language] for name in ("sum to the payee", "fee", "total"))
    assert (words("sum.to_payee"), letter["amount"]) == (payee, payee)
    assert (words("sum.fee"), letter["fee"]) == (fee, fee)
    assert letter["total"] == total
    totals = ("review.total", "payment.total_moved", "payment.total_held", "payment.total_void")
    assert all(words(key).startswith(total) for key in totals)
