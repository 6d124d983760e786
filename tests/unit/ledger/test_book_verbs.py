"""The book's verbs on rows in memory: what each changes, what each refuses, nothing half done."""

from __future__ import annotations

import copy
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOON
from tangguh.core.clock import HandClock
from tangguh.core.errors import InvariantBroken
from tangguh.core.ids import Ids
from tangguh.core.money import MINOR_MAX
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.book import Book
from tangguh.ledger.chart import Kind
from tangguh.ledger.hold import Hold, HoldState
from tangguh.ledger.posting import Posting

VAULT, ANA, BUDI = 1, 2, 3


def uuid(number: int) -> UUID:
    return UUID(int=number)


def account(account_id: int, posted: int, **more: Any) -> Account:
    made = Account(account_id, Kind.CUSTOMER, 1, AccountState.OPEN, posted, 0, 0, 0, NOON)
    return msgspec.structs.replace(made, **more)


def book_with(**more: Any) -> Book:
    """A book in which the vault has no floor, Ana has 1,000 and Budi nothing."""
    book = Book(Ids(HandClock(NOON), random.Random(1)))
    book.tick(NOON)
    book.batch_no = 1
    book.accounts.rows[VAULT] = account(VAULT, 0, floor_minor=None, kind=Kind.VAULT)
    book.accounts.rows[ANA] = account(ANA, 1_000, **more)
    book.accounts.rows[BUDI] = account(BUDI, 0)
    for number in range(1, 50):
        book.holds.rows[uuid(number)] = None
        book.postings.rows[uuid(number)] = None
        book.reversals.rows[uuid(number)] = None
    return book


def state_of(book: Book) -> Any:
    """Everything a decision could have changed."""
    shelves = {
        shelf.plan.name: (dict(shelf.rows), dict(shelf.fresh), dict(shelf.changed))
        for shelf in book.shelves()
    }
    return copy.deepcopy((shelves, book._journals))


def code_of(answer: object) -> Refusal:
    assert isinstance(answer, Refused), answer
    return answer.code


def ana(book: Book) -> Account:
    found = book.accounts.get(ANA)
    assert found is not None
    return found


# ---- post ---------------------------------------------------------------------------------------


def test_a_posting_moves_both_sides_and_writes_both_lines() -> None:
    """Balances, entry numbers and running balances belong together."""
    book = book_with()
    posted = book.post(uuid(1), "payment", ((ANA, -300), (BUDI, 300)), note="x")
    assert isinstance(posted, Posting)
    assert (ana(book).posted_minor, ana(book).entry_seq) == (700, 1)
    taken = book.take_journals()
    assert [(row[0], row[1], row[4], row[5]) for row in taken["entries"]] == [
        (ANA, 1, -300, 700),
        (BUDI, 1, 300, 300),
    ]
    assert len(taken["postings"]) == 1


def test_one_account_in_several_entries() -> None:
    """Each line has its own number and the balance after it."""
    book = book_with()
    book.post(uuid(1), "x", ((ANA, -300), (ANA, 100), (BUDI, 200)))
    lines = [(row[1], row[5]) for row in book.take_journals()["entries"] if row[0] == ANA]
    assert lines == [(1, 700), (2, 800)]
    assert ana(book).posted_minor == 800


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ((), Refusal.ORDER_INVALID),
        (((ANA, 0),), Refusal.ORDER_INVALID),
        (((ANA, -1), (BUDI, 2)), Refusal.ORDER_INVALID),
        (((ANA, 0), (BUDI, 0)), Refusal.AMOUNT_NOT_POSITIVE),
        (((ANA, -1_001), (BUDI, 1_001)), Refusal.INSUFFICIENT_FUNDS),
        (((BUDI, -1), (ANA, 1)), Refusal.INSUFFICIENT_FUNDS),
        (((VAULT, -MINOR_MAX), (ANA, MINOR_MAX)), Refusal.BALANCE_OUT_OF_RANGE),
        (((VAULT, -MINOR_MAX - 1), (BUDI, MINOR_MAX + 1)), Refusal.BALANCE_OUT_OF_RANGE),
    ],
)
def test_a_posting_that_is_refused_changes_nothing(entries: Any, code: Refusal) -> None:
    """Judged first, changed after: a no leaves the book as it was."""
    book = book_with()
    before = state_of(book)
    assert code_of(book.post(uuid(1), "x", entries)) is code
    assert state_of(book) == before


def test_an_account_that_does_not_exist() -> None:
    """Known to be absent it is refused by number."""
    book = book_with()
    book.accounts.rows[99] = None
    assert code_of(book.post(uuid(1), "x", ((ANA, -1), (99, 1)))) is Refusal.ACCOUNT_NOT_FOUND


