"""The bank's own reasons are told to staff in their language; people's words stay theirs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tangguh.disputes import verdict
from tangguh.web.care.story import reason_of
from tangguh.web.words import LANGUAGES, Words

VERDICTS = {"Decide", "Wait", "AskNetwork", "AskStaff"}


def reasons() -> list[str]:
    """Every reason the bank gives by itself, as it stands in the code that judges."""
    found: set[str] = {str(reason) for reason in verdict.WaitsFor}
    for call in ast.walk(ast.parse(Path(verdict.__file__).read_text())):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in VERDICTS
        ):
            found |= {
                one.value
                for argument in call.args
                for one in ast.walk(argument)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return sorted(found)


def test_there_are_reasons() -> None:
    assert len(reasons()) >= 15


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", reasons())
def test_every_reason_of_the_bank_has_words(why: str, language: str) -> None:
    told = reason_of(Words(language), why)
    assert told != why
    assert told[0].isupper()


def test_what_people_wrote_stays_as_they_wrote_it() -> None:
    assert reason_of(Words("id"), "Nasabah sudah ditelepon.") == "Nasabah sudah ditelepon."
    assert reason_of(Words("id"), "") == ""
