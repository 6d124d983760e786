"""How payments' rows lie in PostgreSQL, for the book's writer to keep beside the ledger's own."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.audit.chain import digest
from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.order import PaymentOrder, RefundOrder
from tangguh.core.outcome import Refusal
from tangguh.customers.terms import MERCHANTS, TERMS
from tangguh.ledger.shelf import Loaded, ShelfPlan
from tangguh.payments.gates.judge import GATE_EVENTS, GATE_SHELVES
from tangguh.payments.incoming.names import NAMES
from tangguh.payments.merchant.payouts import PAYOUTS
from tangguh.payments.payment import Order, Payment, State
from tangguh.payments.redress.rows import REDRESS_EVENTS, REDRESS_SHELVES
from tangguh.payments.tariff import TARIFF

SQL: Final = ("tangguh.payments", "payments.sql")

ENCODE_ORDER: Final = msgspec.json.Encoder().encode
DECODE_ORDER: Final = msgspec.json.Decoder(Order).decode

OrderKey = str
"""``customer:key``: the key a device made, within its customer."""
UsageKey = tuple[int, str, date]
"""(account id, service, business date)."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """What one account has spent on one service on one day, in minor units."""

    account_id: int
    service: str
    business_date: date
    used_minor: int


SequenceKey = tuple[str, date]
"""(rail, business date)."""


BillKey = tuple[str, str]
"""(merchant id, bill number)."""


class Bill(msgspec.Struct, frozen=True, gc=False):
    """A dynamic code of a merchant of ours: an amount, until when, and the payment that paid it."""

    merchant_id: str
    bill_no: str
    amount_minor: int
    expires_at: datetime
    paid_by: UUID | None = None


class Sequence(msgspec.Struct, frozen=True, gc=False):
    """The last number given on a rail that names its payments by a number of the day."""

    rail: str
    business_date: date
    last: int


class PaidOnce(msgspec.Struct, frozen=True, gc=False):
    """A thing that pays once, and the payment it paid."""

    thing: str
    payment_id: UUID


def order_key(customer_id: int, key: str) -> OrderKey:
    """One text for both, so that one index, and no other, can find it."""
    return f"{customer_id}:{key}"


def key_of(order: Order) -> OrderKey:
    """Whose key an order's is: its customer's, the payee's of a refund, or the network's own."""
    if isinstance(order, PaymentOrder) and not order.by_network:
        return f"{order.customer_id}:{order.idempotency_key}"
    if isinstance(order, RefundOrder):
        return order_key(order.requested_by, order.idempotency_key)
    return order_key(_THE_NETWORK, order.idempotency_key)


_THE_NETWORK: Final = 0


def read_payment(row: Loaded) -> Payment:
    """A payment from its row in PostgreSQL."""
    order = DECODE_ORDER(row["order_json"])
    written = (row["order_key"], row["order_json"])
    return Payment(
        id=row["payment_id"],
        kind=row["kind"],
        customer_id=row["customer_id"],
        service=row["service"],
        rail=row["rail"],
        state=State(row["state"]),
        debtor=row["debtor"],
        creditor=row["creditor"],
        amount_minor=row["amount_minor"],
        tip_minor=row["tip_minor"],
        fee_minor=row["fee_minor"],
        currency=row["currency"],
        order=order,
        business_date=row["business_date"],
        accepted_at=row["accepted_at"],
        original_id=row["original_id"],
        network_reference=row["network_reference"],
        refusal=Refusal(row["refusal"]) if row["refusal"] else None,
        refusal_field=row["refusal_field"],
        refusal_detail=row["refusal_detail"],
        refunded_minor=row["refunded_minor"],
        refunding_minor=row["refunding_minor"],
        concluded_at=row["concluded_at"],
        resolve_at=row["resolve_at"],
        attempts=row["attempts"],
        events=row["events"],
        wire=row["wire_reference"],
        advanced_minor=row["advanced_minor"],
        discount_minor=row["discount_minor"],
        written=None if written == _written(order) else written,
    )


def _written(order: Order) -> tuple[OrderKey, str]:
    """An order's key and text, as this version writes them; they never change afterwards."""
    return key_of(order), ENCODE_ORDER(order).decode()


