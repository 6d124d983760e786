"""Whether a word is spelt as its language spells it.

English by the dictionary of Hunspell, as the test dependency spylls carries it; Indonesian by the roots
and affixes of PySastrawi. What neither knows and we mean stands in the lists beside this file.
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from Sastrawi.Stemmer.StemmerFactory import StemmerFactory
from spylls.hunspell import Dictionary

HERE: Final = Path(__file__).parent
LOCKS: Final = sorted(HERE.parent.parent.glob("requirements*.lock"))
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?!\w)")
_NAME: Final = re.compile(r"[A-Z]{2,}s?|\w+[A-Z]\w*")
"""Abbreviations, and names with a capital inside."""


@cache
def accepted(language: str) -> frozenset[str]:
    """Words we mean, in small letters: those of the language, and names of both."""
    found: set[str] = set()
    for name in (language, "names"):
        text = (HERE / f"{name}.txt").read_text("utf-8")
        found |= {
            word.lower() for line in text.splitlines() for word in line.partition("#")[0].split()
        }
    for lock in LOCKS:  # the names of what we use
        names = re.findall(r"^([\w-]+)(?:\[\w+\])?==", lock.read_text("utf-8"), re.MULTILINE)
        for name in names:
            found |= {name.lower(), *re.split(r"[-_]", name.lower())}
    return frozenset(found)


@cache
def _english() -> Dictionary:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # it leaves the closing of its files to Python
        return Dictionary.from_files(str(files("spylls") / "hunspell" / "data" / "en" / "en_US"))


@cache
def _roots() -> frozenset[str]:
    return frozenset(StemmerFactory().get_words())


@cache
def _stem() -> object:
    return StemmerFactory().create_stemmer()


def words_of(text: str) -> list[str]:
    """The words of a text; what holds a digit is none."""
    return [one.group() for one in _WORD.finditer(text) if not text[: one.start()][-1:].isalnum()]


@cache
def is_known(word: str, language: str) -> bool:
    """Whether it is a word: of the language, of our lists, or made of such with a hyphen."""
    if language == "any":
        return is_known(word, "id") or is_known(word, "en")
    word = word.replace("’", "'")
    plain = word.lower()
    bare = plain.removesuffix("'s").removesuffix("'")
    if _NAME.fullmatch(word[: len(bare)]) or len(word) == 1 or not word[0].isalpha():
        return True
    if {plain, bare} & accepted(language):
        return True
    if "-" in word:
        return all(is_known(part, language) for part in word.split("-") if part)
    if language == "en":
        return any(_english().lookup(one) for one in (word, plain, bare, bare.capitalize()))
    return plain in _roots() or _stem().stem(plain) in _roots()  # type: ignore[attr-defined]


def misspelt(text: str, language: str) -> list[str]:
    """The words of a text that are none."""
    return [word for word in words_of(text) if not is_known(word, language)]
