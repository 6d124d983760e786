"""Numbers as they are pasted: each in one spelling, and no guess."""

from __future__ import annotations

import pytest

from tangguh.core import numbers
from tangguh.core.numbers import digits, phone


@pytest.mark.parametrize(
    "typed",
    [
        "08110000001",
        "0811-0000-001",
        "+62 811 0000 001",
        "\u202a+62 811\u2011 0000\u2011001\u202c",
        "\u200b0811\u00a00000\u00a0001\ufeff",
        "0062 811 0000 001",
        "+620811 0000 001",
        "+62 (0)811 0000 001",
        "62 (0) 811.0000.001",
        "(0811) 0000-001",
        "０８１１００００００１",
        "+６２ ８１１－００００－００１",
        "٠٨١١٠٠٠٠٠٠١",
        "tel:+62-811-0000-001",
        "0811\u20130000\u2014001",
        "0811\u22120000001",
        "0811\u00ad0000001",
        "628110000001",
    ],
)
def test_one_person_is_one_number_however_it_was_pasted(typed: str) -> None:
    assert phone(typed) == "628110000001"


@pytest.mark.parametrize(
    "typed", ["", "0811", "halo", "0811x0000001", "+", "()", "0811\x000000001", "0" * 70, "+0811²³"]
)
def test_what_is_no_number_is_none(typed: str) -> None:
    assert phone(typed) == ""


def test_another_countrys_number_keeps_its_country() -> None:
    assert phone("+65 9123 4567") == "6591234567"
    assert phone("+44 (0)20 7946 0958") == "442079460958"
    assert phone("811 0000 001") == "8110000001", "no country and no zero: not guessed"


@pytest.mark.parametrize(
    "typed",
    [
        "1234567890",
        "1234 567 890",
        "1234\u00a0567\u2011890",
        "１２３４５６７８９０",
        "\u202a1234567890\u202c",
    ],
)
def test_an_account_number_is_its_digits(typed: str) -> None:
    assert digits(typed) == "1234567890"


@pytest.mark.parametrize("typed", ["", "12a4", "12\x003", "+123", "1²", "9" * 80])
def test_an_account_number_with_anything_else_is_none(typed: str) -> None:
    assert digits(typed) == ""


@pytest.mark.parametrize("sent", ["nan", "inf", "-1", "+1", "1e3", "1e400", "1_0", " 1", "1 ", "",
                                  ".5", "1.", "٣", "²", "0x1", "9" * 5_000])  # fmt: skip
def test_what_machines_send_is_plain_or_no_number(sent: str) -> None:
    """Nothing that a converter of the language would take besides."""
    assert numbers.decimal(sent, 10.0) is None
    assert numbers.whole(sent, 10) is None


def test_numbers_have_their_bounds() -> None:
    assert [numbers.whole(sent, 10, 1) for sent in ("0", "1", "10", "11", "007")] == [
        None, 1, 10, None, None,
    ]  # fmt: skip
    assert [numbers.decimal(sent, 10.0) for sent in ("0", "2.5", "10.0", "10.1")] == [
        0.0, 2.5, 10.0, None,
    ]  # fmt: skip
