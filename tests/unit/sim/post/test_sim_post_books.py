"""What the post keeps: each message once, the newest so many, and a count of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tangguh.sim.post.books import MessageBooks, MessageRow, Total, reference_of


@pytest.fixture
def books() -> Iterator[MessageBooks]:
    made = MessageBooks(":memory:", 3)
    yield made
    made.close()


def row(key: str = "1", **changes: Any) -> MessageRow:
    made = MessageRow(
        via="sms", key=key, reference=reference_of("sms", key), recipient="628110000001",
        sender="TANGGUH", words="Rp25.000 ditahan.", state="taken", taken_at="2026-03-20T05:00:00",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def test_the_same_again_is_counted_and_not_kept_twice(books: MessageBooks) -> None:
    first = row()
    assert books.take(first) is first
    books.conclude(first.reference, "arrived", "2026-03-20T05:00:02")
    again = books.take(row())
    assert again is not None
    assert (again.state, again.reference) == ("arrived", first.reference)
    assert [one.repeats for one in books.messages()] == [1]
    assert books.totals()[1] == Total("sms", 1, 0)


@pytest.mark.parametrize(
    "other", [{"words": "Rp99.000."}, {"recipient": "628110000002"}, {"title": "Lain"}]
)
def test_another_message_under_the_same_key_changes_nothing(
    books: MessageBooks, other: dict[str, str]
) -> None:
    books.take(row())
    assert books.take(row(**other)) is None
    [kept] = books.messages()
    assert (kept.words, kept.recipient, kept.repeats) == ("Rp25.000 ditahan.", "628110000001", 0)


def test_one_key_by_two_ways_is_two_messages(books: MessageBooks) -> None:
    books.take(row())
    assert books.take(row(via="email", reference="email-1")) is not None
    assert [one.via for one in books.messages()] == ["email", "sms"]


def test_the_oldest_are_forgotten_and_counted_as_such(books: MessageBooks) -> None:
    for number in range(5):
        books.take(row(str(number), via="email" if number == 0 else "sms"))
    assert [one.key for one in books.messages()] == ["4", "3", "2"]
    assert books.totals() == [Total("email", 1, 1), Total("sms", 4, 1)]
    proof = books.prove()
    assert (proof.holds, proof.counted) == (True, {"email": 0, "sms": 3})


def test_a_lost_row_is_seen_by_the_proof(books: MessageBooks) -> None:
    books.take(row())
    books._connection.execute("DELETE FROM messages")
    proof = books.prove()
    assert (proof.holds, proof.kept["sms"], proof.counted["sms"]) == (False, 1, 0)


def test_messages_are_narrowed_by_reader_way_and_state(books: MessageBooks) -> None:
    books.take(row("1"))
    books.take(row("2", via="email", recipient="Rani@post.example", state="arrived"))
    assert [one.key for one in books.messages(to="rani@")] == ["2"]
    assert [one.key for one in books.messages(via="sms")] == ["1"]
    assert [one.key for one in books.messages(state="arrived")] == ["2"]
    # A filter is a part of an address and no pattern.
    assert books.messages(to="%") == []
    assert books.people() == {"628110000001": 1, "Rani@post.example": 1}
