"""Examples of what staff on call look up: a payment that waits, its payer, its complaint."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tangguh.work.tracing.masks import DOTS
from tangguh.work.tracing.shapes import (
    AccountTold,
    CardTold,
    CaseLine,
    CaseStep,
    CaseTold,
    CustomerTold,
    EntryTold,
    HoldTold,
    Line,
    Lines,
    Me,
    PostingTold,
    RedressTold,
    Step,
    Trace,
)

_NOON: Final = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
_SOON: Final = _NOON + timedelta(minutes=15)
_PAYMENT_ID: Final = UUID("019d099d-5880-745a-b563-316085acf23c")
_NAME: Final = _PAYMENT_ID.hex
_PAYER: Final = f"{DOTS}0011"
_LINE: Final = Line(
    id=_PAYMENT_ID, short_reference="3160-85AC-F23C", kind="payment",
    service="mobile.qris.offus", rail="qris", state="unanswered", to_payee="54000.00", fee="0.00",
    total="54000.00", from_account=_PAYER, to="merchant WARUNG CONTOH, BANDUNG (ID1025000000001)",
    customer_id=1, accepted_at=_NOON, concluded_at=None, found_as="short reference",
)  # fmt: skip
_LINES: Final = Lines(
    payments=[_LINE], more=False, looked_from=_NOON - timedelta(days=7), looked_to=_SOON
)
_CASE: Final = CaseLine(
    id=UUID("019d0a72-4411-7e0a-a6c2-3c1be5d99c03"), number="TG26-7K3M-9QXD", about="transfer",
    state="with_staff", channel="app", opened_at=_SOON, act_by=_SOON + timedelta(days=1),
    due_at=_SOON + timedelta(days=5), outcome="", why="its network has not answered yet", owner="",
)  # fmt: skip
_STEPS: Final = [
    Step(at=_NOON, what="held", says="its money was set aside; then it was sent",
         network=f"sent as {_NAME}", state="held", detail="", by="bank", batch_no=59),
    Step(at=_SOON, what="advanced",
         says="the bank advanced Rp54.000 of its own money to the payer", network="",
         state="unanswered", detail="54000.00", by="bank", batch_no=61),
]  # fmt: skip
_TRACE: Final = Trace(
    payment=_LINE, names={"payment id": str(_PAYMENT_ID), "sent to the network as": _NAME},
    payee=_LINE.to, payer=_PAYER, refusal="", refunded="0.00", refunding="0.00", attempts=3,
    next_look_at=_SOON, business_date=date(2026, 3, 20), original_id=None, steps=_STEPS,
    hold=HoldTold(account=_PAYER, amount="54000.00", posted="0.00", state="held",
                  placed_at=_NOON, ended_at=None),
    postings=[
        PostingTold(
            id=UUID("019d09ab-1420-79bd-a3f1-84f00c1a5a5a"), kind="advance", posted_at=_SOON,
            business_date=date(2026, 3, 20), batch_no=61, note=f"payment {_PAYMENT_ID}",
            entries=[EntryTold(account="106001 (receivable)", amount="-54000.00"),
                     EntryTold(account=_PAYER, amount="54000.00")],
        )
    ],
    file_lines=[], breaks=[], refunds=[], notices=[], cases=[_CASE], incidents=[],
    redress=RedressTold(
        advance="given", advanced="54000.00", advanced_at=_SOON, still_out="54000.00",
        take_back_at=None, why_not="", late_days=0, late_paid="0.00", came_back_by="",
    ),
)  # fmt: skip

TOLD: Final[dict[str, dict[str, Any]]] = {
    "whoAmI": {
        "an incident commander": Me(
            id="staff:1", roles=["incident_commander"], device=True, now=_NOON,
            wall_clock_seconds=0.0,
        )
    },
    "findPayments": {"one payment": _LINES},
    "paymentsNamed": {"one payment": _LINES},
    "tracePayment": {"it waits, and the bank has advanced it": _TRACE},
    "showCustomer": {
        "its payer": CustomerTold(
            customer_id=1, name="B··· S···", phone=f"{DOTS}0001", language="id", pin_failures=0,
            pin_locked_until=None, sessions_open=1,
            accounts=[
                AccountTold(account=_PAYER, product="Tabungan", state="open", tier="",
                            posted="1554000.00", held="54000.00", available="1500000.00")
            ],
            cards=[CardTold(last_four="1234", state="active", tries_left=3)],
            open_payments=[_LINE], newest_payments=[_LINE], cases=[_CASE],
        )
    },
    "outlineCase": {
        "its complaint": CaseTold(
            case=_CASE, customer_id=1, payment=_LINE, incident_id=None, is_late=False,
            is_overdue=False, messages=1, files=0,
            steps=[CaseStep(at=_SOON, state="received", what="opened", detail="", by="customer:1")],
        )
    },
}  # fmt: skip
"""By operation; each by what it shows."""