_ROWS_KEPT_MAX: Final = 8_192
_rows_kept: dict[UUID, tuple[Payment, Row]] = {}
"""The newest rows that were made, so that what is digested, written and changed within seconds is
made once. Only the very same payment has its row from here, and only the very same order its text.
"""


def _payment_row(payment: Payment) -> Row:
    kept = _rows_kept.get(payment.id)
    order = payment.order
    if kept is None or kept[0].order is not order:
        key, text = payment.written or _written(order)
    elif kept[0] is payment:
        return kept[1]
    else:
        key, text = kept[1][_KEY_AND_TEXT]
    row = _row_of(payment, key, text)
    if len(_rows_kept) >= _ROWS_KEPT_MAX:
        _rows_kept.clear()
    _rows_kept[payment.id] = payment, row
    return row


_KEY_AND_TEXT: Final = slice(12, 14)


def _row_of(payment: Payment, key: OrderKey, order_json: str) -> Row:
    return (
        payment.id,
        payment.kind,
        payment.customer_id,
        payment.service,
        payment.rail,
        payment.state,
        payment.debtor,
        payment.creditor,
        payment.amount_minor,
        payment.tip_minor,
        payment.fee_minor,
        payment.currency,
        key,
        order_json,
        payment.original_id,
        payment.network_reference,
        payment.refusal or "",
        payment.refusal_field,
        payment.refusal_detail,
        payment.refunded_minor,
        payment.refunding_minor,
        payment.business_date,
        payment.accepted_at,
        payment.concluded_at,
        payment.resolve_at,
        payment.attempts,
        payment.events,
        payment.wire,
        payment.advanced_minor,
        payment.discount_minor,
    )


def key_and_digest(payment: Payment) -> tuple[OrderKey, bytes]:
    """Its order's key, and the payment's row as the chain remembers it."""
    row = _payment_row(payment)
    return row[_KEY_AND_TEXT.start], digest(row)


def _payment_change(payment: Payment) -> Row:
    return (
        payment.id,
        payment.state,
        payment.network_reference,
        payment.refusal or "",
        payment.refusal_field,
        payment.refusal_detail,
        payment.refunded_minor,
        payment.refunding_minor,
        payment.concluded_at,
        payment.resolve_at,
        payment.attempts,
        payment.events,
        payment.advanced_minor,
    )


def _usage_arrays(keys: Rows[UsageKey]) -> tuple[list[Any], ...]:
    accounts, services, days = zip(*keys, strict=True)
    return list(accounts), list(services), list(days)


def _read_key(row: Loaded) -> tuple[OrderKey, UUID]:
    return row["order_key"], row["payment_id"]


def _read_usage(row: Loaded) -> tuple[UsageKey, Usage]:
    usage = Usage(row["account_id"], row["service"], row["business_date"], row["used_minor"])
    return (usage.account_id, usage.service, usage.business_date), usage


def _usage_row(usage: Usage) -> Row:
    return (usage.account_id, usage.service, usage.business_date, usage.used_minor)


def _bill_arrays(keys: Rows[BillKey]) -> tuple[list[Any], ...]:
    merchants, numbers = zip(*keys, strict=True)
    return list(merchants), list(numbers)


def _read_bill(row: Loaded) -> tuple[BillKey, Bill]:
    bill = Bill(
        row["merchant_id"],
        row["bill_no"],
        row["amount_minor"],
        row["expires_at"],
        row["paid_by"],
    )
    return (bill.merchant_id, bill.bill_no), bill


def _bill_row(bill: Bill) -> Row:
    return bill.merchant_id, bill.bill_no, bill.amount_minor, bill.expires_at, bill.paid_by


def _sequence_arrays(keys: Rows[SequenceKey]) -> tuple[list[Any], ...]:
    rails, days = zip(*keys, strict=True)
    return list(rails), list(days)


def _read_sequence(row: Loaded) -> tuple[SequenceKey, Sequence]:
    found = Sequence(row["rail"], row["business_date"], row["last_number"])
    return (found.rail, found.business_date), found


def _sequence_row(sequence: Sequence) -> Row:
    return sequence.rail, sequence.business_date, sequence.last


def _read_payment_pair(row: Loaded) -> tuple[UUID, Payment]:
    payment = read_payment(row)
    return payment.id, payment


