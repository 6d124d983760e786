"""What a biller's answers mean for an inquiry, a payment and its status: the one table. Pure.

Source: ASPI's SNAP developer site, services 24, 25 and 26, and ``virtualAccountTrxType``: C closed,
O open, I in parts, M at least, L at most, N and X open with a least and a most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tangguh.core.format import money
from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.snap import DECLINES, Answer, Endpoint, read
from tangguh.rails.snap_amount import minor_of, names_other
from tangguh.rails.snap_partner import NOT_FOUND

INQUIRY: Final = Endpoint("24", "/v1.0/transfer-va/inquiry")
PAYMENT: Final = Endpoint("25", "/v1.0/transfer-va/payment")
STATUS: Final = Endpoint("26", "/v1.0/transfer-va/status")

PAID_BILL: Final = "40414"
_NOT_FOUND: Final = "40401"
_PAYER_CHOOSES: Final = frozenset("OIMLNX")

BILL_DECLINES: Final[Mapping[str, Refusal]] = {
    **DECLINES,
    "40411": Refusal.BILL_NOT_FOUND,
    "40412": Refusal.BILL_NOT_FOUND,
    "40413": Refusal.PARTNER_LIMIT,  # not an amount this bill takes
    "40419": Refusal.BILL_EXPIRED,
}
INQUIRY_DECLINES: Final[Mapping[str, Refusal]] = {**BILL_DECLINES, PAID_BILL: Refusal.BILL_PAID}


class BillFound(msgspec.Struct, frozen=True, kw_only=True):
    """What a biller says is owed. ``total_minor`` None: the payer says how much, within bounds."""

    name: str
    total_minor: int | None
    owed_minor: int
    is_closed: bool
    lines: tuple[tuple[str, str], ...]


def bill_of(answer: Answer, number: str) -> BillFound | Declined | Unanswered:
    """transfer-va/inquiry (24)."""
    if answer.case != "20000":
        said = read(answer, "referenceNo", INQUIRY_DECLINES)
        return said if isinstance(said, Declined) else Unanswered(f"inquiry {answer.code}")
    data = _data(answer)
    if str(data.get("virtualAccountNo", number)) != number:
        return Unanswered("answer speaks of another account")
    name = data.get("virtualAccountName")
    owed = _owed(data.get("totalAmount"))
    kind = data.get("virtualAccountTrxType", "C")
    if not isinstance(name, str) or not name or owed is None:
        return Unanswered("the bill has no name or no amount")
    chooses = isinstance(kind, str) and kind in _PAYER_CHOOSES
    if not chooses and owed == 0:
        return Declined(Refusal.BILL_PAID, answer.code)
    return BillFound(
        name=name,
        total_minor=None if chooses else owed,
        owed_minor=owed,
        is_closed=not chooses,
        lines=_lines(data),
    )


def outcome_of_payment(answer: Answer) -> Outcome:
    """transfer-va/payment (25). A bill that is paid already is Unanswered: by whom, status says."""
    if answer.case == "20000":
        data = _data(answer)
        if data.get("paymentFlagStatus", "00") != "00":
            return Unanswered("the payment flag is not success")
        return Accepted(str(data.get("referenceNo") or ""), _receipt(data))
    return read(answer, "referenceNo", BILL_DECLINES)


def outcome_of_status(answer: Answer) -> Outcome:
    """transfer-va/status (26). A refused question is no word on the payment."""
    if answer.case == _NOT_FOUND:
        return Unanswered(NOT_FOUND)
    if answer.case != "20000":
        return Unanswered(f"status answered {answer.code}")
    data = _data(answer)
    match data.get("paymentFlagStatus"):
        case "00":
            return Accepted(str(data.get("referenceNo") or ""), _receipt(data))
        case "01":
            return Declined(Refusal.PARTNER_DECLINED, answer.code)
        case "03":
            return Unanswered("in progress")
        case _:
            return Unanswered("unknown payment flag")


def _owed(amount: object) -> int | None:
    """What is owed in minor units: 0 also when more was paid than was asked; None: unreadable."""
    value = amount.get("value") if isinstance(amount, dict) else None
    if isinstance(amount, dict) and isinstance(value, str) and value.startswith("-"):
        overpaid = minor_of({**amount, "value": value[1:]})
        return None if overpaid is None else 0
    return minor_of(amount)


def reference_told(answer: Answer) -> str:
    """The payment request an answer speaks of; empty when it does not say."""
    return str(_data(answer).get("paymentRequestId") or "")


def number_told(answer: Answer) -> str:
    """The virtual account an answer speaks of; empty when it does not say."""
    return str(_data(answer).get("virtualAccountNo") or "")


def tells_another_amount(answer: Answer, minor: int) -> bool:
    """Whether an answer says that another sum was paid, or this sum in another currency."""
    return names_other(_data(answer), "paidAmount", minor)


def _data(answer: Answer) -> dict[str, Any]:
    data = answer.fields.get("virtualAccountData")
    return data if isinstance(data, dict) else {}


def _receipt(data: dict[str, Any]) -> str:
    more = data.get("additionalInfo")
    token = more.get("token") if isinstance(more, dict) else None
    return token if isinstance(token, str) else ""


def _lines(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    details = data.get("billDetails")
    found: list[tuple[str, str]] = []
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict):
            owed = minor_of(detail.get("billAmount"))
            found.append(
                (str(detail.get("billName") or ""), money(owed) if owed is not None else "")
            )
    return tuple(found[:24])
