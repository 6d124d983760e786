"""The table of reasons, read out: what is a no, what is a yes, and what only looks like one."""

from __future__ import annotations

import msgspec
import pytest

from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.rails.bifast import codes
from tangguh.rails.bifast.status import Reject
from unit.rails.bifast.papers import REPORT

YES = Accepted("E2E")


def said(status: str, reason: str, detail: str = "") -> object:
    """What a transfer's answer of this status and reason comes to."""
    report = msgspec.structs.replace(REPORT, status=status, reason=reason, detail=detail)
    return codes.outcome_of_transfer(report, "E2E")


@pytest.mark.parametrize("status", ["ACTC", "ACSP", "ACSC"])
@pytest.mark.parametrize("reason", ["U000", "U002", ""])
def test_yes(status: str, reason: str) -> None:
    """Success, and success kept in the store: the credit will follow."""
    assert said(status, reason) == YES


@pytest.mark.parametrize("reason", ["U101", "U149", "U900", "K000", "X"])
def test_yes_with_a_reason_for_no(reason: str) -> None:
    """A contradiction is no answer."""
    assert isinstance(said("ACTC", reason), Unanswered)


@pytest.mark.parametrize(
    ("reason", "refusal"),
    [
        ("U101", Refusal.FAR_ACCOUNT_NOT_FOUND),
        ("U102", Refusal.PAYEE_INACTIVE),
        ("U104", Refusal.PARTNER_DECLINED),
        ("U110", Refusal.PARTNER_DECLINED),
        ("U111", Refusal.PARTNER_LIMIT),
        ("U112", Refusal.PARTNER_LIMIT),
        ("U114", Refusal.FAR_ACCOUNT_NOT_FOUND),
        ("U119", Refusal.PARTNER_DECLINED),
        ("U124", Refusal.FAR_ACCOUNT_NOT_FOUND),
        ("U128", Refusal.PARTNER_UNREACHABLE),
        ("U129", Refusal.PARTNER_UNREACHABLE),
        ("U155", Refusal.PARTNER_DECLINED),
        ("U156", Refusal.PARTNER_DECLINED),
        ("U157", Refusal.PARTNER_DECLINED),
        ("U181", Refusal.PARTNER_LIMIT),
        ("U182", Refusal.FAR_ACCOUNT_NOT_FOUND),
        ("U185", Refusal.PARTNER_DECLINED),
        ("U189", Refusal.PARTNER_DECLINED),
        ("U194", Refusal.PARTNER_LIMIT),
        ("U201", Refusal.PARTNER_DECLINED),
        ("U203", Refusal.PARTNER_DECLINED),
        ("U206", Refusal.PARTNER_DECLINED),
        ("U214", Refusal.PARTNER_DECLINED),
        ("U215", Refusal.PARTNER_DECLINED),
        ("U804", Refusal.ALIAS_NOT_FOUND),
        ("U805", Refusal.PAYEE_INACTIVE),
        ("U811", Refusal.PARTNER_DECLINED),
        ("K003", Refusal.ORDER_INVALID),
        ("K004", Refusal.PARTNER_LIMIT),
    ],
)
def test_no(reason: str, refusal: Refusal) -> None:
    """A definite no keeps the network's code; an admi.002 with it means the same."""
    assert said("RJCT", reason) == Declined(refusal, reason)
    assert codes.outcome_of_reject(Reject(reference="R", reason=reason)) == Declined(
        refusal, reason
    )


@pytest.mark.parametrize("reason", sorted(codes.UNKNOWN))
@pytest.mark.parametrize("status", ["RJCT", "KSTS", "OTHR"])
def test_nobody_knows(status: str, reason: str) -> None:
    """Time-outs, communication, malfunction, signatures: never a no."""
    assert isinstance(said(status, reason), Unanswered)


@pytest.mark.parametrize(
    "reason",
    [
        "U162",
        "U163",
        "U172",
        "U173",
        "U186",
        "U187",
        "U205",
        "U900",
        "U902",
        "U990",
        "U992",
        "U999",
        "K000",
    ],
)
def test_the_dangerous_ones_are_in_no_table_of_noes(reason: str) -> None:
    """Reversing a debit on one of these would give money away."""
    assert reason not in codes.DECLINES


def test_no_table_holds_both() -> None:
    """A reason is certain or it is not."""
    assert not codes.UNKNOWN & set(codes.DECLINES)


@pytest.mark.parametrize("reason", ["", "U000", "U002", "U777", "X123", "u101", "U101 ", "U1010"])
def test_unknown_reason_is_unanswered(reason: str) -> None:
    """A rejection without a reason we know is not certain."""
    assert isinstance(said("RJCT", reason), Unanswered)


@pytest.mark.parametrize("status", ["PDNG", "ACWC", "", "actc", "RCVD"])
def test_unknown_status_is_unanswered(status: str) -> None:
    """Whatever the reason says."""
    assert isinstance(said(status, "U000"), Unanswered)


def test_about_an_original() -> None:
    """OTHR: U106 unknown there, U107 rejected there with its first reason, U108 still open."""
    assert said("OTHR", "U106") == Unanswered(codes.NOT_FOUND)
    assert said("OTHR", "U107") == Declined(Refusal.PARTNER_DECLINED, "U107")
    assert said("OTHR", "U107", "U101") == Declined(Refusal.FAR_ACCOUNT_NOT_FOUND, "U101")
    assert said("OTHR", "U107", "U900") == Declined(Refusal.PARTNER_DECLINED, "U107")
    assert said("OTHR", "U108") == Unanswered(codes.IN_PROGRESS)
    assert isinstance(said("OTHR", "U000"), Unanswered)


def test_not_found_outside_its_place_is_no_not_found() -> None:
    """U106 as a rejection of a transfer would be nonsense, and must not count towards a no."""
    assert said("RJCT", "U106") != Unanswered(codes.NOT_FOUND)


def test_duplicate_says_look_it_up() -> None:
    """U149 is no failure."""
    assert said("RJCT", "U149") == Unanswered(codes.DUPLICATE)


@pytest.mark.parametrize("status", ["ACTC", "ACSP"])
def test_only_settled_is_money_for_a_credit(status: str) -> None:
    """An incoming credit is settled by ACSC and by nothing else."""
    report = msgspec.structs.replace(REPORT, status=status, reason="U000")
    assert codes.outcome_of_settlement(report, "S") == Unanswered(codes.IN_PROGRESS)
    settled = msgspec.structs.replace(REPORT, status="ACSC", reason="U000")
    assert codes.outcome_of_settlement(settled, "S") == Accepted("S")


@pytest.mark.parametrize(
    ("reason", "who"),
    [
        ("U999", "security"),
        ("U156", "case"),
        ("U191", "treasury"),
        ("U203", "treasury"),
        ("U101", ""),
        ("U204", ""),
        ("", ""),
    ],
)
def test_alarms(reason: str, who: str) -> None:
    """Some reasons need a person besides."""
    assert codes.alarm_of(reason) == who


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_of_ours_has_a_code(refusal: Refusal) -> None:
    """What we say no with is a no in the network's own table, or its duplicate."""
    code = codes.code_of(refusal)
    assert code in codes.DECLINES or code == codes.ALREADY_SEEN


def test_nothing_of_theirs_stands_in_our_words() -> None:
    """A reason made of markup or secrets is not repeated in a why."""
    assert "<script>" not in str(said("RJCT", "<script>"))
