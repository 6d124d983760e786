"""The QRIS table: payment, query, cancel and refund codes against outcomes."""

from __future__ import annotations

from typing import Any

import pytest

from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.qris import codes
from tangguh.rails.snap import Answer
from tangguh.rails.snap_amount import amount_of, minor_of

NO = Refusal.PARTNER_DECLINED


def answer(code: str, **fields: Any) -> Answer:
    return Answer(code=code, fields=fields)


def kind(outcome: Outcome) -> str:
    """How a table writes an outcome: its kind, with the refusal of a no."""
    name = type(outcome).__name__.lower()
    return f"{name} {outcome.reason}" if isinstance(outcome, Declined) else name


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2005000", "accepted"),
        ("2025000", "unanswered"),
        ("4005001", "declined partner_declined"),
        ("4015001", "declined partner_unreachable"),
        ("4035002", "declined partner_limit"),
        ("4035006", "declined partner_declined"),
        ("4035014", "declined partner_declined"),
        ("4035019", "declined merchant_blocked"),
        ("4035020", "declined partner_limit"),
        ("4045002", "declined partner_unreachable"),
        ("4045004", "declined partner_declined"),
        ("4045008", "declined merchant_not_found"),
        ("4045011", "declined merchant_not_found"),
        ("4045017", "declined merchant_not_found"),
        ("4045018", "unanswered"),
        ("4045001", "unanswered"),
        ("4095000", "unanswered"),
        ("4095001", "unanswered"),
        ("4295000", "unanswered"),
        ("5005000", "unanswered"),
        ("5045000", "unanswered"),
        ("4185000", "unanswered"),
    ],
)
def test_payment(code: str, expected: str) -> None:
    """Codes of qr-mpm-payment."""
    assert kind(codes.outcome_of_payment(answer(code, referenceNo="Q1"))) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("00", Accepted("Q1")),
        ("01", Unanswered("in progress")),
        ("02", Unanswered("in progress")),
        ("03", Unanswered("in progress")),
        ("04", Accepted("Q1")),
        ("05", Declined(NO)),
        ("06", Declined(NO)),
        ("07", Unanswered("not_found")),
        ("08", Unanswered("unknown transaction status")),
        ("0", Unanswered("unknown transaction status")),
        ("", Unanswered("unknown transaction status")),
    ],
)
def test_status(status: str, expected: Outcome) -> None:
    """Every latestTransactionStatus, and what is none."""
    asked = answer("2005100", latestTransactionStatus=status, originalReferenceNo="Q1")
    assert codes.outcome_of_query(asked) == expected


def test_query_remembers_why() -> None:
    """A failed payment keeps the code of its own answer; nonsense in its place is ignored."""
    for told, expected in (
        ({"previousResponseCode": "4035019"}, Declined(Refusal.MERCHANT_BLOCKED, "4035019")),
        ({"previousResponseCode": "5045000"}, Declined(NO, "5045000")),
        ({"previousResponseCode": 5}, Declined(NO)),
        ("nothing", Declined(NO)),
    ):
        asked = answer("2005100", latestTransactionStatus="06", additionalInfo=told)
        assert codes.outcome_of_query(asked) == expected


@pytest.mark.parametrize("code", ["2025100", "4015100", "4035105", "4045100", "5005100", "4295100"])
def test_refused_query_is_no_word_on_the_payment(code: str) -> None:
    """Only a successful query says anything; 404/01 says that it is not known there."""
    assert isinstance(
        codes.outcome_of_query(answer(code, latestTransactionStatus="06")), Unanswered
    )
    assert codes.outcome_of_query(answer("4045101")) == Unanswered("not_found")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2007700", "declined not_carried_out"),
        ("4047704", "declined not_carried_out"),
        ("2027700", "unanswered"),
        ("4007701", "unanswered"),
        ("4017700", "unanswered"),
        ("4037715", "unanswered"),
        ("4047700", "unanswered"),
        ("4047701", "unanswered"),
        ("4047718", "unanswered"),
        ("4057700", "unanswered"),
        ("4057701", "unanswered"),
        ("5007700", "unanswered"),
    ],
)
def test_cancel(code: str, expected: str) -> None:
    """Only a cancel that was made frees the payment; no refusal of it does."""
    assert kind(codes.outcome_of_cancel(answer(code))) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2007800", "accepted"),
        ("2027800", "unanswered"),
        ("4047800", "declined payment_not_refundable"),
        ("4047801", "declined payment_not_refundable"),
        ("4047804", "declined payment_not_refundable"),
        ("4047813", "declined refund_exceeds_payment"),
        ("4057801", "declined payment_not_refundable"),
        ("4037805", "declined partner_declined"),
        ("4047818", "unanswered"),
        ("4097801", "unanswered"),
        ("5007800", "unanswered"),
    ],
)
def test_refund(code: str, expected: str) -> None:
    """Codes of qr-mpm-refund."""
    assert kind(codes.outcome_of_refund(answer(code, refundNo="R1"))) == expected


def line(**changes: Any) -> dict[str, Any]:
    amount = {"value": "100.00", "currency": "IDR"}
    plain = {"partnerRefundNo": "RF1", "refundNo": "R1", "refundAmount": amount}
    return {**plain, "refundStatus": "00", **changes}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([line()], Accepted("R1")),
        ([line(partnerRefundNo="RF0"), line(refundNo="R2")], Accepted("R2")),
        ([line(refundStatus="06")], Declined(NO)),
        ([line(refundStatus="03")], Unanswered("in progress")),
        ([line(refundStatus=None)], Unanswered("unknown transaction status")),
        (
            [line(refundAmount={"value": "99.00", "currency": "IDR"})],
            Unanswered("refund amount differs"),
        ),
        (
            [line(refundAmount={"value": "100.00", "currency": "USD"})],
            Unanswered("refund amount differs"),
        ),
        ([line(partnerRefundNo="RF0")], Unanswered("not_found")),
        (["nonsense", 5, None], Unanswered("not_found")),
        ([], Unanswered("not_found")),
        ("nonsense", Unanswered("not_found")),
        (None, Unanswered("not_found")),
    ],
)
def test_refund_history(history: Any, expected: Outcome) -> None:
    """One refund is found by its own number, with its own amount."""
    asked = answer("2005100", latestTransactionStatus="00", refundHistory=history)
    assert codes.outcome_of_refund_query(asked, "RF1", 100_00) == expected


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ({"value": "10000.00", "currency": "IDR"}, 10_000_00),
        ({"value": "0.05", "currency": "IDR"}, 5),
        ({"value": "10000.00", "currency": "USD"}, None),
        ({"value": "10,000.00", "currency": "IDR"}, None),
        ({"value": "-1.00", "currency": "IDR"}, None),
        ({"value": 10000, "currency": "IDR"}, None),
        ({"currency": "IDR"}, None),
        ("10000.00", None),
        (None, None),
    ],
)
def test_amounts(amount: object, minor: int | None) -> None:
    """Text with at most two decimals, in rupiah; anything else is no amount."""
    assert minor_of(amount) == minor
    if minor is not None:
        assert amount_of(minor) == amount
