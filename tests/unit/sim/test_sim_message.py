"""What the switch complains about in a body, and how it writes answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tangguh.sim.message import Said, amount_of, read_body, refused
from tangguh.sim.qris.bodies import PaymentBody
from tangguh.sim.snap import Complaint

WHOLE: dict[str, Any] = {
    "partnerReferenceNo": "P1",
    "merchantId": "M1",
    "amount": {"value": "10000.00", "currency": "IDR"},
    "additionalInfo": {"merchantPan": "9360"},
}


def test_whole_body() -> None:
    """Amounts become sen; what the switch does not know is passed over."""
    body = read_body(PaymentBody, {**WHOLE, "unknown": 1})
    assert isinstance(body, PaymentBody)
    assert body.amount.minor == 10_000_00


@pytest.mark.parametrize(
    ("changes", "case", "message"),
    [
        ({"partnerReferenceNo": None}, "01", "Invalid Field Format partnerReferenceNo"),
        ({"partnerReferenceNo": ""}, "01", "Invalid Field Format partnerReferenceNo"),
        ({"partnerReferenceNo": "x" * 65}, "01", "Invalid Field Format partnerReferenceNo"),
        ({"amount": {"value": "1", "currency": "IDR"}}, "01", "Invalid Field Format amount.value"),
        (
            {"amount": {"value": "1.00", "currency": "USD"}},
            "01",
            "Invalid Field Format amount.currency",
        ),
        ({"amount": {"currency": "IDR"}}, "02", "Invalid Mandatory Field value"),
        ({"additionalInfo": {}}, "02", "Invalid Mandatory Field merchantPan"),
        ({"additionalInfo": 5}, "01", "Invalid Field Format additionalInfo"),
    ],
)
def test_bad_field(changes: dict[str, Any], case: str, message: str) -> None:
    """The first bad field is named, in the words of the standard."""
    assert read_body(PaymentBody, WHOLE | changes) == Complaint(400, case, message)


@pytest.mark.parametrize("field", WHOLE)
def test_missing_field(field: str) -> None:
    """Every field of the whole body is mandatory."""
    left = {name: value for name, value in WHOLE.items() if name != field}
    expected = Complaint(400, "02", f"Invalid Mandatory Field {field}")
    assert read_body(PaymentBody, left) == expected


def test_answers() -> None:
    """The code is made of status, service and case; a complaint brings its own words."""
    assert json.loads(Said("50", "20000", {"a": 1}).encode()) == {
        "responseCode": "2005000",
        "responseMessage": "Successful",
        "a": 1,
    }
    said = refused("77", Complaint(401, "01", "Invalid Token (B2B)"))
    assert said.status == 401
    assert json.loads(said.encode()) == {
        "responseCode": "4017701",
        "responseMessage": "Invalid Token (B2B)",
    }


def test_amounts() -> None:
    """Two decimals, always."""
    assert amount_of(5) == {"value": "0.05", "currency": "IDR"}
