"""What the hub decides: transfers from the bank, status requests, credits to the bank. Its books.

Each verb runs inside one transaction of the passbook. An EndToEndId is carried out once for ever: a
repeat is U149 whatever it says, and the status request tells the first one's end.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

import msgspec

from tangguh.sim.bifast.books import HubBooks
from tangguh.sim.bifast.directory import MISSING, Directory
from tangguh.sim.bifast.participants import AMOUNT_MINOR_MAX, PARTICIPANTS, key_of
from tangguh.sim.passbook import Passbook, TransferRow, instant_text, pending_until

SUCCESS: Final = "U000"
NO_ACCOUNT: Final = "U101"
INACTIVE: Final = "U102"
BELOW: Final = "U111"
ABOVE: Final = "U112"
NO_BANK: Final = "U124"
NO_LIQUIDITY: Final = "U194"
"""The sender's settlement account has not enough."""
NOT_FOUND: Final = "U106"
WAS_REJECTED: Final = "U107"
NOT_ANSWERED: Final = "U108"
DUPLICATE: Final = "U149"
INVALID: Final = "U215"
RETURN: Final = "011"

_AMOUNT: Final = re.compile(r"(\d{1,16})\.(\d\d)")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A credit transfer or an enquiry as the hub reads it. Amount in minor units."""

    kind: str
    message_id: str
    reference: str
    transaction: str
    amount_minor: int
    debtor_bank: str
    debtor_account: str
    debtor_name: str
    creditor_bank: str
    creditor_account: str
    creditor_name: str = ""
    proxy_type: str = ""
    proxy: str = ""
    related: str = ""
    note: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub says of a transfer: TxSts, reason, a detail, and the facts it rests on."""

    status: str
    reason: str
    detail: str = ""
    row: TransferRow | None = None
    name: str = ""
    account_type: str = ""


def minor_of(amount: Any) -> int | None:
    """Sen of an amount of rupiah; None when it is none."""
    if not isinstance(amount, dict) or amount.get("Ccy") != "IDR":
        return None
    match = _AMOUNT.fullmatch(str(amount.get("Value", "")))
    return None if match is None else int(match[1] + match[2])


def enquire(books: Passbook, order: Order) -> Said:
    """Who has this account. Nothing is written."""
    if reason := _judge_payee(books, order):
        return Said(status="RJCT", reason=reason)
    account = books.account(key_of(order.creditor_bank, order.creditor_account))
    assert account is not None
    sort = json.loads(account.detail).get("type", "SVGS")
    return Said(status="ACTC", reason=SUCCESS, name=account.name, account_type=sort)


def pay(
    books: HubBooks,
    directory: Directory,
    order: Order,
    now: datetime,
    *,
    forced: str = "",
    delay: tuple[float, str] | None = None,
) -> Said:
    """Carry out a transfer from the bank, once. ``forced`` takes the place of success.

    ``delay``: pending for so many seconds, then ``paid`` or ``failed``.
    """
    if books.transfer(order.reference) is not None:
        return Said(status="RJCT", reason=DUPLICATE)
    reason = _judge_payee(books, order) or _judge(directory, order)
    if not reason and not books.can_settle(order.amount_minor):
        reason = NO_LIQUIDITY
    reason = reason or forced or SUCCESS
    row = row_of(order, "in", now, state="paid" if reason == SUCCESS else "failed", code=reason)
    if reason == SUCCESS and delay is not None:
        row = books.record(pending_until(row, now, *delay))
        return Said(status="OTHR", reason=NOT_ANSWERED, row=row)
    row = books.record(row)
    return Said(status="ACTC" if reason == SUCCESS else "RJCT", reason=reason, row=row)


def status_of(books: Passbook, reference: str) -> Said:
    """What became of it: ACSC, or OTHR with U106, U107 (and its reason) or U108."""
    row = books.transfer(reference)
    if row is None:
        return Said(status="OTHR", reason=NOT_FOUND)
    if row.state == "paid":
        return Said(status="ACSC", reason=SUCCESS, row=row)
    if row.state == "pending":
        return Said(status="OTHR", reason=NOT_ANSWERED, row=row)
    return Said(status="OTHR", reason=WAS_REJECTED, detail=row.code, row=row)


def row_of(order: Order, direction: str, now: datetime, *, state: str, code: str) -> TransferRow:
    """The row of an order. ``in`` pays an account out there, ``out`` takes from one."""
    there = (order.creditor_bank, order.creditor_account)
    here = order.debtor_account
    if direction == "out":
        there, here = (order.debtor_bank, order.debtor_account), order.creditor_account
    return TransferRow(
        reference=order.reference,
        kind=order.kind,
        direction=direction,
        account=key_of(*there),
        counterpart=here,
        amount_minor=order.amount_minor,
        state=state,
        code=code,
        network_reference=f"FAST{order.reference[:8]}{order.reference[22:]}",
        made_at=instant_text(now),
        detail=json.dumps(msgspec.structs.asdict(order)),
    )


def order_of(row: TransferRow) -> Order:
    """The order a row was written from."""
    return msgspec.convert(json.loads(row.detail), Order)


def _judge_payee(books: Passbook, order: Order) -> str:
    if order.creditor_bank not in PARTICIPANTS:
        return NO_BANK
    account = books.account(key_of(order.creditor_bank, order.creditor_account))
    if account is None:
        return NO_ACCOUNT
    return "" if account.state == "open" else INACTIVE


def _judge(directory: Directory, order: Order) -> str:
    if order.amount_minor <= 0:
        return BELOW
    if order.amount_minor > AMOUNT_MINOR_MAX:
        return ABOVE
    if order.kind != "110":
        return ""
    found = directory.resolve(order.proxy_type, order.proxy)
    if isinstance(found, str):
        return found
    same = (found.bank, found.account) == (order.creditor_bank, order.creditor_account)
    return "" if same else MISSING
