"""The demo page's codes may be paid, and its sentences say what the codes say."""

from __future__ import annotations

import pytest

from tangguh.core.format import money
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import TipKind
from tangguh.web.pages.demo.guide import CODES
from tangguh.web.words import read_all


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", CODES)
def test_the_sentence_beside_a_code_says_its_amounts(name: str, language: str) -> None:
    """An amount or a fixed tip in the code is in the sentence, and nothing else is."""
    code = parse(CODES[name]).code
    assert code is not None
    sums = [code.amount_minor] if code.amount_minor else []
    if code.tip.kind is TipKind.FIXED:
        sums.append(code.tip.fixed_minor)
    sentence = read_all()[language](f"demo.kind_{name}")
    assert sentence.count("Rp") == len(sums)
    for minor in sums:
        assert money(minor) in sentence