PAYMENTS: Final[ShelfPlan[UUID, Payment]] = ShelfPlan(
    name="payments",
    sql=SQL,
    load="load_payments",
    key_arrays=lambda keys: (list(keys),),
    read=_read_payment_pair,
    table="payments",
    columns=(
        "payment_id",
        "kind",
        "customer_id",
        "service",
        "rail",
        "state",
        "debtor",
        "creditor",
        "amount_minor",
        "tip_minor",
        "fee_minor",
        "currency",
        "order_key",
        "order_json",
        "original_id",
        "network_reference",
        "refusal",
        "refusal_field",
        "refusal_detail",
        "refunded_minor",
        "refunding_minor",
        "business_date",
        "accepted_at",
        "concluded_at",
        "resolve_at",
        "attempts",
        "events",
        "wire_reference",
        "advanced_minor",
        "discount_minor",
    ),
    to_row=_payment_row,
    update="change_payments",
    to_change=_payment_change,
    unique="taken_payments",
    to_unique=lambda payment: (key_of(payment.order), payment.rail, payment.wire),
    rows_max=50_000,
)

ORDER_KEYS: Final[ShelfPlan[OrderKey, UUID]] = ShelfPlan(
    name="order_keys",
    sql=SQL,
    load="load_order_keys",
    key_arrays=lambda keys: (list(keys),),
    read=_read_key,
    rows_max=50_000,
)
"""Which payment each key made. Written as a column of the payment; here for looking it up."""

USAGE: Final[ShelfPlan[UsageKey, Usage]] = ShelfPlan(
    name="limit_usage",
    sql=SQL,
    load="load_limit_usage",
    key_arrays=_usage_arrays,
    read=_read_usage,
    table="limit_usage",
    columns=("account_id", "service", "business_date", "used_minor"),
    to_row=_usage_row,
    update="change_limit_usage",
    to_change=_usage_row,
    rows_max=100_000,
)

SEQUENCES: Final[ShelfPlan[SequenceKey, Sequence]] = ShelfPlan(
    name="wire_sequences",
    sql=SQL,
    load="load_wire_sequences",
    key_arrays=_sequence_arrays,
    read=_read_sequence,
    table="wire_sequences",
    columns=("rail", "business_date", "last_number"),
    to_row=_sequence_row,
    update="change_wire_sequences",
    to_change=_sequence_row,
    rows_max=1_000,
)

BILLS: Final[ShelfPlan[BillKey, Bill]] = ShelfPlan(
    name="merchant_bills",
    sql=SQL,
    load="load_merchant_bills",
    key_arrays=_bill_arrays,
    read=_read_bill,
    table="merchant_bills",
    columns=("merchant_id", "bill_no", "amount_minor", "expires_at", "paid_by"),
    to_row=_bill_row,
    update="change_merchant_bills",
    to_change=lambda bill: (bill.merchant_id, bill.bill_no, bill.paid_by),
    rows_max=20_000,
    sealed_by=2,
)

PAID_ONCE: Final[ShelfPlan[str, PaidOnce]] = ShelfPlan(
    name="paid_once",
    sql=SQL,
    load="load_paid_once",
    key_arrays=lambda keys: (list(keys),),
    read=lambda row: (row["thing"], PaidOnce(row["thing"], row["payment_id"])),
    table="paid_once",
    columns=("thing", "payment_id"),
    to_row=lambda paid: (paid.thing, paid.payment_id),
    rows_max=10_000,
    sealed_by=1,
)
"""Written with the payment and never changed: cash codes."""

EVENTS: Final = JournalPlan(
    table="payment_events",
    columns=(
        "payment_id",
        "seq",
        "batch_no",
        "at",
        "state",
        "what",
        "detail",
        "row_digest",
    ),
    order_by="payment_id, seq",
    sort_key=lambda row: (row[0].int, row[1]),
    later=1,
)
"""``row_digest``: the payment's whole row after the event, so that the chain knows it."""

PAYMENT_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (
    PAYMENTS,
    ORDER_KEYS,
    NAMES,
    USAGE,
    SEQUENCES,
    BILLS,
    PAYOUTS,
    PAID_ONCE,
    MERCHANTS,
    *GATE_SHELVES,
    *REDRESS_SHELVES,
)
PAYMENT_JOURNALS: Final = (EVENTS, TARIFF, GATE_EVENTS, REDRESS_EVENTS, TERMS)
