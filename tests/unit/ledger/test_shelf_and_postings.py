"""Small pure parts of the ledger: shelves, postings compared, the batch's composed statement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tangguh.core.errors import InvariantBroken
from tangguh.core.outcome import Refusal
from tangguh.ledger import chart
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.batch_sql import compose, update_part
from tangguh.ledger.chart import Kind
from tangguh.ledger.hold import Hold, HoldState, already_ended
from tangguh.ledger.posting import Posting, differing_field, opposite, unbalanced
from tangguh.ledger.shelf import Shelf, ShelfPlan

AT = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
PLAN: ShelfPlan[int, str] = ShelfPlan(
    name="things", sql=("x", "y"), load="z", key_arrays=lambda keys: (list(keys),),
    read=lambda row: (row["k"], row["v"]), rows_max=10,
)  # fmt: skip


def shelf(**rows: str | None) -> Shelf[Any, Any]:
    made: Shelf[Any, Any] = Shelf(PLAN, [])  # type: ignore[arg-type]
    made.rows.update(rows)
    return made


def test_fresh_and_changed_are_told_apart() -> None:
    """What PostgreSQL has is changed, what it has not is added, each once and as it is last."""
    things = shelf(old="a", none=None)
    things.put("old", "b")
    things.put("old", "c")
    things.put("none", "d")
    things.put("none", "e")
    things.add("new", "f")
    assert things.take() == (["e", "f"], ["c"])
    assert things.take() == ([], [])


def test_a_row_that_was_added_and_taken_is_changed_the_next_time() -> None:
    """The next batch updates what this one inserted."""
    things = shelf(none=None)
    things.put("none", "a")
    things.take()
    things.put("none", "b")
    assert things.take() == ([], ["b"])


def test_letting_go_keeps_what_is_still_needed() -> None:
    """Above the cap the oldest go, but not what is new, changed or in flight."""
    things = shelf(**{f"k{number}": "x" for number in range(30)})
    things.put("k1", "changed")
    things.add("fresh", "y")
    things.trim({"k0"})
    assert {"k0", "k1", "fresh"} <= set(things.rows)
    assert len(things.rows) <= PLAN.rows_max + 2


def test_below_the_cap_nothing_is_let_go() -> None:
    """Memory is there to be used."""
    things = shelf(**{f"k{number}": "x" for number in range(10)})
    things.trim(set())
    assert len(things.rows) == 10


def test_a_forgotten_row_must_be_loaded_again() -> None:
    """Forgetting is not the same as knowing that there is none."""
    things = shelf(a="x")
    things.forget()
    with pytest.raises(InvariantBroken):
        things.get("a")


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (((1, -5), (2, 5)), None),
        (((1, -5), (2, 3), (3, 2)), None),
        (((1, 5),), Refusal.ORDER_INVALID),
        (((1, -5), (2, 4)), Refusal.ORDER_INVALID),
        (((1, 0), (2, 0)), Refusal.AMOUNT_NOT_POSITIVE),
    ],
)
def test_what_is_a_posting(entries: Any, code: Refusal | None) -> None:
    """Two or more entries, none of nothing, zero in sum."""
    refused = unbalanced(entries)
    assert (refused.code if refused else None) is code


def test_the_opposite_of_the_opposite() -> None:
    """Undoing twice is where one began."""
    entries = ((1, -5), (2, 5))
    assert opposite(opposite(entries)) == entries
    assert unbalanced(opposite(entries)) is None


def test_two_postings_compared() -> None:
    """The first field that differs is named; the order of entries and the time say nothing."""
    one = Posting(UUID(int=1), "a", ((1, -5), (2, 5)), AT)
    same = Posting(UUID(int=1), "a", ((2, 5), (1, -5)), AT.replace(year=2027))
    assert differing_field(one, same) is None
    others = {
        "kind": Posting(UUID(int=1), "b", one.entries, AT),
        "entries": Posting(UUID(int=1), "a", ((1, -5), (3, 5)), AT),
        "reverses": Posting(UUID(int=1), "a", one.entries, AT, UUID(int=9)),
        "note": Posting(UUID(int=1), "a", one.entries, AT, None, "x"),
    }
    for field, other in others.items():
        assert differing_field(one, other) == field


def test_accounts_and_holds_are_values() -> None:
    """A move makes a new account; an end makes a new hold; the old ones stay as they were."""
    account = Account(1, Kind.CUSTOMER, 1, AccountState.OPEN, 100, 30, 0, 4, AT)
    assert account.available_minor == 70
    assert (account.moved(-5).posted_minor, account.moved(-5).entry_seq) == (95, 5)
    assert account.holding(-30).held_minor == 0
    assert account.posted_minor == 100
    hold = Hold(UUID(int=1), 1, 30, HoldState.HELD, AT)
    assert already_ended(hold) is None
    ended = hold.ended(HoldState.POSTED, AT, 20)
    refused = already_ended(ended)
    assert refused is not None
    assert refused.code is Refusal.HOLD_ALREADY_POSTED
    assert (ended.ended_at, ended.posted_minor, hold.ended_at) == (AT, 20, None)


def test_the_banks_own_accounts_cannot_be_a_customers() -> None:
    """The numbers are apart, and only money that is owed to somebody has a floor."""
    assert max(chart.OWN_ACCOUNTS) <= chart.OWN_ACCOUNT_MAX < chart.CUSTOMER_ACCOUNT_MIN
    with_floor = {kind for kind in Kind if chart.floor_of(kind) == 0}
    assert with_floor == {Kind.CUSTOMER, Kind.MERCHANT, Kind.EMONEY_FLOAT, Kind.PAYABLE, Kind.PURSE}


def test_parameters_are_numbered_one_after_another() -> None:
    """Each part's arrays follow the fixed seven and the parts before it; $1 is the book's."""
    fence, link = "UPDATE f SET a = $3 WHERE b = $1", "INSERT INTO l VALUES ($1)"
    block = "UPDATE t SET v = u.v FROM unnest($2::int[], $3::int[]) AS u WHERE b = $1"
    one, two = update_part("one", block, 2), update_part("two", block, 2)
    sql = compose(fence, link, (one, two))
    assert "unnest($8::int[], $9::int[])" in sql
    assert "unnest($10::int[], $11::int[])" in sql
    assert "cardinality($8)" in sql
    assert "cardinality($10)" in sql
    assert "'changed_two_must_touch_every_row'" in sql
    assert sql.count("WHERE b = $1") == 3


def test_a_batch_that_changes_nothing_still_has_fence_and_link() -> None:
    """The link of the chain is written whatever else is."""
    sql = compose("UPDATE f SET a = 1", "INSERT INTO l VALUES (1)", ())
    assert sql.startswith("WITH fence AS (UPDATE f SET a = 1\nRETURNING 1),\nlink AS (")
    assert "'fence_lost'" in sql
