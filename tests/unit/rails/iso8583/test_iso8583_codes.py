"""Response codes: what is a no, what is a yes, and that everything else is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.errors import Misconfigured
from tangguh.core.known import Tristate
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.rails.iso8583.codes import PUBLISHED, REVERSALS, ResponseCodes, took_place

CODES = ResponseCodes()
ANY_CODE = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)


class TestRequests:
    def test_only_00_is_yes(self) -> None:
        assert CODES.outcome("00", "R") == Accepted("R")
        assert [code for code, meaning in PUBLISHED.items() if meaning == "approved"] == ["00"]

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("05", Refusal.PARTNER_DECLINED),
            ("51", Refusal.PARTNER_DECLINED),
            ("55", Refusal.PARTNER_DECLINED),
            ("61", Refusal.PARTNER_LIMIT),
            ("65", Refusal.PARTNER_LIMIT),
            ("76", Refusal.FAR_ACCOUNT_NOT_FOUND),
            ("92", Refusal.PARTNER_UNREACHABLE),
        ],
    )
    def test_a_no_keeps_its_code(self, code: str, reason: Refusal) -> None:
        assert CODES.outcome(code, "R") == Declined(reason, code)

    @pytest.mark.parametrize("code", ["68", "91", "94", "95", "96", "06", "09", "N7", ""])
    def test_what_may_hide_a_payment_is_no_no(self, code: str) -> None:
        assert CODES.outcome(code, "R") == Unanswered(f"response code {code}")

    @given(ANY_CODE)
    def test_unknown_codes_are_unanswered(self, code: str) -> None:
        if code not in PUBLISHED:
            assert isinstance(CODES.outcome(code, "R"), Unanswered)

    @given(ANY_CODE)
    def test_no_foreign_code_says_that_our_customer_lacks_funds(self, code: str) -> None:
        outcome = CODES.outcome(code, "R")
        assert not (isinstance(outcome, Declined) and outcome.reason is Refusal.INSUFFICIENT_FUNDS)

    def test_a_link_has_its_own_words(self) -> None:
        peer = ResponseCodes({"44": "declined", "06": "unknown", "05": "unknown"})
        assert peer.outcome("44", "R") == Declined(Refusal.PARTNER_DECLINED, "44")
        assert isinstance(peer.outcome("05", "R"), Unanswered)
        assert isinstance(CODES.outcome("05", "R"), Declined)

    def test_a_meaning_that_is_none(self) -> None:
        with pytest.raises(Misconfigured, match="05"):
            ResponseCodes({"05": "maybe"})
        with pytest.raises(Misconfigured):
            ResponseCodes({}, {"05": ""})


class TestReversals:
    @pytest.mark.parametrize("code", ["00", "25", "79"])
    def test_undone_or_never_known(self, code: str) -> None:
        outcome = CODES.outcome_of_reversal(code, "R")
        assert outcome == Declined(Refusal.NOT_CARRIED_OUT, code)

    def test_too_late(self) -> None:
        assert CODES.outcome_of_reversal("21", "R") == Accepted("R")

    @given(ANY_CODE)
    def test_anything_else_is_asked_again(self, code: str) -> None:
        if code not in REVERSALS:
            assert isinstance(CODES.outcome_of_reversal(code, "R"), Unanswered)


def test_an_approval_number_is_kept() -> None:
    """DE38 of the issuer goes with its yes."""
    assert ResponseCodes().outcome("00", "607905000001", "A12345") == Accepted(
        "607905000001", "A12345"
    )


def test_the_answer_inside_an_advice() -> None:
    """Approved, declined, or a code in no table, which is neither."""
    assert took_place("00") is Tristate.YES
    assert took_place("51") is Tristate.NO
    assert took_place("Q7") is Tristate.UNKNOWN
