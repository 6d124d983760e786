"""What each biller answer means, and what each biller takes: the whole tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.core.service import BILL
from tangguh.rails.billers import codes
from tangguh.rails.billers.codes import BillFound
from tangguh.rails.billers.rail import BILLERS
from tangguh.rails.snap import Answer

NUMBER = "   10001538712340001"


def answer(service: str, case: str, data: object = None) -> Answer:
    """An answer with virtual-account data."""
    fields = {} if data is None else {"virtualAccountData": data}
    return Answer(case[:3] + service + case[3:], fields)


def bill(**changes: object) -> dict[str, object]:
    """What an inquiry says of a bill of two months."""
    return {
        "virtualAccountNo": NUMBER,
        "virtualAccountName": "RUMAH MELATI 12",
        "totalAmount": {"value": "611250.00", "currency": "IDR"},
        "virtualAccountTrxType": "C",
        "billDetails": [
            {"billName": "Februari", "billAmount": {"value": "312500.00", "currency": "IDR"}},
            {"billName": "Maret", "billAmount": {"value": "298750.00", "currency": "IDR"}},
        ],
        **changes,
    }


def test_a_bill_of_two_months() -> None:
    found = codes.bill_of(answer("24", "20000", bill()), NUMBER)
    assert found == BillFound(
        name="RUMAH MELATI 12",
        total_minor=611_250_00,
        owed_minor=611_250_00,
        is_closed=True,
        lines=(("Februari", "Rp312.500"), ("Maret", "Rp298.750")),
    )


@pytest.mark.parametrize("kind", list("OIMLNX"))
def test_where_the_payer_chooses_no_total_is_fixed(kind: str) -> None:
    found = codes.bill_of(answer("24", "20000", bill(virtualAccountTrxType=kind)), NUMBER)
    assert isinstance(found, BillFound)
    assert (found.total_minor, found.owed_minor, found.is_closed) == (None, 611_250_00, False)


@pytest.mark.parametrize("value", ["0.00", "-50000.00"])
def test_an_account_of_open_amount_that_was_paid_into_before_can_be_paid_again(value: str) -> None:
    """Nothing is owed on it any more: that is no silence of the network."""
    paid = bill(virtualAccountTrxType="O", totalAmount={"value": value, "currency": "IDR"})
    found = codes.bill_of(answer("24", "20000", paid), NUMBER)
    assert isinstance(found, BillFound)
    assert (found.total_minor, found.owed_minor) == (None, 0)


@pytest.mark.parametrize("value", ["0.00", "-50000.00"])
def test_a_bill_on_which_nothing_is_owed_is_paid_already(value: str) -> None:
    paid = bill(totalAmount={"value": value, "currency": "IDR"})
    assert codes.bill_of(answer("24", "20000", paid), NUMBER) == Declined(
        Refusal.BILL_PAID, "2002400"
    )


@pytest.mark.parametrize("kind", ["C", "V", "", 7, None])
def test_an_unknown_kind_is_paid_whole(kind: object) -> None:
    found = codes.bill_of(answer("24", "20000", bill(virtualAccountTrxType=kind)), NUMBER)
    assert isinstance(found, BillFound)
    assert found.total_minor == 611_250_00


@pytest.mark.parametrize(
    "changes",
    [
        {"virtualAccountNo": "   10001538712340002"},
        {"virtualAccountName": ""},
        {"virtualAccountName": 5},
        {"totalAmount": {"value": "611250.00", "currency": "USD"}},
        {"totalAmount": {"value": "lots", "currency": "IDR"}},
        {"totalAmount": None},
    ],
)
def test_a_bill_that_is_not_whole_is_not_shown(changes: dict[str, object]) -> None:
    assert isinstance(codes.bill_of(answer("24", "20000", bill(**changes)), NUMBER), Unanswered)


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_an_answer_without_a_bill(data: object) -> None:
    assert isinstance(codes.bill_of(answer("24", "20000", data), NUMBER), Unanswered)
    assert isinstance(codes.outcome_of_status(answer("26", "20000", data)), Unanswered)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("40412", Refusal.BILL_NOT_FOUND),
        ("40411", Refusal.BILL_NOT_FOUND),
        ("40414", Refusal.BILL_PAID),
        ("40419", Refusal.BILL_EXPIRED),
        ("40413", Refusal.PARTNER_LIMIT),
    ],
)
def test_a_bill_that_cannot_be_paid(case: str, reason: Refusal) -> None:
    said = codes.bill_of(answer("24", case), NUMBER)
    assert said == Declined(reason, case[:3] + "24" + case[3:])


@pytest.mark.parametrize("case", ["50000", "50400", "42900", "20200", "40900"])
def test_an_inquiry_that_failed_is_unanswered(case: str) -> None:
    assert isinstance(codes.bill_of(answer("24", case), NUMBER), Unanswered)


def test_a_payment_gives_number_and_token() -> None:
    data = {"referenceNo": "B1", "additionalInfo": {"token": "12345678901234567890"}}
    outcome = codes.outcome_of_payment(answer("25", "20000", data))
    assert outcome == Accepted("B1", "12345678901234567890")
    flag = {"paymentFlagStatus": "00", **data}
    assert codes.outcome_of_status(answer("26", "20000", flag)) == outcome


def test_success_with_another_flag_is_not_believed() -> None:
    outcome = codes.outcome_of_payment(answer("25", "20000", {"paymentFlagStatus": "01"}))
    assert isinstance(outcome, Unanswered)


def test_a_paid_bill_is_no_no_to_a_payment() -> None:
    """It may be our own copy that paid it: the status decides."""
    assert isinstance(codes.outcome_of_payment(answer("25", "40414")), Unanswered)


@given(st.integers(200, 599), st.integers(0, 99))
def test_only_the_table_is_a_no(status: int, case: int) -> None:
    whole = f"{status}{case:02d}"
    outcome = codes.outcome_of_payment(answer("25", whole, {}))
    assert not isinstance(outcome, NotSent)
    if whole in codes.BILL_DECLINES:
        assert isinstance(outcome, Declined)
    elif whole not in {"20000", "40418"}:
        assert isinstance(outcome, Unanswered)


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("00", Accepted),
        ("01", Declined),
        ("03", Unanswered),
        ("02", Unanswered),
        (None, Unanswered),
    ],
)
def test_each_payment_flag(flag: object, kind: type) -> None:
    data = {"paymentFlagStatus": flag, "referenceNo": "B1"}
    assert isinstance(codes.outcome_of_status(answer("26", "20000", data)), kind)


def test_status_of_the_unknown_and_of_a_refused_question() -> None:
    assert codes.outcome_of_status(answer("26", "40401")) == Unanswered("not_found")
    for case in ("40100", "40305", "50000"):
        assert isinstance(codes.outcome_of_status(answer("26", case)), Unanswered)


def test_what_an_answer_says_of_itself() -> None:
    data = {
        "paymentRequestId": "P1",
        "virtualAccountNo": NUMBER,
        "paidAmount": {"value": "10.50", "currency": "IDR"},
    }
    said = answer("25", "20000", data)
    assert codes.reference_told(said) == "P1"
    assert codes.number_told(said) == NUMBER
    assert not codes.tells_another_amount(said, 10_50)
    assert codes.tells_another_amount(said, 10_51)
    silent = answer("25", "20000", {})
    assert (codes.reference_told(silent), codes.number_told(silent)) == ("", "")
    assert not codes.tells_another_amount(silent, 10_50)


def test_there_is_a_biller_for_every_service() -> None:
    assert set(BILLERS) == set(BILL)
    numbers = [biller.service_id for biller in BILLERS.values()]
    assert len(set(numbers)) == len(numbers), "each biller has its own number"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("electricity", ("538712340001",), ("53871234000", "5387123400012", "53871234000a", "")),
        ("prepaid", ("14512340001", "538712340001"), ("1451234000", "5387123400012")),
        ("water", ("7001234", "700123"), ("70012", "70012345678")),
        ("tax", ("820260320000001",), ("82026032000000", "8202603200000012")),
        ("school", ("20260001",), ("2026000", "2026000100001")),
        ("va", ("0812000001", "081200"), ("08120", "1" * 21)),
    ],
)
def test_customer_numbers(name: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    biller = BILLERS[name]
    minor = biller.nominals_minor[0] if biller.nominals_minor else 100_00
    assert [biller.refuse(number, minor) for number in right] == [None] * len(right)
    for number in wrong:
        assert biller.refuse(number, minor) == Declined(Refusal.BILL_NOT_FOUND, "customer_no")
    assert biller.refuse(right[0] + "\n", minor) is not None


def test_tokens_are_sold_in_fixed_sums() -> None:
    prepaid = BILLERS["prepaid"]
    rupiah = [minor // 100 for minor in prepaid.nominals_minor]
    assert rupiah == [20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000]
    assert all(prepaid.refuse("14512340001", minor) is None for minor in prepaid.nominals_minor)
    for minor in (0, 20_000_01, 30_000_00, 2_000_000_00):
        assert prepaid.refuse("14512340001", minor) == Declined(Refusal.PARTNER_LIMIT, "amount")
    assert [name for name, one in BILLERS.items() if one.gives_token] == ["prepaid"]


def test_the_number_is_padded_on_the_left() -> None:
    numbers = BILLERS["water"].numbers("7001234")
    assert numbers == {
        "partnerServiceId": "   20001",
        "customerNo": "7001234",
        "virtualAccountNo": "   200017001234",
    }
