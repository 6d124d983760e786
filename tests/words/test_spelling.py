"""Every word that is read is a word, and one we use: wording and documents, in both languages."""

from __future__ import annotations

import random
import re

import pytest

from words.spelling import is_known, misspelt, words_of
from words.texts import Preference, Text, documents, preferences, wording

_MISTAKES = {
    "id": "pembayarn menggirim rekenning dikirmkan transver nasbah kembalikkan pemerikaan terimaksih dittolak",
    "en": "recieve acount seperate occured untill payement transfered wich adress balence teh",
}


def avoided(text: Text, rules: list[Preference]) -> list[str]:
    """What the text says though the glossary prefers another word."""
    found: list[str] = []
    for rule in rules:
        if rule.language != text.language:
            continue
        same = rule.avoid.lower() == rule.write.lower()
        flags = 0 if same else re.IGNORECASE
        is_part = not same and rule.avoid.lower() in rule.write.lower()
        words = text.words
        if is_part:
            words = re.sub(re.escape(rule.write), " ", words, flags=flags)
        end = r"\b" if rule.avoid[-1].isalnum() else ""
        if re.search(rf"\b{re.escape(rule.avoid)}{end}", words, flags):
            found.append(f"{text.where}: {rule.avoid!r}, the glossary says {rule.write!r}")
    return found


def test_every_word_customers_read_is_spelt_right() -> None:
    """A new word that is meant goes into tests/words/id.txt, en.txt or names.txt."""
    found = [
        f"{one.where}: {misspelt(one.words, one.language)}"
        for one in wording()
        if misspelt(one.words, one.language)
    ]
    assert found == []


def test_every_word_of_the_documents_is_spelt_right() -> None:
    """A new word that is meant goes into tests/words/en.txt or names.txt."""
    found = {
        f"{one.where}: {word}" for one in documents() for word in misspelt(one.words, one.language)
    }
    assert sorted(found) == []


def test_no_text_uses_a_word_the_glossary_replaces() -> None:
    """The last table of docs/glossary.md."""
    rules = preferences()
    assert [said for one in (*wording(), *documents()) for said in avoided(one, rules)] == []


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_misspelling_is_found(language: str) -> None:
    for word in _MISTAKES[language].split():
        assert misspelt(
            f"Ini {word} saja." if language == "id" else f"This {word} here.", language
        ) == [word]


@pytest.mark.parametrize("language", ["id", "en"])
def test_letters_that_changed_places_are_found_nearly_always(language: str) -> None:
    """Seeded slips of the finger in the words customers read: at most one of twenty is a word too."""
    words = sorted(
        {
            one.lower()
            for text in wording()
            if text.language == language
            for one in words_of(text.words)
        }
    )
    luck = random.Random(20250329)
    slips: list[str] = []
    for word in (one for one in words if len(one) >= 6 and one.isalpha()):
        at = luck.randrange(1, len(word) - 2)
        if word[at] != word[at + 1]:
            slips.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    assert len(slips) > 300
    missed = [one for one in slips if is_known(one, language)]
    assert len(missed) * 20 <= len(slips), missed


@pytest.mark.parametrize("rule", preferences(), ids=lambda one: f"{one.language} {one.avoid}")
def test_each_row_of_the_table_finds_its_word(rule: Preference) -> None:
    """In the middle of a sentence, and not inside the word that is preferred."""
    assert avoided(Text("x", rule.language, f"Satu {rule.avoid} dua."), [rule]) != []
    assert avoided(Text("x", rule.language, f"Satu {rule.write} dua."), [rule]) == []
    assert avoided(Text("x", rule.language, f"Satu x{rule.avoid} dua."), [rule]) == []


def test_the_tables_are_read() -> None:
    """Both languages of both kinds: an empty list would find nothing."""
    assert {one.language for one in preferences()} == {"id", "en"}
    assert len(list(wording())) > 1_000
    assert len(list(documents())) > 1_000
    assert sum(one.language == "id" for one in documents()) > 60