@pytest.mark.parametrize(
    ("state", "gives", "takes"),
    [
        (AccountState.OPEN, True, True),
        (AccountState.FROZEN, False, True),
        (AccountState.CLOSED, False, False),
    ],
)
def test_what_each_state_lets_through(state: AccountState, gives: bool, takes: bool) -> None:
    """Open both ways, frozen only in, closed not at all."""
    out = book_with(state=state).post(uuid(1), "x", ((ANA, -1), (BUDI, 1)))
    into = book_with(state=state).post(uuid(1), "x", ((VAULT, -1), (ANA, 1)))
    assert isinstance(out, Posting) == gives
    assert isinstance(into, Posting) == takes


def test_below_its_floor_an_account_may_still_rise() -> None:
    """A credit is never refused for being too small."""
    book = book_with(posted_minor=-500)
    assert isinstance(book.post(uuid(1), "x", ((VAULT, -100), (ANA, 100))), Posting)
    assert code_of(book.post(uuid(2), "x", ((ANA, -1), (VAULT, 1)))) is Refusal.INSUFFICIENT_FUNDS


def test_an_overdraft_is_a_floor_below_zero() -> None:
    """Down to the floor and not one sen further."""
    book = book_with(floor_minor=-500)
    assert code_of(book.hold(uuid(1), ANA, 1_501)) is Refusal.INSUFFICIENT_FUNDS
    assert isinstance(book.hold(uuid(1), ANA, 1_500), Hold)


# ---- holds --------------------------------------------------------------------------------------


def test_a_hold_sets_aside_and_its_void_gives_back() -> None:
    """Posted stays, available falls and rises again."""
    book = book_with()
    book.hold(uuid(1), ANA, 400)
    assert (ana(book).posted_minor, ana(book).available_minor) == (1_000, 600)
    voided = book.void_hold(uuid(1))
    assert isinstance(voided, Hold)
    assert (voided.state, ana(book).held_minor) == (HoldState.VOIDED, 0)


@pytest.mark.parametrize("taken", [1, 399, 400])
def test_a_post_takes_its_part_and_releases_the_rest(taken: int) -> None:
    """Whatever is not taken is available again."""
    book = book_with()
    book.hold(uuid(1), ANA, 400)
    posted = book.post_hold(uuid(1), uuid(2), "payment", ((BUDI, taken),))
    assert isinstance(posted, Posting)
    assert (ana(book).posted_minor, ana(book).held_minor) == (1_000 - taken, 0)
    hold = book.holds.get(uuid(1))
    assert hold is not None
    assert (hold.state, hold.posted_minor) == (HoldState.POSTED, taken)


@pytest.mark.parametrize(
    ("credits", "code"),
    [
        (((BUDI, 401),), Refusal.POST_EXCEEDS_HOLD),
        (((BUDI, 0),), Refusal.AMOUNT_NOT_POSITIVE),
        (((BUDI, 500), (VAULT, -200)), Refusal.AMOUNT_NOT_POSITIVE),
        ((), Refusal.AMOUNT_NOT_POSITIVE),
        (((99, 100),), Refusal.ACCOUNT_NOT_FOUND),
    ],
)
def test_a_post_that_is_refused_leaves_the_hold(credits: Any, code: Refusal) -> None:
    """The money stays held, as it was."""
    book = book_with()
    book.accounts.rows[99] = None
    book.hold(uuid(1), ANA, 400)
    before = (ana(book), book.holds.get(uuid(1)))
    assert code_of(book.post_hold(uuid(1), uuid(2), "x", credits)) is code
    assert (ana(book), book.holds.get(uuid(1))) == before


@pytest.mark.parametrize("state", [AccountState.FROZEN, AccountState.CLOSED])
def test_held_money_can_be_taken_from_an_account_shut_since(state: AccountState) -> None:
    """It was set aside before; a new hold or debit is refused."""
    book = book_with()
    book.hold(uuid(1), ANA, 400)
    book.accounts.put(ANA, msgspec.structs.replace(ana(book), state=state))
    assert code_of(book.hold(uuid(3), ANA, 1)) is Refusal.ACCOUNT_CLOSED
    assert isinstance(book.post_hold(uuid(1), uuid(2), "x", ((BUDI, 400),)), Posting)
    assert ana(book).posted_minor == 600


def test_a_hold_ends_once() -> None:
    """Every pair of ends: the second is refused with the code of the first."""
    codes = {
        "post": Refusal.HOLD_ALREADY_POSTED,
        "void": Refusal.HOLD_ALREADY_VOIDED,
        "expire": Refusal.HOLD_ALREADY_EXPIRED,
    }

    def end(book: Book, how: str, number: int) -> Any:
        if how == "post":
            return book.post_hold(uuid(1), uuid(number), "x", ((BUDI, 400),))
        return book.void_hold(uuid(1)) if how == "void" else book.expire_hold(uuid(1))

    for first, code in codes.items():
        for second in codes:
            book = book_with()
            book.hold(uuid(1), ANA, 400, NOON)
            assert not isinstance(end(book, first, 2), Refused)
            held = ana(book).held_minor
            assert code_of(end(book, second, 3)) is code
            assert (ana(book).held_minor, held) == (0, 0)


