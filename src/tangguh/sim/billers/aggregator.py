"""A biller aggregator speaking SNAP: inquiry (24), payment (25), status (26).

Each bill is an account in its books that counts what was paid of it. A whole bill is paid once; one
in parts until nothing is left; a prepaid one as often as one likes, and each time gives a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.demo.bills import BILLS, Bill
from tangguh.sim.faults import AnyFault, Decline, Lie, Pending
from tangguh.sim.message import Amount, Said, amount_of, read_body, refused
from tangguh.sim.passbook import TransferRow, instant_text, pending_until
from tangguh.sim.snap import Complaint, timestamp_of
from tangguh.sim.snap_network import Operation, SnapSettings
from tangguh.sim.snap_partner import SnapPartner

INQUIRY: Final = "24"
PAYMENT: Final = "25"
STATUS: Final = "26"
_PENDING_MAX: Final = 1_000_000

Number = Annotated[str, msgspec.Meta(min_length=1, max_length=28)]
RequestId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class AggregatorSettings(SnapSettings, frozen=True, kw_only=True):
    """The aggregator and the one bank that pays it."""


class InquiryBody(msgspec.Struct, frozen=True, rename="camel"):
    """transfer-va/inquiry (24)."""

    virtual_account_no: Number
    inquiry_request_id: RequestId
    amount: Amount | None = None


class PaymentBody(msgspec.Struct, frozen=True, rename="camel"):
    """transfer-va/payment (25)."""

    virtual_account_no: Number
    payment_request_id: RequestId
    paid_amount: Amount


class StatusBody(msgspec.Struct, frozen=True, rename="camel"):
    """transfer-va/status (26)."""

    virtual_account_no: Number
    payment_request_id: RequestId


class Aggregator(SnapPartner):
    """The billers as one network of the outside world."""

    def __init__(self, settings: AggregatorSettings, clock: Clock) -> None:
        """Raises Misconfigured when a key cannot be read."""
        super().__init__(
            "billers",
            settings,
            clock,
            (
                Operation(INQUIRY, "/v1.0/transfer-va/inquiry", self._inquire),
                Operation(PAYMENT, "/v1.0/transfer-va/payment", self._pay),
                Operation(STATUS, "/v1.0/transfer-va/status", self._status),
            ),
            paying=PAYMENT,
            aim=_aim,
            accounts=tuple((bill.number, bill.name, "open") for bill in BILLS),
        )
        self._bills = {bill.number: bill for bill in BILLS}

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``bill``: write a fresh bill (service, customer_no, name, amount). ValueError."""
        if what != "bill":
            raise ValueError(f"billers cannot {what}")
        missing = {"service", "customer_no", "amount_minor"} - fields.keys()
        if missing:
            raise ValueError(f"a bill has {', '.join(sorted(missing))}")
        bill = Bill(
            service=str(fields["service"]),
            customer_no=str(fields["customer_no"]),
            name=str(fields.get("name", "TAGIHAN UJI")),
            kind=str(fields.get("kind", "C")),
            parts=(("Tagihan", int(fields["amount_minor"])),),
        )
        self._bills[bill.number] = bill
        with self.ledger.transaction():
            self.ledger.open_account(bill.number, bill.name)
        return {"number": bill.number}

    # ---- the operations, inside one transaction of the books ---------------------------------

    def _inquire(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        body = read_body(InquiryBody, fields)
        if isinstance(body, Complaint):
            return refused(INQUIRY, body)
        if isinstance(fault, Decline):
            return Said(INQUIRY, fault.case, {})
        bill = self._bills.get(body.virtual_account_no)
        case = self._judge(bill)
        if bill is None or case != "20000":
            return Said(INQUIRY, case, {})
        owed = max(self._left(bill), 0)
        chosen = body.amount if bill.kind != "C" else None
        if chosen is not None and not self._takes(bill, chosen.minor):
            return Said(INQUIRY, "40413", {})
        if bill.gives_token and body.amount is not None:
            owed = body.amount.minor
        data = {
            "inquiryStatus": "00",
            "inquiryReason": {"english": "Success", "indonesia": "Sukses"},
            **_numbers(bill),
            "virtualAccountName": bill.name,
            "inquiryRequestId": body.inquiry_request_id,
            "totalAmount": amount_of(owed),
            "virtualAccountTrxType": bill.kind,
            "billDetails": [
                {"billNo": str(at), "billName": name, "billAmount": amount_of(minor)}
                for at, (name, minor) in enumerate(bill.parts, start=1)
            ],
        }
        return Said(INQUIRY, case, {"virtualAccountData": data})

    def _pay(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        body = read_body(PaymentBody, fields)
        if isinstance(body, Complaint):
            return refused(PAYMENT, body)
        minor, number = body.paid_amount.minor, body.virtual_account_no
        known = self.ledger.transfer(body.payment_request_id)
        if known is not None:
            same = (known.account, known.amount_minor) == (number, minor)
            return Said(PAYMENT, known.code if same else "40418", self._told(known))
        bill = self._bills.get(number)
        case = self._judge(bill)
        if bill is not None and case == "20000" and not self._takes(bill, minor):
            case = "40400" if self._in_progress(bill) else "40413"
        if case == "20000" and isinstance(fault, Decline):
            case = fault.case
        if case == "20000" and isinstance(fault, Lie) and fault.books == "failed":
            case = "40305"
        now = self._clock.now()
        row = TransferRow(
            reference=body.payment_request_id,
            kind="bill",
            direction="in",
            account=number,
            amount_minor=minor,
            state="paid" if case == "20000" else "failed",
            code=case,
            network_reference=f"B{self._random.getrandbits(44):011x}",
            made_at=instant_text(now),
            detail=self._token(bill),
        )
        if case == "20000" and isinstance(fault, Pending):
            case = "20200"
            row = pending_until(
                msgspec.structs.replace(row, code=case), now, fault.seconds, fault.becomes
            )
        row = self.ledger.record(row)
        if isinstance(fault, Lie):
            case = "20000" if fault.books == "failed" else "40305"
        return Said(PAYMENT, case, self._told(row) if case == "20000" else {})

    def _status(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        body = read_body(StatusBody, fields)
        if isinstance(body, Complaint):
            return refused(STATUS, body)
        if isinstance(fault, Decline):
            return Said(STATUS, fault.case, {})
        row = self.ledger.transfer(body.payment_request_id)
        if row is None:
            return Said(STATUS, "40401", {})
        flag = {"paid": "00", "pending": "03", "cancelled": "01", "failed": "01"}[row.state]
        told = self._told(row)
        told["virtualAccountData"]["paymentFlagStatus"] = flag
        return Said(STATUS, "20000", told)

    def _judge(self, bill: Bill | None) -> str:
        if bill is None:
            return "40412"
        if bill.state == "expired":
            return "40419"
        if bill.state == "paid" or (bill.kind != "O" and self._left(bill) <= 0):
            return "40414"
        return "20000"

    def _in_progress(self, bill: Bill) -> int:
        """What is being paid of a bill: until it has ended nobody else may pay that."""
        rows = self.ledger.transfers(state="pending", account=bill.number, limit=_PENDING_MAX)
        return sum(row.amount_minor for row in rows)

    def _takes(self, bill: Bill, minor: int) -> bool:
        left = self._left(bill) - self._in_progress(bill)
        if bill.kind == "C":
            return minor == left
        if bill.kind == "O":
            return minor >= bill.least_minor
        return min(bill.least_minor, left) <= minor <= left

    def _left(self, bill: Bill) -> int:
        account = self.ledger.account(bill.number)
        return bill.total_minor - (account.balance_minor if account is not None else 0)

    def _told(self, row: TransferRow) -> dict[str, Any]:
        bill = self._bills.get(row.account)
        data = {
            "paymentFlagReason": {"english": "Success", "indonesia": "Sukses"},
            **(_numbers(bill) if bill is not None else {"virtualAccountNo": row.account}),
            "paymentRequestId": row.reference,
            "paidAmount": amount_of(row.amount_minor),
            "paymentFlagStatus": "00",
            "referenceNo": row.network_reference,
            "trxDateTime": timestamp_of(self._clock.now()),
            "additionalInfo": msgspec.json.decode(row.detail),
        }
        return {"virtualAccountData": data}

    def _token(self, bill: Bill | None) -> str:
        if bill is None or not bill.gives_token:
            return "{}"
        return msgspec.json.encode({"token": f"{self._random.randrange(10**20):020d}"}).decode()


def _numbers(bill: Bill) -> dict[str, str]:
    return {
        "partnerServiceId": bill.service.rjust(8),
        "customerNo": bill.customer_no,
        "virtualAccountNo": bill.number,
    }


def _aim(fields: Mapping[str, Any]) -> tuple[str, str]:
    reference = fields.get("paymentRequestId") or fields.get("inquiryRequestId")
    return str(fields.get("virtualAccountNo") or ""), str(reference or "")
