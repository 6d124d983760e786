"""Matching by tables: one to one, one to many, many to one, and every kind of break."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.settlement.file import Line
from tangguh.settlement.match import ENDED, OPEN, POSTED, Kind, Matched, Matcher, Records

HOME, OTHER = 102_001, 102_002


def records(*rows: tuple[str, int, int], **more: object) -> Records:
    """(key, amount, state) each, all on one account."""
    made = Records()
    for number, (key, minor, state) in enumerate(rows, start=1):
        made.add(key.encode(), UUID(int=number).bytes, minor, state, HOME, **more)
    return made


def matched(ours: Records, *listed: tuple[str, int]) -> Matched:
    matcher = Matcher(ours, OTHER)
    matcher.take(Line(n, key.encode(), minor, b"N") for n, (key, minor) in enumerate(listed))
    return matcher.judge()


def kinds(found: Matched) -> list[tuple[Kind, str, int, int]]:
    return [(one.kind, one.reference, one.ours_minor, one.theirs_minor) for one in found.breaks]


def test_one_line_is_one_payment() -> None:
    """The same reference, side and sum."""
    found = matched(records(("Oa", 100, POSTED), ("Ib", -40, POSTED)), ("Oa", 100), ("Ib", -40))
    assert (found.matched, found.breaks, found.net_of_account) == (2, [], {HOME: 60})


def test_the_same_reference_on_the_other_side_is_another_payment() -> None:
    """Both sides number for themselves: what comes in is never taken for what went out."""
    found = matched(records(("Oa", 100, POSTED)), ("Ia", -100))
    assert {one.kind for one in found.breaks} == {Kind.MISSING_IN_BOOK, Kind.MISSING_IN_FILE}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([100], []),
        ([60, 40], []),
        ([150, -50], []),
        ([99], [(Kind.AMOUNT_DIFFERS, "a", 100, 99)]),
        ([101], [(Kind.AMOUNT_DIFFERS, "a", 100, 101)]),
        ([100, -100], [(Kind.AMOUNT_DIFFERS, "a", 100, 0)]),
        ([100, 100], [(Kind.DUPLICATE, "a", 100, 200)]),
        ([], [(Kind.MISSING_IN_FILE, "a", 100, 0)]),
    ],
)
def test_a_posted_payment(listed: list[int], expected: list[tuple[Kind, str, int, int]]) -> None:
    """Several lines count by their sum, and a sen that differs is a break."""
    found = matched(records(("Oa", 100, POSTED)), *(("Oa", minor) for minor in listed))
    assert kinds(found) == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([], []),
        ([100, -100], []),
        ([100], [(Kind.STATE_DIFFERS, "a", 0, 100)]),
    ],
)
def test_a_voided_payment(listed: list[int], expected: list[tuple[Kind, str, int, int]]) -> None:
    """It must come to nothing there too."""
    found = matched(records(("Oa", 100, ENDED)), *(("Oa", minor) for minor in listed))
    assert kinds(found) == expected


def test_an_open_payment_learns_its_end_from_the_file() -> None:
    """Listed: paid. Listed and taken back: not. Not listed: not known. Another sum: a break."""
    ours = records(("Oa", 100, OPEN), ("Ob", 100, OPEN), ("Oc", 100, OPEN), ("Od", 100, OPEN))
    found = matched(ours, ("Oa", 100), ("Ob", 100), ("Ob", -100), ("Od", 70))
    assert found.proven == [(UUID(int=1), "N")]
    assert found.disproven == [UUID(int=2)]
    assert found.absent == [UUID(int=3)]
    assert kinds(found) == [(Kind.AMOUNT_DIFFERS, "d", 100, 70)]


def test_a_payment_whose_cycle_is_not_closed_is_not_missed() -> None:
    """It may stand in the next file."""
    assert matched(records(("Oa", 100, POSTED), due=False)).breaks == []


def test_what_another_cycle_listed_is_not_missed_and_not_paid_twice() -> None:
    """Settled before: not due again; listed again it is a duplicate."""
    assert matched(records(("Oa", 100, POSTED), before_minor=100)).breaks == []
    again = matched(records(("Oa", 100, POSTED), before_minor=100), ("Oa", 100))
    assert kinds(again) == [(Kind.DUPLICATE, "a", 0, 100)]
    taken_back = matched(records(("Oa", 100, ENDED), before_minor=100), ("Oa", -100))
    assert taken_back.breaks == []
    rest = matched(records(("Oa", 100, POSTED), before_minor=60), ("Oa", 40))
    assert rest.breaks == []


def with_refunds(*refunds: int, before_minor: int | None = None) -> Records:
    ours = Records()
    ours.add(b"Oa", UUID(int=1).bytes, 100, POSTED, HOME, before_minor=before_minor)
    for number, minor in enumerate(refunds, start=2):
        key = f"Ir{number}".encode()
        ours.add(key, UUID(int=number).bytes, -minor, POSTED, HOME, group=b"Oa")
    return ours


@pytest.mark.parametrize(
    ("refunds", "before", "listed", "broken"),
    [
        ([30], None, [("Oa", 100), ("Oa", -30)], []),
        ([30], None, [("Oa", 70)], []),
        ([30], None, [("Oa", 100), ("Ir2", -30)], []),
        ([30, 20], None, [("Oa", 100), ("Oa", -30), ("Oa", -20)], []),
        ([30, 20], None, [("Oa", 100), ("Oa", -30), ("Ir3", -20)], []),
        ([30], 100, [("Oa", -30)], []),
        ([100], None, [], []),
        ([30], None, [("Oa", 100)], [Kind.MISSING_IN_FILE]),
        ([30], None, [("Oa", 100), ("Oa", -31)], [Kind.AMOUNT_DIFFERS, Kind.MISSING_IN_FILE]),
    ],
)
def test_refunds_stand_alone_or_net_with_their_payment(
    refunds: list[int], before: int | None, listed: list[tuple[str, int]], broken: list[Kind]
) -> None:
    """By their own reference, or as reversals of the original; in this cycle or a later one."""
    found = matched(with_refunds(*refunds, before_minor=before), *listed)
    assert [one.kind for one in found.breaks] == broken


def test_one_line_for_several_payments() -> None:
    """A merchant's credits in one sum: the line names what they have in common."""
    ours = Records()
    for number, minor in enumerate((10, 20, 30), start=1):
        key = f"Ip{number}".encode()
        ours.add(key, UUID(int=number).bytes, -minor, POSTED, HOME, group=b"Ishop")
    whole = matched(ours, ("Ishop", -60))
    assert (whole.matched, whole.breaks, whole.net_of_account) == (1, [], {HOME: -60})
    ours = Records()
    ours.add(b"Ip1", UUID(int=1).bytes, -10, POSTED, HOME, group=b"Ishop")
    short = matched(ours, ("Ishop", -9))
    assert kinds(short) == [(Kind.AMOUNT_DIFFERS, "shop", -10, -9)]


