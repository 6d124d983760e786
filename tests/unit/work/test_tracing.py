"""What a reference may be, what is masked, and that every step has words."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

import tangguh
from tangguh.work.tracing import masks, reference, steps
from tangguh.work.tracing.masks import DOTS, Masks

TODAY = date(2026, 3, 20)
PAYMENTS = Path(tangguh.__file__).parent / "payments"
NAMED_ELSEWHERE = {"contradicted"}
"""A step whose name is a constant."""


def words_given_to(function: str, place: int, room: str = "") -> set[str]:
    """Every text the payments' code gives to a function in one place."""
    found: set[str] = set()
    for path in (PAYMENTS / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if not is_call or node.func.id != function or len(node.args) <= place:
                continue
            told = node.args[place]
            options = [told.body, told.orelse] if isinstance(told, ast.IfExp) else [told]
            found |= {one.value for one in options if isinstance(one, ast.Constant)}
    return found


def test_every_step_of_a_payment_has_words() -> None:
    """Also those added later: a step without words is found here and not at night."""
    steps_made = words_given_to("record", 2) | {"refund_asked"} | NAMED_ELSEWHERE
    assert steps_made == set(steps.STEPS)
    beside = words_given_to("keep", 2, "redress")
    assert len(beside) > 6
    assert beside - set(steps.STEPS) == set(steps.BESIDE)


def test_what_a_reference_may_be() -> None:
    found = reference.read(" tg26-7k3m-9qxd ", TODAY)
    assert (found.case_number, found.is_whole) == ("TG26-7K3M-9QXD", True)
    found = reference.read("019D099D-5880-745A-B563-316085ACF23C", TODAY)
    assert (found.is_whole, found.short) == (True, "")
    assert reference.read("3160-85ac-F23C", TODAY).short == "316085acf23c"
    assert reference.read("316085ACF23C", TODAY).short == "316085acf23c"
    assert reference.read("31608-5ACF23C", TODAY).short == ""
    assert not reference.read("Ⅷ" * 32, TODAY).is_whole


def test_the_day_a_reference_says() -> None:
    for text, day in {
        "20260319TANGIDJA010O0200000001": date(2026, 3, 19),
        "20261399TANGIDJA010O0200000001": None,
        "607904123456": date(2026, 3, 20),
        "607804123456": date(2026, 3, 19),
        "536523123456": date(2025, 12, 31),
        "700104123456": date(2017, 1, 1),
        "600004123456": None,
        "636704123456": None,
        "12345": None,
    }.items():
        assert reference.read(text, TODAY).day == day, text
    now = datetime(2026, 3, 20, 5, tzinfo=UTC)
    begins, ends = reference.stretch_of(reference.read("536523123456", TODAY), 7, now)
    assert begins == datetime(2025, 12, 30, tzinfo=UTC)
    assert ends > now
    begins, _ = reference.stretch_of(reference.read("607904123456", TODAY), 7, now)
    assert (now - begins).days == 7


def test_numbers_and_names_are_shown_by_their_ends() -> None:
    assert masks.number("10000000011") == f"{DOTS}0011"
    assert masks.number("12345") == DOTS, "hardly longer than its end: nothing of it"
    assert masks.name("Budi  van Santoso") == "B···  v··· S···"
    assert masks.account(106_001) == "106001 (receivable)"
    assert masks.account(10_000_000_011) == f"{DOTS}0011"


CARDS = st.integers(10**14, 10**15 - 1).map(
    lambda body: next(f"{body}{d}" for d in range(10) if masks.is_luhn(f"{body}{d}"))
)


@given(CARDS, st.text(st.characters(exclude_categories=["Nd"]), max_size=20))
@example("4111111111111111", "kartu ")
def test_no_card_number_stays_in_what_somebody_wrote(card: str, around: str) -> None:
    told = masks.cards(f"{around}{card}{around}")
    assert card not in told
    assert card[-4:] in told


@given(
    st.lists(st.integers(10**9, 10**11), min_size=1, max_size=5).map(lambda n: [str(x) for x in n]),
    st.lists(st.integers(0, 10**12), max_size=8).map(lambda n: [str(x) for x in n]),
)
def test_every_secret_is_masked_and_no_other_number(secrets: list[str], others: list[str]) -> None:
    text = ", ".join([*secrets, *others])
    told = Masks([(secret, masks.number(secret)) for secret in secrets]).text(text)
    words = told.split(", ")
    assert [word for word in words if word in secrets] == []
    assert [word for word in words if word not in secrets and not word.startswith(DOTS)] == [
        word for word in others if word not in secrets
    ]
