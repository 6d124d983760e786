"""The watch's matching: the book's payment, its amount, its state, once; and the statement itself."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.guard.closure import refuse_closure
from tangguh.guard.watching import refuse_order
from tangguh.settlement.watch.matching import (
    Decided,
    Page,
    Place,
    Row,
    Unmatched,
    faults_of,
    judge_all,
    lag_seconds,
    place_after,
)
from tangguh.settlement.watch.order import closure_of

NOW = datetime(2026, 3, 20, 5, tzinfo=UTC)


def row(seq: int = 1, reference: str = "A", amount: int = 100, **changes: object) -> Row:
    """An outflow of one rupiah."""
    plain = {
        "seq": seq, "at": NOW.isoformat(), "direction": "out", "kind": "transfer",
        "reference": reference, "amount_minor": amount, "balance_minor": -amount,
    }  # fmt: skip
    return Row(**(plain | changes))


@pytest.mark.parametrize(
    ("decided", "used", "verdict"),
    [
        (Decided("A", 100, "held"), (), "matched"),
        (Decided("A", 100, "unanswered"), (), "matched"),
        (Decided("A", 100, "posted"), (), "matched"),
        (Decided("A", 100, "refunded"), (), "matched"),
        (Decided("A", 100, "voided"), (), "not_sent"),
        (Decided("A", 100, "parked"), (), "not_sent"),
        (Decided("A", 100, "refused"), (), "not_sent"),
        (Decided("A", 101, "posted"), (), "other_amount"),
        (None, (), "no_posting"),
        (Decided("A", 100, "posted"), ("A",), "second_outflow"),
    ],
)
def test_each_verdict(decided: Decided | None, used: tuple[str, ...], verdict: str) -> None:
    book = {"A": decided} if decided is not None else {}
    assert judge_all([row()], book, used) == {1: verdict}


def test_what_is_no_outflow_is_not_asked_for() -> None:
    rows = [row(1, direction="in"), row(2, kind="sweep"), row(3, kind="fund", direction="in")]
    assert judge_all(rows, {}, ()) == {}


def test_the_second_of_one_page_is_a_second_outflow() -> None:
    book = {"A": Decided("A", 100, "posted")}
    assert judge_all([row(1), row(2)], book, ()) == {1: "matched", 2: "second_outflow"}


names = st.sampled_from("ABCDEF")


@given(
    book=st.dictionaries(names, st.tuples(st.integers(1, 3), st.sampled_from(
        ["held", "posted", "voided"]))),
    left=st.lists(st.tuples(names, st.integers(1, 3)), max_size=20),
    cut=st.integers(0, 20),
)  # fmt: skip
def test_what_is_matched_is_in_the_book_once(
    book: dict[str, tuple[int, str]], left: list[tuple[str, int]], cut: int
) -> None:
    """However the rows are cut into pages: matched sums never exceed the book, nothing is lost."""
    decided = {name: Decided(name, minor, state) for name, (minor, state) in book.items()}
    rows = [row(seq, name, minor) for seq, (name, minor) in enumerate(left, start=1)]
    used: set[str] = set()
    verdicts: dict[int, str] = {}
    for page in (rows[:cut], rows[cut:]):
        judged = judge_all(page, decided, used)
        used |= {one.reference for one in page if judged[one.seq] == "matched"}
        verdicts |= judged
    assert verdicts == judge_all(rows, decided, ())
    assert verdicts.keys() == {one.seq for one in rows}
    gone = [one for one in rows if verdicts[one.seq] == "matched"]
    assert len({one.reference for one in gone}) == len(gone)
    for one in gone:
        assert decided[one.reference].amount_minor == one.amount_minor
        assert decided[one.reference].state != "voided"


def page(*rows: Row, last: int | None = None, balance: int | None = None) -> Page:
    newest = rows[-1] if rows else row()
    return Page(
        participant="TGUHIDJ1",
        balance_minor=newest.balance_minor if balance is None else balance,
        reserved_minor=0,
        is_limited=True,
        last_seq=newest.seq if last is None else last,
        rows=list(rows),
    )


def test_a_whole_statement_has_no_fault() -> None:
    fund = row(1, "F", 500, kind="fund", direction="in", balance_minor=500)
    out = row(2, "A", 100, balance_minor=400)
    assert faults_of(Place(), page(fund, out)) == []
    assert place_after(Place(), page(fund, out)) == Place(2, 400, out.at)
    assert faults_of(Place(2, 400), page(last=2, balance=400)) == []


@pytest.mark.parametrize(
    ("place", "told", "word"),
    [
        (Place(1, 0), page(row(3)), "row 3 follows row 1"),
        (Place(), page(row(1, balance_minor=-99)), "reckoned -100"),
        (Place(9, 0), page(last=8), "9 was read before"),
        (Place(), page(row(1), balance=-101), "the account says"),
        (Place(), page(row(1, amount=0)), "no movement"),
    ],
)
def test_faults_of_the_statement(place: Place, told: Page, word: str) -> None:
    assert any(word in fault for fault in faults_of(place, told))


def test_lag_is_never_negative_and_never_fails() -> None:
    assert lag_seconds(NOW.isoformat(), NOW) == 0.0
    assert lag_seconds("later", NOW) == 0.0
    assert lag_seconds("2026-03-20T04:59:58+00:00", NOW) == 2.0


def test_the_order_is_complete_and_may_be_ordered() -> None:
    """Whatever was found, bank and gateway take the closure it makes."""
    found = [Unmatched(n, f"R{n}", 281_000_000_00, NOW.isoformat(), "", "no_posting")
             for n in range(1, 900)]  # fmt: skip
    made = closure_of(UUID(int=1), "bifast", found, NOW)
    assert refuse_closure(made) is None
    assert refuse_order(made, NOW) is None
    assert made.scope.is_one_way_of_a_rail
    assert "899 outflows" in made.cause
    assert len(made.evidence) < 30_000
