"""What each wallet answer means, and what each wallet takes: the whole tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.numbers import phone
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails.ewallet import codes
from tangguh.rails.ewallet.rail import WALLETS
from tangguh.rails.snap import DECLINES, Answer

CASES = sorted(codes.WALLET_DECLINES)


def topup(case: str, **fields: object) -> Answer:
    """An answer to a top-up."""
    return Answer(case[:3] + "38" + case[3:], dict(fields))


def status(case: str, **fields: object) -> Answer:
    """An answer to a status inquiry."""
    return Answer(case[:3] + "39" + case[3:], dict(fields))


def test_yes_carries_the_wallets_number() -> None:
    assert codes.outcome_of_topup(topup("20000", referenceNo="W1")) == Accepted("W1")


@pytest.mark.parametrize("case", CASES)
def test_every_no_of_the_table_keeps_its_code(case: str) -> None:
    outcome = codes.outcome_of_topup(topup(case))
    assert outcome == Declined(codes.WALLET_DECLINES[case], case[:3] + "38" + case[3:])


def test_the_table_is_the_standards_with_six_words_of_its_own() -> None:
    own = {case for case in CASES if codes.WALLET_DECLINES[case] != DECLINES.get(case)}
    assert own == {"40307", "40309", "40314", "40316", "40318", "40411"}
    assert codes.WALLET_DECLINES["40314"] is Refusal.PARTNER_FLOAT, "our deposit, not the payer"


@given(st.integers(200, 599), st.integers(0, 99))
def test_no_other_code_is_a_yes_or_a_no(status_: int, case: int) -> None:
    """Unknown is Unanswered, and nothing is ever NotSent."""
    whole = f"{status_}{case:02d}"
    outcome = codes.outcome_of_topup(topup(whole))
    assert not isinstance(outcome, NotSent)
    if whole not in CASES and whole != "20000":
        assert isinstance(outcome, Unanswered)


@pytest.mark.parametrize(
    ("latest", "kind"),
    [
        ("00", Accepted),
        ("01", Unanswered),
        ("02", Unanswered),
        ("03", Unanswered),
        ("04", Declined),
        ("05", Declined),
        ("06", Declined),
        ("07", Unanswered),
        ("08", Unanswered),
        ("", Unanswered),
        (0, Unanswered),
    ],
)
def test_each_transaction_status(latest: object, kind: type) -> None:
    answer = status("20000", latestTransactionStatus=latest, originalReferenceNo="W1")
    outcome = codes.outcome_of_status(answer)
    assert isinstance(outcome, kind)
    if kind is Accepted:
        assert outcome == Accepted("W1")


@pytest.mark.parametrize("answer", [status("40401"), status("20000", latestTransactionStatus="07")])
def test_not_found_has_one_name(answer: Answer) -> None:
    assert codes.outcome_of_status(answer) == Unanswered("not_found")


@pytest.mark.parametrize("case", ["40100", "40305", "40418", "50000", "50400", "20200"])
def test_a_refused_question_is_no_word_on_the_top_up(case: str) -> None:
    assert isinstance(codes.outcome_of_status(status(case)), Unanswered)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("08121110001", "628121110001"),
        ("+62 812-1110-001", "628121110001"),
        ("62 812 1110 001", "628121110001"),
        ("(0812) 111.0001", "628121110001"),
        ("628121110001", "628121110001"),
        ("", ""),
        ("abc", ""),
        ("0", ""),
    ],
)
def test_phone_numbers_as_people_type_them(typed: str, number: str) -> None:
    assert phone(typed) == number


@given(st.text("0123456789 +-.()", max_size=20))
def test_a_phone_number_written_once_is_written_for_good(typed: str) -> None:
    once = phone(typed)
    assert phone(once) == once


@pytest.mark.parametrize("name", ["gopay", "ovo", "dana", "isaku"])
def test_each_wallets_bounds(name: str) -> None:
    wallet = WALLETS[name]
    assert (wallet.name, wallet.suffix) == (name, ".htm" if name == "dana" else "")
    number = "628121110001"
    for fits in (wallet.amount_min_minor, wallet.amount_max_minor):
        assert wallet.refuse(number, fits) is None
    for wrong in (wallet.amount_min_minor - 100, wallet.amount_max_minor + wallet.step_minor, 0):
        assert wallet.refuse(number, wrong) == Declined(Refusal.PARTNER_LIMIT, "amount")
    odd = wallet.amount_min_minor + wallet.step_minor - 1
    assert wallet.refuse(number, odd) == Declined(Refusal.PARTNER_LIMIT, "amount")
    for wrong_number in ("08121110001", "62812", "62" + "1" * 14, "62812111000a", ""):
        outcome = wallet.refuse(wrong_number, wallet.amount_min_minor)
        assert outcome == Declined(Refusal.WALLET_NOT_FOUND, "number"), wrong_number
