"""What every decision about a payment shares: its idempotency key, its row, its timeline. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.merchant.shop import merchant_of
from tangguh.payments.payment import Decided, Order, Payment, State
from tangguh.payments.plans import (
    EVENTS,
    ORDER_KEYS,
    PAYMENTS,
    OrderKey,
    key_and_digest,
    key_of,
)


def beside(debtor: int, creditor: int, order: Order) -> list[int]:
    """The accounts a posting touches beside the two ends: floats and their memos, the discount."""
    found: list[int] = []
    for account_id in (debtor, creditor):
        product = chart.product_of(account_id)
        if product:
            found += (chart.FLOAT_OF_PRODUCT[product], chart.MEMO_OF_PRODUCT[product])
    if merchant_of(order):
        found.append(chart.MERCHANT_FEES)
    return found


def keys_of_idempotency(book: Book, whole: OrderKey) -> list[Key]:
    """The key's row and, once that is loaded, the payment it made."""
    payment_id = book.shelf(ORDER_KEYS).rows.get(whole)
    if payment_id is None:
        return [("order_keys", whole)]
    return [("order_keys", whole), ("payments", payment_id)]


def repeated(book: Book, order: Order) -> Decided | Refused | None:
    """What its key got before: the same payment, or IDEMPOTENCY_KEY_REUSED naming the field."""
    payment_id = book.shelf(ORDER_KEYS).get(key_of(order))
    if payment_id is None:
        return None
    payment = book.shelf(PAYMENTS).get(payment_id)
    if payment is None:
        raise InvariantBroken(f"an idempotency key names {payment_id}, which is not there")
    return answer_again(payment, order)


def answer_again(payment: Payment, order: Order) -> Decided | Refused:
    """What an order gets whose key made this payment already."""
    if payment.order == order:
        return Decided(payment, repeated=True)
    return Refused(
        Refusal.IDEMPOTENCY_KEY_REUSED,
        _differing_field(payment.order, order),
        "this idempotency key was used before for another order",
    )


def record(book: Book, payment: Payment, what: str, detail: str = "") -> Decided:
    """Keep the payment as it is now and add the line to its timeline."""
    known = book.shelf(PAYMENTS)
    key, digested = key_and_digest(payment)
    if payment.id not in known.rows:
        book.shelf(ORDER_KEYS).put(key, payment.id)
    known.add(payment.id, payment)
    book.note(
        EVENTS,
        (
            payment.id,
            payment.events,
            book.batch_no,
            book.now,
            payment.state,
            what,
            detail,
            digested,
        ),
    )
    return Decided(payment)


def record_refused(book: Book, payment: Payment, refused: Refused) -> Decided:
    """Keep it as refused, so that the same key gets the same answer for ever."""
    refusal = msgspec.structs.replace(
        payment,
        state=State.REFUSED,
        refusal=refused.code,
        refusal_field=refused.field,
        refusal_detail=refused.detail,
        concluded_at=book.now,
        events=1,
    )
    return record(book, refusal, "refused", refused.code)


_FIELD_NAMES: Final = {
    "debtor": "from_account",
    "payee": "to",
    "amount_minor": "amount",
    "tip_minor": "tip",
}
"""What every other refusal calls these fields of an order."""


def _differing_field(first: Order, second: Order) -> str:
    if type(first) is not type(second):
        return "kind"
    for field in first.__struct_fields__:
        if getattr(first, field) != getattr(second, field):
            return _FIELD_NAMES.get(field, field)
    return "order"
