"""Numbers of messages: the published forms, and the same EndToEndId for the same payment."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.order import ToBank
from tangguh.rails.bifast import ids
from tangguh.rails.rail import Instruction
from unit.rails.bifast.papers import MSG_ID, NUMBER

BY_ACCOUNT = ToBank(bank="998", account="1")
BY_PROXY = ToBank(bank="998", account="1", proxy_type="01", proxy="628123456789")


def instruction(
    number: int, at: datetime, payee: ToBank = BY_ACCOUNT, **changes: object
) -> Instruction:
    """A payment with that id."""
    fields = {"amount_minor": 100, "debtor_name": "", "note": "", **changes}
    return Instruction(
        payment_id=UUID(int=number),
        reference=UUID(int=number).hex,
        payee=payee,
        tip_minor=0,
        currency="IDR",
        debtor_account=1,
        accepted_at=at,
        **fields,
    )


def test_published_example() -> None:
    """``20211212SIHBIDJ1110O0200000603`` is what our parts make of its parts."""
    day = datetime(2021, 12, 12, 5, tzinfo=UTC)
    assert ids.business_number(day, "SIHBIDJ1", "110", "00000603") == NUMBER
    assert ids.message_number(day, "SIHBIDJ1", "110", "00000603") == MSG_ID
    assert ids.FORM.fullmatch(NUMBER)
    assert len(NUMBER) == 30
    assert len(MSG_ID) == 27


def test_the_day_is_jakartas() -> None:
    """23:30 in Jakarta is still that day, half an hour later the next one."""
    late = datetime(2025, 3, 29, 16, 30, tzinfo=UTC)
    after = datetime(2025, 3, 29, 17, 0, tzinfo=UTC)
    assert ids.end_to_end_id(instruction(7, late), BY_ACCOUNT, "TGUHIDJ1")[:8] == "20250329"
    assert ids.end_to_end_id(instruction(7, after), BY_ACCOUNT, "TGUHIDJ1")[:8] == "20250330"


@given(st.integers(0, 2**128 - 1), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_always_of_the_form_and_always_the_same(number: int, naive: datetime) -> None:
    """Made of payment_id, accepted_at and the payee's kind: the rest may change."""
    at = naive.replace(tzinfo=UTC)
    first = ids.end_to_end_id(instruction(number, at), BY_ACCOUNT, "TGUHIDJ1")
    again = ids.end_to_end_id(
        instruction(number, at, amount_minor=5, note="x", debtor_name="y"), BY_ACCOUNT, "TGUHIDJ1"
    )
    assert first == again
    assert ids.FORM.fullmatch(first)
    assert ids.is_ours(first, "TGUHIDJ1")
    assert not ids.is_ours(first, "UJIAIDJ1")
    assert ids.moves_money(first)


def test_kind_is_in_it() -> None:
    """By proxy is another message than by account."""
    at = datetime(2025, 3, 29, tzinfo=UTC)
    assert ids.end_to_end_id(instruction(7, at, BY_PROXY), BY_PROXY, "TGUHIDJ1")[16:19] == "110"
    assert ids.end_to_end_id(instruction(7, at), BY_ACCOUNT, "TGUHIDJ1")[16:19] == "010"


@given(st.integers(0, 36**8 - 1), st.integers(0, 36**8 - 1))
def test_sequences_differ_where_numbers_do(one: int, other: int) -> None:
    """Letters and digits, eight of them, a number each."""
    assert (ids.sequence_of(one) == ids.sequence_of(other)) == (one == other)


def test_a_hundred_thousand_payments_of_a_day_do_not_meet() -> None:
    """With eight digits some fifty pairs would; with letters one pair in five hundred such days."""
    source = random.Random(1)
    numbers = {ids.sequence_of(source.getrandbits(128)) for _ in range(100_000)}
    assert len(numbers) == 100_000
    digits = {source.getrandbits(128) % 10**8 for _ in range(100_000)}
    assert len(digits) < 100_000


def test_an_enquiry_moves_no_money() -> None:
    """Its number has the same form and another type."""
    assert not ids.moves_money("20250329TGUHIDJ1510O0200000001")


def test_the_book_names_payments_by_their_number_of_the_day() -> None:
    """The name is the EndToEndId, whatever the payee; the MsgId follows from it."""
    at = datetime(2025, 3, 29, tzinfo=UTC)
    name = ids.business_number(at, "TGUHIDJ1", ids.BY_ACCOUNT, "00000603")
    assert name == "20250329TGUHIDJ1010O0200000603"
    for payee in (BY_ACCOUNT, BY_PROXY):
        named = msgspec.structs.replace(instruction(7, at, payee), reference=name)
        assert ids.end_to_end_id(named, payee, "TGUHIDJ1") == name
    assert ids.message_number_of(name) == "20250329TGUHIDJ101000000603"
    elsewhere = msgspec.structs.replace(instruction(7, at), reference=name)
    assert ids.end_to_end_id(elsewhere, BY_ACCOUNT, "UJIAIDJ1") != name
