"""One e-wallet speaking SNAP: inquiry (37), top-up (38), status (39), with its own customers.

Same reference, same content: the first answer again; other content: 404/18. It holds the bank's
deposit: a top-up above what is left of it is refused (403/14). The names of the
wallets are the public ones, their customers are invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.demo.neighbours import NEIGHBOURS
from tangguh.demo.people import people
from tangguh.sim.faults import AnyFault, Decline, Lie, Pending
from tangguh.sim.message import Amount, Reference, Said, amount_of, read_body, refused
from tangguh.sim.passbook import TransferRow, instant_text, pending_until
from tangguh.sim.snap import Complaint, timestamp_of
from tangguh.sim.snap_network import Operation, SnapSettings
from tangguh.sim.snap_partner import SnapPartner

INQUIRY: Final = "37"
TOPUP: Final = "38"
STATUS: Final = "39"
_SUFFIX: Final = {"dana": ".htm"}
_MONTHLY_MAX_MINOR: Final = 40_000_000_00
_BALANCE_MAX_MINOR: Final = 20_000_000_00


def accounts(seed: int) -> tuple[tuple[str, str, str], ...]:
    """Number, name and state of whoever has a wallet: the neighbours, and the bank's customers."""
    neighbours = [(one.phone, one.name, one.state) for one in NEIGHBOURS if one.phone]
    return (*neighbours, *((phone, name.upper(), "open") for phone, name in people(seed)))


class WalletSettings(SnapSettings, frozen=True, kw_only=True):
    """One wallet and the one bank that tops it up. ``wallet`` is gopay, ovo, dana or isaku.

    ``seed`` is also that of the bank's people, who have wallets under the numbers they log in with.
    """

    wallet: str
    deposit_minor: int = 1_000_000_000_00


class InquiryBody(msgspec.Struct, frozen=True, rename="camel"):
    """emoney/account-inquiry (37)."""

    partner_reference_no: Reference
    customer_number: Annotated[str, msgspec.Meta(pattern=r"^62[0-9]{8,13}$")]
    amount: Amount


class TopupBody(msgspec.Struct, frozen=True, rename="camel"):
    """emoney/topup (38)."""

    partner_reference_no: Reference
    customer_number: Annotated[str, msgspec.Meta(pattern=r"^62[0-9]{8,13}$")]
    amount: Amount
    session_id: str = ""


class StatusBody(msgspec.Struct, frozen=True, rename="camel"):
    """emoney/topup-status (39)."""

    original_partner_reference_no: Reference


