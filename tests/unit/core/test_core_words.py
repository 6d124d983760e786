"""Money, ids, time and codes: the words everyone shares."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import HandClock, business_date
from tangguh.core.ids import Ids
from tangguh.core.money import MINOR_MAX, Money, NotMoney, format_decimal, parse_decimal
from tangguh.core.outcome import Refusal

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)

CODES_EVER_GIVEN = (
    "idempotency_key_reused", "order_invalid", "amount_not_positive", "amount_too_large",
    "currency_not_supported", "qr_invalid", "qr_amount_differs", "account_not_found",
    "payee_not_found", "accounts_must_be_different", "account_closed", "payee_account_closed",
    "payment_not_found", "hold_not_found", "posting_not_found", "service_closed",
    "protective_closure",
    "protective_limit",
    "closure_not_found",
    "gate_step_not_allowed",
    "hold_already_posted", "hold_already_voided", "hold_already_expired", "hold_not_yet_expired",
    "post_exceeds_hold", "posting_already_reversed", "posting_is_a_reversal",
    "purse_expired", "payment_not_refundable", "way_back_taken", "refund_exceeds_payment",
    "advance_not_possible",
    "change_not_found", "change_already_pending",
    "change_ended", "change_expired", "change_differs", "approver_not_allowed", "same_person",
    "case_not_found", "case_step_not_allowed", "evidence_refused",
    "two_people_needed", "incident_not_found", "incident_step_not_allowed", "money_still_open",
    "next_word_missing", "ticket_missing", "text_not_allowed",
    "limit_per_transaction", "limit_per_day",
    "limit_per_month", "purse_limit", "insufficient_funds", "balance_out_of_range", "partner_declined", "partner_limit",
    "merchant_not_found", "merchant_blocked", "bill_not_found", "bill_paid", "bill_expired",
    "partner_float", "partner_unreachable",
    "far_account_not_found", "alias_not_found", "wallet_not_found", "emoney_not_found",
    "payee_inactive", "never_arrived", "not_carried_out",
)  # fmt: skip


@given(st.integers(min_value=0, max_value=MINOR_MAX))
def test_an_amount_survives_writing_and_reading(minor: int) -> None:
    """What is written reads back as the same sum, to the sen."""
    assert parse_decimal(format_decimal(minor)) == minor
    assert format_decimal(-minor).removeprefix("-") == format_decimal(minor)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("0", 0), ("1000", 100_000), ("1000.", 100_000), ("1000.5", 100_050), ("25000.00", 2_500_000)],
)
def test_plain_decimals_are_read(text: str, minor: int) -> None:
    """Digits and at most two decimals."""
    assert parse_decimal(text) == minor


@pytest.mark.parametrize(
    "text",
    ["", ".", "-1", "+1", "1,000", "1 000", "1.000,00", "1.234", "1e3", "NaN", "٣", "１", "1\n",
     "0x10", "9" * 17, "1000000000000001.00"],
)  # fmt: skip
def test_anything_else_is_no_amount(text: str) -> None:
    """Signs, separators, other digits, too many decimals, more than any account can hold."""
    with pytest.raises(NotMoney):
        parse_decimal(text)


def test_money_names_its_currency() -> None:
    """For people who read logs."""
    assert str(Money(150_000)) == "IDR 1500.00"


@given(st.lists(st.integers(min_value=-50, max_value=50), min_size=2, max_size=60))
def test_ids_never_go_backwards_even_when_the_clock_does(steps: list[int]) -> None:
    """Time-ordered, unique, and version 7 of RFC 9562."""
    clock = HandClock(NOON)
    ids = Ids(clock, random.Random(1))
    made = []
    for step in steps:
        clock.advance(step / 1000)
        made.append(ids.next())
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


def test_the_same_seed_makes_the_same_ids() -> None:
    """A simulation can be replayed."""
    first, second = (Ids(HandClock(NOON), random.Random(7)) for _ in range(2))
    assert [first.next() for _ in range(5)] == [second.next() for _ in range(5)]


@pytest.mark.parametrize(
    ("instant", "day"),
    [("2026-03-20T16:59:59+00:00", 20), ("2026-03-20T17:00:00+00:00", 21),
     ("2026-03-21T00:00:00+07:00", 21)],
)  # fmt: skip
def test_the_business_date_is_jakartas(instant: str, day: int) -> None:
    """The day changes at 17:00 UTC."""
    assert business_date(datetime.fromisoformat(instant)).day == day


async def test_a_hand_clock_wakes_its_sleepers_when_it_passes_them() -> None:
    """Nobody sleeps for real."""
    clock = HandClock(NOON)
    coroutine = clock.sleep(5)
    coroutine.send(None)
    clock.advance(4.9)
    assert clock.now() == NOON + timedelta(seconds=4.9)
    clock.advance(0.1)
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_refusal_codes_are_for_ever() -> None:
    """A code that was given once is never renamed, reused or dropped, and keeps its precedence."""
    assert tuple(Refusal) == CODES_EVER_GIVEN
