"""A figure in another currency or precision is never taken for rupiah: every rail, every file."""

from __future__ import annotations

import copy
import hmac
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest

from tangguh.core.money import IDR
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.rails.bifast import status, transfer
from tangguh.rails.billers import codes as billers
from tangguh.rails.emoney import spend
from tangguh.rails.qris import acquirer
from tangguh.rails.qris import codes as qris
from tangguh.rails.qris.notice import NoticeRefused
from tangguh.rails.snap import Answer
from tangguh.rails.snap_amount import minor_of, names_other
from tangguh.web.orders import scan
from unit.rails.bifast.papers import NOW, TRANSFER, documents

STRANGE: list[Any] = [
    {"value": "10000.00", "currency": "USD"},
    {"value": "10000.00", "currency": "idr"},
    {"value": "10000.00", "currency": ""},
    {"value": "10000.00"},
    {"value": "10000.000", "currency": IDR},
    {"value": 10000, "currency": IDR},
    {"value": "1e4", "currency": IDR},
    "10000.00",
]


@pytest.mark.parametrize("amount", STRANGE)
def test_an_amount_of_something_else_is_no_amount_and_is_not_absent(amount: Any) -> None:
    assert minor_of(amount) is None
    assert names_other({"amount": amount}, "amount", 1_000_000)
    assert not names_other({}, "amount", 1_000_000)
    assert not names_other({"amount": {"value": "10000.00", "currency": IDR}}, "amount", 1_000_000)


@pytest.mark.parametrize("amount", STRANGE[:5])
def test_a_biller_that_was_paid_in_something_else_is_no_yes(amount: Any) -> None:
    """Its paidAmount is not read as missing, which would have agreed with any sum."""
    answer = Answer(
        "2002500", {"virtualAccountData": {"paidAmount": amount, "paymentFlagStatus": "00"}}
    )
    assert isinstance(billers.outcome_of_payment(answer), Accepted)
    assert billers.tells_another_amount(answer, 1_000_000)


@pytest.mark.parametrize("amount", STRANGE)
def test_a_bill_in_something_else_has_no_sum(amount: Any) -> None:
    bill = {"virtualAccountName": "SARI", "totalAmount": amount, "virtualAccountNo": "1"}
    found = billers.bill_of(Answer("2002400", {"virtualAccountData": bill}), "1")
    assert isinstance(found, Unanswered)


@pytest.mark.parametrize("amount", STRANGE)
@pytest.mark.parametrize("field", ["amount", "feeAmount"])
def test_a_merchants_credit_in_something_else_is_refused(amount: Any, field: str) -> None:
    fields = {
        "partnerReferenceNo": "R1",
        "merchantId": "M1",
        "amount": {"value": "10000.00", "currency": IDR},
        "additionalInfo": {"merchantPan": "1"},
        field: amount,
    }
    found = acquirer.merchant_paid(fields)
    assert isinstance(found, NoticeRefused)


@pytest.mark.parametrize("amount", STRANGE)
def test_a_refund_in_something_else_is_not_ours(amount: Any) -> None:
    history = [{"partnerRefundNo": "R1", "refundStatus": "00", "refundAmount": amount}]
    answer = Answer("2005100", {"refundHistory": history})
    assert isinstance(qris.outcome_of_refund_query(answer, "R1", 1_000_000), Unanswered)


@pytest.mark.parametrize(("value", "currency"), [("10000.00", "USD"), ("10000.000", "IDR")])
def test_a_bifast_transfer_and_its_notice_in_something_else_are_refused(
    value: str, currency: str
) -> None:
    whole = copy.deepcopy(documents())
    order: Any = whole[transfer.DEFINITION]
    order["FIToFICstmrCdtTrf"]["CdtTrfTxInf"][0]["IntrBkSttlmAmt"] = {
        "Value": value, "Ccy": currency,
    }  # fmt: skip
    assert isinstance(transfer.read(order), tuple)
    report: Any = whole[status.REPORT]
    place = report["FIToFIPmtStsRpt"]["TxInfAndSts"][0]["OrgnlTxRef"]
    place["IntrBkSttlmAmt"] = {"Value": value, "Ccy": currency}
    assert isinstance(status.read_report(report, NOW), tuple)


@pytest.mark.parametrize(
    ("value", "currency"), [("1234500.51", "IDR"), ("1234500.50", "USD"), ("100.00", "SGD")]
)
def test_a_sum_instructed_in_another_unit_is_not_overlooked(value: str, currency: str) -> None:
    """InstdAmt beside the settled amount: BI-FAST moves rupiah for rupiah."""
    order: Any = copy.deepcopy(documents()[transfer.DEFINITION])
    found = order["FIToFICstmrCdtTrf"]["CdtTrfTxInf"][0]
    found["InstdAmt"] = {"Value": value, "Ccy": currency}
    assert isinstance(transfer.read(order), tuple)
    found["InstdAmt"] = {"Value": "1234500.50", "Ccy": "IDR"}
    assert not isinstance(transfer.read(order), tuple)
    assert TRANSFER.amount_minor == 123450050
    found["XchgRate"] = "15000"
    assert isinstance(transfer.read(order), tuple)


GOOD = (
    "00020101021126610021ID.CO.BANKTANGGUH.WWW011993600999000000000180202M10303UMI51440014"
    "ID.CO.QRIS.WWW0215ID10200000000010303UMI5204541153033605802ID5904TOKO6007JAKARTA61051011062"
    "070703A016304"
)


def checked(text: str) -> str:
    """With the CRC of tag 63 (EMVCo: CRC-16/CCITT-FALSE)."""
    register = 0xFFFF
    for byte in text.encode():
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x1021 if register & 0x8000 else 0)
            register &= 0xFFFF
    return f"{text}{register:04X}"


@pytest.mark.parametrize(
    "swap",
    [("5303360", "5303702"), ("5802ID", "5802SG"), ("5303360", ""), ("5303360", "5303840")],
)
def test_a_code_in_another_currency_cannot_be_paid(swap: tuple[str, str]) -> None:
    assert hasattr(scan(checked(GOOD)), "payload")
    assert not hasattr(scan(checked(GOOD.replace(*swap))), "payload")


KEY = b"k" * 32
_EVENING = datetime(2026, 3, 20, 18, tzinfo=UTC)


def spend_file(currency: str = "|IDR", amount: str = "5000.00") -> str:
    """An operator's file of one tap."""
    at = "2026-03-20T12:00:00+07:00"
    plain = f"6013000000000001|1|{float(amount):.2f}|{at}"
    mac = hmac.new(KEY, plain.encode(), sha256).hexdigest()[:16]
    body = f"H|1|spend|krl|2026-03-20|1{currency}\nD|1|6013000000000001|1|{amount}|{at}|G1|{mac}\n"
    return f"{body}T|1|{amount}|{sha256(body.encode()).hexdigest()}\n"


def test_a_card_file_says_its_unit() -> None:
    whole = spend.read(spend_file(), operator="krl", key=KEY, now=_EVENING)
    assert isinstance(whole, spend.SpendFile)
    assert (whole.day, whole.total_minor) == (date(2026, 3, 20), 500_000)
    for text, field in (
        (spend_file("|USD"), "currency"),
        (spend_file(""), "header"),
        (spend_file(amount="5000"), "amount"),
        (spend_file(amount="5000.0"), "amount"),
        (spend_file(amount="5000.000"), "amount"),
    ):
        refused = spend.read(text, operator="krl", key=KEY, now=_EVENING)
        assert isinstance(refused, spend.FileRefused), text
        assert refused.field == field