def test_a_line_nobody_knows_stands_on_the_stray_account() -> None:
    """It is a break with its reference, unless it comes to nothing."""
    found = matched(records(), ("Ox", 100), ("Oy", 5), ("Oy", -5))
    assert kinds(found) == [(Kind.MISSING_IN_BOOK, "x", 0, 100)]
    assert found.net_of_account == {OTHER: 100}


def test_strays_find_records_that_are_added_later() -> None:
    """A reversal of last month's payment, after a second look."""
    ours = records(("Oa", 100, POSTED))
    matcher = Matcher(ours, OTHER)
    matcher.take([Line(1, b"Oa", 100, b""), Line(2, b"Oold", -70, b"")])
    assert matcher.strays() == [b"Oold"]
    ours.add(b"Oold", UUID(int=9).bytes, 70, ENDED, HOME, before_minor=70)
    matcher.look_again()
    found = matcher.judge()
    assert found.breaks == []
    assert dict(matcher.settled()) == {UUID(int=1): 100, UUID(int=9): -70}
    assert found.net_of_account == {HOME: 30}


fates = st.sampled_from(["same", "more", "unlisted", "unknown", "voided", "open"])


@given(st.lists(st.tuples(st.integers(2, 10**9), fates), max_size=40))
def test_position_and_book_differ_by_exactly_the_breaks(story: list[tuple[int, str]]) -> None:
    """What is left on the account after the position is what the breaks together say."""
    ours, listed, booked = Records(), list[tuple[str, int]](), 0
    for number, (minor, fate) in enumerate(story, start=1):
        key = f"O{number}"
        if fate != "unknown":
            state = {"voided": ENDED, "open": OPEN}.get(fate, POSTED)
            ours.add(key.encode(), UUID(int=number).bytes, minor, state, OTHER)
            booked += minor if state != ENDED else 0  # an open one is booked once it is proven
        if fate != "unlisted":
            listed.append((key, minor + 1 if fate == "more" else minor))
    found = matched(ours, *listed)
    left = booked - sum(found.net_of_account.values())
    assert left == -sum(one.theirs_minor - one.ours_minor for one in found.breaks)
    wrong = [fate for _, fate in story if fate not in {"same", "open"}]
    assert len(found.breaks) == len(wrong)