class Wallet(SnapPartner):
    """The wallet as one network of the outside world."""

    def __init__(self, settings: WalletSettings, clock: Clock) -> None:
        """Raises Misconfigured when a key cannot be read."""
        suffix = _SUFFIX.get(settings.wallet, "")
        super().__init__(
            settings.wallet,
            settings,
            clock,
            (
                Operation(INQUIRY, f"/v1.0/emoney/account-inquiry{suffix}", self._inquire),
                Operation(TOPUP, f"/v1.0/emoney/topup{suffix}", self._top_up),
                Operation(STATUS, f"/v1.0/emoney/topup-status{suffix}", self._status),
            ),
            paying=TOPUP,
            aim=_aim,
            accounts=accounts(settings.seed),
        )
        self._deposit_minor = settings.deposit_minor

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A wallet only answers. ValueError."""
        raise ValueError(f"a wallet cannot {what}")

    # ---- the operations, inside one transaction of the books ---------------------------------

    def _inquire(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        body = read_body(InquiryBody, fields)
        if isinstance(body, Complaint):
            return refused(INQUIRY, body)
        if isinstance(fault, Decline):
            return Said(INQUIRY, fault.case, {})
        case = self._judge(body.customer_number, body.amount.minor)
        if case != "20000":
            return Said(INQUIRY, case, {"partnerReferenceNo": body.partner_reference_no})
        account = self.ledger.account(body.customer_number)
        assert account is not None
        return Said(
            INQUIRY,
            case,
            {
                "partnerReferenceNo": body.partner_reference_no,
                "referenceNo": f"I{self._random.getrandbits(48):012x}",
                "sessionId": f"{self._random.getrandbits(64):016x}",
                "customerNumber": account.number,
                "customerName": account.name,
                "customerMonthlyInLimit": amount_of(_MONTHLY_MAX_MINOR)["value"],
                "minAmount": amount_of(10_000_00),
                "maxAmount": amount_of(_BALANCE_MAX_MINOR - account.balance_minor),
                "feeAmount": amount_of(0),
            },
        )

    def _top_up(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        body = read_body(TopupBody, fields)
        if isinstance(body, Complaint):
            return refused(TOPUP, body)
        reference, minor = body.partner_reference_no, body.amount.minor
        known = self.ledger.transfer(reference)
        if known is not None:
            same = (known.account, known.amount_minor) == (body.customer_number, minor)
            case = known.code if same else "40418"
            return Said(TOPUP, case, _told(known))
        case = self._judge(body.customer_number, minor)
        if case == "20000" and isinstance(fault, Decline):
            case = fault.case
        if case == "20000" and isinstance(fault, Lie) and fault.books == "failed":
            case = "40305"
        now = self._clock.now()
        row = TransferRow(
            reference=reference,
            kind="topup",
            direction="in",
            account=body.customer_number,
            amount_minor=minor,
            state="paid" if case == "20000" else "failed",
            code=case,
            network_reference=f"{self.name.upper()}{self._random.getrandbits(40):010x}",
            made_at=instant_text(now),
        )
        if case == "20000" and isinstance(fault, Pending):
            case = "20200"
            row = pending_until(
                msgspec.structs.replace(row, code=case), now, fault.seconds, fault.becomes
            )
        row = self.ledger.record(row)
        if isinstance(fault, Lie):
            case = "20000" if fault.books == "failed" else "40305"
        return Said(TOPUP, case, {**_told(row), "transactionDate": timestamp_of(now)})

    def _status(self, fields: dict[str, Any], fault: AnyFault | None) -> Said:
        body = read_body(StatusBody, fields)
        if isinstance(body, Complaint):
            return refused(STATUS, body)
        if isinstance(fault, Decline):
            return Said(STATUS, fault.case, {})
        reference = body.original_partner_reference_no
        row = self.ledger.transfer(reference)
        if row is None:
            return Said(STATUS, "40401", {"originalPartnerReferenceNo": reference})
        status = {"paid": "00", "pending": "03", "cancelled": "05", "failed": "06"}[row.state]
        return Said(
            STATUS,
            "20000",
            {
                "originalPartnerReferenceNo": reference,
                "originalReferenceNo": row.network_reference,
                "serviceCode": TOPUP,
                "amount": amount_of(row.amount_minor),
                "latestTransactionStatus": status,
                "transactionStatusDesc": row.state,
            },
        )

    def _judge(self, number: str, minor: int) -> str:
        account = self.ledger.account(number)
        if account is None or account.state == "closed":
            return "40411"
        if account.state == "blocked":
            return "40318"
        if minor <= 0:
            return "40413"
        if account.balance_minor + minor > _BALANCE_MAX_MINOR:
            return "40302"
        held = sum(one.balance_minor for one in self.ledger.accounts())
        left = self._deposit_minor - held
        return "20000" if minor <= left else "40314"


def _told(row: TransferRow) -> dict[str, Any]:
    return {
        "partnerReferenceNo": row.reference,
        "referenceNo": row.network_reference,
        "customerNumber": row.account,
        "amount": amount_of(row.amount_minor),
    }


def _aim(fields: Mapping[str, Any]) -> tuple[str, str]:
    reference = fields.get("partnerReferenceNo") or fields.get("originalPartnerReferenceNo")
    return str(fields.get("customerNumber") or ""), str(reference or "")