def test_a_hold_expires_at_its_time_not_before() -> None:
    """And one without a time never does."""
    book = book_with()
    book.hold(uuid(1), ANA, 1, NOON + timedelta(seconds=1))
    book.hold(uuid(2), ANA, 1)
    assert code_of(book.expire_hold(uuid(1))) is Refusal.HOLD_NOT_YET_EXPIRED
    book.tick(NOON + timedelta(seconds=1))
    assert isinstance(book.expire_hold(uuid(1)), Hold)
    assert code_of(book.expire_hold(uuid(2))) is Refusal.HOLD_NOT_YET_EXPIRED
    assert code_of(book.expire_hold(uuid(9))) is Refusal.HOLD_NOT_FOUND


# ---- reversals ----------------------------------------------------------------------------------


def test_a_reversal_is_the_opposite_once_and_for_ever() -> None:
    """It cannot be repeated, and is not itself reversed."""
    book = book_with()
    book.post(uuid(1), "x", ((ANA, -300), (BUDI, 300)))
    reversal = book.reverse(uuid(1), uuid(2))
    assert isinstance(reversal, Posting)
    assert reversal.entries == ((ANA, 300), (BUDI, -300))
    assert ana(book).posted_minor == 1_000
    assert code_of(book.reverse(uuid(1), uuid(3))) is Refusal.POSTING_ALREADY_REVERSED
    assert code_of(book.reverse(uuid(2), uuid(3))) is Refusal.POSTING_IS_A_REVERSAL
    assert code_of(book.reverse(uuid(9), uuid(3))) is Refusal.POSTING_NOT_FOUND


def test_what_was_spent_cannot_be_taken_back() -> None:
    """The payee's floor holds for a reversal too, and the original stays reversible."""
    book = book_with()
    book.post(uuid(1), "x", ((ANA, -300), (BUDI, 300)))
    book.post(uuid(2), "x", ((BUDI, -300), (VAULT, 300)))
    assert code_of(book.reverse(uuid(1), uuid(3))) is Refusal.INSUFFICIENT_FUNDS
    book.post(uuid(4), "x", ((VAULT, -300), (BUDI, 300)))
    assert isinstance(book.reverse(uuid(1), uuid(3)), Posting)


# ---- undo and time ------------------------------------------------------------------------------

VERBS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(-400, 400)),
        st.tuples(st.just("hold"), st.integers(-5, 600)),
        st.tuples(st.just("post_hold"), st.integers(1, 400)),
        st.tuples(st.just("void"), st.integers(1, 8)),
        st.tuples(st.just("reverse"), st.integers(1, 8)),
        st.tuples(st.just("open"), st.integers(10, 13)),
    ),
    max_size=12,
)


def act(book: Book, number: int, verb: str, value: int) -> None:
    """One verb with a value that may or may not make sense."""
    if verb == "post":
        book.post(uuid(number), "x", ((ANA, value), (BUDI, -value)))
    elif verb == "hold":
        book.hold(uuid(number), ANA, value)
    elif verb == "post_hold":
        book.post_hold(uuid(value % 8 + 1), uuid(number), "x", ((BUDI, value),))
    elif verb == "void":
        book.void_hold(uuid(value))
    elif verb == "reverse":
        book.reverse(uuid(value), uuid(number))
    else:
        book.accounts.rows.setdefault(value, None)
        if book.accounts.get(value) is None:
            book.open_account(account(value, 0))


@given(before=VERBS, undone=VERBS)
def test_undo_brings_everything_back(before: list[Any], undone: list[Any]) -> None:
    """Rows, what is fresh, what is changed and the journals are as the decision found them."""
    book = book_with()
    for key in range(10, 14):
        book.accounts.rows[key] = None
    for number, (verb, value) in enumerate(before, start=1):
        act(book, number, verb, value)
    kept = state_of(book)
    book.begin()
    for number, (verb, value) in enumerate(undone, start=20):
        act(book, number, verb, value)
    book.undo()
    assert state_of(book) == kept


@given(verbs=VERBS)
def test_whatever_is_asked_the_book_adds_up(verbs: list[Any]) -> None:
    """Money is neither made nor lost, held sums are the open holds', nobody is below the floor."""
    book = book_with()
    for number, (verb, value) in enumerate(verbs, start=1):
        act(book, number, verb, value)
    accounts = [one for one in book.accounts.rows.values() if one is not None]
    assert sum(one.posted_minor for one in accounts) == 1_000
    held = [one for one in book.holds.rows.values() if one and one.state is HoldState.HELD]
    assert ana(book).held_minor == sum(one.amount_minor for one in held)
    assert all(one.floor_minor is None or one.available_minor >= 0 for one in accounts)


def test_the_clock_of_the_book_never_runs_backwards() -> None:
    """An earlier time changes nothing."""
    book = book_with()
    book.tick(NOON - timedelta(days=1))
    assert book.now == NOON


def test_reading_an_unnamed_row_is_our_bug() -> None:
    """A row that was not loaded is not the same as a row that is not there."""
    with pytest.raises(InvariantBroken, match="did not name"):
        book_with().accounts.get(12345)
