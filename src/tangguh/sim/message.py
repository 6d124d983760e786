"""What every SNAP service of the outside world has in common: amounts, answers, complaints."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from tangguh.sim.snap import Complaint

Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
T = TypeVar("T")

_MISSING = re.compile(r"missing required field `(\w+)`")
_PATH = re.compile(r"`\$\.([\w.]+)`")


class Amount(msgspec.Struct, frozen=True):
    """``{"value": "10000.00", "currency": "IDR"}``."""

    value: Annotated[str, msgspec.Meta(pattern=r"^\d{1,16}\.\d\d$")]
    currency: Literal["IDR"]

    @property
    def minor(self) -> int:
        """Sen."""
        return int(self.value.replace(".", ""))


class Said(msgspec.Struct, frozen=True):
    """An answer before it is put on the wire: its case and the fields beside the code."""

    service: str
    case: str
    fields: dict[str, Any]

    @property
    def status(self) -> int:
        """The HTTP status the case begins with."""
        return int(self.case[:3])

    def encode(self) -> bytes:
        """The JSON body."""
        code = self.case[:3] + self.service + self.case[3:]
        message = MESSAGES.get(self.case, "General Error")
        return msgspec.json.encode(
            {"responseCode": code, "responseMessage": message, **self.fields}
        )


MESSAGES: Final = {
    "20000": "Successful",
    "20200": "Request In Progress",
    "40302": "Exceeds Transaction Amount Limit",
    "40305": "Do Not Honor",
    "40314": "Insufficient Funds",
    "40319": "Merchant Blacklist",
    "40400": "Invalid Transaction Status",
    "40401": "Transaction Not Found",
    "40404": "Transaction Cancelled",
    "40408": "Invalid Merchant",
    "40413": "Invalid Amount",
    "40418": "Inconsistent Request",
    "40501": "Requested Operation Is Not Allowed",
    "40900": "Conflict",
    "42900": "Too Many Requests",
    "50400": "Timeout",
}


def read_body(kind: type[T], fields: dict[str, Any]) -> T | Complaint:
    """The body as one of the kinds above, or the standard's complaint about the first bad field."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        return _complaint(str(error))


def amount_of(minor: int) -> dict[str, str]:
    """Sen as the standard writes them."""
    return {"value": f"{minor // 100}.{minor % 100:02d}", "currency": "IDR"}


def refused(service: str, complaint: Complaint) -> Said:
    """A complaint as an answer; its own words take the place of the table's."""
    case = f"{complaint.status}{complaint.case}"
    return Said(service, case, {"responseMessage": complaint.message})


def _complaint(error: str) -> Complaint:
    missing = _MISSING.search(error)
    if missing is not None:
        return Complaint(400, "02", f"Invalid Mandatory Field {missing[1]}")
    path = _PATH.search(error)
    return Complaint(400, "01", f"Invalid Field Format {path[1] if path else 'body'}")
